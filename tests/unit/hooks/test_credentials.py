from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from airflow.providers.common.compat import sdk

from airflow_provider_collate.exceptions import InvalidDeclarationError
from airflow_provider_collate.hooks.credentials import resolve_services
from airflow_provider_collate.kinds.aws import AwsCredentials
from airflow_provider_collate.kinds.mlmodel import ML_MODEL, CreateMlModelServiceRequest
from airflow_provider_collate.models import validate_services

PASSWORD = 'p@ss/w:rd %?#"é'
ENCODED = "p%40ss%2Fw%3Ard%20%25%3F%23%22%C3%A9"
KEYFILE = {
    "type": "service_account",
    "project_id": "acme-ml",
    "private_key_id": "0123",
    "private_key": "-----BEGIN PRIVATE KEY-----\nMIIcanary\n-----END PRIVATE KEY-----\n",
    "client_email": "ml@acme-ml.example",
    "client_id": "42",
    "auth_uri": "https://accounts.google.com/o/oauth2/auth",
    "token_uri": "https://oauth2.googleapis.com/token",
    "auth_provider_x509_cert_url": "https://www.googleapis.com/oauth2/v1/certs",
    "client_x509_cert_url": "https://www.googleapis.com/robot/v1/metadata/x509/ml",
    "universe_domain": "googleapis.com",
}
EXTERNAL = {
    "type": "external_account",
    "audience": "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/x",
    "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
    "token_url": "https://sts.googleapis.com/v1/token",
    "credential_source": {"file": "/var/run/token"},
    "service_account_impersonation_url": (
        "https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/ml@acme-ml.example:generateAccessToken"
    ),
}


MISSING = 'there is no Airflow connection "missing"; add it under Admin > Connections, or name another'


class Connections:
    """Airflow's connections, and how often each was looked up."""

    def __init__(self, **known: dict[str, Any]) -> None:
        self.known = known
        self.asked: list[str] = []

    def __call__(self, conn_id: str) -> sdk.Connection:
        self.asked.append(conn_id)
        if conn_id not in self.known:
            raise sdk.AirflowNotFoundException(f"The conn_id `{conn_id}` isn't defined")
        fields = dict(self.known[conn_id])
        if isinstance(fields.get("extra"), Mapping):
            fields["extra"] = json.dumps(fields["extra"])
        return sdk.Connection(conn_id=conn_id, **fields)


def resolve(
    declared: dict[str, object], service_type: str | None, get_connection: Callable[[str], sdk.Connection]
) -> tuple[dict[str, Any], list[str]]:
    """The config that stands in the place of a declared connection, and the secrets to be masked."""
    row = {"name": "s", "serviceType": service_type, "connection": declared}
    (resolved,), secrets = resolve_services([row], get_connection, kind=ML_MODEL, single=True)
    validate_services([resolved], single=True, model=CreateMlModelServiceRequest)
    assert isinstance(resolved, dict)
    config: dict[str, Any] = resolved["connection"]["config"]
    return config, secrets


def config_of(
    service_type: str, connection: dict[str, Any], registry: dict[str, Any] | None = None, **beside: Any
) -> dict[str, Any]:
    declared: dict[str, object] = {"conn_id": "one", **beside}
    if registry is not None:
        declared["registry_conn_id"] = "two"
    return resolve(declared, service_type, Connections(one=connection, two=registry or {}))[0]


def problems_of(call: Callable[[], object]) -> tuple[str, ...]:
    with pytest.raises(InvalidDeclarationError) as refused:
        call()
    assert refused.value.__context__ is None
    return refused.value.problems


def problem_of(service_type: str, connection: dict[str, Any], **beside: Any) -> str:
    (problem,) = problems_of(lambda: config_of(service_type, connection, **beside))
    return problem


# SageMaker


