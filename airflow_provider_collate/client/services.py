"""The endpoints of one kind of service."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from urllib.parse import quote

from pydantic import JsonValue, ValidationError

from airflow_provider_collate.client.kinds import ServiceKind
from airflow_provider_collate.client.messages import JSON_PATCH, Answer, ApiRequest
from airflow_provider_collate.client.release import Release
from airflow_provider_collate.client.transport import Transport
from airflow_provider_collate.exceptions import AnswerError, NotFoundError
from airflow_provider_collate.models import BulkOperationResult
from airflow_provider_collate.models.service import Service

# Measured on the real 1.2 server: pages of 100 to 5,000 take the same time for each row.
PAGE_SIZE = 250


def fqn_of(name: str) -> str:
    """The fully qualified name of a service: a name with a dot or a quote in it is quoted (recorded)."""
    if "." in name or '"' in name:
        return '"' + name.replace('"', '\\"') + '"'
    return name


@dataclass(frozen=True, slots=True)
class PatchOperation:
    """One operation of a JSON Patch; its value may be a secret and is never shown."""

    op: str
    path: str
    value: JsonValue = field(default=None, repr=False)

    def to_json(self) -> dict[str, JsonValue]:
        """The operation as it is sent."""
        if self.op == "remove":
            return {"op": self.op, "path": self.path}
        return {"op": self.op, "path": self.path, "value": self.value}


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list.

    :param services: the services on it.
    :param after: the cursor of the next page; empty on the last one.
    :param total: how many services there are on all pages, if the server says so.
    """

    services: tuple[Service, ...]
    after: str
    total: int | None


