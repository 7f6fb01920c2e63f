"""Which connections are read for which rows, what may stand beside them, and that their secrets stay hidden."""

from __future__ import annotations

from typing import Any

import pytest
from airflow.providers.common.compat import sdk

from airflow_provider_collate.exceptions import InvalidDeclarationError
from airflow_provider_collate.hooks.credentials import resolve_services
from airflow_provider_collate.kinds.aws import AwsCredentials
from airflow_provider_collate.kinds.mlmodel import ML_MODEL
from tests.unit.hooks.declared_connections import (
    ENCODED,
    KEYFILE,
    PASSWORD,
    Connections,
    config_of,
    problem_of,
    problems_of,
    resolve,
)

MISSING = 'there is no Airflow connection "missing"; add it under Admin > Connections, or name another'


DATABASE = {"host": "db", "port": 5432, "schema": "ml", "login": "ana", "password": "secret-canary"}
AWS = {"conn_type": "aws", "login": "AK", "password": "secret-canary", "extra": {"region_name": "r"}}


@pytest.mark.parametrize(
    "beside",
    [
        {"awsRegion": "b"},
        {"aws_region": "b"},
        {"region": "b"},
        {"awsConfig": {"awsRegion": "b"}},
        {"aws_config": {"aws_region": "b"}},
        {"config": {"awsConfig": {"awsRegion": "b"}}},
        {"config": {"awsConfig": {"awsRegion": "a"}}, "awsRegion": "b"},
        {"awsConfig": AwsCredentials(aws_region="b")},
    ],
)
def test_what_stands_beside_conn_id_overrides_the_connection(beside: dict[str, Any]) -> None:
    connection = {"conn_type": "aws", "extra": {"region_name": "a", "profile_name": "ml"}}

    assert config_of("SageMaker", connection, **beside) == {"awsConfig": {"awsRegion": "b", "profileName": "ml"}}


@pytest.mark.parametrize(
    "service_type, beside",
    [
        ("SageMaker", {"awsRegion": "a", "region_name": "b"}),
        ("SageMaker", {"aws_region": "a", "awsRegion": "b"}),
        ("VertexAI", {"project": "a", "projectId": "b"}),
        ("VertexAI", {"location": "a", "region": "b"}),
    ],
)
def test_two_names_of_one_field_beside_conn_id_are_refused(service_type: str, beside: dict[str, Any]) -> None:
    conn_type = "aws" if service_type == "SageMaker" else "google_cloud_platform"

    problem = problem_of(service_type, {"conn_type": conn_type}, **beside)

    assert all(name in problem for name in beside)


def test_braces_from_a_connection_are_no_template_and_those_beside_it_are() -> None:
    braces = "p{{ x }}w"
    connection = {"conn_type": "aws", "login": "AK", "password": braces, "extra": {"region_name": "r"}}
    generic = {"conn_type": "generic", "password": braces, "extra": {"o": braces}}

    assert config_of("SageMaker", connection)["awsConfig"]["awsSecretAccessKey"] == braces
    assert config_of("CustomMlModel", generic)["connectionOptions"] == {"o": braces, "password": braces}
    for beside in ({"awsRegion": braces}, {"config": {"awsConfig": {"awsRegion": braces}}}):
        assert "was not rendered" in problem_of("SageMaker", connection, **beside)


@pytest.mark.parametrize("connection", [None, {}, {"conn_id": "aws"}, {"config": {"trackingUri": "x"}}])
def test_a_type_in_the_wrong_case_is_told_the_right_one_however_it_is_declared(connection: Any) -> None:
    (problem,) = problems_of(lambda: resolve(connection, "mlflow", Connections(aws={"conn_type": "http"})))

    assert "did you mean Mlflow?" in problem


STORED_AS_GENERIC = (
    '"one" is of type "generic", which Airflow stores when --conn-type names a type whose provider is not installed: '
    "add it by --conn-uri or --conn-json, with one of "
)


def test_a_type_that_airflow_has_replaced_is_told_with_the_one_to_use() -> None:
    problem = problem_of("SageMaker", {"conn_type": "generic", "login": "AK", "password": "canary"})

    assert problem == (
        'connection.conn_id: the connection "one" is of type "generic"; a service of type SageMaker takes aws. '
        f"{STORED_AS_GENERIC}aws"
    )
    database = {**DATABASE, "conn_type": "generic"}
    assert f'schema must be "http" or "https". {STORED_AS_GENERIC}' in problem_of("Mlflow", database)
    assert problem_of("CustomMlModel", {"conn_type": "generic"}, config=5).endswith("must be an object")