def test_aws_connection_becomes_aws_config() -> None:
    config = config_of(
        "SageMaker",
        {
            "conn_type": "aws",
            "login": "AKIAEXAMPLE",
            "password": PASSWORD,
            "extra": {
                "aws_session_token": "session-canary",
                "region_name": "eu-central-1",
                "role_arn": "arn:aws:iam::123456789098:role/ml",
                "assume_role_kwargs": {"RoleSessionName": "airflow", "SourceIdentity": "ana"},
                "endpoint_url": "https://aws.acme.example",
                "profile_name": "ml",
            },
        },
    )

    assert config == {
        "awsConfig": {
            "awsAccessKeyId": "AKIAEXAMPLE",
            "awsSecretAccessKey": PASSWORD,
            "awsSessionToken": "session-canary",
            "awsRegion": "eu-central-1",
            "assumeRoleArn": "arn:aws:iam::123456789098:role/ml",
            "assumeRoleSessionName": "airflow",
            "assumeRoleSourceIdentity": "ana",
            "endPointURL": "https://aws.acme.example",
            "profileName": "ml",
        }
    }


@pytest.mark.parametrize(
    "extra, expected",
    [
        (
            {"aws_access_key_id": "AK", "aws_secret_access_key": "sk"},
            {"awsAccessKeyId": "AK", "awsSecretAccessKey": "sk"},
        ),
        (
            {"session_kwargs": {"aws_access_key_id": "AK", "aws_secret_access_key": "sk", "profile_name": "ml"}},
            {"awsAccessKeyId": "AK", "awsSecretAccessKey": "sk", "profileName": "ml"},
        ),
        (
            {"endpoint_url": "https://all", "service_config": {"sagemaker": {"endpoint_url": "https://one"}}},
            {"endPointURL": "https://one"},
        ),
        ({"assume_role_kwargs": {"RoleSessionName": "unused without a role"}}, {}),
        ({"role_arn": "arn:r", "assume_role_kwargs": {"DurationSeconds": 900}}, {"assumeRoleArn": "arn:r"}),
        ({"config_kwargs": {"retries": {"mode": "standard"}}, "verify": False}, {}),
        ({}, {}),
    ],
)
def test_aws_extras(extra: dict[str, object], expected: dict[str, str]) -> None:
    config = config_of("SageMaker", {"conn_type": "aws", "extra": {"region_name": "r", **extra}})

    assert config == {"awsConfig": {"awsRegion": "r", **expected}}


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


@pytest.mark.parametrize(
    "connection, expected",
    [
        ({}, "awsRegion is missing: give region_name in the connection's extra, or awsRegion beside conn_id"),
        (
            {"login": "AKIAEXAMPLE"},
            "an access key takes two: its id (login) and its secret (password), and one is missing",
        ),
        (
            {"extra": {"role_arn": "arn:r", "assume_role_method": "assume_role_with_saml"}},
            'the catalog can assume a role by extra.assume_role_method "assume_role" only',
        ),
        (
            {"extra": {"role_arn": "arn:r", "assume_role_kwargs": {"Policy": "{}", "ExternalId": "canary"}}},
            "the catalog has no field for extra.assume_role_kwargs.ExternalId, Policy",
        ),
        ({"extra": {"region_name": 7}}, "extra.region_name must be a string"),
        ({"extra": {"session_kwargs": "canary"}}, "extra.session_kwargs must be an object"),
        ({"extra": {"service_config": {"sagemaker": 1}}}, "extra.service_config.sagemaker must be an object"),
    ],
)
def test_an_aws_connection_that_cannot_be_used(connection: dict[str, Any], expected: str) -> None:
    assert problem_of("SageMaker", {"conn_type": "aws", **connection}) == f"connection.conn_id: {expected}"


# VertexAI


