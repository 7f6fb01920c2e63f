"""Comparing by hand: a declaration, a service as it is shown, and its history."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from pydantic import JsonValue

from airflow_provider_collate.client.release import Release
from airflow_provider_collate.models.history import History, parse_history
from airflow_provider_collate.models.service import Service
from airflow_provider_collate.reconcile.changes import Change, Desired, change_of
from airflow_provider_collate.reconcile.facts import Authors, ServerFacts
from airflow_provider_collate.reconcile.field_change import Status
from airflow_provider_collate.reconcile.options import OnConflict, RunOptions
from tests.unit.reconcile.workbench import declared_services, sklearn

ME = "ingestion-bot"
TODAY = "2.0.7"
WHEN = 1_763_647_380_000  # 2025-11-20 14:03 UTC


def facts(release: str = TODAY, on_conflict: OnConflict = "fail", clock_ahead: timedelta = timedelta(0)) -> ServerFacts:
    """Return what a bot knows of a server."""
    return ServerFacts(Release(release), ME, is_bot=True, on_conflict=on_conflict, clock_ahead=clock_ahead)


def version(number: float, user: str, *, at: int = WHEN, fields: Mapping[str, Any] | None = None, **change: Any) -> str:
    """Return one version of a service as the server answers it.

    :param fields: the service's fields as they were.
    :param change: `fieldsAdded`, `fieldsUpdated` or `fieldsDeleted`.
    """
    document: dict[str, Any] = {"version": number, "updatedBy": user, "updatedAt": at, **(fields or {})}
    if change:
        document["changeDescription"] = {"fieldsAdded": [], "fieldsUpdated": [], "fieldsDeleted": [], **change}
    return json.dumps(document)


def history(*versions: str) -> History:
    """Return a history of versions, the newest first."""
    return parse_history({"entityType": "mlmodelService", "versions": list(versions)})


def text_set_by(user: str, text: str, field: str = "description") -> History:
    """Return the history of a service whose text one user has set after another had created it."""
    updated = [{"name": field, "oldValue": "before", "newValue": text}]
    return history(
        version(0.2, user, fields={field: text}, fieldsUpdated=updated),
        version(0.1, "admin", fields={field: "before"}),
    )


def compare(
    service: Service | None,
    *,
    by: ServerFacts | None = None,
    told: History | None = None,
    exclusive: frozenset[str] = frozenset(),
    resolved: Mapping[str, JsonValue] | None = None,
    options: RunOptions | None = None,
    row: Mapping[str, object] | None = None,
    **declared: Any,
) -> Change:
    """Compare a declaration with a service.

    :param told: the service's history; None where it was not read.
    :param resolved: the references that names in the declaration stand for.
    """
    server = by or facts()
    (wanted,) = declared_services([row or sklearn(**declared)])
    desired = Desired(0, [wanted], wanted.name, resolved)
    authors = None if told is None else Authors(told, exclusive=exclusive)
    return change_of(desired, service, server, options or RunOptions(on_conflict=server.on_conflict), authors)


def texts(change: Change, status: Status = Status.WRITE) -> list[str]:
    """Return the fields of a status, as a person reads them."""
    return [str(field) for field in change.having(status)]


def operations(change: Change) -> list[tuple[str, str, JsonValue]]:
    """Return the operations of the patch that a change sends."""
    return [(step.op, step.path, step.value) for field in change.writable for step in field.operations]
