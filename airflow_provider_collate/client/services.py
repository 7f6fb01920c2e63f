"""Call the endpoints of one kind of service."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from urllib.parse import quote

from pydantic import JsonValue, ValidationError

from airflow_provider_collate.client.messages import JSON, JSON_PATCH, Answer, ApiRequest, Secrets
from airflow_provider_collate.client.release import Release
from airflow_provider_collate.client.transport import Transport
from airflow_provider_collate.exceptions import (
    AnswerError,
    AnswerTooLargeError,
    BadRequestError,
    BrokenReferenceError,
    NotFoundError,
)
from airflow_provider_collate.kinds import ServiceKind
from airflow_provider_collate.models.bulk_result import BulkOperationResult
from airflow_provider_collate.models.service import Service

# Measured on the real 1.2 server: pages of 100 to 5,000 take the same time for each row.
PAGE_SIZE = 250
# What a release such as 1.2 says, by a 500, where there is nothing behind a cursor (server source).
_BEHIND_THE_LAST = "Index 0 out of bounds for length 0"


def fqn_of(name: str) -> str:
    """Return the fully qualified name of a service: a name with a dot or a quote in it is quoted (recorded)."""
    if "." in name or '"' in name:
        return '"' + name.replace('"', '\\"') + '"'
    return name


@dataclass(frozen=True, slots=True)
class PatchOperation:
    """An operation of a JSON Patch; its value may be a secret and is never shown."""

    op: str
    path: str
    value: JsonValue = field(default=None, repr=False)

    def to_json(self) -> dict[str, JsonValue]:
        """Return the operation as it is sent."""
        if self.op == "remove":
            return {"op": self.op, "path": self.path}
        return {"op": self.op, "path": self.path, "value": self.value}


@dataclass(frozen=True, slots=True)
class ServicePage:
    """A page of a list.

    :param after: the cursor of the next page; empty on the last one.
    :param total: how many services there are on all pages, if the server says so.
    """

    services: tuple[Service, ...]
    after: str
    total: int | None


class Services:
    """All services of one kind on one server.

    :param release: returns the server's release, for the names of fields.
    :param model: what services are read into.
    """

    def __init__(
        self, transport: Transport, kind: ServiceKind, release: Callable[[], Release], model: type[Service] = Service
    ) -> None:
        self._transport = transport
        self._model = model
        self.kind = kind
        self._path = kind.path
        self._page_size = PAGE_SIZE
        self._release = release

    def page(
        self, fields: Iterable[str] = (), *, include: str = "non-deleted", after: str = "", limit: int = PAGE_SIZE
    ) -> ServicePage:
        """Read one page of the list. `GET /v1/services/{collection}`.

        :param fields: names of fields, as today's release calls them, to be shown beyond the plain ones.
        :param include: `non-deleted`, `deleted` or `all`.
        :param after: the cursor from the page before.
        :param limit: how many services to ask for at most; by half, from then on, where a page has more bytes than
            are read.
        :raises RequestError: as `Transport.send`.
        """
        asked = tuple(fields)
        params: dict[str, str | int] = {"include": include, **self._fields(asked)}
        if after:
            params["after"] = after
        while True:
            params["limit"] = size = min(limit, self._page_size)
            try:
                return self._page(params, asked)
            except AnswerTooLargeError:
                if size == 1:
                    raise
                self._page_size = size // 2

    def _page(self, params: Mapping[str, str | int], asked: Sequence[str]) -> ServicePage:
        try:
            answer = self._send("GET", params=params)
        except BadRequestError as error:
            if "after" in params and _BEHIND_THE_LAST in error.server_message:
                return ServicePage((), "", None)
            raise
        body = answer.mapping()
        rows, paging = body.get("data"), body.get("paging")
        if not isinstance(rows, list) or not isinstance(paging, dict):
            raise answer.unexpected("a list of services with its paging")
        cursor, total = paging.get("after"), paging.get("total")
        return ServicePage(
            tuple(self._service(row, answer, asked) for row in rows),
            cursor if isinstance(cursor, str) else "",
            total if isinstance(total, int) else None,
        )

    def pages(
        self, fields: Iterable[str] = (), *, include: str = "non-deleted", first: int = PAGE_SIZE
    ) -> Iterator[ServicePage]:
        """Yield all pages of the list, each read when it is needed, each service once.

        A list that ends before as many services came as its pages told is read a second time.

        :param first: how many services to ask for on the first page, at most.
        :raises AnswerError: retryable, when the second reading is too short as well, or the list does not end.
        """
        asked = tuple(fields)
        seen: set[str] = set()
        told = 0
        for _ in range(2):
            totals: list[int] = []
            for page in self._read_list(asked, include, first):
                totals += [] if page.total is None else [page.total]
                new = {service.id: service for service in page.services if service.id not in seen}
                seen |= new.keys()
                yield replace(page, services=tuple(new.values()))
            told = min(totals, default=0)
            if len(seen) >= told:
                return
        raise self._unreliable(f"The list ended after {len(seen):,} services, though its pages told of {told:,}")

    def _read_list(self, fields: Sequence[str], include: str, first: int) -> Iterator[ServicePage]:
        after, limit = "", first
        cursors: set[str] = set()
        listed = most = beyond = 0
        while True:
            page = self.page(fields, include=include, after=after, limit=limit)
            yield page
            after, limit = page.after, PAGE_SIZE
            if not after:
                return
            listed += len(page.services)
            most = max(most, page.total or 0)
            # A page more than told is no fault: services may be created meanwhile.
            beyond += page.total is not None and listed >= most
            if after in cursors or beyond > 1:
                raise self._unreliable(f"The list does not end: {listed:,} services came, and it told of {most:,}")
            cursors.add(after)

    def by_name(self, name: str, fields: Iterable[str] = (), *, include: str = "non-deleted") -> Service | None:
        """Read a service by its name; None where there is none. `GET /v1/services/{collection}/name/{fqn}`.

        :raises AnswerError: retryable, when the answer is about another service.
        """
        found = self._get(f"/name/{quote(fqn_of(name), safe='')}", fields, include)
        if found is not None and found.name != name:
            raise self._unreliable(f"Collate was asked for the {self.kind.label} {name!r} and answered {found.name!r}")
        return found

    def by_id(self, service_id: str, fields: Iterable[str] = (), *, include: str = "non-deleted") -> Service | None:
        """Read a service by its id; None where there is none. `GET /v1/services/{collection}/{id}`.

        :raises AnswerError: retryable, when the answer is about another service.
        """
        found = self._get(_one(service_id), fields, include)
        if found is not None and found.id.lower() != service_id.lower():
            asked = f"{self.kind.label} with the id {service_id!r}"
            raise self._unreliable(f"Collate was asked for the {asked} and answered {found.name!r}, id {found.id!r}")
        return found

    def versions(self, service_id: str) -> JsonValue:
        """Read the history of a service. `GET /v1/services/{collection}/{id}/versions`.

        :param service_id: its id; soft-deleted services have a history too.
        :return: the answer as it came: each version holds the whole service, its connection included (recorded), so
            reduce it where it is parsed, and print no part of it.
        :raises NotFoundError: when there is no service of that id.
        """
        return dict(self._send("GET", f"{_one(service_id)}/versions").mapping())

    def create(self, payload: dict[str, JsonValue], secrets: Secrets = tuple) -> Answer:
        """Create a service. `POST /v1/services/{collection}`.

        :param payload: a create request under today's names of fields.
        :param secrets: returns values in it that must not come back in a message.
        :raises ConflictError: when the name exists; its `maybe_applied` tells whether by this very call.
        """
        return self._send("POST", body=self._release().payload(payload), secrets=secrets)

    def put_bulk(self, payloads: list[dict[str, JsonValue]], secrets: Secrets = tuple) -> BulkOperationResult:
        """Create or replace many services. `PUT /v1/services/{collection}/bulk` (documented, not recorded).

        :raises MissingEndpointError: where the server has no such endpoint.
        :raises AnswerError: when the answer is not a bulk result.
        """
        release = self._release()
        body: list[JsonValue] = [release.payload(payload) for payload in payloads]
        answer = self._send("PUT", "/bulk", body=body, secrets=secrets)
        with suppress(ValidationError):
            return BulkOperationResult.model_validate(answer.mapping())
        raise answer.unexpected("the result of a bulk operation")

    def patch(self, service_id: str, operations: Sequence[PatchOperation], secrets: Secrets = tuple) -> Answer:
        """Change fields of a service. `PATCH /v1/services/{collection}/{id}`.

        The answer can show things that were not stored (recorded): read the service again.

        :raises ChangedMeanwhileError: when a `test` operation fails.
        :raises BrokenReferenceError: when the patch names something that does not exist.
        """
        body: list[JsonValue] = [dict(operation.to_json()) for operation in operations]
        return self._send("PATCH", _one(service_id), body=body, secrets=secrets, content_type=JSON_PATCH)

    def restore(self, service_id: str) -> None:
        """Restore a soft-deleted service. `PUT /v1/services/{collection}/restore`.

        :raises NotFoundError: when there is none of that id that is deleted, unless an answer was lost before: then
            this call restored it.
        """
        with _its_own_doing():
            self._send("PUT", "/restore", body={"id": service_id})

    def delete(self, service_id: str, *, hard: bool = False) -> None:
        """Delete a service with all that belongs to it. `DELETE /v1/services/{collection}/{id}`.

        Always recursive: the server refuses to delete a service that holds something otherwise, and restores what
        was soft-deleted with it (server source; not recorded).

        :param hard: delete it for good; else it can be restored.
        :raises NotFoundError: when there is none, unless an answer was lost before: then this call deleted it.
        """
        params: dict[str, str | int] = {"recursive": "true", **({"hardDelete": "true"} if hard else {})}
        with _its_own_doing():
            self._send("DELETE", _one(service_id), params=params)

    def _get(self, where: str, fields: Iterable[str], include: str) -> Service | None:
        asked = tuple(fields)
        try:
            answer = self._send("GET", where, params={"include": include, **self._fields(asked)})
        except BrokenReferenceError as error:
            error.message = f"it cannot be read with its {', '.join(asked)}: {error.server_message}"
            raise
        except NotFoundError:
            return None
        return self._service(answer.data, answer, asked)

    def _send(
        self,
        method: str,
        where: str = "",
        *,
        params: Mapping[str, str | int] | None = None,
        body: JsonValue = None,
        secrets: Secrets = tuple,
        content_type: str = JSON,
    ) -> Answer:
        path, label = f"{self._path}{where}", self.kind.label
        return self._transport.send(ApiRequest(method, path, params or {}, body, content_type, secrets, label=label))

    def _service(self, row: JsonValue, answer: Answer, asked: Sequence[str]) -> Service:
        with suppress(ValidationError, RecursionError):
            service = self._model.model_validate(row)
            # Servers show `[]` where a service has no tags (recorded); without them a declared tag would look removed.
            if "tags" in asked and service.tags is None:
                told = f"Collate was asked for the tags of the {self.kind.label} {service.name!r} and left them out"
                raise self._unreliable(told)
            return service
        raise answer.unexpected("a service")

    def _fields(self, names: Sequence[str]) -> dict[str, str | int]:
        return {"fields": self._release().fields(names)} if names else {}

    def _unreliable(self, what: str) -> AnswerError:
        """Return the error for an answer that does not match its request, so that nothing is done with it."""
        advice = "Airflow's retries will ask again; if it persists, look for a cache between this worker and Collate."
        return AnswerError(what, method="GET", path=self._path, advice=advice, retryable=True)


@contextmanager
def _its_own_doing() -> Iterator[None]:
    """Take a 404 for a success where an answer was lost before: the call met what it had done itself."""
    try:
        yield
    except NotFoundError as error:
        if not error.maybe_applied:
            raise


def _one(service_id: str) -> str:
    return f"/{quote(service_id, safe='')}"
