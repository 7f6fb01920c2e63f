"""What an Airflow connection becomes in the config of a service, and why it cannot."""

from __future__ import annotations

from typing import Any

import pytest

from airflow_provider_collate.kinds.airflow_connection import ConnectionFields, UnusableConnectionError
from airflow_provider_collate.kinds.aws import AwsCredentials
from airflow_provider_collate.kinds.mlmodel import ML_MODEL

EXTERNAL = {
    "type": "external_account",
    "audience": "a",
    "subject_token_type": "s",
    "token_url": "t",
    "credential_source": {"file": "f"},
}
VALUES = {"type": "service_account", "privateKey": "k", "clientEmail": "e"}
EXTERNAL_CONFIG = {
    "type": "external_account",
    "audience": "a",
    "subjectTokenType": "s",
    "tokenURL": "t",
    "credentialSource": {"file": "f"},
}


def config_of(service_type: str, conn_type: str, *, key: str = "conn_id", beside: Any = (), **fields: Any) -> object:
    source = ConnectionFields("c", conn_type, **fields)
    return ML_MODEL.config_from(service_type, {key: "c", **dict(beside)}, {key: source})


def registry(conn_type: str, *, host: str = "h", **fields: Any) -> object:
    beside = {"trackingUri": "http://mlflow"}
    config = config_of("Mlflow", conn_type, key="registry_conn_id", beside=beside, host=host, **fields)
    assert isinstance(config, dict)
    return config["registryUri"]


@pytest.mark.parametrize(
    "conn_type, fields, uri",
    [
        ("postgres", {"extra": {"region": "eu"}}, "postgresql+psycopg2://h"),
        ("postgres", {"schema": "db", "port": 5}, "postgresql+psycopg2://h:5/db"),
        ("oracle", {"schema": "xe"}, "oracle+oracledb://h:1521/xe"),
        ("oracle", {"schema": "xe", "port": 5}, "oracle+oracledb://h:5/xe"),
        ("oracle", {"schema": "xe", "extra": {"sid": "S"}}, "oracle+oracledb://h:1521/S"),
        (
            "oracle",
            {"schema": "xe", "extra": {"service_name": "s"}},
            "oracle+oracledb://h:1521?service_name=s",
        ),
        (
            "snowflake",
            {"login": "u", "password": "p", "schema": "s", "extra": {"account": "a", "region": "r", "database": "d"}},
            "snowflake://u:p@a.r/d/s",
        ),
        ("snowflake", {"login": "u", "password": "p", "port": 5, "extra": {"account": "a"}}, "snowflake://u:p@a"),
        ("sqlite", {"host": "/data/ml.db"}, "sqlite:////data/ml.db"),
        ("sqlite", {"host": "dir", "schema": "ml.db"}, "sqlite:///dir/ml.db"),
        ("http", {"extra": {"registry_uri": "mysql://x"}}, "mysql://x"),
        ("http", {}, "http://h"),
    ],
)
def test_a_registry_s_address(conn_type: str, fields: dict[str, Any], uri: str) -> None:
    assert registry(conn_type, **fields) == uri


def test_the_options_of_a_custom_source_are_all_that_the_connection_has() -> None:
    extra = {"a": None, "b": "x", "c": {"d": 1}, "host": "other"}
    assert config_of(
        "CustomMlModel", "generic", host="h", port=5, schema="s", login="l", password="p", extra=extra
    ) == {
        "connectionOptions": {
            "b": "x",
            "c": '{"d": 1}',
            "host": "h",
            "port": "5",
            "schema": "s",
            "login": "l",
            "password": "p",
        }
    }


@pytest.mark.parametrize(
    "more, impersonation",
    [
        ({}, {}),
        (
            {"service_account_impersonation_url": "https://x/serviceAccounts/me@p:generateAccessToken"},
            {"gcpImpersonateServiceAccount": {"impersonateServiceAccount": "me@p"}},
        ),
    ],
)
def test_an_external_account_acts_as_another_only_where_its_key_file_says_so(
    more: dict[str, object], impersonation: dict[str, object]
) -> None:
    extra = {"keyfile_dict": {**EXTERNAL, **more}, "location": "eu", "project": "p"}
    assert config_of("VertexAI", "google_cloud_platform", extra=extra) == {
        "credentials": {"gcpConfig": EXTERNAL_CONFIG, **impersonation},
        "location": "eu",
    }


@pytest.mark.parametrize("key", ["type", "audience", "subject_token_type", "token_url"])
def test_what_is_no_text_in_a_key_file_is_named_by_its_place(key: str) -> None:
    with pytest.raises(UnusableConnectionError, match=rf"^extra\.keyfile_dict\.{key} must be a string$"):
        config_of("VertexAI", "google_cloud_platform", extra={"keyfile_dict": {**EXTERNAL, key: 5}, "location": "eu"})


def test_an_account_to_act_as_that_is_no_text_is_named_by_its_place() -> None:
    keyfile = {**EXTERNAL, "service_account_impersonation_url": 5}
    with pytest.raises(UnusableConnectionError, match=r"^extra\.keyfile_dict\.service_account_impersonation_url must"):
        config_of("VertexAI", "google_cloud_platform", extra={"keyfile_dict": keyfile, "location": "eu"})


