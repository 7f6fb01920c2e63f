"""Show one service as plain data, without its connection; patch or delete one, and read again what came of it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from pydantic import JsonValue

from airflow_provider_collate.client.client import CollateClient
from airflow_provider_collate.client.patches import texts_of
from airflow_provider_collate.client.services import PatchOperation, fqn_of
from airflow_provider_collate.exceptions import ChangedMeanwhileError, OutcomeError
from airflow_provider_collate.kinds import ServiceKind
from airflow_provider_collate.models.service import Service
from airflow_provider_collate.reconcile.changes import existing_of, is_gone
from airflow_provider_collate.reconcile.report import Outcome, RowResult

SHOWN_FIELDS = ("domains", "owners", "tags")
"""The fields that must be asked for."""


def patch_service(
    client: CollateClient, kind: ServiceKind, service: Service, patch: Sequence[PatchOperation]
) -> Service | None:
    """Patch a service as it was read, and read it again.

    :raises ChangedMeanwhileError: when somebody has edited it since it was read; nothing was written.
    """
    services = client.services(kind)
    overtaken = None
    try:
        services.patch(service.id, [*existing_of(service).guard, *patch], partial(texts_of, patch))
    except ChangedMeanwhileError as error:
        overtaken = error
    after = services.by_id(service.id, SHOWN_FIELDS)
    # Sent again after a lost answer, the guard meets what the patch itself has written.
    if overtaken and not (overtaken.maybe_applied and after and after.updated_by == client.identity().name):
        raise overtaken
    return after


def delete_service(client: CollateClient, kind: ServiceKind, name: str, *, hard: bool) -> RowResult:
    """Delete a service by its name and read again.

    :return: what came of it: deleted, or ignored when there was nothing to delete.
    :raises OutcomeError: when the catalog still shows it.
    """
    services, fqn = client.services(kind), fqn_of(name)
    service = services.by_name(name, include="all" if hard else "non-deleted")
    if service is None:
        return RowResult(None, name, Outcome.IGNORED, fqn, "", url=client.list_page(kind))
    services.delete(service.id, hard=hard)
    left = services.by_id(service.id, include="all")
    if not is_gone(left, hard=hard):
        raise OutcomeError(still_there(name), retryable=True)
    return RowResult(
        row=None,
        name=name,
        outcome=Outcome.DELETED,
        fqn=fqn,
        service_type=service.service_type,
        service_id=service.id,
        version=left.version if left else service.version,
        url=client.page_of(kind, fqn) if left else client.list_page(kind),
    )


def still_there(name: str) -> str:
    """Return the message for a deletion that the catalog does not show."""
    return f"{name!r} is still there, though the server answered its deletion with success"


def shown_service(service: Service, url: str) -> dict[str, JsonValue]:
    """Return a service's plain fields, owners, domains and tags."""
    return {
        "id": service.id,
        "name": service.name,
        "fullyQualifiedName": service.fully_qualified_name or fqn_of(service.name),
        "serviceType": service.service_type,
        "displayName": service.display_name,
        "description": service.description,
        "version": service.version,
        "deleted": service.deleted,
        "tags": [tag.tag_fqn for tag in service.tags or ()],
        "owners": [{"id": owner.id, "type": owner.type, "name": owner.name} for owner in service.owners or ()],
        "domains": [domain.label for domain in service.domains or ()],
        "url": url,
    }
