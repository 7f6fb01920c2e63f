"""How requests change services: what a POST makes, what a PUT keeps, what a patch may do."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace

from airflow_provider_collate.sandbox import connections
from airflow_provider_collate.sandbox.connections import ConnectionFaultError
from airflow_provider_collate.sandbox.declarations import Declaration
from airflow_provider_collate.sandbox.directory import Directory, User
from airflow_provider_collate.sandbox.exchange import ApiError, JsonObject, bad_request
from airflow_provider_collate.sandbox.json_patch import json_equal
from airflow_provider_collate.sandbox.releases import Release
from airflow_provider_collate.sandbox.services import Service

_OWNER_KINDS = ("user", "team")


def created(
    declaration: Declaration, release: Release, directory: Directory, service_id: str, user: User, now: int
) -> Service:
    """A new service.

    :raises ApiError: 400 for a connection of another type, 404 for what it refers to.
    """
    blank = Service(service_id, declaration.name, declaration.service_type)
    wanted = replace(
        _related(blank, declaration, release, directory),
        description=declaration.text("description"),
        display_name=declaration.text("displayName"),
        connection=_connection(declaration, release, "encrypt"),
        ingestion_runner=_runner(declaration),
    )
    directory.check_exclusive(list(wanted.tags))
    return replace(wanted, updated_at=now, updated_by=user.name)


def put(
    stored: Service,
    declaration: Declaration,
    release: Release,
    directory: Directory,
    user: User,
    override: bool = False,
) -> Service:
    """What a service is to be after a PUT.

    Recorded on OpenMetadata 1.2: a bot does not replace a description or display name, a person
    replaces and clears them. From the server's source: owners are replaced but never removed, a bot
    does not replace a domain, tags are added to those that are there.

    :param override: replace as a person does (`overrideMetadata` of bulk requests).
    :raises ApiError: 400 for a connection or service type that does not fit, 404 for what it refers to.
    """
    keeps = release.bot_put_keeps if user.is_bot and not override else frozenset()
    description, display_name = declaration.text("description"), declaration.text("displayName")
    if "description" in keeps and stored.description:
        description = stored.description
    if "displayName" in keeps and stored.display_name:
        display_name = stored.display_name
    wanted = _related(stored, declaration, release, directory)
    if "domains" in keeps and stored.domains:
        wanted = replace(wanted, domains=stored.domains)
    directory.check_exclusive(list(wanted.tags))
    return replace(
        wanted,
        description=description,
        display_name=display_name,
        connection=_put_connection(stored, declaration, release),
        ingestion_runner=_runner(declaration) or stored.ingestion_runner,
        deleted=False,
    )


def patched(stored: Service, wanted: JsonObject, release: Release, directory: Directory) -> Service:
    """What a service is to be after a patch made this document of it; its name stays (recorded).

    :raises ApiError: 400 for a value that does not fit, 404 for what it refers to.
    """
    if wanted.get("deleted") is True:
        raise bad_request("Entity mlmodelService attribute deleted can't be modified")
    declaration = Declaration(wanted)
    if declaration.service_type not in release.service_types:
        raise bad_request(f"Cannot construct instance of `MlModelServiceType`, problem: {declaration.service_type}")
    connection = _revealed(_connection(declaration, release, "encrypt"), stored)
    tags = [directory.label(tag, position) for position, tag in enumerate(declaration.entries("tags"))]
    directory.check_exclusive(tags)
    return replace(
        stored,
        connection=connection,
        description=declaration.text("description"),
        display_name=declaration.text("displayName"),
        owners=_references(wanted, release.owner_field, _OWNER_KINDS, directory),
        domains=_references(wanted, release.domain_field, ("domain",), directory),
        data_products=_references(wanted, "dataProducts", ("dataProduct",), directory),
        tags=tuple(sorted(tags, key=lambda tag: str(tag["tagFQN"]))),
        ingestion_runner=_runner(declaration),
    )


def revised(stored: Service, wanted: Service, release: Release, user: User, now: int) -> Service:
    """The next version of a service, or the stored one itself if nothing differs."""
    change = _change(stored, wanted, release)
    if not any(change.values()):
        return stored
    return replace(
        wanted,
        id=stored.id,
        name=stored.name,
        service_type=stored.service_type,
        version=round(stored.version + 0.1, 1),
        updated_at=now,
        updated_by=user.name,
        change={**change, "previousVersion": stored.version},
    )


def _change(stored: Service, wanted: Service, release: Release) -> dict[str, list[JsonObject]]:
    """What differs, in the form of a document's `changeDescription`."""
    change: dict[str, list[JsonObject]] = {"fieldsAdded": [], "fieldsUpdated": [], "fieldsDeleted": []}
    plain: list[tuple[str, object, object]] = [
        ("deleted", stored.deleted, wanted.deleted),
        ("description", stored.description, wanted.description),
        ("displayName", stored.display_name, wanted.display_name),
        ("ingestionRunner", stored.ingestion_runner, wanted.ingestion_runner),
    ]
    for name, old, new in plain:
        if not json_equal(old, new):
            kind = "fieldsAdded" if old is None else "fieldsDeleted" if new is None else "fieldsUpdated"
            values = {"oldValue": old, "newValue": new}
            change[kind].append({"name": name, **{k: v for k, v in values.items() if v is not None}})
    if not json_equal(stored.connection, wanted.connection):
        values = {"oldValue": '"old-encrypted-value"', "newValue": '"new-encrypted-value"'}
        change["fieldsUpdated"].append({"name": "connection", **values})
    lists = [
        (release.owner_field, stored.owners, wanted.owners),
        (release.domain_field, stored.domains, wanted.domains),
        ("dataProducts", stored.data_products, wanted.data_products),
        ("tags", stored.tags, wanted.tags),
    ]
    for name, olds, news in lists:
        before, after = {_key(item) for item in olds}, {_key(item) for item in news}
        if added := [item for item in news if _key(item) not in before]:
            change["fieldsAdded"].append({"name": name, "newValue": json.dumps(added)})
        if removed := [item for item in olds if _key(item) not in after]:
            change["fieldsDeleted"].append({"name": name, "oldValue": json.dumps(removed)})
    return change


