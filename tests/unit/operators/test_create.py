"""CreateMlModelServiceOperator: what it declares, returns and refuses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException

from airflow_provider_collate.exceptions import (
    InvalidDeclarationError,
    NoAnswerError,
    OutcomeError,
    ServerError,
    TooManyRequestsError,
)
from airflow_provider_collate.operators.mlmodel_service import CreateMlModelServiceOperator
from airflow_provider_collate.sandbox import Catalog
from tests.unit.conftest import TaskInstance, failure, service_in

MLFLOW = {"config": {"type": "Mlflow", "trackingUri": "http://mlflow:5000", "registryUri": "http://mlflow:5000"}}


def make(**given: Any) -> CreateMlModelServiceOperator:
    fields = {"task_id": "register", "name": "prod_mlflow", "service_type": "Mlflow", "connection": MLFLOW, **given}
    return CreateMlModelServiceOperator(**fields)


# --- what is declared


def test_it_returns_the_service_as_small_plain_json(catalog: Catalog, context: Any) -> None:
    returned = make(name="prod.mlflow", description="Models of the **fraud** team").execute(context)
    stored = service_in(catalog, "prod.mlflow")
    assert returned == {
        "id": stored["id"],
        "name": "prod.mlflow",
        "fullyQualifiedName": '"prod.mlflow"',
        "serviceType": "Mlflow",
        "version": 0.1,
        "url": "https://acme.getcollate.io/service/mlmodelServices/%22prod.mlflow%22",
        "outcome": "created",
    }
    assert stored["description"] == "Models of the **fraud** team"
    assert [request.method for request in catalog.requests if request.is_write] == ["POST"]


FIELDS: dict[str, Any] = {
    "display_name": "Production MLflow",
    "description": "All of it",
    "owners": [{"id": "00000000-0000-4000-8000-000000000001", "type": "team"}],
    "domains": ["Fraud"],
    "data_products": ["Fraud.scores"],
    "tags": ["Tier.Tier1", {"tagFQN": "PII.None"}],
    "style": {"color": "#aabbcc"},
}


@pytest.mark.parametrize("given", [FIELDS, {"domain": "Fraud"}, {}, dict.fromkeys(FIELDS)])
def test_each_field_that_is_given_is_declared_and_no_other(given: dict[str, Any]) -> None:
    operator = make(**given)
    assert operator._declared() == [{"name": "prod_mlflow", "service_type": "Mlflow", "connection": MLFLOW, **given}]
    assert {*FIELDS, "domain"} <= set(operator.template_fields)


@pytest.mark.parametrize("empty", [[], None])
def test_an_empty_value_given_explicitly_empties(empty: object, catalog: Catalog, context: Any) -> None:
    make(tags=["Tier.Tier1"]).execute(context)
    assert make(if_exists="update").execute(context)["outcome"] == "unchanged"
    assert make(if_exists="update", tags=empty).execute(context)["outcome"] == "updated"
    assert service_in(catalog, "prod_mlflow")["tags"] == []


def test_a_connection_of_none_sends_none(catalog: Catalog, context: Any) -> None:
    make(connection=None).execute(context)
    assert "connection" not in service_in(catalog, "prod_mlflow")


def test_an_airflow_connection_is_read_when_the_task_runs(
    catalog: Catalog, context: Any, connect: Callable[..., None]
) -> None:
    operator = make(service_type="SageMaker", connection={"conn_id": "aws_prod"})
    connect("aws_prod", conn_type="aws", host="", login="AKIA1234", password="wJalrXUt", extra={"region_name": "x"})
    operator.execute(context)
    config = service_in(catalog, "prod_mlflow")["connection"]["config"]["awsConfig"]
    assert (config["awsAccessKeyId"], config["awsSecretAccessKey"]) == ("AKIA1234", "wJalrXUt")


# --- options


@pytest.mark.parametrize("if_exists, outcome", [("fail", None), ("ignore", "ignored"), ("update", "updated")])
def test_if_exists_says_what_becomes_of_an_existing_service(
    if_exists: str, outcome: str | None, catalog: Catalog, context: Any, ti: TaskInstance
) -> None:
    make().execute(context)
    operator = make(display_name="MLflow", if_exists=if_exists)
    if outcome is None:
        error = failure(operator, context)
        assert isinstance(error.__cause__, OutcomeError)
        assert "'prod_mlflow' exists already" in str(error)
        assert 'if_exists="update"' in str(error)
        assert ti.xcoms["report"]["counts"] == {"failed": 1}
    else:
        assert operator.execute(context)["outcome"] == outcome
    assert ("displayName" in service_in(catalog, "prod_mlflow")) is (outcome == "updated")


def test_a_later_attempt_finds_the_service_that_an_earlier_one_created(
    catalog: Catalog, context: Any, ti: TaskInstance
) -> None:
    make().execute(context)
    ti.try_number = 2
    assert make().execute(context)["outcome"] == "unchanged"


def test_plan_only_writes_nothing_and_returns_the_plan(
    catalog: Catalog, context: Any, ti: TaskInstance, logged: Callable[[], str]
) -> None:
    returned = make(plan_only=True).execute(context)
    assert str(returned.pop("text")).split() == ["+", "prod_mlflow", "create", "Mlflow"]
    assert "| + | `prod_mlflow` | create | `Mlflow` |" in str(returned.pop("markdown"))
    assert str(returned.pop("fingerprint")).startswith("plan1:")
    assert returned == {
        "has_changes": True,
        "counts": {"create": 1},
        "refused": False,
        "url": "https://acme.getcollate.io/settings/services/mlmodels",
    }
    assert catalog.writes == 0
    assert ti.xcoms == {}
    assert "Plan, nothing is written:\n+ prod_mlflow" in logged()


def test_timeout_and_retries_of_the_task_override_the_connection(
    catalog: Catalog, context: Any, connect: Callable[..., None]
) -> None:
    connect(extra={"max_retries": 0, "timeout": 1})
    catalog.fail(times=2, status=503, headers={"Retry-After": "0"}, path="system/version|name/")
    make(request_retries=2, request_timeout=5).execute(context)
    catalog.fail(latency=2.0, path="name/")
    with pytest.raises(NoAnswerError, match="did not answer in time"):
        make(name="slow", request_timeout="0.2", request_retries="0").execute(context)


# --- bad input: nothing is sent


@pytest.mark.parametrize(
    "given, problem",
    [
        ({"name": "a::b"}, 'name: must not contain "::"'),
        (
            {"connection": {"config": {"trackingURI": "http://u:hunter2hunter2@h"}}},
            "connection.config.trackingURI: unknown field, did you mean trackingUri?",
        ),
        ({"connection": {"conn_id": "unknown"}}, 'connection.conn_id: there is no Airflow connection "unknown"'),
        ({"request_timeout": 0}, "request_timeout: must be a number of seconds above 0"),
        ({"request_retries": -1}, "request_retries: must be a whole number, 0 or more"),
    ],
)
def test_bad_input_is_named_by_its_path_and_nothing_is_sent(
    given: dict[str, Any], problem: str, catalog: Catalog, context: Any
) -> None:
    error = failure(make(**given), context)
    assert isinstance(error.__cause__, InvalidDeclarationError)
    assert problem in str(error)
    assert "nothing was sent" in str(error)
    assert "hunter2" not in str(error)
    assert catalog.requests == []


# --- which errors Airflow retries


@pytest.mark.parametrize(
    "fault, kind",
    [
        ({"status": 500}, ServerError),
        ({"status": 503}, ServerError),
        ({"status": 429}, TooManyRequestsError),
        ({"reset": True}, NoAnswerError),
        ({"status": 201, "body": {"id": "x", "name": "prod_mlflow"}}, OutcomeError),
    ],
    ids=["500", "503", "429", "reset", "not in the catalog"],
)
def test_a_retryable_error_is_raised_as_it_is(
    fault: dict[str, Any], kind: type[Exception], catalog: Catalog, context: Any, ti: TaskInstance
) -> None:
    catalog.fail(times=None, method="POST", **fault)
    with pytest.raises(kind) as caught:
        make().execute(context)
    assert not isinstance(caught.value, AirflowFailException)
    assert ti.xcoms["report"]["counts"] == {"failed": 1}
