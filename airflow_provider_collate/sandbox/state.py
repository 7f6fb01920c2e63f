"""What the sandbox holds: services of each kind, users with their tokens, and what it forbids."""

from __future__ import annotations

import re
import uuid
from bisect import bisect_left, insort
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from airflow_provider_collate.kinds import ServiceKind, registered_kinds
from airflow_provider_collate.sandbox.directory import Directory, Entry, User, seeded_directory
from airflow_provider_collate.sandbox.exchange import ApiError, Request, no_such_path, not_found, quoted
from airflow_provider_collate.sandbox.faults import Refusals
from airflow_provider_collate.sandbox.releases import DEFAULT_RELEASE, RELEASES, Release
from airflow_provider_collate.sandbox.services import StoredService

_NAMESPACE = uuid.UUID("c4a3a1f0-8d5d-4c7e-9d51-2f6b8a5e7c10")
_INCLUDES = {"non-deleted": (False,), "deleted": (True,), "all": (False, True)}


@dataclass(frozen=True)
class Call:
    """A request that found its endpoint.

    :param params: what the path holds: `collection`, `fqn` or `id`.
    :param bulk_refusals: rows of a bulk request that fail whatever is in them.
    """

    request: Request
    user: User
    params: Mapping[str, str]
    bulk_refusals: Refusals = field(default_factory=dict)

    def flag(self, name: str) -> bool:
        """Return whether a parameter of the query is true."""
        return self.request.params.get(name, "").lower() == "true"


class Store:
    """All services of a kind, found by name, fully qualified name and id, and listed by name.

    :param entity: how messages call one, e.g. `mlmodelService`.
    """

    def __init__(self, entity: str) -> None:
        self.entity = entity
        self._by_fqn: dict[str, StoredService] = {}
        self._fqn_by_id: dict[str, str] = {}
        self._names: dict[bool, list[str]] = {False: [], True: []}
        self._history: dict[str, list[StoredService]] = {}
        self._made = 0

    def new_id(self) -> str:
        """Return the next id; the same sequence in each sandbox."""
        self._made += 1
        return str(uuid.uuid5(_NAMESPACE, f"{self.entity}:{self._made}"))

    def keep(self, service: StoredService) -> None:
        """Store a service in place of the one with its name."""
        old = self._by_fqn.get(service.fqn)
        if old is None or old.deleted != service.deleted:
            if old is not None:
                self._forget_name(old)
            insort(self._names[service.deleted], service.name)
        self._by_fqn[service.fqn] = service
        self._fqn_by_id[service.id] = service.fqn

    def remove(self, service: StoredService) -> None:
        """Forget a service."""
        self._forget_name(service)
        del self._by_fqn[service.fqn]
        del self._fqn_by_id[service.id]
        self._history.pop(service.id, None)

    def history(self, service: StoredService) -> list[StoredService]:
        """Return the earlier versions of a service, the oldest first; a new version is put there."""
        return self._history.setdefault(service.id, [])

    def get(self, name: str) -> StoredService | None:
        """Return the service of a name, deleted or not."""
        return self._by_fqn.get(quoted(name))

    def find(self, params: Mapping[str, str], include: str = "non-deleted") -> StoredService:
        """Return the service of an id or a fully qualified name, which may lack its quotes (server source).

        :param params: `id` or `fqn`.
        :raises ApiError: 404.
        """
        key = params.get("fqn") or params["id"]
        if "fqn" not in params and not _is_uuid(key):
            raise no_such_path()
        key = quoted(key) if "fqn" in params else key
        service = self._by_fqn.get(key if "fqn" in params else self._fqn_by_id.get(key, ""))
        if service is None or service.deleted not in _INCLUDES[include]:
            raise not_found(self.entity, key)
        return service

    def names(self, include: str = "non-deleted") -> Sequence[str]:
        """Return all names, in order."""
        if include == "all":
            return sorted(self._names[False] + self._names[True])
        return self._names[include == "deleted"]

    def __iter__(self) -> Iterator[StoredService]:
        return iter(list(self._by_fqn.values()))

    def _forget_name(self, service: StoredService) -> None:
        names = self._names[service.deleted]
        del names[bisect_left(names, service.name)]


def _is_uuid(text: str) -> bool:
    try:
        uuid.UUID(text)
    except ValueError:
        return False
    return True


@dataclass(frozen=True)
class Ban:
    """A rule that forbids something.

    :param user: name of the user it is for; everyone if None.
    :param name: regular expression for the names of services; all requests if None.
    :param operations: of `Create`, `EditAll`, `Delete`, `ViewAll`; all if empty.
    """

    user: str | None = None
    name: str | None = None
    operations: frozenset[str] = frozenset()

    def covers(self, user: User, operation: str, name: str) -> bool:
        """Return whether it forbids this."""
        return (
            self.user in (None, user.name)
            and (not self.operations or operation in self.operations)
            and (self.name is None or bool(name and re.search(self.name, name)))
        )


