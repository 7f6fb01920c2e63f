"""What the sandbox holds: services, users with their tokens, and what it forbids."""

from __future__ import annotations

import re
import uuid
from bisect import bisect_left, insort
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from airflow_provider_collate.sandbox.directory import Directory, User, seeded_directory
from airflow_provider_collate.sandbox.exchange import ApiError, not_found
from airflow_provider_collate.sandbox.releases import TODAY, Release
from airflow_provider_collate.sandbox.services import Service, quoted

_NAMESPACE = uuid.UUID("c4a3a1f0-8d5d-4c7e-9d51-2f6b8a5e7c10")
KIND = "mlmodelService"

_INCLUDES = {"non-deleted": (False,), "deleted": (True,), "all": (False, True)}


class Store:
    """All services, found by name, fully qualified name and id, and listed by name."""

    def __init__(self) -> None:
        self._by_fqn: dict[str, Service] = {}
        self._fqn_by_id: dict[str, str] = {}
        self._names: dict[bool, list[str]] = {False: [], True: []}
        self._made = 0

    def new_id(self) -> str:
        """The next id; the same sequence in each sandbox."""
        self._made += 1
        return str(uuid.uuid5(_NAMESPACE, str(self._made)))

    def keep(self, service: Service) -> None:
        """Store a service in place of the one with its name."""
        old = self._by_fqn.get(service.fqn)
        if old is None or old.deleted != service.deleted:
            if old is not None:
                self._forget_name(old)
            insort(self._names[service.deleted], service.name)
        self._by_fqn[service.fqn] = service
        self._fqn_by_id[service.id] = service.fqn

    def remove(self, service: Service) -> None:
        """Forget a service."""
        self._forget_name(service)
        del self._by_fqn[service.fqn]
        del self._fqn_by_id[service.id]

    def get(self, name: str) -> Service | None:
        """The service of a name, deleted or not."""
        return self._by_fqn.get(quoted(name))

    def by_fqn(self, fqn: str, include: str = "non-deleted") -> Service:
        """The service of a fully qualified name.

        :raises ApiError: 404.
        """
        return self._included(self._by_fqn.get(fqn), fqn, include)

    def by_id(self, service_id: str, include: str = "non-deleted") -> Service:
        """The service of an id.

        :raises ApiError: 404.
        """
        return self._included(self._by_fqn.get(self._fqn_by_id.get(service_id, "")), service_id, include)

    def names(self, include: str = "non-deleted") -> Sequence[str]:
        """All names, in order."""
        if include == "all":
            return sorted(self._names[False] + self._names[True])
        return self._names[include == "deleted"]

    def __iter__(self) -> Iterator[Service]:
        return iter(list(self._by_fqn.values()))

    def _included(self, service: Service | None, key: str, include: str) -> Service:
        if service is None or service.deleted not in _INCLUDES[include]:
            raise not_found(KIND, key)
        return service

    def _forget_name(self, service: Service) -> None:
        names = self._names[service.deleted]
        del names[bisect_left(names, service.name)]


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
        """Whether it forbids this."""
        return (
            self.user in (None, user.name)
            and (not self.operations or operation in self.operations)
            and (self.name is None or bool(name and re.search(self.name, name)))
        )


@dataclass
class State:
    """Everything a request can see or change.

    :param clock: seconds since the epoch.
    :param tokens: token → whom it stands for.
    :param refused_tokens: token → what the 401 says.
    :param bulk_limit: rows in a bulk request at most.
    :param has_bulk: whether there is a bulk endpoint; as the release has it if None.
    """

    clock: Callable[[], float]
    release: Release = TODAY
    store: Store = field(default_factory=Store)
    directory: Directory = field(default_factory=seeded_directory)
    tokens: dict[str, User] = field(default_factory=dict)
    refused_tokens: dict[str, str] = field(default_factory=dict)
    bans: list[Ban] = field(default_factory=list)
    bulk_limit: int | None = None
    has_bulk: bool | None = None

    def now(self) -> int:
        """Milliseconds since the epoch."""
        return int(self.clock() * 1000)

    def check_allowed(self, user: User, operation: str, name: str = "") -> None:
        """Refuse what a ban covers.

        :raises ApiError: 403.
        """
        if any(ban.covers(user, operation, name) for ban in self.bans):
            raise ApiError(
                403, f"Principal: CatalogPrincipal{{name='{user.name}'}} operations [{operation}] not allowed"
            )

    def authenticate(self, authorization: str) -> User:
        """Whom a request's `Authorization` header stands for.

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
