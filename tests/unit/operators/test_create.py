"""CreateMlModelServiceOperator: what it sends, returns and refuses."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException

from airflow_provider_collate.exceptions import (
    AuthenticationError,
    BadRequestError,
    InvalidConnectionError,
    InvalidDeclarationError,
    NoAnswerError,
    OutcomeError,
    PermissionDeniedError,
    ServerError,
    TooManyRequestsError,
)
from airflow_provider_collate.models import AwsCredentials, MlflowConnection, SageMakerConnection, ServiceConnection
from airflow_provider_collate.operators.mlmodel_service import CreateMlModelServiceOperator
from airflow_provider_collate.sandbox import DEFAULT_ADMIN_TOKEN, Catalog
from tests.unit.conftest import TaskInstance, service_in

MLFLOW = {"config": {"type": "Mlflow", "trackingUri": "http://mlflow:5000", "registryUri": "http://mlflow:5000"}}
COLLECTION = "/api/v1/services/mlmodelServices"


def make(**given: Any) -> CreateMlModelServiceOperator:
    fields = {"task_id": "register", "name": "prod_mlflow", "service_type": "Mlflow", "connection": MLFLOW, **given}
    return CreateMlModelServiceOperator(**fields)


def failure(operator: CreateMlModelServiceOperator, context: Any) -> AirflowFailException:
    with pytest.raises(AirflowFailException) as caught:
        operator.execute(context)
    return caught.value


# --- success


def test_returns_the_service_as_small_plain_json(catalog: Catalog, context: Any) -> None:
    returned = make(description="Models of the **fraud** team").execute(context)
    stored = service_in(catalog, "prod_mlflow")
    assert returned == {
        "id": stored["id"],
        "name": "prod_mlflow",
        "fullyQualifiedName": "prod_mlflow",
        "serviceType": "Mlflow",
        "version": 0.1,
        "url": "https://acme.getcollate.io/service/mlmodelServices/prod_mlflow",
        "outcome": "created",
    }
    assert stored["description"] == "Models of the **fraud** team"
    assert [request.method for request in catalog.requests if request.is_write] == ["POST"]


def test_a_name_with_a_dot_is_quoted_where_it_is_a_path(catalog: Catalog, context: Any) -> None:
    returned = make(name="prod.mlflow").execute(context)
    assert returned["fullyQualifiedName"] == '"prod.mlflow"'
    assert returned["url"] == "https://acme.getcollate.io/service/mlmodelServices/%22prod.mlflow%22"


def test_every_field_arrives(catalog: Catalog, context: Any) -> None:
    team = catalog.add_team("fraud").reference()
    make(
        display_name="Production MLflow",
        description="All of it",
        owners=[{"id": team["id"], "type": "team"}],
        domains=["Fraud"],
        tags=["Tier.Tier1", {"tagFQN": "PII.None"}],
    ).execute(context)
    stored = service_in(catalog, "prod_mlflow")
    assert stored["displayName"] == "Production MLflow"
    assert stored["description"] == "All of it"
    assert [owner["name"] for owner in stored["owners"]] == ["fraud"]
    assert [domain["name"] for domain in stored["domains"]] == ["Fraud"]
    assert sorted(tag["tagFQN"] for tag in stored["tags"]) == ["PII.None", "Tier.Tier1"]
    assert stored["connection"]["config"]["trackingUri"] == "http://mlflow:5000"


def test_a_single_domain_is_accepted_as_documented(catalog: Catalog, context: Any) -> None:
    make(domain="Fraud").execute(context)
    assert [domain["name"] for domain in service_in(catalog, "prod_mlflow")["domains"]] == ["Fraud"]


def test_on_release_1_2_owner_and_domain_go_out_as_one(catalog: Catalog, context: Any) -> None:
    catalog.release = "1.2"
    team = catalog.add_team("fraud").reference()
    make(owners=[{"id": team["id"], "type": "team"}], domains=["Fraud"]).execute(context)
    [sent] = [request.body for request in catalog.requests if request.method == "POST"]
    assert isinstance(sent, dict)
    assert sent["owner"] == {"id": team["id"], "type": "team"}
    assert sent["domain"] == "Fraud"
    assert "owners" not in sent
    assert "domains" not in sent
    stored = service_in(catalog, "prod_mlflow")
    assert (stored["owner"]["name"], stored["domain"]["name"]) == ("fraud", "Fraud")


def test_two_owners_on_release_1_2_are_refused(catalog: Catalog, context: Any) -> None:
    catalog.release = "1.2"
    owners = [{"id": catalog.add_team(name).id, "type": "team"} for name in ("fraud", "risk")]
    error = failure(make(owners=owners), context)
    assert "asks for 2 owners, but Collate 1.2" in str(error)
    assert "holds one" in str(error)
    assert catalog.writes == 0


def test_tags_that_a_post_drops_are_applied_by_patch(catalog: Catalog, context: Any) -> None:
    catalog.release = "1.2"
    assert make(tags=["Tier.Tier1"]).execute(context)["outcome"] == "created"
    assert [tag["tagFQN"] for tag in service_in(catalog, "prod_mlflow")["tags"]] == ["Tier.Tier1"]


def test_the_server_is_asked_for_its_version_once(catalog: Catalog, context: Any) -> None:
    make(tags=["Tier.Tier1"], domains=["Fraud"]).execute(context)
    assert [request.path for request in catalog.requests].count("/api/v1/system/version") == 1


@pytest.mark.parametrize(
    "connection",
    [
        MLFLOW,
        MlflowConnection(tracking_uri="http://mlflow:5000", registry_uri="http://mlflow:5000"),
        ServiceConnection(
            config=MlflowConnection(tracking_uri="http://mlflow:5000", registry_uri="http://mlflow:5000")
        ),
        {"config": MlflowConnection(tracking_uri="http://mlflow:5000", registry_uri="http://mlflow:5000")},
        {"config": {"tracking_uri": "http://mlflow:5000", "registry_uri": "http://mlflow:5000"}},
    ],
    ids=["mapping", "config", "wrapped", "mapping of model", "snake_case"],
)
def test_a_connection_may_be_a_mapping_or_a_model(connection: object, catalog: Catalog, context: Any) -> None:
    make(connection=connection).execute(context)
    config = service_in(catalog, "prod_mlflow")["connection"]["config"]
    assert {key: config[key] for key in MLFLOW["config"]} == MLFLOW["config"]


def test_nested_credentials_may_be_models(catalog: Catalog, context: Any) -> None:
    connection = SageMakerConnection(aws_config=AwsCredentials(aws_region="eu-central-1", aws_access_key_id="AKIA1234"))
    make(service_type="SageMaker", connection=connection).execute(context)
    config = service_in(catalog, "prod_mlflow")["connection"]["config"]["awsConfig"]
    assert (config["awsRegion"], config["awsAccessKeyId"]) == ("eu-central-1", "AKIA1234")


def test_a_connection_of_none_sends_none(catalog: Catalog, context: Any) -> None:
    make(connection=None).execute(context)
    assert "connection" not in service_in(catalog, "prod_mlflow")


def test_an_airflow_connection_is_read_when_the_task_runs(
    catalog: Catalog, context: Any, connect: Callable[..., None]
) -> None:
    operator = make(service_type="SageMaker", connection={"conn_id": "aws_prod"})
    connect(
        "aws_prod", conn_type="aws", host="", login="AKIA1234", password="wJalrXUtnFEMI", extra={"region_name": "x"}
    )
    operator.execute(context)
    config = service_in(catalog, "prod_mlflow")["connection"]["config"]["awsConfig"]
    assert (config["awsAccessKeyId"], config["awsSecretAccessKey"]) == ("AKIA1234", "wJalrXUtnFEMI")


# --- when the name is taken


def test_a_taken_name_fails_and_says_what_to_do(catalog: Catalog, context: Any, ti: TaskInstance) -> None:
    catalog.add_service("prod_mlflow", connection=MLFLOW)
    error = failure(make(), context)
    assert isinstance(error.__cause__, OutcomeError)
    assert "'prod_mlflow' exists already" in str(error)
    assert 'if_exists="update"' in str(error)
    assert catalog.writes == 0
    assert ti.xcoms["report"]["counts"] == {"failed": 1}


def test_ignore_returns_the_existing_one_untouched(catalog: Catalog, context: Any) -> None:
    catalog.add_service("prod_mlflow", description="Written by Ana")
    before = service_in(catalog, "prod_mlflow")
    returned = make(description="Another text", if_exists="ignore").execute(context)
    assert (returned["outcome"], returned["id"]) == ("ignored", before["id"])
    assert service_in(catalog, "prod_mlflow") == before
    assert catalog.writes == 0


def test_update_writes_what_differs_and_keeps_what_is_absent(catalog: Catalog, context: Any) -> None:
    catalog.add_service("prod_mlflow", description="Written by Ana", tags=["Tier.Tier2"])
    returned = make(display_name="MLflow", if_exists="update").execute(context)
    assert returned["outcome"] == "updated"
    stored = service_in(catalog, "prod_mlflow")
    assert stored["displayName"] == "MLflow"
    assert stored["description"] == "Written by Ana"
    assert [tag["tagFQN"] for tag in stored["tags"]] == ["Tier.Tier2"]
    assert stored["connection"]["config"]["trackingUri"] == "http://mlflow:5000"


def test_update_of_what_is_as_declared_writes_nothing(catalog: Catalog, context: Any) -> None:
    make(description="All of it").execute(context)
    writes = catalog.writes
    assert make(description="All of it", if_exists="update").execute(context)["outcome"] == "unchanged"
    assert catalog.writes == writes


@pytest.mark.parametrize("field, empty", [("tags", []), ("owners", None), ("domains", []), ("domain", None)])
def test_an_empty_value_given_explicitly_empties(field: str, empty: object, catalog: Catalog, context: Any) -> None:
    shown = "domains" if field == "domain" else field
    full: dict[str, Any] = {
        "tags": ["Tier.Tier1"],
        "owners": [catalog.add_team("fraud")],
        "domains": [catalog.add_domain("Risk")],
    }
    catalog.add_service("prod_mlflow", connection=MLFLOW, **{shown: full[shown]})
    assert make(if_exists="update", **{field: empty}).execute(context)["outcome"] == "updated"
    assert service_in(catalog, "prod_mlflow").get(shown, []) == []


def test_a_soft_deleted_one_is_restored_under_update(catalog: Catalog, context: Any) -> None:
    catalog.add_service("prod_mlflow", connection=MLFLOW)
    catalog.remove_service("prod_mlflow")
    assert "soft-deleted" in str(failure(make(), context))
    assert make(if_exists="update").execute(context)["outcome"] == "restored"
    assert "prod_mlflow" in catalog.services


def test_a_later_attempt_takes_an_identical_service_for_success(catalog: Catalog, context: Any, ti: Any) -> None:
    make(description="All of it").execute(context)
    ti.try_number = 2
    writes = catalog.writes
    assert make(description="All of it").execute(context)["outcome"] == "unchanged"
    assert catalog.writes == writes
    assert "exists already" in str(failure(make(description="Another text"), context))


def test_a_create_whose_answer_was_lost_is_settled_by_reading(catalog: Catalog, context: Any) -> None:
    catalog.fail(method="POST", lose_answer=True)
    assert make(description="All of it").execute(context)["outcome"] == "created"
    assert [request.method for request in catalog.requests if request.is_write] == ["POST"]
    assert service_in(catalog, "prod_mlflow")["version"] == 0.1


# --- fields that the catalog keeps


def test_a_kept_description_fails_and_names_both_ways_out(catalog: Catalog, context: Any, ti: TaskInstance) -> None:
    catalog.add_service("prod_mlflow", connection=MLFLOW, description="Written by Ana")
    error = failure(make(description="Declared", if_exists="update"), context)
    assert 'description: "Written by Ana" stays, "Declared" was asked' in str(error)
    assert 'on_unapplied="enforce"' in str(error)
    assert "take the fields out of the declaration" in str(error)
    assert ti.xcoms["report"]["counts"] == {"unapplied": 1}
    assert catalog.writes == 0


def test_a_kept_description_is_only_reported_under_warn(catalog: Catalog, context: Any) -> None:
    catalog.add_service("prod_mlflow", connection=MLFLOW, description="Written by Ana")
    returned = make(description="Declared", if_exists="update", on_unapplied="warn").execute(context)
    assert returned["outcome"] == "unapplied"
    assert service_in(catalog, "prod_mlflow")["description"] == "Written by Ana"


def test_enforce_replaces_a_kept_description(catalog: Catalog, context: Any) -> None:
    catalog.add_service("prod_mlflow", connection=MLFLOW, description="Written by Ana")
    make(description="Declared", if_exists="update", on_unapplied="enforce").execute(context)
    assert service_in(catalog, "prod_mlflow")["description"] == "Declared"


def test_masked_secrets_are_rewritten_when_asked(
    catalog: Catalog, context: Any, connect: Callable[..., None], ti: TaskInstance
) -> None:
    connect(password=DEFAULT_ADMIN_TOKEN)
    aws = {"awsRegion": "x", "awsSecretAccessKey": "declared-secret"}
    catalog.add_service("prod", "SageMaker", connection={"config": {"type": "SageMaker", "awsConfig": aws}})
    given = {"name": "prod", "service_type": "SageMaker", "connection": {"config": {"awsConfig": aws}}}
    assert make(if_exists="update", **given).execute(context)["outcome"] == "unchanged"
    assert ti.xcoms["report"]["unreadable_secrets"] == 1
    assert make(if_exists="update", rewrite_secrets=True, **given).execute(context)["outcome"] == "updated"


def test_plan_only_writes_nothing_and_returns_the_plan(
    catalog: Catalog, context: Any, ti: TaskInstance, logged: Callable[[], str]
) -> None:
    returned = make(plan_only=True).execute(context)
    assert str(returned.pop("plan")).split() == ["+", "prod_mlflow", "create", "Mlflow"]
    assert returned == {
        "counts": {"create": 1},
        "refused": False,
        "url": "https://acme.getcollate.io/settings/services/mlmodels",
    }
    assert catalog.writes == 0
    assert ti.xcoms == {}
    assert "Plan, nothing is written:\n+ prod_mlflow" in logged()


# --- bad input: nothing is sent


@pytest.mark.parametrize(
    "given, problem",
    [
        ({"name": ""}, "name: must not be empty"),
        ({"name": None}, "name: must be a string, not None"),
        ({"name": "n" * 300}, "name: must have at most 256 characters, has 300"),
        ({"name": "a::b"}, 'name: must not contain "::"'),
        (
            {"connection": {"config": {"trackingUri": 5}}},
            "connection.config.trackingUri: must be a string, not a number",
        ),
        (
            {"connection": {"config": {"trackingURI": "http://u:hunter2hunter2@h"}}},
            "connection.config.trackingURI: unknown field, did you mean trackingUri?",
        ),
        (
            {"connection": {"config": {"type": "Sklearn"}}},
            'connection.config.type: is "Sklearn" but serviceType is "Mlflow"',
        ),
        ({"connection": '{"config": {}}'}, "connection: must be an object, not a string; JSON text has to be loaded"),
        ({"connection": {"trackingUri": "http://x"}}, "the fields of a connection go under connection.config"),
        (
            {"connection": {"config": {"registryUri": "mysql://u:{{ conn.x.password }}@h"}}},
            "connection.config.registryUri: ",
        ),
        ({"connection": {"config": {"supportsMetadataExtraction": math.nan}}}, "connection.config.supportsMeta"),
        (
            {"service_type": "CustomMlModel", "connection": {"config": {"own": math.nan}}},
            "connection.config.own: must not be NaN",
        ),
        ({"service_type": "MlFlow2", "connection": None}, 'serviceType "MlFlow2" is not known to this version'),
        ({"domain": "Fraud", "domains": ["Fraud"]}, "domain: give domain or domains, not both"),
        ({"domain": ["Fraud"]}, "domain: must be a string, not a list"),
        ({"domains": "Fraud"}, "domains: must be a list, not a string"),
        ({"owners": [{"id": "fraud-team", "type": "team"}]}, "owners[0].id: must be a UUID"),
        ({"owners": ["ana@acme.example"]}, "owners[0]: must be an object, not a string"),
        ({"tags": [5]}, "tags[0]"),
        ({"if_exists": "replace"}, "if_exists: is 'replace', but must be one of 'fail', 'ignore', 'update'"),
        ({"on_unapplied": "ignore"}, "on_unapplied: is 'ignore', but must be one of 'fail', 'warn', 'enforce'"),
        ({"connection": {"conn_id": "unknown"}}, 'connection.conn_id: there is no Airflow connection "unknown"'),
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


@pytest.mark.parametrize(
    "connection, problem",
    [
        ({"password": "eyJhbGciOi\nJIUzI1NiJ9.e30.x"}, "password: "),
        ({"host": "https://acme.getcollate.io/some/path"}, "host: "),
        ({"host": "https://acme.getcollate.io/?org=1"}, "host: "),
        ({"host": "https://user:hunter2hunter2@acme.getcollate.io"}, "host: "),
        ({"extra": {"timeout": "soon"}}, "extra.timeout: must be a number of seconds above 0"),
    ],
)
def test_a_faulty_connection_is_refused_and_nothing_is_sent(
    connection: dict[str, Any], problem: str, catalog: Catalog, context: Any, connect: Callable[..., None]
) -> None:
    connect(**connection)
    error = failure(make(), context)
    assert isinstance(error.__cause__, InvalidConnectionError)
    assert problem in str(error)
    assert "hunter2" not in str(error)
    assert catalog.requests == []


# --- which errors Airflow retries


@pytest.mark.parametrize(
    "status, cause, advice",
    [
        (400, BadRequestError, "Correct the field"),
        (401, AuthenticationError, "Renew the token"),
        (403, PermissionDeniedError, "Give the token's user a role"),
        (422, BadRequestError, "Correct the field"),
    ],
)
def test_what_no_retry_can_mend_fails_at_once(
    status: int, cause: type[Exception], advice: str, catalog: Catalog, context: Any, ti: TaskInstance
) -> None:
    catalog.fail(times=None, method="POST", status=status)
    error = failure(make(), context)
    assert isinstance(error.__cause__, cause)
    assert f"Collate answered {status}: Ordered fault {status} [POST /v1/services/mlmodelServices, request" in str(
        error
    )
    assert advice in str(error)
    assert catalog.writes == 1


@pytest.mark.parametrize(
    "fault, kind",
    [
        ({"status": 500}, ServerError),
        ({"status": 503}, ServerError),
        ({"status": 429}, TooManyRequestsError),
        ({"reset": True}, NoAnswerError),
    ],
)
def test_what_may_pass_is_raised_as_it_is_so_that_airflow_retries(
    fault: dict[str, Any], kind: type[Exception], catalog: Catalog, context: Any, ti: TaskInstance
) -> None:
    catalog.fail(times=None, method="POST", **fault)
    with pytest.raises(kind) as caught:
        make().execute(context)
    assert not isinstance(caught.value, AirflowFailException)
    assert ti.xcoms["report"]["counts"] == {"failed": 1}
    assert "prod_mlflow" not in catalog.services


def test_a_create_that_the_catalog_does_not_show_is_no_success(catalog: Catalog, context: Any) -> None:
    catalog.fail(times=None, method="POST", status=201, body={"id": "x", "name": "prod_mlflow"})
    with pytest.raises(OutcomeError, match="is not in the catalog, though the server answered the write with success"):
        make().execute(context)


def test_a_redirect_of_the_write_is_not_followed(catalog: Catalog, context: Any) -> None:
    catalog.fail(times=None, method="POST", status=302, headers={"Location": "https://sso.acme.example/login?next=1"})
    error = failure(make(), context)
    assert "pointing to https://sso.acme.example/login;" in str(error)
    assert catalog.writes == 1


def test_a_proxy_page_shows_its_first_line(catalog: Catalog, context: Any) -> None:
    catalog.fail(times=None, method="GET", path="name/", status=200, body="<html><h1>Sign in to ACME</h1>\nmore</html>")
    error = str(failure(make(), context))
    assert "Collate answered 200" in error
    assert "Sign in to ACME" in error


def test_timeout_and_retries_of_the_task_override_the_connection(
    catalog: Catalog, context: Any, connect: Callable[..., None]
) -> None:
    connect(extra={"max_retries": 0, "timeout": 1})
    catalog.fail(times=2, status=503, headers={"Retry-After": "0"}, path="system/version|name/")
    make(max_retries=2, timeout=5).execute(context)
    catalog.fail(latency=2.0, path="name/")
    slow = make(name="slow", timeout="0.2", max_retries="0")
    with pytest.raises(NoAnswerError, match="did not answer in time"):
        slow.execute(context)


@pytest.mark.parametrize(
    "given, problem",
    [
        ({"timeout": 0}, "timeout: must be a number of seconds above 0"),
        ({"max_retries": -1}, "max_retries: must be a whole number, 0 or more"),
    ],
)
def test_a_faulty_timeout_of_the_task_is_named(
    given: dict[str, Any], problem: str, catalog: Catalog, context: Any
) -> None:
    assert problem in str(failure(make(**given), context))
    assert catalog.requests == []
