"""The endpoints under `services/mlmodelServices`."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import replace

from airflow_provider_collate.sandbox import connections
from airflow_provider_collate.sandbox.declarations import (
    Declaration,
    read_declaration,
    read_json,
    read_service,
)
from airflow_provider_collate.sandbox.directory import User
from airflow_provider_collate.sandbox.exchange import (
    Answer,
    ApiError,
    JsonObject,
    ProtocolError,
    Request,
    UnexpectedError,
    bad_request,
    json_answer,
)
from airflow_provider_collate.sandbox.json_patch import PatchError, apply_patch, parse_patch
from airflow_provider_collate.sandbox.paging import read_page
from airflow_provider_collate.sandbox.rules import created, patched, put, revised
from airflow_provider_collate.sandbox.services import Service, document, with_connection
from airflow_provider_collate.sandbox.state import KIND, State

_INCLUDES = ("all", "deleted", "non-deleted")


class ServiceApi:
    """The endpoints of ML model services.

    :param state: what they work on.
    """

    def __init__(self, state: State) -> None:
        self._state = state

    def list_page(self, request: Request, user: User) -> Answer:
        """`GET` of the collection."""
        state, params = self._state, request.params
        include, fields = self._read_include(params), self._read_fields(params)
        state.check_allowed(user, "ViewAll")
        names: Sequence[str] = state.store.names(include)
        if domain := params.get("domain"):
            domain_id = state.directory.by_name("domain", domain).id
            names = [name for name in names if self._in_domain(name, domain_id)]
        page = read_page(names, params)
        services = [service for name in page.names if (service := state.store.get(name))]
        rows = [self.shown(service, user, fields, request.root) for service in services]
        return json_answer(200, {"data": rows, "paging": page.paging}, rows=len(rows))

    def get(self, request: Request, user: User, key: str, *, by_name: bool) -> Answer:
        """`GET` of one service."""
        include, fields = self._read_include(request.params), self._read_fields(request.params)
        service = self._find(key, include, by_name=by_name)
        self._state.check_allowed(user, "ViewAll", service.name)
        return json_answer(200, self.shown(service, user, fields, request.root))

    def create(self, request: Request, user: User) -> Answer:
        """`POST` of a create request; 409 also when a soft-deleted service has the name (recorded)."""
        declaration = self._read_declaration(request)
        self._state.check_allowed(user, "Create", declaration.name)
        if self._state.store.get(declaration.name):
            raise ApiError(409, "Entity already exists")
        service = self._create(declaration, user)
        return json_answer(201, self.shown_new(service, user, request.root), writes=1)

    def put(self, request: Request, user: User) -> Answer:
        """`PUT` of a create request."""
        declaration = self._read_declaration(request)
        service, change = self.upsert(declaration, user)
        if change == "entityCreated":
            return json_answer(201, self.shown_new(service, user, request.root), change=change, writes=1)
        return json_answer(200, self.shown(service, user, (), request.root), change=change, writes=1)

    def upsert(self, declaration: Declaration, user: User, *, override: bool = False) -> tuple[Service, str]:
        """Create or update a service; also says which, as the change header does.

        :param override: let a bot replace what people wrote.
        :raises ApiError: when the request is refused.
        """
        state = self._state
        stored = state.store.get(declaration.name)
        state.check_allowed(user, "EditAll" if stored else "Create", declaration.name)
        if stored is None:
            return self._create(declaration, user), "entityCreated"
        wanted = put(stored, declaration, state.release, state.directory, user, override)
        return self._revise(stored, wanted, user)

    def patch(self, request: Request, user: User, service_id: str) -> Answer:
        """`PATCH` of one service; answers the patched document, its secrets as stored (recorded)."""
        state, release = self._state, self._state.release
        if request.headers.get("content-type", "").partition(";")[0] != "application/json-patch+json":
            raise ProtocolError(415, "HTTP 415 Unsupported Media Type")
        try:
            operations = parse_patch(read_json(request.body))
            stored = self._find(service_id, "non-deleted", by_name=False)
            state.check_allowed(user, "EditAll", stored.name)
            changed = read_service(apply_patch(self._patch_document(stored), operations), release)
        except PatchError as error:
            raise UnexpectedError(str(error)) from None
        wanted = patched(stored, changed, release, state.directory)
        service, change = self._revise(stored, wanted, user)
        answered = self._patch_document(_as_named(service, str(changed.get("name", service.name))))
        answered["href"] = self._href(service, request.root)
        return json_answer(200, answered, change=change, writes=1)

    def delete(self, request: Request, user: User, key: str, *, by_name: bool) -> Answer:
        """`DELETE` of one service, soft unless `hardDelete`; with models only if `recursive` (server source)."""
        state = self._state
        service = self._find(key, "all", by_name=by_name)
        state.check_allowed(user, "Delete", service.name)
        if service.models and not _is_true(request, "recursive"):
            raise bad_request(f"{KIND} is not empty")
        if _is_true(request, "hardDelete"):
            state.store.remove(service)
            change = "entityDeleted"
        else:
            service, _ = self._revise(service, replace(service, deleted=True), user)
            change = "entitySoftDeleted"
        return json_answer(200, self.shown(service, user, self._answered_fields(service), ""), change=change, writes=1)

    def restore(self, request: Request, user: User) -> Answer:
        """`PUT` of `restore` with a service's id."""
        body = read_json(request.body)
        service_id = body.get("id") if isinstance(body, dict) else None
        if not isinstance(service_id, str):
            raise bad_request("[id must not be null]")
        stored = self._state.store.by_id(service_id, "deleted")
        self._state.check_allowed(user, "EditAll", stored.name)
        service, _ = self._revise(stored, replace(stored, deleted=False), user)
        return json_answer(200, self.shown(service, user, (), request.root), change="entityRestored", writes=1)

    def shown(self, service: Service, user: User, fields: Sequence[str], root: str) -> JsonObject:
        """A service as a user reads it: bots see secrets, people see a mask (recorded)."""
        shown = document(service, self._state.release, fields, root)
        if user.is_bot or service.connection is None:
            return shown
        return with_connection(shown, connections.masked(service.connection, service.service_type))

    def shown_new(self, service: Service, user: User, root: str) -> JsonObject:
        """A service as the answer to its creation shows it; newer servers with owners, tags and domains."""
        release = self._state.release
        fields = release.relation_fields if release.holds_many else (release.owner_field, release.domain_field)
        return self.shown(service, user, fields, root)

    def _patch_document(self, service: Service) -> JsonObject:
        shown = document(service, self._state.release, self._answered_fields(service))
        if service.connection is None:
            return shown
        return with_connection(shown, connections.encrypted(service.connection, service.service_type))

    def _answered_fields(self, service: Service) -> tuple[str, ...]:
        fields = self._state.release.relation_fields
        if self._state.release.holds_many or service.data_products:
            return fields
        return tuple(field for field in fields if field != "dataProducts")

    def _href(self, service: Service, root: str) -> object:
        return document(service, self._state.release, (), root)["href"]

    def _create(self, declaration: Declaration, user: User) -> Service:
        state = self._state
        service = created(declaration, state.release, state.directory, state.store.new_id(), user, state.now())
        state.store.keep(service)
        return service

    def _revise(self, stored: Service, wanted: Service, user: User) -> tuple[Service, str]:
        service = revised(stored, wanted, self._state.release, user, self._state.now())
        if service is stored:
            return stored, "entityNoChange"
        self._state.store.keep(service)
        return service, "entityUpdated"

    def _find(self, key: str, include: str, *, by_name: bool) -> Service:
        if by_name:
            return self._state.store.by_fqn(key, include)
        try:
            uuid.UUID(key)
        except ValueError:
            raise ApiError(404, "HTTP 404 Not Found") from None
        return self._state.store.by_id(key, include)

    def _in_domain(self, name: str, domain_id: str) -> bool:
        service = self._state.store.get(name)
        return service is not None and any(domain["id"] == domain_id for domain in service.domains)

    def _read_declaration(self, request: Request) -> Declaration:
        declaration = read_declaration(read_json(request.body), self._state.release)
        declaration.check(self._state.release)
        return declaration

    def _read_include(self, params: dict[str, str]) -> str:
        include = params.get("include", "non-deleted")
        if include not in _INCLUDES:
            raise bad_request(f"[query param include must be one of [{', '.join(_INCLUDES)}]]")
        return include

    def _read_fields(self, params: dict[str, str]) -> list[str]:
        """The asked fields among those that are shown only then."""
        release = self._state.release
        asked = [field.strip() for field in params.get("fields", "").split(",") if field.strip()]
        if asked == ["*"]:
            return [*release.relation_fields]
        for field in asked:
            if field not in release.service_fields:
                raise bad_request(f"Invalid field name {field}")
        return [field for field in asked if field in release.relation_fields]


def _is_true(request: Request, param: str) -> bool:
    return request.params.get(param, "false").lower() == "true"


def _as_named(service: Service, name: str) -> Service:
    """How a patch that changes the name shows the service: it finds no tags under that name (recorded)."""
    return service if name == service.name else replace(service, name=name, tags=())