@pytest.mark.parametrize("place", [{"schema": None}, {}])
def test_a_registry_that_may_be_a_database_is_no_web_server(place: dict[str, Any]) -> None:
    connections = Connections(
        web={"conn_type": "http", "host": "mlflow"}, one={**DATABASE, "conn_type": "generic", **place}
    )
    declared: dict[str, object] = {"conn_id": "web", "registry_conn_id": "one"}

    (problem,) = problems_of(lambda: resolve(declared, "Mlflow", connections))

    assert problem.startswith('connection.registry_conn_id: the host of "')
    assert f"{STORED_AS_GENERIC}http, https, mlflow, postgres" in problem
    server = {"conn_type": "generic", "host": "https://registry"}
    assert config_of("Mlflow", {"conn_type": "http", "host": "mlflow"}, server)["registryUri"] == "https://registry"


def test_config_fields_beside_conn_id_stay_at_the_top_and_none_empties() -> None:
    config = config_of(
        "SageMaker",
        {"conn_type": "aws", "extra": {"region_name": "r", "profile_name": "ml"}},
        ml_model_filter_pattern={"includes": ["^prod"]},
        supportsMetadataExtraction=True,
        profileName=None,
    )

    assert config == {
        "awsConfig": {"awsRegion": "r", "profileName": None},
        "mlModelFilterPattern": {"includes": ["^prod"]},
        "supportsMetadataExtraction": True,
    }


def test_a_generic_connection_becomes_connection_options() -> None:
    connection = {
        "conn_type": "generic",
        "host": "models.acme.example",
        "port": 8443,
        "login": "ana",
        "password": PASSWORD,
        "schema": "s",
        "extra": {"team": "ml", "verify": False, "host": "overridden", "nothing": None, "nested": {"d": 1}},
    }

    config = config_of(
        "CustomMlModel", connection, source_python_class="acme.Source", connectionOptions={"my_key": "a"}
    )

    assert config == {
        "connectionOptions": {
            "team": "ml",
            "verify": "false",
            "nested": '{"d": 1}',
            "schema": "s",
            "host": "models.acme.example",
            "port": "8443",
            "login": "ana",
            "password": PASSWORD,
            "my_key": "a",
        },
        "sourcePythonClass": "acme.Source",
    }


def test_rows_with_a_conn_id_are_resolved_and_others_are_the_same_objects() -> None:
    connections = Connections(aws=AWS)
    plain: dict[str, object] = {"name": "a", "serviceType": "Sklearn", "connection": None}
    declared = {"conn_id": "aws"}
    row = {"name": "b", "serviceType": "SageMaker", "connection": declared, "tags": ["Tier.Tier1"]}
    again = {"name": "c", "service_type": "SageMaker", "connection": {"conn_id": "aws", "awsRegion": "q"}}
    rows: list[object] = [plain, row, again, "not a row"]

    resolved, secrets = resolve_services(rows, connections, kind=ML_MODEL)

    assert resolved[0] is plain
    assert resolved[3] == "not a row"
    keys = {"awsAccessKeyId": "AK", "awsSecretAccessKey": "secret-canary"}
    assert resolved[1] == {
        "name": "b",
        "serviceType": "SageMaker",
        "connection": {"config": {"awsConfig": {**keys, "awsRegion": "r"}}},
        "tags": ["Tier.Tier1"],
    }
    assert resolved[2] == {
        "name": "c",
        "service_type": "SageMaker",
        "connection": {"config": {"awsConfig": {**keys, "awsRegion": "q"}}},
    }
    assert row["connection"] is declared
    assert secrets == ["secret-canary"]
    assert connections.asked == ["aws"]


def test_all_faulty_rows_are_named_and_each_connection_is_looked_up_once() -> None:
    connections = Connections(
        aws=AWS,
        ftp={"conn_type": "ftp", "password": "canary"},
        none={"conn_type": None, "password": "canary"},
        odd={"conn_type": "aws", "extra": "canary"},
    )

    def row(service_type: str | None, **connection: object) -> object:
        return {"name": "n", "serviceType": service_type, "connection": connection}

    rows = [
        row("SageMaker", conn_id="aws"),
        row("SageMaker", conn_id="missing"),
        row("Mlflow", conn_id="missing", registry_conn_id="odd"),
        row("SageMaker", conn_id="ftp"),
        row("Mlflow", conn_id="none"),
        row("Sklearn", conn_id="aws"),
        row(None, conn_id="aws"),
        row("SageMaker", conn_id="aws", registry_conn_id="aws"),
        row("SageMaker", conn_id="{{ var.value.conn }}"),
        row("SageMaker", conn_id=7),
        row("SageMaker", conn_id="aws", config="canary"),
    ]

    problems = problems_of(lambda: resolve_services(rows, connections, kind=ML_MODEL))

    services = "SageMaker, VertexAI, Mlflow, CustomMlModel"
    of_mlflow = "http, https, mlflow, generic, postgres, postgresql, mysql, mssql, oracle, snowflake, sqlite"
    assert all(".connection." in problem for problem in problems)
    assert [problem.replace(".connection.", ".") for problem in problems] == [
        f"services[1].conn_id: {MISSING}",
        f"services[2].conn_id: {MISSING}",
        'services[2].registry_conn_id: the extra of the connection "odd" is not a JSON object',
        'services[3].conn_id: the connection "ftp" is of type "ftp"; a service of type SageMaker takes aws',
        f'services[4].conn_id: the connection "none" is of no type; a service of type Mlflow takes {of_mlflow}',
        f'services[5].conn_id: serviceType "Sklearn" takes no Airflow connection; these do: {services}',
        "services[6].conn_id: serviceType must be given, because it decides what the connection becomes",
        "services[7].registry_conn_id: a service of type SageMaker has no registry_conn_id",
        "services[8].conn_id: holds a template {{ … }} that was not rendered",
        "services[9].conn_id: must be the id of an Airflow connection",
        "services[10].conn_id: config, beside it, must be an object",
    ]
    assert sorted(connections.asked) == ["aws", "ftp", "missing", "none", "odd"]