def _key(item: JsonObject) -> object:
    """What makes two references or tag labels the same; a tag's `labelType` and `state` do not count."""
    return item["id"] if "id" in item else (item["tagFQN"], item["source"])


def _related(base: Service, declaration: Declaration, release: Release, directory: Directory) -> Service:
    """The service with the owners, domains, data products and tags that a create request gives."""
    owners = _references(declaration.given, release.owner_field, _OWNER_KINDS, directory)
    domain = declaration.text("domain")
    names = declaration.entries("domains") if domain is None else [domain]
    domains = tuple(directory.by_name("domain", str(name)).reference() for name in names)
    products = tuple(
        directory.by_name("dataProduct", str(name)).reference() for name in declaration.entries("dataProducts")
    )
    tags = list(base.tags)
    if release.takes_tags:
        there = {_key(tag) for tag in tags}
        labels = [directory.label(tag, position) for position, tag in enumerate(declaration.entries("tags"))]
        asked = {_key(label): label for label in labels}
        tags += [label for key, label in asked.items() if key not in there]
        tags.sort(key=lambda tag: str(tag["tagFQN"]))
    return replace(
        base,
        owners=owners or base.owners,
        domains=domains or base.domains,
        data_products=products or base.data_products,
        tags=tuple(tags),
    )


def _references(
    given: Mapping[str, object], field: str, kinds: tuple[str, ...], directory: Directory
) -> tuple[JsonObject, ...]:
    """The entries that a field refers to: a list of references, or one on old releases."""
    value = given.get(field)
    if value is None:
        return ()
    references = value if isinstance(value, list) else [value]
    resolved = [directory.resolve(reference, field, kinds) for reference in references]
    return tuple({str(reference["id"]): reference for reference in resolved}.values())


def _runner(declaration: Declaration) -> JsonObject | None:
    runner = declaration.given.get("ingestionRunner")
    return runner if isinstance(runner, dict) else None


def _connection(declaration: Declaration, release: Release, step: str) -> JsonObject | None:
    connection = declaration.given.get("connection")
    if not isinstance(connection, dict):
        return None
    try:
        return connections.fill_in(connection, declaration.service_type, release)
    except ConnectionFaultError:
        raise _misfit(declaration.service_type, step) from None


def _put_connection(stored: Service, declaration: Declaration, release: Release) -> JsonObject | None:
    if stored.connection is None:
        if stored.service_type != declaration.service_type:
            raise _misfit(declaration.service_type, "unmask")
        return _connection(declaration, release, "encrypt")
    if "connection" not in declaration.given:
        raise bad_request(release.missing_connection.format(type=declaration.service_type))
    if stored.service_type != declaration.service_type:
        raise _misfit(declaration.service_type, "unmask")
    return _revealed(_connection(declaration, release, "unmask"), stored)


def _revealed(connection: JsonObject | None, stored: Service) -> JsonObject | None:
    if connection is None:
        return None
    return connections.revealed(connection, stored.connection, stored.service_type)


def _misfit(service_type: str, step: str) -> ApiError:
    """The 400 for a connection that does not fit its service type (recorded)."""
    return bad_request(
        f"InvalidServiceConnectionException for service [{service_type}] due to "
        f"[Failed to {step} connection instance of {service_type}]."
    )