@dataclass
class State:
    """Everything a request can see or change.

    :param clock: seconds since the epoch.
    :param kinds: the kinds of services that are served; those that are registered if None.
    :param tokens: token → whom it stands for.
    :param refused_tokens: token → what the 401 says.
    :param bulk_limit: rows in a bulk request at most.
    :param has_bulk: whether there is a bulk endpoint for services.
    :param secrets_manager: whether secrets are kept outside, so that not even a bot sees them.
    :param narrow_role: whether bots lack `EditAll`.
    :param denies_display_name: whether the bots' role denies changing a display name.
    :param locks: writes of a service's name that are refused, as another request has it: how many.
    """

    clock: Callable[[], float]
    kinds: Sequence[ServiceKind] | None = None
    release: Release = RELEASES[DEFAULT_RELEASE]
    directory: Directory = field(default_factory=seeded_directory)
    tokens: dict[str, User] = field(default_factory=dict)
    refused_tokens: dict[str, str] = field(default_factory=dict)
    bans: list[Ban] = field(default_factory=list)
    bulk_limit: int | None = None
    has_bulk: bool = False
    secrets_manager: bool = False
    narrow_role: bool = False
    denies_display_name: bool = False
    locks: Counter[str] = field(default_factory=Counter)
    _stores: dict[str, Store] = field(default_factory=dict)

    @property
    def served_kinds(self) -> Sequence[ServiceKind]:
        """The kinds of services that are served."""
        return registered_kinds() if self.kinds is None else self.kinds

    @property
    def store(self) -> Store:
        """The services of the first kind: ML model services, where nothing else was asked for."""
        return self.store_of(self.served_kinds[0].collection)

    def kind(self, collection: str) -> ServiceKind:
        """Return the kind of a collection.

        :raises ApiError: 404.
        """
        found = next((kind for kind in self.served_kinds if kind.collection == collection), None)
        if found is None:
            raise no_such_path()
        return found

    def store_of(self, collection: str) -> Store:
        """Return the services of a kind."""
        return self._stores.setdefault(collection, Store(collection.removesuffix("s")))

    def forget_services(self) -> None:
        """Forget all services."""
        self._stores.clear()

    def now(self) -> int:
        """Return the milliseconds since the epoch."""
        return int(self.clock() * 1000)

    def forget_entry(self, entry: Entry) -> None:
        """Remove an entry for good, and what services say of it; their versions stay (server source)."""
        self.directory.remove(entry)
        for store in self._stores.values():
            for service in store:
                owners, domains, products = (
                    tuple(reference for reference in references if reference["id"] != entry.id)
                    for references in (service.owners, service.domains, service.data_products)
                )
                source = {"tag": "Classification", "glossaryTerm": "Glossary"}.get(entry.kind)
                tags = tuple(tag for tag in service.tags if (tag["tagFQN"], tag["source"]) != (entry.fqn, source))
                store.keep(replace(service, owners=owners, domains=domains, data_products=products, tags=tags))

    def check_allowed(self, user: User, operation: str, name: str = "", *, needs_all: bool = True) -> None:
        """Refuse what a ban covers, what a narrow role does not let a bot do, and what is locked.

        :param needs_all: whether `EditAll` is what it needs, and not a smaller permission.
        :raises ApiError: 403, or 409 for a lock.
        """
        is_narrow = self.narrow_role and user.is_bot and needs_all and operation == "EditAll"
        if is_narrow or any(ban.covers(user, operation, name) for ban in self.bans):
            raise self.forbidden(user, operation)
        if operation != "ViewAll" and self.locks[name] > 0:
            self.locks[name] -= 1
            raise ApiError(409, f"Cannot modify {name}: it is being deleted")

    def forbidden(self, user: User, operation: str) -> ApiError:
        """Return a 403."""
        who = f"Principal: CatalogPrincipal{{name='{user.name}'}}"
        return ApiError(403, f"{who} operations [{operation}] not allowed")

    def authenticate(self, authorization: str) -> User:
        """Return whom a request's `Authorization` header stands for.

        :raises ApiError: 401, with the texts of the real server (the first two recorded, others documented).
        """
        scheme, _, token = authorization.partition(" ")
        if not token or scheme.lower() != "bearer":
            raise ApiError(401, "Not Authorized! Token not present")
        if token in self.refused_tokens:
            raise ApiError(401, self.refused_tokens[token])
        if token not in self.tokens:
            raise ApiError(401, "Invalid token")
        return self.tokens[token]
