"""Stored services: what is kept of one, its JSON document, its versions, and the store of a kind."""

from __future__ import annotations

import copy
import uuid
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from airflow_provider_collate.sandbox.directory import Directory
from airflow_provider_collate.sandbox.exchange import JsonObject, compact, not_found, quoted, same_json
from airflow_provider_collate.sandbox.releases import Release

_NAMESPACE = uuid.UUID("c4a3a1f0-8d5d-4c7e-9d51-2f6b8a5e7c10")
INCLUDES = {"all": (False, True), "deleted": (True,), "non-deleted": (False,)}
_SESSION_MILLISECONDS = 10 * 60 * 1000


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
    related = {field: _related(service, field, directory, root) for field in release.relation_fields if field in fields}
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
        "tags": related.get("tags"),
        release.owner_field: related.get(release.owner_field),
        "href": f"{root}/v1/services/{service.collection}/{service.id}" if root else None,
        "changeDescription": service.change,
        "deleted": service.deleted,
        "dataProducts": related.get("dataProducts"),
        release.domain_field: related.get(release.domain_field),
        "style": service.style,
        "ingestionRunner": service.ingestion_runner,
    }
    return {name: value for name, value in shown.items() if value is not None}


def _related(service: StoredService, field: str, directory: Directory, root: str) -> object:
    """Return the tags, owners, domains or data products as they are now; one owner or domain on old releases."""
    if field == "tags":
        return [directory.shown_label(tag) for tag in service.tags]
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


class Store:
    """All services of a kind, whose entity is e.g. `mlmodelService`, found by name and id, and listed by name."""

    def __init__(self, entity: str) -> None:
        self.entity = entity
        self._by_fqn: dict[str, StoredService] = {}
        self._by_id: dict[str, StoredService] = {}
        self._history: dict[str, list[StoredService]] = {}
        self._keys: dict[str, list[tuple[str, str]]] = {}
        self._made = 0

    def new_id(self) -> str:
        """Return the next id; the same sequence in each sandbox."""
        self._made += 1
        return str(uuid.uuid5(_NAMESPACE, f"{self.entity}:{self._made}"))

    def keep(self, service: StoredService) -> None:
        """Store a service in place of the one with its name."""
        old = self._by_fqn.get(service.fqn)
        if old is None or old.deleted != service.deleted:
            self._keys.clear()
        self._by_fqn[service.fqn] = self._by_id[service.id] = service

    def remove(self, service: StoredService) -> None:
        """Forget a service."""
        self._keys.clear()
        del self._by_fqn[service.fqn], self._by_id[service.id]
        self._history.pop(service.id, None)

    def history(self, service: StoredService) -> list[StoredService]:
        """Return the earlier versions of a service, the oldest first; a new version is put there."""
        return self._history.setdefault(service.id, [])

    def get(self, name: str) -> StoredService | None:
        """Return the service of a name, deleted or not."""
        return self._by_fqn.get(quoted(name))

    def find(self, params: Mapping[str, str], include: str = "non-deleted") -> StoredService:
        """Return the service of an `id` or an `fqn`, which may lack its quotes (server source); or a 404."""
        key = quoted(params["fqn"]) if "fqn" in params else params["id"]
        service = (self._by_fqn if "fqn" in params else self._by_id).get(key)
        if service is None or service.deleted not in INCLUDES[include]:
            raise not_found(self.entity, key)
        return service

    def ordered(self, include: str = "non-deleted") -> Sequence[tuple[str, str]]:
        """Return name and id of all services, in order."""
        if include not in self._keys:
            self._keys[include] = sorted((one.name, one.id) for one in self if one.deleted in INCLUDES[include])
        return self._keys[include]

    def __iter__(self) -> Iterator[StoredService]:
        return iter(list(self._by_fqn.values()))


@dataclass(frozen=True, eq=False)
class StoredServices(Mapping[str, dict[str, object]]):
    """Services by name, as documents with all their fields and with secrets in clear."""

    store: Store
    release: Release
    directory: Directory
    include: str

    def __getitem__(self, name: str) -> dict[str, object]:
        service = self.store.get(name)
        if service is None or service.deleted not in INCLUDES[self.include]:
            raise KeyError(name)
        # A copy, so that a test cannot change what is stored.
        return copy.deepcopy(document(service, self.release, self.directory, self.release.relation_fields))

    def __iter__(self) -> Iterator[str]:
        return iter([name for name, _ in self.store.ordered(self.include)])

    def __len__(self) -> int:
        return len(self.store.ordered(self.include))


