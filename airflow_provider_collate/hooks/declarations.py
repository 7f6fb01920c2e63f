"""Declared services, as a task has them, made into requests."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from airflow.providers.common.compat.sdk import Connection

from airflow_provider_collate.exceptions import InvalidDeclarationError
from airflow_provider_collate.hooks.credentials import resolve_services
from airflow_provider_collate.hooks.masking import mask_secrets
from airflow_provider_collate.kinds import ServiceKind
from airflow_provider_collate.models.request import CreateServiceRequest
from airflow_provider_collate.models.validation import ValidatedServices, validate_services

_NO_JSON = (
    "Pass the upstream task's output itself, set render_template_as_native_obj=True on the DAG, "
    "or make JSON of it: {{ … | tojson }}."
)


def read_declarations(
    services: object, kind: ServiceKind, get_connection: Callable[[str], Connection], *, single: bool = False
) -> ValidatedServices[CreateServiceRequest]:
    """Read JSON text, resolve each `conn_id`, check every row, and mask all secrets before anything can print them.

    :param services: the declarations, or their JSON text.
    :param kind: the kind of service.
    :param get_connection: gives the Airflow connection of an id.
    :param single: whether messages speak of the one service instead of `services[0]`.
    :raises InvalidDeclarationError: naming every fault of every row.
    """
    rows: Any = _read_json(services) if isinstance(services, str) else services
    if isinstance(rows, Iterable) and not isinstance(rows, str | bytes | Mapping):
        rows, secrets = resolve_services(list(rows), get_connection, kind=kind, single=single)
        mask_secrets(secrets)
    validated = validate_services(rows, model=kind.request_model, single=single)
    mask_secrets(secret for service in validated.services for secret in service.secrets())
    return validated


def _read_json(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError as error:
        problem = f"services: is a text that is not JSON: {error}"
    # Raised out here, so that the decoder's error, which holds the text, is no part of it.
    raise InvalidDeclarationError([problem], advice=_NO_JSON)
