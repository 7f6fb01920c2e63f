"""What the sandbox holds: services of each kind, users with their tokens, and what it forbids."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from airflow_provider_collate.kinds import ServiceKind
from airflow_provider_collate.sandbox.directory import Directory, Entry, User, seeded_directory
from airflow_provider_collate.sandbox.exchange import ApiError, ProtocolError, Request
from airflow_provider_collate.sandbox.faults import Refusals
from airflow_provider_collate.sandbox.releases import DEFAULT_RELEASE, RELEASES, Release
from airflow_provider_collate.sandbox.services import Store


@dataclass(frozen=True)
class Call:
    """A request that found its endpoint, and what its path holds; rows of bulk requests may be refused anyway."""

    state: State
    request: Request
    user: User
    params: Mapping[str, str]
    bulk_refusals: Refusals

    def flag(self, name: str) -> bool:
        """Return whether a parameter of the query is true."""
        return self.request.params.get(name, "").lower() == "true"


@dataclass(frozen=True)
class Ban:
    """A rule that forbids something, as `Catalog.forbid` has it."""

    user: str | None = None
    name: str | None = None
    operations: frozenset[str] = frozenset()

    def covers(self, user: User, operation: str, name: str) -> bool:
        """Return whether it forbids this."""
        is_of_name = self.name is None or bool(name and re.search(self.name, name))
        return is_of_name and self.user in (None, user.name) and operation in (self.operations or (operation,))


@dataclass
class State:
    """Everything a request can see or change; `Catalog` says what the options mean.

    :param tokens: token → whom it stands for.
    :param refused_tokens: token → what the 401 says.
    :param locks: writes of a service's name that are refused, as another request has it: how many.
    """

    clock: Callable[[], float]
    served_kinds: Sequence[ServiceKind]
    bulk_limit: int | None = None
    has_bulk: bool = False
    secrets_manager: bool = False
    narrow_role: bool = False
    denies_display_name: bool = False
    release: Release = RELEASES[DEFAULT_RELEASE]
    directory: Directory = field(default_factory=seeded_directory)
    tokens: dict[str, User] = field(default_factory=dict)
    refused_tokens: dict[str, str] = field(default_factory=dict)
    bans: list[Ban] = field(default_factory=list)
    locks: Counter[str] = field(default_factory=Counter)
    stores: dict[str, Store] = field(default_factory=dict)

    def kind(self, collection: str = "") -> ServiceKind:
        """Return the kind of a collection, the first if empty; a 404 if there is none."""
        for kind in self.served_kinds:
            if collection in ("", kind.collection):
                return kind
        raise ProtocolError(404)

    def store_of(self, collection: str = "") -> Store:
        """Return the services of a kind; those of the first if empty."""
        name = collection or self.kind().collection
        return self.stores.setdefault(name, Store(name.removesuffix("s")))

    def now(self) -> int:
        """Return the milliseconds since the epoch."""
        return int(self.clock() * 1000)

    def forget_entry(self, entry: Entry) -> None:
        """Remove an entry for good, and what services say of it; their versions stay (server source)."""
        self.directory.remove(entry)
        source = {"tag": "Classification", "glossaryTerm": "Glossary"}.get(entry.kind)
        for store in self.stores.values():
            for service in store:
                owners, domains, products = (
                    tuple(reference for reference in references if reference["id"] != entry.id)
                    for references in (service.owners, service.domains, service.data_products)
                )
                tags = tuple(tag for tag in service.tags if (tag["tagFQN"], tag["source"]) != (entry.fqn, source))
                store.keep(replace(service, owners=owners, domains=domains, data_products=products, tags=tags))

    def check_allowed(self, user: User, operation: str, name: str = "", *, needs_all: bool = True) -> None:
        """Refuse by a 403 what a ban or a narrow role forbids, and by a 409 what is locked."""
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
        """Return whom an `Authorization` header stands for; two texts of its 401s are recorded, two documented."""
        scheme, _, token = authorization.partition(" ")
        if not token or scheme.lower() != "bearer":
            raise ApiError(401, "Not Authorized! Token not present")
        if token in self.refused_tokens or token not in self.tokens:
            raise ApiError(401, self.refused_tokens.get(token, "Invalid token"))
        return self.tokens[token]
