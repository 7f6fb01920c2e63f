"""What becomes of the Airflow connections that declared services name."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from airflow.providers.common.compat import sdk

from airflow_provider_collate.exceptions import InvalidDeclarationError
from airflow_provider_collate.hooks.credentials import resolve_services
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