@pytest.mark.parametrize(
    "extra, gcp_config",
    [
        ({"credential_config_file": ' {"type": "service_account", "private_key": "k", "client_email": "e"}'}, VALUES),
        ({"credential_config_file": " key.json"}, {"type": "gcp_credential_path", "path": " key.json"}),
        ({"key_path": "{key}.json"}, {"type": "gcp_credential_path", "path": "{key}.json"}),
        ({"keyfile_dict": '{"type": "service_account", "private_key": "k", "client_email": "e"}'}, VALUES),
        ({}, {"type": "gcp_adc"}),
    ],
)
def test_a_key_file_is_told_from_its_path(extra: dict[str, object], gcp_config: dict[str, object]) -> None:
    config = config_of("VertexAI", "gcpbigquery", extra={**extra, "region": "eu"})
    assert config == {"credentials": {"gcpConfig": gcp_config}, "location": "eu"}


@pytest.mark.parametrize("chain", [" me@p ", ["me@p"]])
def test_one_account_to_act_as(chain: object) -> None:
    config = config_of("VertexAI", "gcpbigquery", extra={"impersonation_chain": chain, "location": "eu"})
    assert isinstance(config, dict)
    acting = config["credentials"]["gcpImpersonateServiceAccount"]
    assert acting == {"impersonateServiceAccount": "me@p"}


@pytest.mark.parametrize("chain", ["me@p,you@p", ["me@p", "you@p"]])
def test_several_accounts_to_act_as_are_refused(chain: object) -> None:
    with pytest.raises(UnusableConnectionError, match="several accounts"):
        config_of("VertexAI", "gcpbigquery", extra={"impersonation_chain": chain, "location": "eu"})


def test_a_field_under_two_names_beside_a_connection_is_refused() -> None:
    with pytest.raises(UnusableConnectionError, match=r"^tracking_uri and trackingUri are the same field"):
        config_of("Mlflow", "http", host="h", beside={"tracking_uri": "a", "trackingUri": "b"})


AWS_KEYS = {"aws_access_key_id": "i", "aws_secret_access_key": "s"}


@pytest.mark.parametrize(
    "fields, aws_config",
    [
        ({}, {}),
        ({"login": "i", "password": "s"}, {"awsAccessKeyId": "i", "awsSecretAccessKey": "s"}),
        ({"extra": AWS_KEYS}, {"awsAccessKeyId": "i", "awsSecretAccessKey": "s"}),
        ({"extra": {"session_kwargs": AWS_KEYS}}, {"awsAccessKeyId": "i", "awsSecretAccessKey": "s"}),
        ({"extra": {"aws_session_token": "t"}}, {"awsSessionToken": "t"}),
        ({"extra": {"session_kwargs": {"aws_session_token": "t"}}}, {"awsSessionToken": "t"}),
        ({"extra": {"profile_name": "p", "session_kwargs": {"profile_name": "q"}}}, {"profileName": "p"}),
        ({"extra": {"session_kwargs": {"profile_name": "q"}}}, {"profileName": "q"}),
        ({"extra": {"endpoint_url": "e"}}, {"endPointURL": "e"}),
        (
            {"extra": {"endpoint_url": "e", "service_config": {"sagemaker": {"endpoint_url": "f"}}}},
            {"endPointURL": "f"},
        ),
        ({"extra": {"endpoint_url": "e", "service_config": {"s3": {"endpoint_url": "f"}}}}, {"endPointURL": "e"}),
        ({"extra": {"role_arn": "r"}}, {"assumeRoleArn": "r"}),
        (
            {"extra": {"role_arn": "r", "assume_role_kwargs": {"RoleSessionName": "n", "SourceIdentity": "d"}}},
            {"assumeRoleArn": "r", "assumeRoleSessionName": "n", "assumeRoleSourceIdentity": "d"},
        ),
    ],
)
def test_access_to_aws(fields: dict[str, Any], aws_config: dict[str, object]) -> None:
    extra = {**fields.get("extra", {}), "region_name": "eu"}
    config = config_of("SageMaker", "aws", **{**fields, "extra": extra})
    assert config == {"awsConfig": {"awsRegion": "eu", **aws_config}}


@pytest.mark.parametrize("beside", [{}, {"awsConfig": "no object"}, {"awsConfig": {"awsRegion": ""}}])
def test_what_is_needed_must_be_there(beside: dict[str, object]) -> None:
    with pytest.raises(UnusableConnectionError, match=r"^awsRegion is missing"):
        config_of("SageMaker", "aws", beside=beside)


def test_what_is_declared_beside_a_connection_is_put_over_it_under_documented_names() -> None:
    extra = {"keyfile_dict": {"type": "service_account", "private_key": "k", "client_email": "e"}, "region": "eu"}
    beside = {"gcpConfig": {"private_key": "l"}, "config": {"location": "us", "credentials": {"gcp_config": {}}}}
    assert config_of("VertexAI", "gcpbigquery", extra=extra, beside=beside) == {
        "credentials": {"gcpConfig": {**VALUES, "privateKey": "l"}},
        "location": "us",
    }
    options = {"connectionOptions": {"my_key": "a"}, "sourcePythonClass": "b"}
    assert config_of("CustomMlModel", "generic", host="h", beside=options) == {
        "connectionOptions": {"host": "h", "my_key": "a"},
        "sourcePythonClass": "b",
    }
    credentials = AwsCredentials(aws_region="eu", end_point_url="e")
    assert config_of("SageMaker", "aws", beside={"awsConfig": credentials}) == {
        "awsConfig": {"awsRegion": "eu", "endPointURL": "e"}
    }
