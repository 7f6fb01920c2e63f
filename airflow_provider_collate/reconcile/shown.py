"""A service as plain data, for people and for XComs: without its connection."""

from __future__ import annotations

from pydantic import JsonValue

from airflow_provider_collate.client.services import fqn_of
from airflow_provider_collate.models.service import Service

SHOWN_FIELDS = ("domains", "owners", "tags")
"""The fields that must be asked for."""


def shown_service(service: Service, url: str) -> dict[str, JsonValue]:
    """Return a service's plain fields, owners, domains and tags.

    :param service: the service, read with `SHOWN_FIELDS`.
    :param url: its page in the UI.
    """
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
