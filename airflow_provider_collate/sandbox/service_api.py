"""The endpoints under `services/{collection}`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from airflow_provider_collate.kinds import ServiceKind
from airflow_provider_collate.sandbox.connections import StoredConnections
from airflow_provider_collate.sandbox.declarations import Parser, read_id, read_json
from airflow_provider_collate.sandbox.directory import UnknownTagError, User
from airflow_provider_collate.sandbox.exchange import (
    Answer,
    ApiError,
    JsonObject,
    ProtocolError,
    UnexpectedError,
    bad_request,
    compact,
    json_answer,
    not_found,
    quoted,
    read_page,
)
from airflow_provider_collate.sandbox.json_patch import apply_patch, parse_patch
from airflow_provider_collate.sandbox.rules import Rules
from airflow_provider_collate.sandbox.services import INCLUDES, StoredService, document, revised, without_certification
from airflow_provider_collate.sandbox.state import Call, State

# Only `EditAll` lets one touch or test these (server source).
_GUARDED = ("version", "updatedAt", "connection", "domains", "domain")
# Rows of bulk requests that are refused for these come back whole, secrets included.
_ECHOED = (400, 403)


class ServiceApi:
    """The endpoints of a kind of services."""

    def __init__(self, state: State, kind: ServiceKind) -> None:
        self.state = state
        self.parser = Parser(kind, state.release)
        self.store = state.store_of(kind.collection)
        self._kind = kind

    def list_page(self, call: Call) -> Answer:
        """Answer `GET` of the collection."""
        state, params = self.state, call.request.params
        include, fields = self._read_shown(params)
        state.check_allowed(call.user, "ViewAll")
        keys = self.store.ordered(include)
        if domain := params.get("domain"):
            wanted = state.directory.by_name("domain", domain).id
            members = {one.id for one in self.store if wanted in [reference["id"] for reference in one.domains]}
            keys = [key for key in keys if key[1] in members]
        names, paging = read_page(keys, params, by_id=not state.release.is_old)
        rows = [self._shown(service, call, fields) for name in names if (service := self.store.get(name))]
        return json_answer(200, {"data": rows, "paging": paging}, rows=len(rows))

    def get(self, call: Call) -> Answer:
        """Answer `GET` of one service."""
        include, fields = self._read_shown(call.request.params)
        service = self.store.find(call.params, include)
        self.state.check_allowed(call.user, "ViewAll", service.name)
        return json_answer(200, self._shown(service, call, fields))

    def create(self, call: Call) -> Answer:
        """Answer `POST` of a create request; 409 also when a soft-deleted service has the name (recorded)."""
        declared = self.parser.read(call.request.content)
        self.state.check_allowed(call.user, "Create", declared["name"])
        if self.store.get(declared["name"]):
            raise ApiError(409, "Entity already exists")
        return json_answer(201, self._shown_new(self._create(declared, call.user), call), writes=1)

    def put(self, call: Call) -> Answer:
        """Answer `PUT` of a create request."""
        declared, release = self.parser.read(call.request.content), self.state.release
        service, change = self.upsert(declared, call.user)
        if change == "entityCreated":
            return json_answer(201, self._shown_new(service, call), change=change, writes=1)
        fields = [name for name in (release.owner_field, release.domain_field) if name in declared]
        return json_answer(200, self._shown(service, call, fields), change=change, writes=1)

    def bulk(self, call: Call) -> Answer:
        """Answer `PUT` of `bulk` as documented, which was never seen: each row a PUT; 200 even when all fail."""
        if not self.state.has_bulk:
            raise ProtocolError(405)
        rows, limit = self.parser.read_many(call.request.content), self.state.bulk_limit
        if limit is not None and len(rows) > limit:
            text = f"The bulk request has {len(rows)} rows, and the plan allows {limit}"
            raise ApiError(413, text, "BULK_LIMIT_EXCEPTION")
        outcomes = [self._bulk_row(row, call) for row in rows]
        passed = [outcome for outcome in outcomes if outcome["status"] == 200]
        failed = [outcome for outcome in outcomes if outcome["status"] != 200]
        result = {
            "dryRun": False,
            "status": "success" if not failed else "partialSuccess" if passed else "failure",
            "numberOfRowsProcessed": len(outcomes),
            "numberOfRowsPassed": len(passed),
            "numberOfRowsFailed": len(failed),
            "successRequest": passed,
            "failedRequest": failed,
        }
        return json_answer(200, result, writes=len(rows))

    def upsert(self, declared: JsonObject, user: User) -> tuple[StoredService, str]:
        """Create or update a service; also say which, as the change header does."""
        stored = self.store.get(declared["name"])
        self.state.check_allowed(user, "EditAll" if stored else "Create", declared["name"])
        if stored is None:
            return self._create(declared, user), "entityCreated"
        self._check_domains(stored)
        return self.revise(stored, self.rules(user).put(stored, declared), user)

    def patch(self, call: Call) -> Answer:
        """Answer `PATCH` of one service by the patched document, its secrets as stored (recorded)."""
        if call.request.media_type != "application/json-patch+json":
            raise ProtocolError(415)
        release = self.state.release
        operations = parse_patch(read_json(call.request.content))
        stored = self.store.find(call.params)
        paths = [str(operation.get(name, "")) for operation in operations for name in ("path", "from")]
        needs_all = any(path.strip("/").partition("/")[0] in _GUARDED for path in paths)
        self.state.check_allowed(call.user, "EditAll", stored.name, needs_all=needs_all)
        patched = apply_patch(self._document(stored, None), operations, is_old=release.is_old)
        changed = self.parser.read_service(patched)
        try:
            wanted = self.rules(call.user).patched(stored, changed)
        except UnknownTagError:
            # The tags are removed first, and nothing puts them back (recorded).
            self.store.keep(replace(stored, tags=()))
            raise
        if release.is_old and stored.connection is None:
            raise UnexpectedError(release.null_connection.format("decryptedOrigConn"))
        service, change = self.revise(stored, wanted, call.user, folds=not release.is_old)
        named = replace(service, name=changed.get("name") or service.name, domains=())
        answered = self._document(named, None, root=call.request.root)
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
            service, _ = self.revise(service, replace(service, deleted=True), call.user)
            change = "entitySoftDeleted"
        return json_answer(200, self._document(service, None), change=change, writes=1)

    def versions(self, call: Call) -> Answer:
        """Answer `GET` of a service's versions, the newest first, each as JSON in a text (recorded)."""
        shown = [compact(self._document(version, call.user)) for version in self._versions(call)]
        return json_answer(200, {"entityType": self.store.entity, "versions": shown})

    def version(self, call: Call) -> Answer:
        """Answer `GET` of one version by its number."""
        try:
            number = float(call.params["version"])
        except ValueError:
            raise bad_request(f'For input string: "{call.params["version"]}"') from None  # server source
        for version in self._versions(call):
            if number == version.version:
                return json_answer(200, self._document(version, call.user))
        raise not_found(self.store.entity, f"{call.params['id']} and version {number}")

    def restore(self, call: Call) -> Answer:
        """Answer `PUT` of `restore` with a service's id."""
        stored = self.store.find({"id": read_id(call.request.content)}, "deleted")
        self.state.check_allowed(call.user, "EditAll", stored.name)
        service, _ = self.revise(stored, replace(stored, deleted=False), call.user)
        return json_answer(200, self._document(service, None), change="entityRestored", writes=1)

    def rules(self, user: User) -> Rules:
        """Return how a user's requests change services."""
        return Rules(self.state, self._kind, user)

    def revise(
        self, stored: StoredService, wanted: StoredService, user: User, *, folds: bool = False
    ) -> tuple[StoredService, str]:
        """Store the next version of a service; also say whether there is one, as the change header does."""
        self.rules(user).check_entity(stored, wanted)
        wanted = replace(wanted, updated_at=self.state.now(), updated_by=user.name)
        history = self.store.history(stored)
        service = revised(stored, wanted, history, self.state.release, self.state.directory, folds=folds)
        if service is stored:
            return stored, "entityNoChange"
        self.store.keep(service)
        return service, "entityUpdated"

    def _create(self, declared: JsonObject, user: User) -> StoredService:
        rules = self.rules(user)
        service = rules.created(declared, self.store.new_id())
        rules.check_entity(None, service)
        tags = without_certification(service.tags)
        service = replace(service, tags=tags, updated_at=self.state.now(), updated_by=user.name)
        self.store.keep(service)
        return service

    def _bulk_row(self, row: JsonObject, call: Call) -> JsonObject:
        name = row.get("name", "")
        try:
            if name in call.bulk_refusals:
                raise ApiError(*call.bulk_refusals[name])
            self.parser.check(row)
            service, _ = self.upsert(row, call.user)
        except ApiError as error:
            echoed: object = row if error.status in _ECHOED else quoted(name)
            return {"request": echoed, "status": error.status, "message": error.message}
        return {"request": service.fqn, "status": 200}

    def _document(
        self, service: StoredService, reader: User | None, fields: Sequence[str] | None = None, root: str = ""
    ) -> JsonObject:
        """Return a service as a user reads it; without a reader as the database has it (both recorded).

        :param fields: which of those that are shown only when asked for; all if None.
        """
        release = self.state.release
        if fields is None:
            is_left_out = release.is_old and not service.data_products
            fields = [name for name in release.relation_fields if not (is_left_out and name == "dataProducts")]
        if service.connection is not None:
            connections = StoredConnections(self._kind, service.service_type, release)
            shown = connections.shown(service, reader, secrets_manager=self.state.secrets_manager)
            service = replace(service, connection=shown)
        return document(service, release, self.state.directory, fields, root)

    def _shown(self, service: StoredService, call: Call, fields: Sequence[str]) -> JsonObject:
        return self._document(service, call.user, fields, call.request.root)

    def _shown_new(self, service: StoredService, call: Call) -> JsonObject:
        """Return a service as the answer to its creation has it; newer servers show owners, tags and domains."""
        release = self.state.release
        old = (release.owner_field, release.domain_field)
        return self._shown(service, call, old if release.is_old else release.relation_fields)

    def _domains_as_given(self, changed: JsonObject, root: str) -> JsonObject:
        """Return the domains as a patch's answer has them: not looked up (recorded)."""
        field = self.state.release.domain_field
        given = changed.get(field) or []
        domains = given if isinstance(given, list) else [given]
        linked = [{**domain, "href": f"{root}/v1/domains/{domain['id']}"} for domain in domains]
        return {field: linked if isinstance(given, list) else linked[0]} if linked else {}

    def _versions(self, call: Call) -> list[StoredService]:
        current = self.store.find(call.params, "all")
        self.state.check_allowed(call.user, "ViewAll", current.name)
        return [current, *reversed(self.store.history(current))]

    def _check_domains(self, service: StoredService) -> None:
        """Refuse what cannot be read whole (recorded)."""
        for domain in service.domains:
            self.state.directory.by_id("domain", str(domain["id"]))

    def _read_shown(self, params: Mapping[str, str]) -> tuple[str, list[str]]:
        """Return which services to show, and the asked fields among those that are shown only then."""
        include, release = params.get("include", "non-deleted"), self.state.release
        if include not in INCLUDES:
            raise bad_request(f"query param include must be one of [{', '.join(INCLUDES)}]")
        asked = [field.strip() for field in params.get("fields", "").split(",") if field.strip()]
        if asked == ["*"]:
            return include, [*release.relation_fields]
        for field in asked:
            if field not in release.service_fields:
                raise bad_request(f"Invalid field name {field}")
        return include, [field for field in asked if field in release.relation_fields]
