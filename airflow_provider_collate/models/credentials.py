"""How a connection proves who it is to a cloud."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Discriminator, Tag

from airflow_provider_collate.models.declared import (
    ConnectionPart,
    ConnectionText,
    OpenConnectionPart,
    declaration_error,
    json_problems,
    kind_of,
)


class AwsCredentials(ConnectionPart):
    """Access to AWS: by keys, by a profile, by a role, or by the machine's own identity (`enabled`)."""

    enabled: bool | None = None
    aws_access_key_id: ConnectionText | None = None
    aws_secret_access_key: ConnectionText | None = None
    aws_region: ConnectionText
    aws_session_token: ConnectionText | None = None
    end_point_url: ConnectionText | None = None
    profile_name: ConnectionText | None = None
    assume_role_arn: ConnectionText | None = None
    assume_role_session_name: ConnectionText | None = None
    assume_role_source_identity: ConnectionText | None = None


def _check_project_ids(value: object) -> object:
    if isinstance(value, list):
        wrong = next((item for item in value if not isinstance(item, str)), "")
        if wrong != "":
            raise declaration_error([((), f"must be a list of strings, one is {kind_of(wrong)}")])
    elif not (value is None or isinstance(value, str)):
        raise declaration_error([((), f"must be a string or a list of strings, not {kind_of(value)}")])
    if problems := list(json_problems(value)):
        raise declaration_error(problems)
    return value


ProjectId = Annotated[str | list[str] | None, BeforeValidator(_check_project_ids)]


class _TypedPart(ConnectionPart):
    type: str

    def model_post_init(self, context: object, /) -> None:
        """Count the type as given: without it the server cannot tell these credentials apart."""
        self.model_fields_set.add("type")


class GcpCredentialsValues(_TypedPart):
    """The content of a service account's key file; its own snake_case names are accepted too."""

    type: Literal["service_account"] = "service_account"
    project_id: ProjectId = None
    private_key_id: ConnectionText | None = None
    private_key: ConnectionText | None = None
    client_email: ConnectionText | None = None
    client_id: ConnectionText | None = None
    auth_uri: ConnectionText | None = None
    token_uri: ConnectionText | None = None
    auth_provider_x509_cert_url: ConnectionText | None = None
    client_x509_cert_url: ConnectionText | None = None


class GcpCredentialsPath(_TypedPart, OpenConnectionPart):
    """The path of a key file on the machine that runs the ingestion."""

    type: Literal["gcp_credential_path"] = "gcp_credential_path"
    path: ConnectionText | None = None
    project_id: ProjectId = None


class GcpExternalAccount(_TypedPart):
    """Workload identity federation."""

    type: Literal["external_account"] = "external_account"
    external_type: Literal["external_account"] | None = None
    audience: ConnectionText | None = None
    subject_token_type: ConnectionText | None = None
    token_url: ConnectionText | None = None
    credential_source: dict[str, ConnectionText] | None = None


class GcpApplicationDefault(_TypedPart, OpenConnectionPart):
    """The application default credentials of the machine that runs the ingestion."""

    type: Literal["gcp_adc"] = "gcp_adc"
    project_id: ProjectId = None


class GcpImpersonation(OpenConnectionPart):
    """The service account to act as, and for how many seconds."""

    impersonate_service_account: ConnectionText | None = None
    lifetime: int | None = None


GCP_TYPES = {
    "service_account": "GcpCredentialsValues",
    "gcp_credential_path": "GcpCredentialsPath",
    "external_account": "GcpExternalAccount",
    "gcp_adc": "GcpApplicationDefault",
}


def _field_names(part: type[ConnectionPart]) -> frozenset[str]:
    fields = part.model_fields
    return frozenset(fields) | {field.alias for field in fields.values() if field.alias}


_SHARED_FIELDS = _field_names(GcpApplicationDefault)
_FIELDS_OF_VALUES = _field_names(GcpCredentialsValues) - _SHARED_FIELDS
_FIELDS_OF_EXTERNAL = _field_names(GcpExternalAccount) - _SHARED_FIELDS


def _gcp_config(value: object) -> str | None:
    """Tell the kinds of GCP credentials apart: by `type`, or else by the fields that are there."""
    if not isinstance(value, dict):
        return type(value).__name__ if isinstance(value, ConnectionPart) else None
    given = value.get("type")
    if isinstance(given, str) and given in GCP_TYPES:
        return GCP_TYPES[given]
    if "path" in value:
        return "GcpCredentialsPath" if isinstance(value["path"], str) else "GcpApplicationDefault"
    if not _FIELDS_OF_VALUES.isdisjoint(value):
        return "GcpCredentialsValues"
    return "GcpApplicationDefault" if _FIELDS_OF_EXTERNAL.isdisjoint(value) else "GcpExternalAccount"


GcpConfig = Annotated[
    Annotated[GcpCredentialsValues, Tag("GcpCredentialsValues")]
    | Annotated[GcpCredentialsPath, Tag("GcpCredentialsPath")]
    | Annotated[GcpExternalAccount, Tag("GcpExternalAccount")]
    | Annotated[GcpApplicationDefault, Tag("GcpApplicationDefault")],
    Discriminator(_gcp_config),
]


class GcpCredentials(ConnectionPart):
    """Access to Google Cloud, in one of four ways, and perhaps acting as another service account."""

    gcp_config: GcpConfig
    gcp_impersonate_service_account: GcpImpersonation | None = None