def revised(
    stored: StoredService,
    wanted: StoredService,
    history: list[StoredService],
    release: Release,
    directory: Directory,
    *,
    folds: bool,
) -> StoredService:
    """Return the next version of a service, or the stored one itself if nothing differs.

    :param wanted: the service as it shall be, with who changes it and when.
    :param history: earlier versions, the oldest first; the stored one is put there unless both are one version.
    :param folds: whether changes of one user within ten minutes are one version (server source, 1.12).
    """
    if not any(_changes(stored, wanted, release, directory).values()):
        return stored
    is_recent = wanted.updated_at - stored.updated_at <= _SESSION_MILLISECONDS
    is_of_the_session = is_recent and stored.updated_by == wanted.updated_by and not stored.deleted
    if not (folds and history and is_of_the_session):
        history.append(stored)
    base = history[-1]
    change = _changes(base, wanted, release, directory)
    is_back = not any(change.values())
    if is_back:  # the version before is there again, with its author and time (server source)
        history.pop()
        wanted = replace(wanted, updated_by=base.updated_by, updated_at=base.updated_at)
    return replace(
        wanted,
        id=stored.id,
        name=stored.name,
        service_type=stored.service_type,
        rewritten=False,
        tags=wanted.tags if release.is_old else without_certification(wanted.tags),
        version=base.version if is_back else round(base.version + 0.1, 1),
        change=base.change if is_back else {**change, "previousVersion": base.version},
    )


def _changes(
    stored: StoredService, wanted: StoredService, release: Release, directory: Directory
) -> dict[str, list[JsonObject]]:
    """Return what differs, in the form of a document's `changeDescription`."""
    change: dict[str, list[JsonObject]] = {"fieldsAdded": [], "fieldsUpdated": [], "fieldsDeleted": []}

    def note(name: str, old: object, new: object) -> None:
        if not same_json(old, new):
            kind = "fieldsAdded" if old is None else "fieldsDeleted" if new is None else "fieldsUpdated"
            values = {"oldValue": old, "newValue": new}
            change[kind].append({"name": name, **{k: v for k, v in values.items() if v is not None}})

    note("deleted", stored.deleted, wanted.deleted)
    note("description", stored.description, wanted.description)
    note("displayName", stored.display_name, wanted.display_name)
    note("style", _text(stored.style), _text(wanted.style))
    note("ingestionRunner", _text(stored.ingestion_runner), _text(wanted.ingestion_runner))
    if wanted.rewritten or not same_json(stored.connection, wanted.connection):
        note("connection", '"old-encrypted-value"', '"new-encrypted-value"')
    domains = tuple(e.reference() if (e := directory.find_id("domain", one["id"])) else one for one in stored.domains)
    for name, olds, news in (
        (release.owner_field, stored.owners, wanted.owners),
        (release.domain_field, domains, wanted.domains),
        ("dataProducts", stored.data_products, wanted.data_products),
        ("tags", tuple(map(directory.shown_label, stored.tags)), wanted.tags),
    ):
        before, after = {key_of(item) for item in olds}, {key_of(item) for item in news}
        added = [item for item in news if key_of(item) not in before]
        removed = [item for item in olds if key_of(item) not in after]
        if name in ("owner", "domain"):
            note(name, _text(*removed), _text(*added))
            continue
        note(name, None, compact(added) if added else None)
        note(name, compact(removed) if removed else None, None)
    return change


def key_of(item: JsonObject) -> object:
    """Return what makes two references or tag labels the same; a tag's `labelType` and `state` do not count."""
    return item["id"] if "id" in item else (item["tagFQN"], item["source"])


def without_certification(tags: tuple[JsonObject, ...]) -> tuple[JsonObject, ...]:
    """Return the tags that are stored: one of `Certification` is dropped, though it counts as a change (source)."""
    return tuple(tag for tag in tags if not str(tag["tagFQN"]).startswith("Certification."))


def _text(value: JsonObject | None = None) -> str | None:
    return None if value is None else compact(value)
