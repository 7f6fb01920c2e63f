"""From a request to the endpoint that answers it, by a table of Starlette's routes."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import unquote

from starlette.routing import Match, Route

from airflow_provider_collate.sandbox.directory import COLLECTIONS, User
from airflow_provider_collate.sandbox.directory_api import DirectoryApi
from airflow_provider_collate.sandbox.exchange import Answer, ApiError, ProtocolError, Request, bad_request, json_answer
from airflow_provider_collate.sandbox.faults import Refusals
from airflow_provider_collate.sandbox.service_api import ServiceApi
from airflow_provider_collate.sandbox.state import Call, State

Endpoint = Callable[[Call], Answer]

_OF_SERVICES = (
    ("GET", "/name/{fqn}", ServiceApi.get),
    ("DELETE", "/name/{fqn}", ServiceApi.delete),
    ("GET", "", ServiceApi.list_page),
    ("POST", "", ServiceApi.create),
    ("PUT", "", ServiceApi.put),
    ("PUT", "/restore", ServiceApi.restore),
    ("PUT", "/bulk", ServiceApi.bulk),
    ("PATCH", "/{id}", ServiceApi.patch),
    ("GET", "/{id}", ServiceApi.get),
    ("DELETE", "/{id}", ServiceApi.delete),
    ("GET", "/{id}/versions", ServiceApi.versions),
    ("GET", "/{id}/versions/{version}", ServiceApi.version),
)
_OF_DIRECTORY = (
    ("GET", "users/loggedInUser", DirectoryApi.own),
    ("GET", "{collection}/name/{fqn}", DirectoryApi.get),
    ("DELETE", "{collection}/name/{fqn}", DirectoryApi.delete),
    ("GET", "{collection}/{id}", DirectoryApi.get),
    ("DELETE", "{collection}/{id}", DirectoryApi.delete),
    ("GET", "{collection}", DirectoryApi.list_page),
    ("POST", "{collection}", DirectoryApi.create),
    ("PUT", "{collection}", DirectoryApi.put),
)


class Api:
    """The API under `/api/v1`."""

    def __init__(self, state: State) -> None:
        self._state = state
        services = "/api/v1/services/{collection}"
        self._routes = [
            *(Route(services + path, self._of_kind(of), methods=[method]) for method, path, of in _OF_SERVICES),
            *(Route(f"/api/v1/{path}", self._of_directory(of), methods=[method]) for method, path, of in _OF_DIRECTORY),
        ]

    def answer(self, request: Request, bulk_refusals: Refusals) -> tuple[Answer, User | None]:
        """Return the answer to a request, and who asked.

        :param bulk_refusals: rows of bulk requests that fail whatever is in them.
        """
        user = None
        path = request.path.rstrip("/")
        try:
            if path == "/api/v1/system/version":
                return self._version(), None
            user = self._state.authenticate(request.headers.get("authorization", ""))
            endpoint, params = self._find(request.method, path)
            return endpoint(Call(request, user, params, bulk_refusals)), user
        except ApiError as error:
            return error.answer(self._state.release), user

    def _find(self, method: str, path: str) -> tuple[Endpoint, dict[str, str]]:
        scope = {"type": "http", "method": method, "path": path}
        status = 404
        for route in self._routes:
            match, found = route.matches(scope)
            # Matched as it was sent, so that a name may hold a slash.
            params = {name: unquote(value) for name, value in found.get("path_params", {}).items()}
            if match is Match.NONE or not self._has(params.get("collection")):
                continue
            if match is Match.FULL:
                endpoint: Endpoint = found["endpoint"]
                return endpoint, params
            status = 405
        raise ProtocolError(status)

    def _has(self, collection: str | None) -> bool:
        kinds = (kind.collection for kind in self._state.served_kinds)
        return collection is None or collection in COLLECTIONS or collection in kinds

    def _of_kind(self, method: Callable[[ServiceApi, Call], Answer]) -> Endpoint:
        def endpoint(call: Call) -> Answer:
            api = ServiceApi(self._state, self._state.kind(call.params["collection"]))
            if call.request.method in ("POST", "PUT"):
                _check_is_json(call.request)
            return method(api, call)

        return endpoint

    def _of_directory(self, method: Callable[[DirectoryApi, Call], Answer]) -> Endpoint:
        return lambda call: method(DirectoryApi(self._state), call)

    def _version(self) -> Answer:
        version = {"version": self._state.release.version, "revision": "sandbox", "timestamp": self._state.now()}
        return json_answer(200, version)


def _check_is_json(request: Request) -> None:
    if not request.body:
        raise bad_request("[The request body must not be null]")
    if request.media_type != "application/json":
        raise ProtocolError(415)