@pytest.mark.parametrize("as_text", [True, False])
@pytest.mark.parametrize("prefix", ["", "extra__google_cloud_platform__"])
@pytest.mark.parametrize("conn_type", ["google_cloud_platform", "google-cloud-platform", "gcpbigquery"])
def test_a_key_file_becomes_values(as_text: bool, prefix: str, conn_type: str) -> None:
    keyfile = json.dumps(KEYFILE) if as_text else KEYFILE
    extra = {f"{prefix}keyfile_dict": keyfile, f"{prefix}project": "other", "location": "europe-west4"}

    assert config_of("VertexAI", {"conn_type": conn_type, "extra": extra}) == {
        "credentials": {
            "gcpConfig": {
                "type": "service_account",
                "projectId": "other",
                "privateKeyId": "0123",
                "privateKey": KEYFILE["private_key"],
                "clientEmail": "ml@acme-ml.example",
                "clientId": "42",
                "authUri": "https://accounts.google.com/o/oauth2/auth",
                "tokenUri": "https://oauth2.googleapis.com/token",
                "authProviderX509CertUrl": "https://www.googleapis.com/oauth2/v1/certs",
                "clientX509CertUrl": "https://www.googleapis.com/robot/v1/metadata/x509/ml",
            }
        },
        "location": "europe-west4",
    }


EXTERNAL_CONFIG = {
    "type": "external_account",
    "audience": EXTERNAL["audience"],
    "subjectTokenType": EXTERNAL["subject_token_type"],
    "tokenURL": EXTERNAL["token_url"],
    "credentialSource": {"file": "/var/run/token"},
}


@pytest.mark.parametrize(
    "extra, expected",
    [
        ({}, {"gcpConfig": {"type": "gcp_adc"}}),
        (
            {"keyfile_dict": "", "key_path": None, "is_anonymous": False, "num_retries": 5},
            {"gcpConfig": {"type": "gcp_adc"}},
        ),
        ({"project": "p"}, {"gcpConfig": {"type": "gcp_adc", "projectId": "p"}}),
        (
            {"project": "new", "extra__google_cloud_platform__project": "old"},
            {"gcpConfig": {"type": "gcp_adc", "projectId": "new"}},
        ),
        ({"key_path": "/keys/ml.json"}, {"gcpConfig": {"type": "gcp_credential_path", "path": "/keys/ml.json"}}),
        (
            {"credential_config_file": "/keys/wif.json"},
            {"gcpConfig": {"type": "gcp_credential_path", "path": "/keys/wif.json"}},
        ),
        (
            {"impersonation_chain": "act@acme.example"},
            {
                "gcpConfig": {"type": "gcp_adc"},
                "gcpImpersonateServiceAccount": {"impersonateServiceAccount": "act@acme.example"},
            },
        ),
        (
            {"credential_config_file": json.dumps(EXTERNAL)},
            {
                "gcpConfig": EXTERNAL_CONFIG,
                "gcpImpersonateServiceAccount": {"impersonateServiceAccount": "ml@acme-ml.example"},
            },
        ),
        (
            {"keyfile_dict": EXTERNAL, "project": "p", "impersonation_chain": ["act@acme.example"]},
            {
                "gcpConfig": EXTERNAL_CONFIG,
                "gcpImpersonateServiceAccount": {"impersonateServiceAccount": "act@acme.example"},
            },
        ),
    ],
)
def test_ways_to_reach_google_cloud(extra: dict[str, object], expected: dict[str, object]) -> None:
    connection = {"conn_type": "google_cloud_platform", "extra": {"location": "l", **extra}}

    assert config_of("VertexAI", connection) == {"credentials": expected, "location": "l"}


@pytest.mark.parametrize(
    "beside, project, location",
    [
        ({"location": "b", "projectId": "q"}, "q", "b"),
        ({"region": "b", "project": ["q", "r"]}, ["q", "r"], "b"),
        ({"location": "b", "credentials": {"gcp_config": {"project_id": "q"}}}, "q", "b"),
        ({"location": "b", "gcpConfig": {"projectId": "q"}}, "q", "b"),
    ],
)
def test_google_overrides(beside: dict[str, Any], project: object, location: str) -> None:
    connection = {"conn_type": "google_cloud_platform", "extra": {"location": "a", "project": "p"}}

    assert config_of("VertexAI", connection, **beside) == {
        "credentials": {"gcpConfig": {"type": "gcp_adc", "projectId": project}},
        "location": location,
    }