class Services:
    """All services of one kind on one server.

    :param transport: sends the requests.
    :param kind: the kind.
    :param release: tells the server's release, for the names of fields.
    """

    def __init__(self, transport: Transport, kind: ServiceKind, release: Callable[[], Release]) -> None:
        self._transport = transport
        self.kind = kind
        self._release = release

    def page(
        self, fields: Iterable[str] = (), *, include: str = "non-deleted", after: str = "", limit: int = PAGE_SIZE
    ) -> Page:
        """One page of the list. `GET /v1/services/{collection}`.

        :param fields: names of fields, as today's release calls them, to be shown beyond the plain ones.
        :param include: `non-deleted`, `deleted` or `all`.
        :param after: the cursor from the page before.
        :param limit: how many services to ask for at most.
        :raises RequestError: as `Transport.send`.
        """
        params: dict[str, str | int] = {"limit": limit, "include": include, **self._fields(fields)}
        if after:
            params["after"] = after
        answer = self._transport.send(ApiRequest("GET", self.kind.path, params))
        body = answer.mapping()
        rows, paging = body.get("data"), body.get("paging")
        if not isinstance(rows, list) or not isinstance(paging, dict):
            raise answer.unexpected("a list of services with its paging")
        cursor, total = paging.get("after"), paging.get("total")
        return Page(
            tuple(_service(row, answer) for row in rows),
            cursor if isinstance(cursor, str) else "",
            total if isinstance(total, int) else None,
        )

    def pages(self, fields: Iterable[str] = (), *, include: str = "non-deleted") -> Iterator[Page]:
        """All pages of the list, each asked for when it is needed.

        :raises AnswerError: when the server's cursor leads back to a page already seen.
        """
        seen: set[str] = set()
        after = ""
        while True:
            page = self.page(fields, include=include, after=after)
            yield page
            if not page.after:
                return
            if page.after in seen:
                raise AnswerError(
                    "The list of services does not end: its cursor leads back to a page already read",
                    method="GET",
                    path=self.kind.path,
                    retryable=True,
                )
            seen.add(page.after)
            after = page.after

    def by_name(self, name: str, fields: Iterable[str] = (), *, include: str = "non-deleted") -> Service | None:
        """A service by its name, or None. `GET /v1/services/{collection}/name/{fqn}`."""
        return self._get(f"name/{quote(fqn_of(name), safe='')}", fields, include)

    def by_id(self, service_id: str, fields: Iterable[str] = (), *, include: str = "non-deleted") -> Service | None:
        """A service by its id, or None. `GET /v1/services/{collection}/{id}`."""
        return self._get(quote(service_id, safe=""), fields, include)

    def create(self, payload: dict[str, JsonValue], secrets: Sequence[str] = ()) -> Answer:
        """Create a service. `POST /v1/services/{collection}`.

        :param payload: a create request under today's names of fields.
        :param secrets: values in it that must not come back in a message.
        :raises ConflictError: when the name is taken; its `maybe_applied` tells whether by this very call.
        """
        return self._write("POST", self.kind.path, self._release().payload(payload), secrets)

    def put_bulk(self, payloads: list[dict[str, JsonValue]], secrets: Sequence[str] = ()) -> BulkOperationResult:
        """Create or replace many services. `PUT /v1/services/{collection}/bulk` (documented, not recorded).

        :raises MissingEndpointError: where the server has no such endpoint.
        :raises AnswerError: when the answer is not a bulk result.
        """
        release = self._release()
        body: list[JsonValue] = [release.payload(payload) for payload in payloads]
        answer = self._write("PUT", f"{self.kind.path}/bulk", body, secrets)
        try:
            return BulkOperationResult.model_validate(answer.mapping())
        except ValidationError:
            unexpected = answer.unexpected("the result of a bulk operation")
        raise unexpected

    def patch(self, service_id: str, operations: Sequence[PatchOperation], secrets: Sequence[str] = ()) -> Answer:
        """Change fields of a service. `PATCH /v1/services/{collection}/{id}`.

        The answer can show things that were not stored (recorded): read the service again.

        :raises ChangedMeanwhileError: when a `test` operation fails.
        """
        body: list[JsonValue] = [dict(operation.to_json()) for operation in operations]
        path = f"{self.kind.path}/{quote(service_id, safe='')}"
        return self._write("PATCH", path, body, secrets, content_type=JSON_PATCH)

    def restore(self, service_id: str) -> Answer:
        """Bring a soft-deleted service back. `PUT /v1/services/{collection}/restore`.

        :raises NotFoundError: when there is none of that id that is deleted.
        """
        return self._write("PUT", f"{self.kind.path}/restore", {"id": service_id})

    def delete(self, service_id: str, *, hard: bool = False) -> None:
        """Delete a service with all that belongs to it. `DELETE /v1/services/{collection}/{id}`.

        Always recursive: the server refuses to delete a service that holds something otherwise, and restores what
        was soft-deleted with it (server source; not recorded).

        :param service_id: its id.
        :param hard: delete it for good; else it can be restored.
        :raises NotFoundError: when there is none, unless an answer was lost before: then it was this call's doing.
        """
        params: dict[str, str | int] = {"recursive": "true"}
        if hard:
            params["hardDelete"] = "true"
        path = f"{self.kind.path}/{quote(service_id, safe='')}"
        try:
            self._transport.send(ApiRequest("DELETE", path, params))
        except NotFoundError as error:
            if not error.maybe_applied:
                raise

    def _get(self, where: str, fields: Iterable[str], include: str) -> Service | None:
        params: dict[str, str | int] = {"include": include, **self._fields(fields)}
        try:
            answer = self._transport.send(ApiRequest("GET", f"{self.kind.path}/{where}", params))
        except NotFoundError:
            return None
        return _service(answer.data, answer)

    def _write(
        self,
        method: str,
        path: str,
        body: JsonValue,
        secrets: Sequence[str] = (),
        content_type: str = "application/json",
    ) -> Answer:
        request = ApiRequest(method, path, body=body, content_type=content_type, secrets=tuple(secrets))
        return self._transport.send(request)

    def _fields(self, names: Iterable[str]) -> dict[str, str | int]:
        wanted = tuple(names)
        return {"fields": self._release().fields(wanted)} if wanted else {}


def _service(row: JsonValue, answer: Answer) -> Service:
    try:
        return Service.model_validate(row)
    except (ValidationError, RecursionError):
        unexpected = answer.unexpected("a service")
    raise unexpected
