"""What a test sees of a catalog: the requests that came, and the services as they are stored."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from airflow_provider_collate.sandbox.exchange import JsonObject, Request
from airflow_provider_collate.sandbox.services import document
from airflow_provider_collate.sandbox.state import State

_UNRECORDED = frozenset({"authorization", "cookie", "proxy-authorization"})


@dataclass(frozen=True)
class RecordedRequest:
    """A request that the catalog saw.

    :param path: as sent, e.g. `/api/v1/services/mlmodelServices`.
    :param status: of the answer that was made, whether or not it arrived.
    :param user: name of who asked; empty if unknown.
    :param headers: names in lower case, those that authorize left out.
    """

    method: str
    path: str
    params: Mapping[str, str]
    status: int
    user: str
    headers: Mapping[str, str]
    content: bytes
    is_write: bool

    @property
    def body(self) -> object:
        """The body as JSON; as text if it is none; None if empty."""
        if not self.content:
            return None
        try:
            return json.loads(self.content)
        except ValueError:
            return self.content.decode(errors="replace")


class StoredServices(Mapping[str, JsonObject]):
    """Services by name, as documents with all their fields and with secrets in clear."""

    def __init__(self, state: State, collection: str = "", *, include: str = "non-deleted") -> None:
        self._state = state
        self._store = state.store_of(collection) if collection else state.store
        self._include = include

    def __getitem__(self, name: str) -> JsonObject:
        service = self._store.get(name)
        if service is None or service.deleted != (self._include == "deleted"):
            raise KeyError(name)
        release = self._state.release
        # A copy, so that a test cannot change what is stored.
        copied: JsonObject = json.loads(
            json.dumps(document(service, release, self._state.directory, release.relation_fields))
        )
        return copied

    def __iter__(self) -> Iterator[str]:
        return iter([*self._store.names(self._include)])

    def __len__(self) -> int:
        return len(self._store.names(self._include))


def record(request: Request, status: int, user: str) -> RecordedRequest:
    """A request as it is remembered, without the headers that authorize it."""
    return RecordedRequest(
        method=request.method,
        path=request.path,
        params=request.params,
        status=status,
        user=user,
        headers={name: value for name, value in request.headers.items() if name not in _UNRECORDED},
        content=request.body,
        is_write=request.is_write,
    )