def test_credentials_of_another_type_replace_those_of_the_connection() -> None:
    connection = {"conn_type": "google_cloud_platform", "extra": {"location": "l", "keyfile_dict": KEYFILE}}

    config = config_of("VertexAI", connection, gcpConfig={"type": "gcp_adc", "projectId": "q"})

    assert config["credentials"] == {"gcpConfig": {"type": "gcp_adc", "projectId": "q"}}


@pytest.mark.parametrize(
    "extra, expected",
    [
        ({}, "location is missing: give it in the connection's extra, or beside conn_id"),
        ({"keyfile_dict": "{canary"}, "extra.keyfile_dict is not a key file: it is not a JSON object"),
        ({"keyfile_dict": '["canary"]'}, "extra.keyfile_dict is not a key file: it is not a JSON object"),
        (
            {"keyfile_dict": {"type": "authorized_user", "refresh_token": "canary"}},
            'extra.keyfile_dict is of another type than "service_account" and "external_account"',
        ),
        (
            {"keyfile_dict": {"type": "service_account", "private_key_id": "canary"}},
            "extra.keyfile_dict has no private_key, client_email",
        ),
        (
            {"keyfile_dict": {**KEYFILE, "client_id": {"canary": 1}}},
            "extra.keyfile_dict.client_id must be a string",
        ),
        (
            {"keyfile_dict": {**EXTERNAL, "credential_source": {"url": "u", "headers": {"X": "canary"}}}},
            "extra.keyfile_dict.credential_source.headers must be a string",
        ),
        (
            {"keyfile_dict": {**EXTERNAL, "service_account_impersonation_url": "https://canary"}},
            "extra.keyfile_dict.service_account_impersonation_url names no service account",
        ),
        (
            {"keyfile_dict": KEYFILE, "key_path": "/k"},
            "extra.keyfile_dict and extra.key_path exclude each other",
        ),
        (
            {"key_secret_name": "canary"},
            "the catalog has no field for extra.key_secret_name; use a key file, or default credentials",
        ),
        (
            {"impersonation_chain": "canary@acme.example, b@acme.example"},
            "extra.impersonation_chain has several accounts; the catalog can act as one only",
        ),
        (
            {"impersonation_chain": {"canary": 1}},
            "extra.impersonation_chain must be a string or a list of strings",
        ),
    ],
)
def test_a_google_connection_that_cannot_be_used(extra: dict[str, object], expected: str) -> None:
    problem = problem_of("VertexAI", {"conn_type": "google_cloud_platform", "extra": extra})

    assert problem == f"connection.conn_id: {expected}"


# Mlflow


@pytest.mark.parametrize(
    "connection, expected",
    [
        ({"conn_type": "http", "host": "mlflow.acme.example"}, "http://mlflow.acme.example"),
        ({"conn_type": "https", "host": "mlflow.acme.example"}, "https://mlflow.acme.example"),
        ({"conn_type": "mlflow", "host": "mlflow", "schema": "https", "port": 5000}, "https://mlflow:5000"),
        ({"conn_type": "generic", "host": "https://mlflow/base/", "port": 5000}, "https://mlflow:5000/base/"),
        ({"conn_type": "http", "host": "http://mlflow:5000", "port": 5000}, "http://mlflow:5000"),
        ({"conn_type": "http", "host": "::1", "port": 5000}, "http://[::1]:5000"),
        ({"conn_type": "http", "host": "[::1]", "port": 5000}, "http://[::1]:5000"),
        (
            {"conn_type": "http", "host": "mlflow", "port": 5000, "login": "ana@acme", "password": PASSWORD},
            f"http://ana%40acme:{ENCODED}@mlflow:5000",
        ),
        ({"conn_type": "http", "host": "http://u:p@mlflow", "login": "ana"}, "http://ana@mlflow"),
        ({"conn_type": "http", "host": "http://u:p@mlflow"}, "http://u:p@mlflow"),
    ],
)
def test_a_server_becomes_the_tracking_uri(connection: dict[str, object], expected: str) -> None:
    assert config_of("Mlflow", connection) == {"trackingUri": expected}


