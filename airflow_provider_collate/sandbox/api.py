"""From a request to the endpoint that answers it, by a table of Starlette's routes."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import unquote

from starlette.routing import Match, Route

from airflow_provider_collate.sandbox.bulk import upsert_many
from airflow_provider_collate.sandbox.directory import COLLECTIONS, User
from airflow_provider_collate.sandbox.directory_api import DirectoryApi
from airflow_provider_collate.sandbox.exchange import (
    Answer,
    ApiError,
    Request,
    bad_request,
    json_answer,
    no_such_path,
    wrong_media_type,
    wrong_method,
)
from airflow_provider_collate.sandbox.faults import Refusals
from airflow_provider_collate.sandbox.service_api import ServiceApi
from airflow_provider_collate.sandbox.state import Call, State

Endpoint = Callable[[Call], Answer]


class Api:
    """The API under `/api/v1`.

    :param state: what it works on.
    """

    def __init__(self, state: State) -> None:
        self._state = state
        directory = DirectoryApi(state)
        services = "/api/v1/services/{collection}"
        self._routes = [
            _route("GET", f"{services}/name/{{fqn}}", self._of_kind(ServiceApi.get)),
            _route("DELETE", f"{services}/name/{{fqn}}", self._of_kind(ServiceApi.delete)),
            _route("GET", services, self._of_kind(ServiceApi.list_page)),
            _route("POST", services, self._of_kind(ServiceApi.create, has_body=True)),
            _route("PUT", services, self._of_kind(ServiceApi.put, has_body=True)),
            _route("PUT", f"{services}/restore", self._of_kind(ServiceApi.restore, has_body=True)),
            _route("PUT", f"{services}/bulk", self._of_kind(_bulk, has_body=True)),
            _route("PATCH", f"{services}/{{id}}", self._of_kind(ServiceApi.patch)),
            _route("GET", f"{services}/{{id}}", self._of_kind(ServiceApi.get)),
            _route("DELETE", f"{services}/{{id}}", self._of_kind(ServiceApi.delete)),
            _route("GET", f"{services}/{{id}}/versions", self._of_kind(ServiceApi.versions)),
            _route("GET", f"{services}/{{id}}/versions/{{version}}", self._of_kind(ServiceApi.version)),
            _route("GET", "/api/v1/users/loggedInUser", directory.own),
            _route("GET", "/api/v1/{collection}/name/{fqn}", directory.get),
            _route("DELETE", "/api/v1/{collection}/name/{fqn}", directory.delete),
            _route("GET", "/api/v1/{collection}/{id}", directory.get),
            _route("DELETE", "/api/v1/{collection}/{id}", directory.delete),
            _route("GET", "/api/v1/{collection}", directory.list_page),
            _route("POST", "/api/v1/{collection}", directory.create),
            _route("PUT", "/api/v1/{collection}", directory.put),
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
        partial = False
        for route in self._routes:
            match, found = route.matches(scope)
            # Matched as it was sent, so that a name may hold a slash.
            params = {name: unquote(value) for name, value in found.get("path_params", {}).items()}
            if match is Match.NONE or not self._has(params.get("collection")):
                continue
            if match is Match.FULL:
                endpoint: Endpoint = found["endpoint"]
                return endpoint, params
            partial = True
        raise wrong_method() if partial else no_such_path()

    def _has(self, collection: str | None) -> bool:
        kinds = (kind.collection for kind in self._state.served_kinds)
        return collection is None or collection in COLLECTIONS or collection in kinds

    def _of_kind(self, method: Callable[[ServiceApi, Call], Answer], *, has_body: bool = False) -> Endpoint:
        def endpoint(call: Call) -> Answer:
            api = ServiceApi(self._state, self._state.kind(call.params["collection"]))
            if has_body:
                _check_is_json(call.request)
            return method(api, call)

        return endpoint

    def _version(self) -> Answer:
        version = {"version": self._state.release.version, "revision": "sandbox", "timestamp": self._state.now()}
        return json_answer(200, version)


def _route(method: str, path: str, endpoint: Endpoint) -> Route:
    return Route(path, endpoint, methods=[method])


def _bulk(services: ServiceApi, call: Call) -> Answer:
    if not services.state.has_bulk:
        raise wrong_method()
    return upsert_many(services, call)


def _check_is_json(request: Request) -> None:
    if not request.body:
        raise bad_request("[The request body must not be null]")
    if request.media_type != "application/json":
        raise wrong_media_type()
