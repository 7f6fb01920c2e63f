"""DeleteMlModelServiceOperator."""

from __future__ import annotations

from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException

from airflow_provider_collate.exceptions import ServerError
from airflow_provider_collate.operators.mlmodel_service import DeleteMlModelServiceOperator
from airflow_provider_collate.sandbox import Catalog
from tests.unit.conftest import service_in


def make(**given: Any) -> DeleteMlModelServiceOperator:
    return DeleteMlModelServiceOperator(**{"task_id": "retire", "name": "prod.mlflow", **given})


def test_a_soft_delete_can_be_restored(catalog: Catalog, context: Any) -> None:
    catalog.add_service("prod.mlflow")
    service_id = service_in(catalog, "prod.mlflow")["id"]
    returned = make().execute(context)
    assert returned == {
        "id": service_id,
        "name": "prod.mlflow",
        "fullyQualifiedName": '"prod.mlflow"',
        "serviceType": "Mlflow",
        "version": catalog.deleted["prod.mlflow"]["version"],
        "url": "https://acme.getcollate.io/service/mlmodelServices/%22prod.mlflow%22",
        "outcome": "deleted",
    }


def test_a_hard_delete_cannot(catalog: Catalog, context: Any) -> None:
    catalog.add_service("prod.mlflow")
    returned = make(hard_delete=True).execute(context)
    assert (returned["outcome"], returned["url"]) == (
        "deleted",
        "https://acme.getcollate.io/settings/services/mlmodels",
    )
    assert "prod.mlflow" not in catalog.deleted


def test_a_hard_delete_takes_a_soft_deleted_one_too(catalog: Catalog, context: Any) -> None:
    catalog.add_service("prod.mlflow")
    catalog.remove_service("prod.mlflow")
    assert make(hard_delete=True).execute(context)["outcome"] == "deleted"
    assert "prod.mlflow" not in catalog.deleted


@pytest.mark.parametrize("hard_delete", ["false", "True", 0, 1, None])
def test_only_a_bool_says_whether_a_delete_is_hard(hard_delete: Any, catalog: Catalog, context: Any) -> None:
    catalog.add_service("prod.mlflow")
    with pytest.raises(AirflowFailException, match="hard_delete: must be True or False, not "):
        make(hard_delete=hard_delete).execute(context)
    assert not catalog.requests
    assert "prod.mlflow" in catalog.services


def test_a_missing_service_is_ignored_or_fails(catalog: Catalog, context: Any) -> None:
    assert make().execute(context)["outcome"] == "ignored"
    with pytest.raises(AirflowFailException, match=r"There is no ML model service named 'prod.mlflow'"):
        make(if_missing="fail").execute(context)
    assert catalog.writes == 0


def test_a_lost_answer_of_a_delete_is_settled(catalog: Catalog, context: Any) -> None:
    catalog.add_service("prod.mlflow")
    catalog.fail(method="DELETE", lose_answer=True)
    with pytest.raises(Exception, match=r"connection broke|closed|disconnected"):
        make().execute(context)
    assert make().execute(context)["outcome"] == "ignored"


def test_a_delete_that_the_catalog_does_not_show_is_no_success(catalog: Catalog, context: Any) -> None:
    catalog.add_service("prod.mlflow")
    catalog.fail(method="DELETE", status=200, body={})
    with pytest.raises(Exception, match="is still there, though the server answered its deletion with success"):
        make().execute(context)


def test_a_failing_server_is_retried_by_airflow(catalog: Catalog, context: Any) -> None:
    catalog.add_service("prod.mlflow")
    catalog.fail(times=None, method="DELETE", status=503)
    with pytest.raises(ServerError):
        make().execute(context)


@pytest.mark.parametrize(
    "given, problem",
    [
        ({"name": ""}, "name: must be a text that is not empty"),
        ({"name": None}, "name: must be a text that is not empty"),
        ({"if_missing": "skip"}, "if_missing: is 'skip', but must be 'ignore' or 'fail'"),
    ],
)
def test_bad_input_is_named_and_nothing_is_sent(
    given: dict[str, Any], problem: str, catalog: Catalog, context: Any
) -> None:
    with pytest.raises(AirflowFailException) as caught:
        make(**given).execute(context)
    assert problem in str(caught.value)
    assert catalog.requests == []
