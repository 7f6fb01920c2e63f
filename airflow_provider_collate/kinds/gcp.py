"""Access to Google Cloud: what may be declared, and what an Airflow connection to Google Cloud becomes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import BeforeValidator, ValidationInfo

from airflow_provider_collate.kinds.airflow_connection import (
    Config,
    ConnectionFields,
    UnusableConnectionError,
    fields_at,
    given,
    json_object,
    text_of,
)
from airflow_provider_collate.models import PLAIN, ConnectionPart, OneOf, OpenConnectionPart, ServerDefault
from airflow_provider_collate.models.declared import LITERAL, ConnectionText, PlainText, Text
from airflow_provider_collate.models.problems import declaration_error, documented_name, json_problems, kind_of


def _check_project_ids(value: object, info: ValidationInfo) -> object:
    if isinstance(value, list):
        wrong = next((item for item in value if not isinstance(item, str)), "")
        if wrong != "":
            raise declaration_error([((), f"must be a list of strings, one is {kind_of(wrong)}")])
    elif not (value is None or isinstance(value, str)):
        raise declaration_error([((), f"must be a string or a list of strings, not {kind_of(value)}")])
    if problems := list(json_problems(value, literal=info.context == LITERAL)):
        raise declaration_error(problems)
    return value


ProjectId = Annotated[str | list[str] | None, PLAIN, BeforeValidator(_check_project_ids)]


_CERTS = "https://www.googleapis.com/oauth2/v1/certs"


class GcpCredentialsValues(ConnectionPart):
    """The content of a service account's key file; its own snake_case names are accepted too."""

    type: Annotated[Literal["service_account"], PLAIN] = "service_account"
    project_id: ProjectId = None
    private_key_id: PlainText = None
    private_key: ConnectionText | None = None
    client_email: PlainText = None
    client_id: PlainText = None
    auth_uri: Annotated[PlainText, ServerDefault("https://accounts.google.com/o/oauth2/auth")] = None
    token_uri: Annotated[PlainText, ServerDefault("https://oauth2.googleapis.com/token")] = None
    auth_provider_x509_cert_url: Annotated[PlainText, ServerDefault(_CERTS)] = None
    client_x509_cert_url: PlainText = None


class GcpCredentialsPath(OpenConnectionPart):
    """The path of a key file on the machine that runs the ingestion."""

    type: Annotated[Literal["gcp_credential_path"], PLAIN] = "gcp_credential_path"
    path: PlainText = None
    project_id: ProjectId = None


class GcpExternalAccount(ConnectionPart):
    """Workload identity federation."""

    type: Annotated[Literal["external_account"], PLAIN] = "external_account"
    external_type: Annotated[Literal["external_account"] | None, PLAIN] = None
    audience: PlainText = None
    subject_token_type: PlainText = None
    token_url: PlainText = None
    credential_source: dict[Text, ConnectionText] | None = None


class GcpApplicationDefault(OpenConnectionPart):
    """The application default credentials of the machine that runs the ingestion."""

    type: Annotated[Literal["gcp_adc"], PLAIN] = "gcp_adc"
    project_id: ProjectId = None


class GcpImpersonation(OpenConnectionPart):
    """The service account to act as, and for how many seconds."""

    impersonate_service_account: PlainText = None
    lifetime: Annotated[int | None, PLAIN, ServerDefault(3600)] = None


_GCP_TYPES: dict[str, type[ConnectionPart]] = {
    "service_account": GcpCredentialsValues,
    "gcp_credential_path": GcpCredentialsPath,
    "external_account": GcpExternalAccount,
    "gcp_adc": GcpApplicationDefault,
}
_SHARED_FIELDS = fields_at(GcpApplicationDefault).keys()
_FIELDS_OF_VALUES = fields_at(GcpCredentialsValues).keys() - _SHARED_FIELDS
_FIELDS_OF_EXTERNAL = fields_at(GcpExternalAccount).keys() - _SHARED_FIELDS


def _gcp_part(value: object) -> type[ConnectionPart]:
    """Return the model of GCP credentials: by `type`, or else by the fields that are there."""
    if isinstance(value, ConnectionPart) and type(value) in _GCP_TYPES.values():
        return type(value)
    if not isinstance(value, Mapping):
        return GcpApplicationDefault
    declared = value.get("type")
    if isinstance(declared, str) and declared in _GCP_TYPES:
        return _GCP_TYPES[declared]
    if "path" in value:
        return GcpCredentialsPath if isinstance(value["path"], str) else GcpApplicationDefault
    if not _FIELDS_OF_VALUES.isdisjoint(value):
        return GcpCredentialsValues
    return GcpApplicationDefault if _FIELDS_OF_EXTERNAL.isdisjoint(value) else GcpExternalAccount


GcpConfig = Annotated[
    GcpCredentialsValues | GcpCredentialsPath | GcpExternalAccount | GcpApplicationDefault,
    OneOf(_gcp_part, tuple(_GCP_TYPES)),
]


