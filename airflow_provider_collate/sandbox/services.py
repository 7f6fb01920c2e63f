"""Stored services and their JSON documents."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from airflow_provider_collate.sandbox.directory import Directory
from airflow_provider_collate.sandbox.exchange import JsonObject, quoted
from airflow_provider_collate.sandbox.releases import Release


@dataclass(frozen=True)
class StoredService:
    """A service as it is stored; never changed in place.

    :param collection: of its kind, e.g. `mlmodelServices`.
    :param connection: with its secrets in clear; None if it has none.
    :param rewritten: whether a secret was written again that nobody could see, which counts as a change.
    :param domains: references, which need not point anywhere (recorded).
    :param updated_at: milliseconds since the epoch.
    :param change: what its last version changed.
    :param models: names of the models in it; they are deleted and restored with it.
    """

    collection: str
    id: str
    name: str
    service_type: str
    connection: JsonObject | None = None
    rewritten: bool = False
    description: str | None = None
    display_name: str | None = None
    owners: tuple[JsonObject, ...] = ()
    domains: tuple[JsonObject, ...] = ()
    data_products: tuple[JsonObject, ...] = ()
    tags: tuple[JsonObject, ...] = ()
    style: JsonObject | None = None
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


def document(
    service: StoredService, release: Release, directory: Directory, fields: Collection[str] = (), root: str = ""
) -> JsonObject:
    """Return a service's JSON document, its fields in the server's order, its connection as stored.

    :param fields: which of the fields that are shown only when asked for.
    :param root: the API's address; without it there is no `href`.
    :raises ApiError: 404 when its domain is asked for and does not exist (recorded).
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
        "tags": [directory.shown_label(tag) for tag in service.tags] if "tags" in fields else None,
    }
    for field in (release.owner_field, "dataProducts", release.domain_field):
        if field == "dataProducts":
            shown["href"] = f"{root}/v1/services/{service.collection}/{service.id}" if root else None
            shown["changeDescription"] = service.change
            shown["deleted"] = service.deleted
        if field in fields:
            shown[field] = _related(service, field, directory, root)
    shown["style"] = service.style
    shown["ingestionRunner"] = service.ingestion_runner
    return {name: value for name, value in shown.items() if value is not None}


def _related(service: StoredService, field: str, directory: Directory, root: str) -> object:
    """Return the owners, domains or data products as they are now; one of them on old releases."""
    if field.startswith("domain"):
        entries = [directory.by_id("domain", str(reference["id"])) for reference in service.domains]
    else:
        references = service.owners if field.startswith("owner") else service.data_products
        known = [directory.find_id(str(reference["type"]), reference["id"]) for reference in references]
        entries = [entry for entry in known if entry is not None]
    shown = [entry.reference(root) for entry in entries]
    if field in ("owner", "domain"):
        return shown[0] if shown else None
    return shown
