"""DeleteMlModelServiceOperator."""

from __future__ import annotations

from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException

from airflow_provider_collate.exceptions import NoAnswerError, OutcomeError, ServerError
from airflow_provider_collate.operators.mlmodel_service import DeleteMlModelServiceOperator
from airflow_provider_collate.sandbox import Catalog
from tests.unit.conftest import service_in

LIST_PAGE = "https://acme.getcollate.io/settings/services/mlmodels"


def make(**given: Any) -> DeleteMlModelServiceOperator:
    return DeleteMlModelServiceOperator(**{"task_id": "retire", "name": "prod.mlflow", **given})


def test_a_soft_delete_can_be_restored(catalog: Catalog, context: Any) -> None:
    catalog.add_service("prod.mlflow")
    service_id = service_in(catalog, "prod.mlflow")["id"]
    assert make().execute(context) == {
        "id": service_id,
        "name": "prod.mlflow",
        "fullyQualifiedName": '"prod.mlflow"',
        "serviceType": "Mlflow",
        "version": catalog.deleted["prod.mlflow"]["version"],
        "url": "https://acme.getcollate.io/service/mlmodelServices/%22prod.mlflow%22",
        "outcome": "deleted",
    }


@pytest.mark.parametrize("is_soft_deleted", [False, True])
@pytest.mark.parametrize("hard_delete", [True, "true"])
def test_a_hard_delete_cannot(hard_delete: Any, is_soft_deleted: bool, catalog: Catalog, context: Any) -> None:
    catalog.add_service("prod.mlflow")
    if is_soft_deleted:
        catalog.remove_service("prod.mlflow")
    returned = make(hard_delete=hard_delete).execute(context)
    assert (returned["outcome"], returned["url"]) == ("deleted", LIST_PAGE)
    assert "prod.mlflow" not in catalog.deleted


def test_a_missing_service_is_ignored_or_fails(catalog: Catalog, context: Any) -> None:
    assert make().execute(context)["outcome"] == "ignored"
    with pytest.raises(AirflowFailException, match=r"There is no ML model service named 'prod.mlflow'"):
        make(if_missing="fail").execute(context)
    assert catalog.writes == 0


@pytest.mark.parametrize(
    "fault, error",
    [
        ({"times": None, "status": 503}, ServerError),
        ({"lose_answer": True}, NoAnswerError),
        ({"status": 200, "body": {}}, OutcomeError),
    ],
    ids=["503", "lost answer", "not applied"],
)
def test_what_did_not_go_well_is_retried_by_airflow(
    fault: dict[str, Any], error: type[Exception], catalog: Catalog, context: Any
) -> None:
    catalog.add_service("prod.mlflow")
    catalog.fail(method="DELETE", **fault)
    with pytest.raises(error):
        make().execute(context)
    catalog.stop_failing()
    assert make().execute(context)["outcome"] == ("ignored" if "lose_answer" in fault else "deleted")