class GcpCredentials(ConnectionPart):
    """Access to Google Cloud, in one of four ways, and perhaps acting as another service account."""

    gcp_config: GcpConfig
    gcp_impersonate_service_account: GcpImpersonation | None = None


GCP_CONN_TYPES = ("google_cloud_platform", "gcpbigquery", "gcpcloudsql", "gcpspanner")
GCP_BESIDE = {
    **fields_at(GcpCredentials, "credentials"),
    "project": ("credentials", "gcpConfig", "projectId"),
    "projectId": ("credentials", "gcpConfig", "projectId"),
    "project_id": ("credentials", "gcpConfig", "projectId"),
}
_KEYFILE_FIELDS = {
    "service_account": tuple(name for name in GcpCredentialsValues.model_fields if name != "type"),
    "external_account": ("audience", "subject_token_type", "token_url"),
}
_KEYFILE_NEEDS = {
    "service_account": ("private_key", "client_email"),
    "external_account": ("audience", "subject_token_type", "token_url", "credential_source"),
}
_IMPERSONATION_URL = re.compile(r"/serviceAccounts/([^/:]+):generateAccessToken$")


def gcp_credentials(source: ConnectionFields) -> Config:
    """Return the `credentials` that an Airflow connection to Google Cloud becomes.

    :raises UnusableConnectionError: if the catalog has no place for what it asks.
    """
    gcp_config, account = _gcp_config(source)
    project = source.text("project")
    if project and gcp_config["type"] != "external_account":
        gcp_config["projectId"] = project
    credentials: Config = {"gcpConfig": gcp_config}
    if account := _impersonated(source) or account:
        credentials["gcpImpersonateServiceAccount"] = {"impersonateServiceAccount": account}
    return credentials


def _gcp_config(source: ConnectionFields) -> tuple[Config, str]:
    """Return `gcpConfig`, and the account that an external account's key file asks to act as."""
    for key in ("key_secret_name", "idp_issuer_url", "is_anonymous"):
        if source.extra.get(key):
            raise UnusableConnectionError(
                f"the catalog has no field for extra.{key}; use a key file, or default credentials"
            )
    sources = [key for key in ("keyfile_dict", "key_path", "credential_config_file") if source.extra.get(key)]
    if len(sources) > 1:
        raise UnusableConnectionError(f"{' and '.join(f'extra.{key}' for key in sources)} exclude each other")
    if not sources:
        return {"type": "gcp_adc"}, ""
    value = source.extra[sources[0]]
    is_path = sources[0] != "keyfile_dict" and isinstance(value, str) and not value.lstrip().startswith("{")
    if sources[0] == "key_path" or is_path:
        return {"type": "gcp_credential_path", "path": source.text(sources[0])}, ""
    keyfile = json_object(value) if isinstance(value, str) else value
    if not isinstance(keyfile, Mapping):
        raise UnusableConnectionError(f"extra.{sources[0]} is not a key file: it is not a JSON object")
    return _keyfile(keyfile, f"extra.{sources[0]}")


def _keyfile(keyfile: Mapping[str, object], where: str) -> tuple[Config, str]:
    kind = text_of(keyfile, "type", where)
    if kind not in _KEYFILE_FIELDS:
        raise UnusableConnectionError(f'{where} is of another type than "service_account" and "external_account"')
    if missing := [name for name in _KEYFILE_NEEDS[kind] if not keyfile.get(name)]:
        raise UnusableConnectionError(f"{where} has no {', '.join(missing)}")
    texts = {documented_name(name): text_of(keyfile, name, where) for name in _KEYFILE_FIELDS[kind]}
    config = given(type=kind, **texts)
    if kind == "service_account":
        return config, ""
    credential_source = keyfile["credential_source"]
    if not isinstance(credential_source, Mapping):
        raise UnusableConnectionError(f"{where}.credential_source must be an object")
    config["credentialSource"] = {
        name: text_of(credential_source, name, f"{where}.credential_source") for name in credential_source
    }
    url = text_of(keyfile, "service_account_impersonation_url", where)
    account = _IMPERSONATION_URL.search(url)
    if url and account is None:
        raise UnusableConnectionError(f"{where}.service_account_impersonation_url names no service account")
    return config, account[1] if account else ""


def _impersonated(source: ConnectionFields) -> str:
    chain = source.extra.get("impersonation_chain") or []
    accounts = chain.split(",") if isinstance(chain, str) else chain
    if not (isinstance(accounts, list) and all(isinstance(account, str) for account in accounts)):
        raise UnusableConnectionError("extra.impersonation_chain must be a string or a list of strings")
    if len(accounts) > 1:
        raise UnusableConnectionError("extra.impersonation_chain has several accounts; the catalog can act as one only")
    return accounts[0].strip() if accounts else ""
