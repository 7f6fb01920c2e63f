"""Stored services and their JSON documents."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from airflow_provider_collate.sandbox.exchange import JsonObject
from airflow_provider_collate.sandbox.releases import Release


@dataclass(frozen=True)
class Service:
    """A service as it is stored; never changed in place.

    :param connection: with its secrets in clear; None if it has none.
    :param updated_at: milliseconds since the epoch.
    :param change: what its last version changed.
    :param models: names of the models in it; they are deleted and restored with it.
    """

    id: str
    name: str
    service_type: str
    connection: JsonObject | None = None
    description: str | None = None
    display_name: str | None = None
    owners: tuple[JsonObject, ...] = ()
    domains: tuple[JsonObject, ...] = ()
    data_products: tuple[JsonObject, ...] = ()
    tags: tuple[JsonObject, ...] = ()
    ingestion_runner: JsonObject | None = None
    version: float = 0.1
    updated_at: int = 0
    updated_by: str = ""
    deleted: bool = False
    change: JsonObject | None = None
    models: tuple[str, ...] = ()

    @property
    def fqn(self) -> str:
        """The fully qualified name."""
        return quoted(self.name)


def quoted(name: str) -> str:
    """A name as a part of a fully qualified name: in quotes if it has a dot."""
    if '"' in name:
        escaped = name.replace('"', '\\"')
        return f'"{escaped}"'
    return f'"{name}"' if "." in name else name


def document(service: Service, release: Release, fields: Collection[str] = (), root: str = "") -> JsonObject:
    """A service's JSON document, its connection as stored.

    :param fields: which of the fields that are shown only when asked for.
    :param root: address of the server; without it there is no `href`.
    """
    shown: JsonObject = {
        "id": service.id,
        "name": service.name,
        "fullyQualifiedName": service.fqn,
        "serviceType": service.service_type,
        "description": service.description,
        "displayName": service.display_name,
        "version": service.version,
        "updatedAt": service.updated_at,
        "updatedBy": service.updated_by,
        "connection": service.connection,
        "ingestionRunner": service.ingestion_runner,
        "changeDescription": service.change,
    }
    for field in fields:
        shown[field] = relation(service, field)
    if root:
        shown["href"] = f"{root}/api/v1/services/mlmodelServices/{service.id}"
    shown["deleted"] = service.deleted
    return {name: value for name, value in shown.items() if value is not None}


def relation(service: Service, field: str) -> object:
    """What the document has under a field that is shown only when asked for."""
    if field == "tags":
        return list(service.tags)
    if field == "dataProducts":
        return list(service.data_products)
    references = service.owners if field.startswith("owner") else service.domains
    if field in ("owner", "domain"):
        return references[0] if references else None
    return list(references)


def with_connection(shown: JsonObject, connection: JsonObject | None) -> JsonObject:
    """A document with another form of its connection."""
    return shown if connection is None else {**shown, "connection": connection}
