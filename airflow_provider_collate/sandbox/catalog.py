"""The catalog: from request to answer, and what a test can see and order."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from threading import RLock
from typing import Concatenate, ParamSpec, TypeVar

from airflow_provider_collate.kinds import ServiceKind, registered_kinds
from airflow_provider_collate.sandbox.api import respond
from airflow_provider_collate.sandbox.directory import ADMIN, INGESTION_BOT, KINDS, Entry, User, make_token, user_entry
from airflow_provider_collate.sandbox.exchange import Answer, RecordedRequest, Request, quoted
from airflow_provider_collate.sandbox.faults import Fault, Latency, LatencyProfile, RandomFaults
from airflow_provider_collate.sandbox.pages import page
from airflow_provider_collate.sandbox.releases import DEFAULT_RELEASE, RELEASES
from airflow_provider_collate.sandbox.service_api import ServiceApi
from airflow_provider_collate.sandbox.services import StoredService, StoredServices, document
from airflow_provider_collate.sandbox.state import Ban, State

DEFAULT_BOT_TOKEN = make_token(INGESTION_BOT)
DEFAULT_ADMIN_TOKEN = make_token(ADMIN)

_P = ParamSpec("_P")
_F = TypeVar("_F", Fault, RandomFaults)


def _ordering(make: Callable[_P, _F]) -> Callable[Concatenate[Catalog, _P], _F]:
    def fail(catalog: Catalog, /, *arguments: _P.args, **options: _P.kwargs) -> _F:
        fault = make(*arguments, **options)
        catalog.faults.append(fault)
        return fault

    return fail


class Catalog:
    """An in-memory catalog.

    :param release: whose behaviour it has: `2.x`, `1.13`, `1.12` or `1.2`.
    :param bot_token: token of the user `ingestion-bot`.
    :param admin_token: token of the user `admin`.
    :param bulk_limit: rows in a bulk request at most; more is a 413. No limit if None.
    :param has_bulk: whether there is a bulk endpoint (documented, never seen).
    :param secrets_manager: whether secrets are kept outside, so that not even a bot sees them.
    :param narrow_role: whether bots lack the permission to edit all of a service.
    :param denies_display_name: whether bots may not change a display name, which is then kept with a 200.
    :param kinds: the kinds of services that are served; those that are registered if None.
    :param latency: how long answers take.
    :param clock: seconds since the epoch, for `updatedAt`.
    """

    def __init__(
        self,
        release: str = DEFAULT_RELEASE,
        *,
        bot_token: str = DEFAULT_BOT_TOKEN,
        admin_token: str = DEFAULT_ADMIN_TOKEN,
        bulk_limit: int | None = None,
        has_bulk: bool = False,
        secrets_manager: bool = False,
        narrow_role: bool = False,
        denies_display_name: bool = False,
        kinds: Sequence[ServiceKind] | None = None,
        latency: LatencyProfile | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        options = (bulk_limit, has_bulk, secrets_manager, narrow_role, denies_display_name)
        self.state = State(clock, registered_kinds() if kinds is None else kinds, *options)
        self.release = release
        self.bot_token = bot_token
        self.admin_token = admin_token
        self.state.tokens.update({bot_token: INGESTION_BOT, admin_token: ADMIN})
        self.latency = Latency(latency or LatencyProfile())
        self.requests: list[RecordedRequest] = []
        self.faults: list[Fault | RandomFaults] = []
        self._lock = RLock()

    def handle(self, request: Request) -> Answer:
        """Answer a request; safe to call from several threads. What is outside `/api` gets the pages."""
        with self._lock:
            if request.segments[:1] != ("api",):
                return page(request, self.state)
            fault = next((fault for ordered in self.faults if (fault := ordered.draw(request))), None)
            user: User | None = None
            if fault is not None and fault.prevents:
                answer = fault.answer()
            else:
                answer, user = respond(self.state, request, (fault and fault.bulk_rows) or {})
            self.requests.append(RecordedRequest.of(request, answer.status, user.name if user else ""))
            delay = self.latency.delay(is_write=request.is_write, writes=answer.writes, rows=answer.rows)
        if fault is not None and not fault.prevents:
            answer = fault.answer(answer)
        return replace(answer, delay=answer.delay + delay)

    @property
    def release(self) -> str:
        """Which server's behaviour it has; can be changed at any time."""
        return self.state.release.name

    @release.setter
    def release(self, name: str) -> None:
        if name not in RELEASES:
            raise ValueError(f"release must be one of {', '.join(RELEASES)}, not {name!r}")
        self.state.release = RELEASES[name]

    @property
    def tokens(self) -> dict[str, User]:
        """Token → whom it stands for; add to it at will."""
        return self.state.tokens

    @property
    def services(self) -> StoredServices:
        """The ML model services that are not deleted, by name."""
        return self.services_of()

    @property
    def deleted(self) -> StoredServices:
        """The soft-deleted ML model services, by name."""
        return self.services_of(include="deleted")

    def services_of(self, collection: str = "", *, include: str = "non-deleted") -> StoredServices:
        """Return the `non-deleted` or `deleted` services of a kind by name: of the first kind if empty."""
        return StoredServices(self.state.store_of(collection), self.state.release, self.state.directory, include)

    @property
    def models(self) -> list[str]:
        """Fully qualified names of the models whose service is not deleted."""
        present = (service for service in self.state.store_of() if not service.deleted)
        return sorted(f"{service.fqn}.{quoted(model)}" for service in present for model in service.models)

    @property
    def writes(self) -> int:
        """How many requests that write were seen, whatever became of them."""
        return sum(request.is_write for request in self.requests)

    fail = _ordering(Fault)
    """Let something happen to the next API requests; takes what `Fault` takes, and returns it: its `hits` counts."""

    fail_randomly = _ordering(RandomFaults)
    """Let a share of all API requests fail, until `stop_failing`; takes what `RandomFaults` takes, and returns it: its
    `counts` counts them by their kinds."""

    def stop_failing(self) -> None:
        """Take back all ordered faults."""
        with self._lock:
            self.faults.clear()

    def forbid(self, user: str | None = None, name: str | None = None, operations: Sequence[str] = ()) -> None:
        """Answer 403 from now on.

        :param user: to this user; to everyone if None.
        :param name: for services whose name holds a match of this regular expression; for all if None.
        :param operations: of `Create`, `EditAll`, `Delete`, `ViewAll`; all if empty.
        """
        self.state.bans.append(Ban(user, name, frozenset(operations)))

    def revoke_token(self, token: str, *, expired: bool = False) -> None:
        """Refuse a token from now on, as one that was regenerated or has expired."""
        self.state.tokens.pop(token, None)
        other = "Not Authorized! The given token does not match the current bot's token!"
        self.state.refused_tokens[token] = "Expired token!" if expired else other

    def rotate_bot_token(self, new_token: str) -> None:
        """Give the bot a new token; the old one is refused at once."""
        self.revoke_token(self.bot_token)
        self.state.refused_tokens.pop(new_token, None)
        self.state.tokens[new_token] = INGESTION_BOT
        self.bot_token = new_token

    def lock(self, name: str, times: int = 1) -> None:
        """Answer the next writes of a service by the 409 of a lock, which is no "exists already" (server source)."""
        self.state.locks[name] = times

    def add_user(self, user: User, *, deleted: bool = False) -> Entry:
        """Add a user; give it a token by `catalog.tokens[token] = user`."""
        return self.state.directory.add(replace(user_entry(user), deleted=deleted))

    def add_team(self, name: str, display_name: str = "") -> Entry:
        """Add a team."""
        return self.state.directory.add(Entry("team", name, quoted(name), display_name))

    def add_domain(self, fqn: str) -> Entry:
        """Add a domain; `Parent.Child` is a subdomain."""
        return self.state.directory.add(Entry("domain", fqn.rpartition(".")[2], fqn))

    def add_data_product(self, fqn: str, *, domain: str | None = None) -> Entry:
        """Add a data product; where a domain is named, services with it must be in that domain."""
        more = {"domains": [domain]} if domain else {}
        return self.state.directory.add(Entry("dataProduct", fqn.rpartition(".")[2], fqn, "", more))

    def add_tag(self, fqn: str, *, glossary: bool = False, disabled: bool = False, exclusive: bool = False) -> Entry:
        """Add a tag or a glossary term, with its classification or glossary.

        :param disabled: whether no service may carry it any more.
        :param exclusive: whether a service may carry only one of the tags of its classification, if that is new.
        """
        directory = self.state.directory
        kind, above = ("glossaryTerm", "glossary") if glossary else ("tag", "classification")
        top = fqn.partition(".")[0]
        if directory.find(above, top) is None:
            directory.add(Entry(above, top, top, "", {"mutuallyExclusive": exclusive}))
        more = {**KINDS[kind].defaults, **({"disabled": True} if disabled else {})}
        return directory.add(Entry(kind, fqn.rpartition(".")[2], fqn, "", more))

    def remove_entry(self, entry: Entry) -> None:
        """Remove a user, team, domain, data product, tag or term for good, and what services say of it."""
        self.state.forget_entry(entry)

    def add_service(
        self, name: str, service_type: str = "Mlflow", *, user: User = ADMIN, collection: str = "", **fields: object
    ) -> None:
        """Add a service, as if a person had made it in the UI.

        :param collection: of its kind; that of the first kind if empty.
        :param fields: further fields as in a document, e.g. `connection={"config": {...}}`,
            `displayName=...`, `tags=[...]`; see `edit_service`.
        """
        with self._lock:
            api = self._services(collection)
            service, change = api.upsert({"name": name, "serviceType": service_type}, user)
            if change != "entityCreated":
                raise ValueError(f"there is a service {name} already")
            edited = self._edited(api, service, fields, user)
            api.store.keep(replace(edited, updated_at=service.updated_at, updated_by=user.name))

    def edit_service(self, name: str, *, user: User = ADMIN, collection: str = "", **fields: object) -> None:
        """Change a service, as if a person had done it in the UI: the version goes up.

        :param collection: of its kind; that of the first kind if empty.
        :param fields: fields of the document, under the names of the release; None removes one.
            A tag may be its name, an owner or domain the entry that `add_team`, … returned.
        """
        with self._lock:
            api, stored = self._found(name, collection)
            api.revise(stored, self._edited(api, stored, fields, user), user)

    def add_model(self, service: str, name: str) -> None:
        """Add a model in a service; see `models`."""
        with self._lock:
            api, stored = self._found(service)
            api.store.keep(replace(stored, models=(*stored.models, name)))

    def remove_service(self, name: str, *, hard: bool = False, user: User = ADMIN) -> None:
        """Delete a service with the models in it, as if a person had done it in the UI."""
        with self._lock:
            api, stored = self._found(name)
            if hard:
                api.store.remove(stored)
            else:
                api.revise(stored, replace(stored, deleted=True), user)

    def clear(self) -> None:
        """Forget all services and all requests seen."""
        with self._lock:
            self.state.stores.clear()
            self.requests.clear()

    def _services(self, collection: str = "") -> ServiceApi:
        return ServiceApi(self.state, self.state.kind(collection))

    def _found(self, name: str, collection: str = "") -> tuple[ServiceApi, StoredService]:
        api = self._services(collection)
        if (stored := api.store.get(name)) is None:
            raise KeyError(name)
        return api, stored

    def _edited(
        self, api: ServiceApi, stored: StoredService, fields: Mapping[str, object], user: User
    ) -> StoredService:
        state = self.state
        known = document(stored, state.release, state.directory, state.release.relation_fields)
        wanted = {**known, **{name: _written_out(name, value) for name, value in fields.items()}}
        return api.rules(user).patched(stored, api.parser.read_service(wanted))


def _written_out(field: str, value: object) -> object:
    """A field as documents have it, from the short forms that a test may give."""
    if isinstance(value, (list, tuple)):
        return [_written_out(field, item) for item in value]
    if isinstance(value, Entry):
        return value.reference()
    if field == "tags" and isinstance(value, str):
        return {"tagFQN": value, "source": "Classification", "labelType": "Manual", "state": "Confirmed"}
    return value
