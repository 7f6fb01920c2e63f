"""An AWS connection becomes the config of a SageMaker service."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.hooks.declared_connections import PASSWORD, config_of, problem_of


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
        ({"session_kwargs": {"aws_session_token": "t"}}, {"awsSessionToken": "t"}),
        ({"profile_name": "p", "session_kwargs": {"profile_name": "q"}}, {"profileName": "p"}),
        ({"endpoint_url": "e", "service_config": {"s3": {"endpoint_url": "f"}}}, {"endPointURL": "e"}),
        ({"config_kwargs": {"retries": {"mode": "standard"}}, "verify": False}, {}),
        ({}, {}),
    ],
)
def test_aws_extras(extra: dict[str, object], expected: dict[str, str]) -> None:
    config = config_of("SageMaker", {"conn_type": "aws", "extra": {"region_name": "r", **extra}})

    assert config == {"awsConfig": {"awsRegion": "r", **expected}}


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
        ({"extra": {"service_config": "canary"}}, "extra.service_config must be an object"),
        ({"extra": {"service_config": {"sagemaker": 1}}}, "extra.service_config.sagemaker must be an object"),
    ],
)
def test_an_aws_connection_that_cannot_be_used(connection: dict[str, Any], expected: str) -> None:
    assert problem_of("SageMaker", {"conn_type": "aws", **connection}) == f"connection.conn_id: {expected}"


@pytest.mark.parametrize("beside", [{"awsConfig": "no object"}, {"awsConfig": {"awsRegion": ""}}])
def test_what_is_needed_must_be_there(beside: dict[str, object]) -> None:
    assert problem_of("SageMaker", {"conn_type": "aws"}, **beside).startswith(
        "connection.conn_id: awsRegion is missing"
    )
