"""Access to AWS: what may be declared, and what an Airflow connection to AWS becomes."""

from __future__ import annotations

from typing import Annotated

from airflow_provider_collate.kinds.airflow_connection import (
    Config,
    ConnectionFields,
    UnusableConnectionError,
    fields_at,
    given,
)
from airflow_provider_collate.models import PLAIN, ConnectionPart, ServerDefault
from airflow_provider_collate.models.declared import ConnectionText, PlainText


class AwsCredentials(ConnectionPart):
    """Access to AWS: by keys, by a profile, by a role, or by the machine's own identity (`enabled`)."""

    enabled: Annotated[bool | None, PLAIN, ServerDefault(False)] = None
    aws_access_key_id: PlainText = None
    aws_secret_access_key: ConnectionText | None = None
    aws_region: Annotated[ConnectionText, PLAIN]
    aws_session_token: ConnectionText | None = None
    end_point_url: PlainText = None
    profile_name: PlainText = None
    assume_role_arn: PlainText = None
    assume_role_session_name: Annotated[PlainText, ServerDefault("OpenMetadataSession")] = None
    assume_role_source_identity: PlainText = None


AWS_BESIDE = {
    **fields_at(AwsCredentials, "awsConfig"),
    "endpoint_url": ("awsConfig", "endPointURL"),
    "region": ("awsConfig", "awsRegion"),
    "region_name": ("awsConfig", "awsRegion"),
    "role_arn": ("awsConfig", "assumeRoleArn"),
}


def aws_credentials(source: ConnectionFields, service: str) -> Config:
    """Return the `awsConfig` that an Airflow connection to AWS becomes.

    :param service: the AWS service, as the connection's `service_config` names it.
    :raises UnusableConnectionError: if the catalog has no place for what it asks.
    """
    credentials = given(
        awsRegion=source.text("region_name"),
        awsSessionToken=source.text("aws_session_token") or source.text("session_kwargs", "aws_session_token"),
        profileName=source.text("profile_name") or source.text("session_kwargs", "profile_name"),
        endPointURL=source.text("service_config", service, "endpoint_url") or source.text("endpoint_url"),
    )
    return {**_aws_keys(source), **credentials, **_aws_role(source)}


def _aws_keys(source: ConnectionFields) -> Config:
    names = ("aws_access_key_id", "aws_secret_access_key")
    pairs = [
        (source.login, source.password),
        tuple(source.text(name) for name in names),
        tuple(source.text("session_kwargs", name) for name in names),
    ]
    for key_id, secret in pairs:
        if key_id and secret:
            return {"awsAccessKeyId": key_id, "awsSecretAccessKey": secret}
    if any(key_id or secret for key_id, secret in pairs):
        raise UnusableConnectionError(
            "an access key takes two: its id (login) and its secret (password), and one is missing"
        )
    return {}


def _aws_role(source: ConnectionFields) -> Config:
    role = source.text("role_arn")
    if not role:
        return {}
    if (source.text("assume_role_method") or "assume_role") != "assume_role":
        raise UnusableConnectionError('the catalog can assume a role by extra.assume_role_method "assume_role" only')
    kwargs = source.mapping("assume_role_kwargs")
    # Leaving one of them out would ask for another role than the connection does.
    if unknown := sorted(set(kwargs) - {"RoleSessionName", "SourceIdentity", "DurationSeconds"}):
        raise UnusableConnectionError(f"the catalog has no field for extra.assume_role_kwargs.{', '.join(unknown)}")
    return given(
        assumeRoleArn=role,
        assumeRoleSessionName=source.text("assume_role_kwargs", "RoleSessionName"),
        assumeRoleSourceIdentity=source.text("assume_role_kwargs", "SourceIdentity"),
    )
