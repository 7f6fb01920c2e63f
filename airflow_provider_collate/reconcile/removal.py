"""Remove one service, and look that it is gone."""

from __future__ import annotations

from airflow_provider_collate.client.client import CollateClient
from airflow_provider_collate.client.kinds import ServiceKind
from airflow_provider_collate.client.services import fqn_of
from airflow_provider_collate.exceptions import OutcomeError
from airflow_provider_collate.models.service import Service
from airflow_provider_collate.reconcile.report import Outcome, RowResult


def remove_service(client: CollateClient, kind: ServiceKind, name: str, *, hard: bool) -> RowResult | None:
    """Delete a service by its name and read again.

    :param client: the server.
    :param kind: the kind of service.
    :param name: its name.
    :param hard: delete it for good, with all that belongs to it; else it can be restored.
    :return: what came of it; None when there was nothing to delete.
    :raises OutcomeError: when the catalog still shows it.
    """
    services = client.services(kind)
    service = services.by_name(name, include="all" if hard else "non-deleted")
    if service is None:
        return None
    services.delete(service.id, hard=hard)
    left = services.by_id(service.id, include="all")
    if left is not None and (hard or not left.deleted):
        raise OutcomeError(
            f"{name!r} is still there, though the server answered its deletion with success", retryable=True
        )
    return _result(client, kind, service, left)


def _result(client: CollateClient, kind: ServiceKind, service: Service, left: Service | None) -> RowResult:
    return RowResult(
        row=None,
        name=service.name,
        outcome=Outcome.DELETED,
        fqn=fqn_of(service.name),
        service_type=service.service_type,
        service_id=service.id,
        version=left.version if left else service.version,
        url=client.page_of(kind, service.name) if left else client.list_page(kind),
    )
