"""Check the services that a task declares, with what the Airflow connections hold that they name."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from airflow.providers.common.compat.sdk import Connection
from pydantic import BaseModel

from airflow_provider_collate.exceptions import InvalidDeclarationError
from airflow_provider_collate.files.conn_ids import Resolution
from airflow_provider_collate.files.path import ServicesPath
from airflow_provider_collate.files.services import read_files
from airflow_provider_collate.hooks.credentials import ConnectionResolver, resolve_services
from airflow_provider_collate.hooks.masking import mask_secrets, shortest_masked
from airflow_provider_collate.kinds import ServiceKind
from airflow_provider_collate.models.validation import ValidatedServices, validate_services

_NO_JSON = (
    "Pass the upstream task's output itself, set render_template_as_native_obj=True on the DAG, "
    "or make JSON of it: {{ … | tojson }}."
)
# Of the secrets that files hold, which come in many batches; the first batch has as many as the masker takes at once.
_MOST_MASKED = 25


def read_declarations(
    services: object, kind: ServiceKind, get_connection: Callable[[str], Connection], *, single: bool = False
) -> ValidatedServices:
    """Read JSON text, resolve each `conn_id`, check every row, and mask all secrets before anything can print them.

    :param services: the declarations, their JSON text, or where files have them.
    :param kind: the kind of service.
    :param get_connection: gives the Airflow connection of an id.
    :param single: whether messages speak of the one service instead of `services[0]`.
    :raises InvalidDeclarationError: naming every fault of every row.
    """
    if isinstance(services, ServicesPath):
        return _read_files(services, kind, get_connection)
    rows: Any = _read_json(services) if isinstance(services, str) else services
    if isinstance(rows, Iterable) and not isinstance(rows, str | bytes | Mapping | BaseModel):
        rows, secrets = resolve_services(list(rows), get_connection, kind=kind, single=single)
        if secrets:
            mask_secrets(secrets)
    validated = validate_services(rows, model=kind.request_model, single=single, shortest_secret=shortest_masked())
    mask_secrets([secret for service in validated.services for secret in service.secrets()])
    return validated


def _read_files(
    where: ServicesPath, kind: ServiceKind, get_connection: Callable[[str], Connection]
) -> ValidatedServices:
    services = read_files([where], kind, MaskingResolver(kind, get_connection), shortest_secret=shortest_masked())
    services.raise_if_faulty()
    unfinished = {number: str(problem) for number, problem in services.unfinished.items()}
    return ValidatedServices(services, [str(warning) for warning in services.warnings], unfinished)


class MaskingResolver:
    """Resolve each `conn_id`, and mask the secrets in rows before anything can print them.

    :param kind: the kind of service.
    :param get_connection: gives the Airflow connection of an id.
    """

    def __init__(self, kind: ServiceKind, get_connection: Callable[[str], Connection]) -> None:
        self._kind = kind
        self._resolver = ConnectionResolver(kind, get_connection)
        self._masked: set[str] = set()

    def resolve(self, rows: Sequence[object]) -> Resolution:
        """Return the rows, resolved where they name Airflow connections."""
        resolution = self._resolver.resolve(rows)
        self._mask(resolution)
        return resolution

    def _mask(self, resolution: Resolution) -> None:
        # The masker takes few; the same rows are resolved again when they are compared and sent.
        if len(self._masked) >= _MOST_MASKED:
            return
        secrets = dict(self._resolver.secrets)
        for row in resolution.rows:
            if isinstance(row, Mapping):
                service_type = row.get("serviceType", row.get("service_type"))
                secrets.update(dict.fromkeys(self._kind.secret_values(service_type, row.get("connection"))))
        mask_secrets(secret for secret in secrets if secret not in self._masked)
        self._masked.update(secrets)


def _read_json(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError as error:
        problem = f"services: is a text that is not JSON: {error}"
    # Raised out here, so that the decoder's error, which holds the text, is no part of it.
    raise InvalidDeclarationError([problem], advice=_NO_JSON)
