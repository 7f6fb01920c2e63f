"""The endpoints under `services/{collection}`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from airflow_provider_collate.kinds import ServiceKind
from airflow_provider_collate.sandbox.connections import StoredConnections
from airflow_provider_collate.sandbox.declarations import Declaration, Parser, read_json
from airflow_provider_collate.sandbox.directory import UnknownTagError, User
from airflow_provider_collate.sandbox.exchange import (
    Answer,
    ApiError,
    JsonObject,
    UnexpectedError,
    bad_request,
    compact,
    json_answer,
    not_found,
    wrong_media_type,
)
from airflow_provider_collate.sandbox.json_patch import PatchError, apply_patch, parse_patch
from airflow_provider_collate.sandbox.paging import read_page
from airflow_provider_collate.sandbox.revisions import CERTIFICATION, Reviser
from airflow_provider_collate.sandbox.rules import Rules
from airflow_provider_collate.sandbox.services import StoredService, document
from airflow_provider_collate.sandbox.state import Call, State

_INCLUDES = ("all", "deleted", "non-deleted")


class ServiceApi:
    """The endpoints of a kind of services.

    :param state: what they work on.
    :param kind: the kind.
    """

    def __init__(self, state: State, kind: ServiceKind) -> None:
        self.state = state
        self.parser = Parser(kind, state.release)
        self._kind = kind
        self.store = state.store_of(kind.collection)

    def list_page(self, call: Call) -> Answer:
        """Answer `GET` of the collection."""
        state, params = self.state, call.request.params
        include, fields = _read_include(params), self._read_fields(params)
        state.check_allowed(call.user, "ViewAll")
        names: Sequence[str] = self.store.names(include)
        if domain := params.get("domain"):
            domain_id = state.directory.by_name("domain", domain).id
            names = [name for name in names if self._in_domain(name, domain_id)]
        page = read_page(names, params, None if state.release.is_old else self._id_of)
        services = [service for name in page.names if (service := self.store.get(name))]
        rows = [self._shown(service, call, fields) for service in services]
        return json_answer(200, {"data": rows, "paging": page.paging}, rows=len(rows))

    def _id_of(self, name: str) -> str:
        service = self.store.get(name)
        return service.id if service else ""

    def get(self, call: Call) -> Answer:
        """Answer `GET` of one service."""
        include, fields = _read_include(call.request.params), self._read_fields(call.request.params)
        service = self.store.find(call.params, include)
        self.state.check_allowed(call.user, "ViewAll", service.name)
        return json_answer(200, self._shown(service, call, fields))

    def create(self, call: Call) -> Answer:
        """Answer `POST` of a create request; 409 also when a soft-deleted service has the name (recorded)."""
        declaration = self.parser.read(call.request.body)
        self.state.check_allowed(call.user, "Create", declaration.name)
        if self.store.get(declaration.name):
            raise ApiError(409, "Entity already exists")
        return json_answer(201, self._shown_new(self._create(declaration, call.user), call), writes=1)

    def put(self, call: Call) -> Answer:
        """Answer `PUT` of a create request."""
        declaration, release = self.parser.read(call.request.body), self.state.release
        service, change = self.upsert(declaration, call.user)
        if change == "entityCreated":
            return json_answer(201, self._shown_new(service, call), change=change, writes=1)
        fields = [name for name in (release.owner_field, release.domain_field) if name in declaration.given]
        return json_answer(200, self._shown(service, call, fields), change=change, writes=1)

    def upsert(self, declaration: Declaration, user: User, *, override: bool = False) -> tuple[StoredService, str]:
        """Create or update a service; also say which, as the change header does.

        :param override: let a bot replace what people wrote.
        :raises ApiError: when the request is refused.
        """
        stored = self.store.get(declaration.name)
        self.state.check_allowed(user, "EditAll" if stored else "Create", declaration.name)
        if stored is None:
            return self._create(declaration, user), "entityCreated"
        self._check_domains(stored)
        return self._revise(stored, self.rules(user).put(stored, declaration, override=override), user)

    def patch(self, call: Call) -> Answer:
        """Answer `PATCH` of one service by the patched document, its secrets as stored (recorded)."""
        if call.request.media_type != "application/json-patch+json":
            raise wrong_media_type()
        release = self.state.release
        try:
            operations = parse_patch(read_json(call.request.body))
            stored = self.store.find(call.params)
            self.state.check_allowed(call.user, "EditAll", stored.name, needs_all=_needs_all(operations))
            before = self._as_stored(stored)
            changed = self.parser.read_service(apply_patch(before, operations, is_old=release.is_old))
        except PatchError as error:
            raise UnexpectedError(str(error)) from None
        try:
            wanted = self.rules(call.user).patched(stored, changed)
        except UnknownTagError:
            # The tags are removed first, and nothing puts them back (recorded).
            self.store.keep(replace(stored, tags=()))
            raise
        service, change = self._revise(stored, wanted, call.user, is_patch=True)
        named = replace(service, name=changed.name or service.name, domains=())
        answered = self._as_stored(named, call.request.root)
        answered.update(self._domains_as_given(changed, call.request.root))
        return json_answer(200, answered, change=change, writes=1)

    def delete(self, call: Call) -> Answer:
        """Answer `DELETE`, soft unless `hardDelete`; with models only if `recursive` (server source)."""
        service = self.store.find(call.params, "all")
        self.state.check_allowed(call.user, "Delete", service.name)
        self._check_domains(service)
        if service.models and not call.flag("recursive"):
            raise bad_request(f"{self.store.entity} is not empty")
        if call.flag("hardDelete"):
            self.store.remove(service)
            change = "entityDeleted"
        else:
            service, _ = self._revise(service, replace(service, deleted=True), call.user)
            change = "entitySoftDeleted"
        return json_answer(200, self._as_stored(service), change=change, writes=1)

    def versions(self, call: Call) -> Answer:
        """Answer `GET` of a service's versions, the newest first, each as JSON in a text (recorded)."""
        shown = [compact(self._as_version(version, call)) for version in self._versions(call)]
        return json_answer(200, {"entityType": self.store.entity, "versions": shown})

    def version(self, call: Call) -> Answer:
        """Answer `GET` of one version by its number."""
        number = call.params["version"]
        for version in self._versions(call):
            if number in (str(version.version), str(version.version).removesuffix(".0")):
                return json_answer(200, self._as_version(version, call))
        raise not_found(self.store.entity, f"{call.params['id']} and version {number}")

    def restore(self, call: Call) -> Answer:
        """Answer `PUT` of `restore` with a service's id."""
        body = read_json(call.request.body)
        service_id = body.get("id") if isinstance(body, dict) else None
        if not isinstance(service_id, str):
            raise bad_request("[id must not be null]")
        stored = self.store.find({"id": service_id}, "deleted")
        self.state.check_allowed(call.user, "EditAll", stored.name)
        service, _ = self._revise(stored, replace(stored, deleted=False), call.user)
        return json_answer(200, self._as_stored(service), change="entityRestored", writes=1)

    def rules(self, user: User) -> Rules:
        """Return how a user's requests change services."""
        return Rules(self.state, self._kind, user)

    def _shown(self, service: StoredService, call: Call, fields: Sequence[str] = ()) -> JsonObject:
        """Return a service as the user reads it: bots see secrets, people see a mask (recorded)."""
        return self._document(self._readable(service, call.user), fields, call.request.root)

    def _shown_new(self, service: StoredService, call: Call) -> JsonObject:
        """Return a service as the answer to its creation has it; newer servers show owners, tags and domains."""
        release = self.state.release
        old = (release.owner_field, release.domain_field)
        return self._shown(service, call, old if release.is_old else release.relation_fields)

    def _as_stored(self, service: StoredService, root: str = "") -> JsonObject:
        """Return the whole document as a patch works on it and as a deletion answers it (recorded)."""
        connections = StoredConnections(self._kind, service.service_type, self.state.release)
        if service.connection is not None:
            is_managed = self.state.secrets_manager
            stored = connections.managed(service) if is_managed else connections.encrypted(service.connection)
            service = replace(service, connection=stored)
        return self._document(service, self._all_fields(service), root)

    def _as_version(self, service: StoredService, call: Call) -> JsonObject:
        return self._document(self._readable(service, call.user), self._all_fields(service))

    def _all_fields(self, service: StoredService) -> tuple[str, ...]:
        release = self.state.release
        is_left_out = release.is_old and not service.data_products
        return tuple(field for field in release.relation_fields if not (is_left_out and field == "dataProducts"))

    def _readable(self, service: StoredService, user: User) -> StoredService:
        """Return the service with its connection as the user reads it."""
        if service.connection is None or (user.is_bot and not self.state.secrets_manager):
            return service
        connections = StoredConnections(self._kind, service.service_type, self.state.release)
        shown = connections.managed(service) if user.is_bot else connections.masked(service.connection)
        return replace(service, connection=shown)

    def _document(self, service: StoredService, fields: Sequence[str], root: str = "") -> JsonObject:
        return document(service, self.state.release, self.state.directory, fields, root)

    def _domains_as_given(self, changed: Declaration, root: str) -> JsonObject:
        """Return the domains as a patch's answer has them: not looked up (recorded)."""
        field = self.state.release.domain_field
        given = changed.given.get(field)
        if isinstance(given, dict):
            return {field: {**given, "href": f"{root}/v1/domains/{given['id']}"}}
        linked = [{**domain, "href": f"{root}/v1/domains/{domain['id']}"} for domain in changed.parts(field)]
        return {field: linked} if linked else {}

    def _versions(self, call: Call) -> list[StoredService]:
        current = self.store.find(call.params, "all")
        self.state.check_allowed(call.user, "ViewAll", current.name)
        return [current, *reversed(self.store.history(current))]

    def _create(self, declaration: Declaration, user: User) -> StoredService:
        rules = self.rules(user)
        service = rules.created(declaration, self.store.new_id())
        rules.check_entity(None, service)
        tags = tuple(tag for tag in service.tags if not str(tag["tagFQN"]).startswith(f"{CERTIFICATION}."))
        service = replace(service, tags=tags, updated_at=self.state.now(), updated_by=user.name)
        self.store.keep(service)
        return service

    def _revise(
        self, stored: StoredService, wanted: StoredService, user: User, *, is_patch: bool = False
    ) -> tuple[StoredService, str]:
        self.rules(user).check_entity(stored, wanted)
        return self.revise(stored, wanted, user, folds=is_patch and not self.state.release.is_old)

    def revise(
        self, stored: StoredService, wanted: StoredService, user: User, *, folds: bool = False
    ) -> tuple[StoredService, str]:
        """Store the next version of a service; also say whether there is one, as the change header does."""
        reviser = Reviser(self.state.release, self.state.directory, user.name, self.state.now(), folds)
        service = reviser.revise(stored, wanted, self.store.history(stored))
        if service is stored:
            return stored, "entityNoChange"
        self.store.keep(service)
        return service, "entityUpdated"

    def _check_domains(self, service: StoredService) -> None:
        """Refuse what cannot be read whole (recorded)."""
        for domain in service.domains:
            self.state.directory.by_id("domain", str(domain["id"]))

    def _in_domain(self, name: str, domain_id: str) -> bool:
        service = self.store.get(name)
        return service is not None and any(domain["id"] == domain_id for domain in service.domains)

    def _read_fields(self, params: Mapping[str, str]) -> list[str]:
        """Return the asked fields among those that are shown only then."""
        release = self.state.release
        asked = [field.strip() for field in params.get("fields", "").split(",") if field.strip()]
        if asked == ["*"]:
            return [*release.relation_fields]
        for field in asked:
            if field not in release.service_fields:
                raise bad_request(f"Invalid field name {field}")
        return [field for field in asked if field in release.relation_fields]


def _read_include(params: Mapping[str, str]) -> str:
    include = params.get("include", "non-deleted")
    if include not in _INCLUDES:
        raise bad_request(f"query param include must be one of [{', '.join(_INCLUDES)}]")
    return include


def _needs_all(operations: Sequence[JsonObject]) -> bool:
    """Return whether a patch touches or tests what only `EditAll` lets one (server source)."""
    guarded = ("version", "updatedAt", "connection", "domains", "domain")
    paths = [str(operation.get(name, "")) for operation in operations for name in ("path", "from")]
    return any(path.strip("/").partition("/")[0] in guarded for path in paths)