@pytest.mark.parametrize("key", ["registry_uri", "registryUri"])
def test_the_registry_uri_of_the_extra(key: str) -> None:
    connection = {"conn_type": "http", "host": "mlflow", "extra": {key: "sqlite:////data/ml.db"}}

    assert config_of("Mlflow", connection) == {
        "trackingUri": "http://mlflow",
        "registryUri": "sqlite:////data/ml.db",
    }


DATABASE = {"host": "db", "port": 3307, "schema": "ml", "login": "ana", "password": PASSWORD}
DATABASES = [
    ({**DATABASE, "conn_type": "mysql"}, f"mysql+pymysql://ana:{ENCODED}@db:3307/ml"),
    (
        {**DATABASE, "conn_type": "postgres", "extra": {"sslmode": "require"}},
        f"postgresql+psycopg2://ana:{ENCODED}@db:3307/ml?sslmode=require",
    ),
    ({**DATABASE, "conn_type": "postgresql"}, f"postgresql+psycopg2://ana:{ENCODED}@db:3307/ml"),
    (
        {**DATABASE, "conn_type": "postgres", "extra": {"sqlalchemy_query": {"application_name": "a b"}}},
        f"postgresql+psycopg2://ana:{ENCODED}@db:3307/ml?application_name=a+b",
    ),
    (
        {**DATABASE, "conn_type": "mssql", "extra": {"sqlalchemy_scheme": "mssql+pyodbc"}},
        f"mssql+pyodbc://ana:{ENCODED}@db:3307/ml",
    ),
    ({**DATABASE, "conn_type": "mssql"}, f"mssql+pymssql://ana:{ENCODED}@db:3307/ml"),
    (
        {**DATABASE, "conn_type": "oracle", "port": None, "extra": {"service_name": "S"}},
        f"oracle+oracledb://ana:{ENCODED}@db:1521?service_name=S",
    ),
    ({**DATABASE, "conn_type": "oracle", "extra": {"sid": "X"}}, f"oracle+oracledb://ana:{ENCODED}@db:3307/X"),
    (
        {
            **DATABASE,
            "conn_type": "snowflake",
            "extra": {"extra__snowflake__account": "ac", "region": "eu", "database": "D", "warehouse": "W"},
        },
        f"snowflake://ana:{ENCODED}@ac.eu/D/ml?warehouse=W",
    ),
    ({"conn_type": "sqlite", "host": "/data/ml.db"}, "sqlite:////data/ml.db"),
    ({"conn_type": "sqlite", "host": "data", "schema": "ml.db"}, "sqlite:///data/ml.db"),
    ({"conn_type": "postgres", "host": "::1", "schema": "ml"}, "postgresql+psycopg2://[::1]/ml"),
]


@pytest.mark.parametrize("registry, expected", DATABASES)
def test_a_database_becomes_the_registry_uri(registry: dict[str, Any], expected: str) -> None:
    tracking = {"conn_type": "http", "host": "mlflow", "extra": {"registry_uri": "http://overridden"}}

    config = config_of("Mlflow", tracking, registry)

    assert config == {"trackingUri": "http://mlflow", "registryUri": expected}


@pytest.mark.parametrize("registry, _", DATABASES)
def test_sqlalchemy_reads_the_registry_uri_back(registry: dict[str, Any], _: str) -> None:
    engine = pytest.importorskip("sqlalchemy.engine", reason="SQLAlchemy reads the URIs back")

    uri = config_of("Mlflow", {"conn_type": "http", "host": "mlflow"}, registry)["registryUri"]
    url = engine.make_url(uri)

    assert (url.username, url.password) == (registry.get("login"), registry.get("password"))
    if registry["conn_type"] not in ("snowflake", "sqlite"):
        assert (url.host, url.port) == (
            registry["host"],
            registry.get("port") or (1521 if registry["conn_type"] == "oracle" else None),
        )