def test_a_single_row_is_named_without_an_index() -> None:
    rows: list[object] = [{"name": "a", "serviceType": "SageMaker", "connection": {"conn_id": "missing"}}]

    problems = problems_of(lambda: resolve_services(rows, Connections(), kind=ML_MODEL, single=True))

    assert problems == (f"connection.conn_id: {MISSING}",)


@pytest.mark.parametrize(
    "error", [ValueError("canary"), sdk.AirflowException("Invalid connection string: aws://a:canary@.")]
)
def test_what_airflow_cannot_read_is_told_without_its_text(error: Exception) -> None:
    def get_connection(conn_id: str) -> sdk.Connection:
        raise error

    (problem,) = problems_of(lambda: resolve({"conn_id": "aws"}, "SageMaker", get_connection))

    assert problem == ('connection.conn_id: Airflow cannot read the connection "aws"; its JSON or URI is faulty')


def test_a_connection_given_by_uri_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_AWS", "aws://AK:s%2Fcanary@/?region_name=eu-west-1")

    config, _ = resolve({"conn_id": "aws"}, "SageMaker", sdk.BaseHook.get_connection)

    assert config == {"awsConfig": {"awsAccessKeyId": "AK", "awsSecretAccessKey": "s/canary", "awsRegion": "eu-west-1"}}


@pytest.mark.parametrize(
    "service_type, connection, expected",
    [
        (
            "SageMaker",
            {**AWS, "extra": {"region_name": "r", "aws_session_token": "token-canary"}},
            {"secret-canary", "token-canary"},
        ),
        (
            "VertexAI",
            {"conn_type": "google_cloud_platform", "extra": {"location": "l", "keyfile_dict": KEYFILE}},
            {KEYFILE["private_key"]},
        ),
        ("Mlflow", {"conn_type": "http", "host": "mlflow", "login": "ana", "password": PASSWORD}, {PASSWORD, ENCODED}),
        (
            "Mlflow",
            {"conn_type": "http", "host": "mlflow", "extra": {"registry_uri": "mysql://u:registry-canary@db"}},
            {"registry-canary"},
        ),
        (
            "VertexAI",
            {"conn_type": "google_cloud_platform", "password": "unused-canary", "extra": {"location": "l"}},
            {"unused-canary"},
        ),
        (
            "CustomMlModel",
            {"conn_type": "generic", "password": PASSWORD, "extra": {"anything": "extra-canary"}},
            {PASSWORD, "extra-canary"},
        ),
    ],
)
def test_secrets_are_handed_out_for_masking_and_never_printed(
    service_type: str, connection: dict[str, Any], expected: set[str]
) -> None:
    config, secrets = resolve({"conn_id": "one"}, service_type, Connections(one=connection))

    assert expected <= set(secrets)
    assert f"{config} {config!r} {[config]}" == "*** *** [***]"


def test_an_error_holds_no_value_in_its_text_nor_in_what_its_traceback_reaches() -> None:
    connections: dict[str, dict[str, Any]] = {
        "good": {**AWS, "password": "canary-1"},
        "half": {"conn_type": "aws", "password": "canary-2"},
        "keyfile": {"conn_type": "google_cloud_platform", "extra": {"keyfile_dict": "canary-3 {"}},
        "extra": {"conn_type": "aws", "extra": "canary-4 {"},
    }
    given = Connections(**connections)
    rows: list[object] = [
        {"serviceType": "VertexAI" if name == "keyfile" else "SageMaker", "connection": {"conn_id": name}}
        for name in connections
    ]

    with pytest.raises(InvalidDeclarationError) as refused:
        resolve_services(rows, given, kind=ML_MODEL)

    assert len(refused.value.problems) == 3
    error: BaseException | None = refused.value
    while error is not None:
        assert "canary" not in f"{error} {error!r}"
        traceback = error.__traceback__
        while traceback is not None:
            if traceback.tb_frame.f_code.co_filename != __file__:
                assert "canary" not in repr(traceback.tb_frame.f_locals)
            traceback = traceback.tb_next
        error = error.__cause__ or error.__context__


def test_the_table_names_each_mapping_once() -> None:
    taken = [(mapping.service_type, conn_type) for mapping in ML_MODEL.mappings for conn_type in mapping.conn_types]

    assert len(taken) == len(set(taken))
