"""From a request to the endpoint that answers it."""

from __future__ import annotations

from airflow_provider_collate.sandbox.bulk import BulkApi, Refusals
from airflow_provider_collate.sandbox.directory import COLLECTIONS, Entry, User
from airflow_provider_collate.sandbox.exchange import (
    Answer,
    ApiError,
    ProtocolError,
    Request,
    bad_request,
    json_answer,
)
from airflow_provider_collate.sandbox.paging import read_page
from airflow_provider_collate.sandbox.service_api import ServiceApi
from airflow_provider_collate.sandbox.state import State

_SERVICES = ("services", "mlmodelServices")


class Api:
    """The API under `/api/v1`.

    :param state: what it works on.
    """

    def __init__(self, state: State) -> None:
        self._state = state
        self._services = ServiceApi(state)
        self._bulk = BulkApi(state, self._services)

    def answer(self, request: Request, bulk_refusals: Refusals) -> tuple[Answer, User | None]:
        """The answer to a request, and who asked.

        :param bulk_refusals: rows of bulk requests that fail whatever is in them.
        """
        user = None
        try:
            if request.segments == ("api", "v1", "system", "version"):
                return self._version(), None
            user = self._state.authenticate(request.headers.get("authorization", ""))
            return self._route(request, user, bulk_refusals), user
        except ApiError as error:
            return error.answer(self._state.release), user

    def _route(self, request: Request, user: User, bulk_refusals: Refusals) -> Answer:
        segments = request.segments
        if segments[:2] != ("api", "v1"):
            raise _no_such_path()
        path = segments[2:]
        if path[:2] == _SERVICES:
            return self._route_services(request, user, path[2:], bulk_refusals)
        if not path or path[0] not in COLLECTIONS:
            raise _no_such_path()
        if request.method != "GET":
            raise _wrong_method()
        return self._directory(request, user, COLLECTIONS[path[0]], path[1:])

    def _route_services(self, request: Request, user: User, path: tuple[str, ...], bulk_refusals: Refusals) -> Answer:
        if not path:
            return self._route_collection(request, user)
        if request.method == "PUT" and path == ("restore",):
            return self._services.restore(_with_json(request), user)
        if request.method == "PUT" and path == ("bulk",) and self._has_bulk():
            return self._bulk.upsert(_with_json(request), user, bulk_refusals)
        by_name = path[0] == "name" and len(path) == 2
        if not by_name and len(path) != 1:
            raise _no_such_path()
        return self._route_service(request, user, path[-1], by_name=by_name)

    def _route_collection(self, request: Request, user: User) -> Answer:
        if request.method == "GET":
            return self._services.list_page(request, user)
        if request.method == "POST":
            return self._services.create(_with_json(request), user)
        if request.method == "PUT":
            return self._services.put(_with_json(request), user)
        raise _wrong_method()

    def _route_service(self, request: Request, user: User, key: str, *, by_name: bool) -> Answer:
        if request.method == "GET":
            return self._services.get(request, user, key, by_name=by_name)
        if request.method == "DELETE":
            return self._services.delete(request, user, key, by_name=by_name)
        if request.method == "PATCH" and not by_name:
            return self._services.patch(request, user, key)
        raise _wrong_method()

    def _has_bulk(self) -> bool:
        return self._state.release.has_bulk if self._state.has_bulk is None else self._state.has_bulk

    def _directory(self, request: Request, user: User, kind: str, path: tuple[str, ...]) -> Answer:
        directory = self._state.directory
        if not path:
            entries = {entry.fqn: entry for entry in directory.of_kind(kind)}
            page = read_page(list(entries), request.params)
            rows = [entries[name].document() for name in page.names]
            return json_answer(200, {"data": rows, "paging": page.paging})
        if kind == "user" and path == ("loggedInUser",):
            return _shown(directory.by_name(kind, user.name), request)
        if path[0] == "name" and len(path) == 2:
            return _shown(directory.by_name(kind, path[1]), request)
        if len(path) == 1:
            return _shown(directory.by_id(kind, path[0]), request)
        raise _no_such_path()

    def _version(self) -> Answer:
        version = {
            "version": self._state.release.version,
            "revision": "sandbox",
            "timestamp": self._state.now(),
        }
        return json_answer(200, version)


def _shown(entry: Entry, request: Request) -> Answer:
    collection = next(name for name, kind in COLLECTIONS.items() if kind == entry.kind)
    return json_answer(200, {**entry.document(), "href": f"{request.root}/api/v1/{collection}/{entry.id}"})


def _with_json(request: Request) -> Request:
    """The request, if it says that its body is JSON."""
    media_type = request.headers.get("content-type", "").partition(";")[0]
    if not request.body:
        raise bad_request("[The request body must not be null]")
    if media_type != "application/json":
        raise ProtocolError(415, "HTTP 415 Unsupported Media Type")
    return request


def _no_such_path() -> ApiError:
    return ApiError(404, "HTTP 404 Not Found")


def _wrong_method() -> ApiError:
    return ProtocolError(405, "HTTP 405 Method Not Allowed")