def test_a_server_may_be_the_registry_and_a_database_may_be_the_conn_id() -> None:
    server, database = {"conn_type": "http", "host": "mlflow"}, {**DATABASE, "conn_type": "mysql"}

    assert config_of("Mlflow", server, {"conn_type": "https", "host": "registry"}) == {
        "trackingUri": "http://mlflow",
        "registryUri": "https://registry",
    }
    assert config_of("Mlflow", database, trackingUri="http://mlflow") == {
        "trackingUri": "http://mlflow",
        "registryUri": f"mysql+pymysql://ana:{ENCODED}@db:3307/ml",
    }


def test_a_registry_conn_id_alone_takes_its_tracking_uri_from_beside() -> None:
    declared: dict[str, object] = {"registry_conn_id": "db", "tracking_uri": "http://mlflow"}
    connections = Connections(db={**DATABASE, "conn_type": "mysql"})

    config, _ = resolve(declared, "Mlflow", connections)

    assert config == {
        "trackingUri": "http://mlflow",
        "registryUri": f"mysql+pymysql://ana:{ENCODED}@db:3307/ml",
    }


@pytest.mark.parametrize(
    "connection, expected",
    [
        ({"conn_type": "http"}, 'the connection "one" has no host'),
        ({"conn_type": "http", "host": "canary host"}, "host, port and schema do not make an address"),
        ({"conn_type": "http", "host": "http://[canary"}, "host, port and schema do not make an address"),
        ({"conn_type": "http", "host": "h:canary"}, "host, port and schema do not make an address"),
        ({"conn_type": "http", "host": "h:1", "port": 2}, "host, port and schema do not make an address"),
        ({"conn_type": "http", "host": "h", "schema": "canary"}, 'schema must be "http" or "https"'),
        (
            {"conn_type": "http", "host": "h", "password": "canary"},
            "a password without a login has no place in a URI",
        ),
        (
            {**DATABASE, "conn_type": "mysql"},
            "trackingUri is missing: give it beside, or name a server by conn_id and this one by registry_conn_id",
        ),
        ({**DATABASE, "conn_type": "mysql", "host": None}, 'the connection "one" has no host'),
        ({**DATABASE, "conn_type": "postgres", "host": "/canary"}, "host is not the name of a host"),
        ({**DATABASE, "conn_type": "mysql", "schema": "ca?nary"}, "host and schema do not make an address"),
        (
            {**DATABASE, "conn_type": "postgres", "extra": {"iam": True}},
            "a registry URI has no place for extra.iam",
        ),
        ({**DATABASE, "conn_type": "snowflake"}, 'the connection "one" has no extra.account'),
        (
            {"conn_type": "snowflake", "login": "ana", "extra": {"account": "a"}},
            "a registry URI of Snowflake takes login and password, and one is missing",
        ),
        ({"conn_type": "sqlite"}, 'the connection "one" has no path in its host'),
        (
            {**DATABASE, "conn_type": "oracle", "extra": {"dsn": "canary"}},
            "a registry URI has no place for extra.dsn; use host, port and service_name",
        ),
    ],
)
def test_an_mlflow_connection_that_cannot_be_used(connection: dict[str, Any], expected: str) -> None:
    assert problem_of("Mlflow", connection) == f"connection.conn_id: {expected}"


def test_a_faulty_registry_is_named_by_its_own_key() -> None:
    server = {"conn_type": "http", "host": "mlflow"}

    (problem,) = problems_of(lambda: config_of("Mlflow", server, {"conn_type": "http", "host": "canary host"}))

    assert problem.startswith("connection.registry_conn_id: ")
    assert "canary" not in problem


# CustomMlModel


def test_a_generic_connection_becomes_connection_options() -> None:
    connection = {
        "conn_type": "generic",
        "host": "models.acme.example",
        "port": 8443,
        "login": "ana",
        "password": PASSWORD,
        "extra": {"team": "ml", "verify": False, "host": "overridden", "nothing": None},
    }

    config = config_of("CustomMlModel", connection, sourcePythonClass="acme.Source")

    assert config == {
        "connectionOptions": {
            "team": "ml",
            "verify": "false",
            "host": "models.acme.example",
            "port": "8443",
            "login": "ana",
            "password": PASSWORD,
        },
        "sourcePythonClass": "acme.Source",
    }


