"""From a request to the endpoint that answers it; the endpoints of what services refer to."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from urllib.parse import unquote

from starlette.routing import Match, Route

from airflow_provider_collate.sandbox.declarations import read_json
from airflow_provider_collate.sandbox.directory import COLLECTIONS, KINDS, Directory, Entry, User
from airflow_provider_collate.sandbox.exchange import (
    Answer,
    ApiError,
    ProtocolError,
    Request,
    bad_request,
    json_answer,
    quoted,
    read_page,
)
from airflow_provider_collate.sandbox.faults import Refusals
from airflow_provider_collate.sandbox.service_api import ServiceApi
from airflow_provider_collate.sandbox.services import INCLUDES
from airflow_provider_collate.sandbox.state import Call, State

Endpoint = Callable[[Call], Answer]

_OWN_FIELDS = ("name", "displayName", "description", "parent", "classification", "glossary")


def _list(call: Call) -> Answer:
    kept = INCLUDES.get(call.request.params.get("include", ""), (False,))
    known = [entry for entry in call.state.directory.of_kind(_kind(call)) if entry.deleted in kept]
    parent = call.request.params.get("parent", "") if _kind(call) == "tag" else ""
    entries = {entry.fqn: entry for entry in known if not parent or entry.fqn.startswith(f"{parent}.")}
    names, paging = read_page([(fqn, entry.id) for fqn, entry in entries.items()], call.request.params, by_id=False)
    return json_answer(200, {"data": [entries[n].document(call.request.root) for n in names], "paging": paging})


def _own(call: Call) -> Answer:
    return json_answer(200, call.state.directory.by_name("user", call.user.name).document(call.request.root))


def _get(call: Call) -> Answer:
    deleted = call.request.params.get("include") in ("all", "deleted")
    return json_answer(200, _find(call, deleted=deleted).document(call.request.root))


def _delete(call: Call) -> Answer:
    """Delete softly unless `hardDelete`."""
    _check_admin(call, "Delete")
    entry = _find(call, deleted=True)
    if KINDS[entry.kind].soft_deletes and not call.flag("hardDelete"):
        gone = call.state.directory.add(replace(entry, deleted=True))
        return json_answer(200, gone.document(), change="entitySoftDeleted")
    call.state.forget_entry(entry)
    return json_answer(200, entry.document(), change="entityDeleted")


def _find(call: Call, *, deleted: bool) -> Entry:
    directory = call.state.directory
    find = directory.by_name if "fqn" in call.params else directory.by_id
    return find(_kind(call), call.params.get("fqn") or call.params["id"], deleted=deleted)


def _create(call: Call) -> Answer:
    """Create an entry; a PUT replaces the one of the same name."""
    entry, is_put = _read(call), call.request.method == "PUT"
    stored = call.state.directory.find(entry.kind, entry.fqn)
    if stored is not None and stored.is_example:
        stored = None
    if stored is not None and not is_put:
        raise ApiError(409, "Entity already exists")
    kept = call.state.directory.add(entry)
    change = "entityNoChange" if kept == stored else "entityUpdated" if stored else "entityCreated"
    return json_answer(200 if stored else 201, kept.document(call.request.root), change=change if is_put else "")


def _read(call: Call) -> Entry:
    kind, body = _kind(call), read_json(call.request.content)
    _check_admin(call, "Create")
    given = {name: value for name, value in body.items() if value is not None} if isinstance(body, dict) else {}
    if missing := [name for name in KINDS[kind].needed if not given.get(name)]:
        raise bad_request(f"[{', '.join(f'{name} must not be null' for name in missing)}]")
    name = str(given["email"]).partition("@")[0].lower() if kind == "user" else str(given["name"])
    more = {field: value for field, value in given.items() if field not in _OWN_FIELDS}
    texts = {field: str(given.get(field, "")) for field in ("displayName", "description")}
    fqn = _fqn(call.state.directory, kind, name, given)
    return Entry(kind, name, fqn, texts["displayName"], {**KINDS[kind].defaults, **more}, texts["description"])


def _fqn(directory: Directory, kind: str, name: str, given: Mapping[str, object]) -> str:
    """Return the fully qualified name: that of the nearest parent, and the name."""
    above = ""
    for field, parent_kind in KINDS[kind].parents.items():
        if field in given:
            above = directory.by_name(parent_kind, str(given[field])).fqn
    if kind == "tag" and not above:
        raise bad_request("[classification must not be null]")
    return f"{above}.{quoted(name)}" if above else quoted(name)


def _check_admin(call: Call, operation: str) -> None:
    if not call.user.is_admin:
        raise call.state.forbidden(call.user, operation)


def _kind(call: Call) -> str:
    return COLLECTIONS[call.params["collection"]]


def _of_kind(method: Callable[[ServiceApi, Call], Answer]) -> Endpoint:
    def endpoint(call: Call) -> Answer:
        if call.request.method in ("POST", "PUT"):
            if not call.request.content:
                raise bad_request("[The request body must not be null]")
            if call.request.media_type != "application/json":
                raise ProtocolError(415)
        return method(ServiceApi(call.state, call.state.kind(call.params["collection"])), call)

    return endpoint


_SERVICES = "services/{collection}"
_ENDPOINTS: Sequence[tuple[str, str, Endpoint]] = (
    ("GET", f"{_SERVICES}/name/{{fqn}}", _of_kind(ServiceApi.get)),
    ("DELETE", f"{_SERVICES}/name/{{fqn}}", _of_kind(ServiceApi.delete)),
    ("GET", _SERVICES, _of_kind(ServiceApi.list_page)),
    ("POST", _SERVICES, _of_kind(ServiceApi.create)),
    ("PUT", _SERVICES, _of_kind(ServiceApi.put)),
    ("PUT", f"{_SERVICES}/restore", _of_kind(ServiceApi.restore)),
    ("PUT", f"{_SERVICES}/bulk", _of_kind(ServiceApi.bulk)),
    ("PATCH", f"{_SERVICES}/{{id:uuid}}", _of_kind(ServiceApi.patch)),
    ("GET", f"{_SERVICES}/{{id:uuid}}", _of_kind(ServiceApi.get)),
    ("DELETE", f"{_SERVICES}/{{id:uuid}}", _of_kind(ServiceApi.delete)),
    ("GET", f"{_SERVICES}/{{id:uuid}}/versions", _of_kind(ServiceApi.versions)),
    ("GET", f"{_SERVICES}/{{id:uuid}}/versions/{{version}}", _of_kind(ServiceApi.version)),
    ("GET", "users/loggedInUser", _own),
    ("GET", "{collection}/name/{fqn}", _get),
    ("DELETE", "{collection}/name/{fqn}", _delete),
    ("GET", "{collection}/{id:uuid}", _get),
    ("DELETE", "{collection}/{id:uuid}", _delete),
    ("GET", "{collection}", _list),
    ("POST", "{collection}", _create),
    ("PUT", "{collection}", _create),
)
_ROUTES = [Route(f"/api/v1/{path}", endpoint, methods=[method]) for method, path, endpoint in _ENDPOINTS]


def respond(state: State, request: Request, bulk_refusals: Refusals) -> tuple[Answer, User | None]:
    """Return the answer to a request to `/api/v1`, and who asked; rows of bulk requests may be refused anyway."""
    user = None
    path = request.path.rstrip("/")
    try:
        if path == "/api/v1/system/version":
            version = {"version": state.release.version, "revision": "sandbox", "timestamp": state.now()}
            return json_answer(200, version), None
        user = state.authenticate(request.headers.get("authorization", ""))
        endpoint, params = _route(state, request.method, path)
        return endpoint(Call(state, request, user, params, bulk_refusals)), user
    except ApiError as error:
        return error.answer(state.release), user


def _route(state: State, method: str, path: str) -> tuple[Endpoint, dict[str, str]]:
    scope = {"type": "http", "method": method, "path": path}
    collections = (*COLLECTIONS, *(kind.collection for kind in state.served_kinds))
    status = 404
    for route in _ROUTES:
        match, found = route.matches(scope)
        # Matched as it was sent, so that a name may hold a slash.
        params = {name: unquote(str(value)) for name, value in found.get("path_params", {}).items()}
        if match is Match.NONE or params.get("collection", collections[0]) not in collections:
            continue
        if match is Match.FULL:
            endpoint: Endpoint = found["endpoint"]
            return endpoint, params
        status = 405
    raise ProtocolError(status)