# Services


AWS = {"conn_type": "aws", "login": "AK", "password": "secret-canary", "extra": {"region_name": "r"}}


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
        none={"password": "canary"},
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


# Secrets


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
        (
            "Mlflow",
            {"conn_type": "http", "host": "mlflow", "login": "ana", "password": PASSWORD},
            {PASSWORD, ENCODED},
        ),
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


# The table


def test_the_table_names_each_mapping_once() -> None:
    taken = [(mapping.service_type, conn_type) for mapping in ML_MODEL.mappings for conn_type in mapping.conn_types]

    assert len(taken) == len(set(taken))


# The official providers' own forms


def test_the_amazon_provider_reads_a_connection_alike() -> None:
    wrapper = pytest.importorskip(
        "airflow.providers.amazon.aws.utils.connection_wrapper",
        reason="apache-airflow-providers-amazon is installed to check its own connection form only",
    )
    provider = pytest.importorskip("airflow.providers.amazon.get_provider_info").get_provider_info()
    (form,) = [kind for kind in provider["connection-types"] if kind["connection-type"] == "aws"]
    placeholders = form["ui-field-behaviour"]["placeholders"]
    fields = {"conn_type": "aws", "login": placeholders["login"], "password": placeholders["password"]}

    for extra in (
        json.loads(placeholders["extra"]),
        {"region_name": "r", "aws_access_key_id": "not used", "aws_secret_access_key": "beside the login"},
    ):
        theirs = wrapper.AwsConnectionWrapper(Connections(one={**fields, "extra": extra})("one"))
        config = config_of("SageMaker", {**fields, "extra": extra})["awsConfig"]

        assert config.get("awsAccessKeyId") == theirs.aws_access_key_id
        assert config.get("awsSecretAccessKey") == theirs.aws_secret_access_key
        assert config.get("awsSessionToken") == theirs.aws_session_token
        assert config.get("awsRegion") == theirs.region_name
        assert config.get("assumeRoleArn") == theirs.role_arn
        assert config.get("assumeRoleSessionName") == theirs.assume_role_kwargs.get("RoleSessionName")
        assert config.get("endPointURL") == theirs.get_service_endpoint_url("sagemaker")


def test_every_field_of_the_google_providers_form_is_accounted_for() -> None:
    info = pytest.importorskip(
        "airflow.providers.google.get_provider_info",
        reason="apache-airflow-providers-google is installed to check its own connection form only",
    )
    provider = info.get_provider_info()
    (form,) = [kind for kind in provider["connection-types"] if kind["connection-type"] == "google_cloud_platform"]
    read = {"project", "key_path", "keyfile_dict", "credential_config_file", "impersonation_chain"}
    refused = {"key_secret_name", "idp_issuer_url", "is_anonymous"}
    parts_of_refused = {"key_secret_project_id", "client_id", "client_secret", "idp_extra_parameters"}
    without_effect_on_credentials = {"scope", "num_retries", "quota_project_id"}

    assert set(form["conn-fields"]) == read | refused | parts_of_refused | without_effect_on_credentials
    for name in refused:
        problem = problem_of("VertexAI", {"conn_type": "google_cloud_platform", "extra": {name: "canary"}})
        assert f"extra.{name}" in problem
        assert "canary" not in problem


def test_the_google_provider_reads_the_prefixed_names_alike() -> None:
    base = pytest.importorskip(
        "airflow.providers.google.common.hooks.base_google",
        reason="apache-airflow-providers-google is installed to check its own connection form only",
    )
    extra = {"extra__google_cloud_platform__project": "old", "project": "new", "location": "l"}

    config = config_of("VertexAI", {"conn_type": "google_cloud_platform", "extra": extra})

    assert config["credentials"]["gcpConfig"]["projectId"] == base.get_field(extra, "project")
