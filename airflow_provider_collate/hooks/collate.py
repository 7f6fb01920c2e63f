"""The hook: from an Airflow connection to the services of the server it names."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timezone
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal

from airflow import __version__ as airflow_version
from airflow.providers.common.compat.sdk import BaseHook
from pydantic import JsonValue

from airflow_provider_collate.client.client import CollateClient
from airflow_provider_collate.client.config import user_agent
from airflow_provider_collate.client.kinds import KINDS, ML_MODEL, ServiceKind
from airflow_provider_collate.client.services import PatchOperation, fqn_of
from airflow_provider_collate.client.token import read_claims
from airflow_provider_collate.client.tokens import TokenSource
from airflow_provider_collate.exceptions import (
    CollateError,
    InvalidConnectionError,
    InvalidDeclarationError,
    OutcomeError,
    StoppedError,
)
from airflow_provider_collate.hooks.boundary import fails_the_task, fails_the_task_while_iterating
from airflow_provider_collate.hooks.connection import CollateConnection, connection_secrets, parse_connection
from airflow_provider_collate.hooks.connection_form import connection_form_widgets, ui_field_behaviour
from airflow_provider_collate.hooks.credentials import resolve_services
from airflow_provider_collate.hooks.lookup import find_connection
from airflow_provider_collate.hooks.masking import keep_headers_out_of_traces, mask_secrets
from airflow_provider_collate.models import CreateServiceRequest, validate_services
from airflow_provider_collate.models.service import Service
from airflow_provider_collate.reconcile.options import IfExists, OnUnapplied, Prune, RunOptions
from airflow_provider_collate.reconcile.plan import Plan
from airflow_provider_collate.reconcile.removal import remove_service
from airflow_provider_collate.reconcile.report import Outcome, Report, RowResult
from airflow_provider_collate.reconcile.run import Reconciler
from airflow_provider_collate.reconcile.scope import PruneScope

if TYPE_CHECKING:
    from typing_extensions import Self

# Seconds for one request of the Test button: somebody waits for it, and proxies before Airflow give up after 60.
_LONGEST_TEST = 10.0
_ALL_FIELDS = ("domains", "owners", "tags")


class CollateHook(BaseHook):
    """Talk to the Collate or OpenMetadata server that an Airflow connection names.

    Nothing is looked up before the first call, so a hook may be made anywhere.

    :param collate_conn_id: id of an Airflow connection of type `collate`.
    :param timeout: seconds for one attempt of a request; None for the connection's own.
    :param max_retries: how often a request is tried again after a passing fault; None for the connection's own.
    """

    conn_name_attr = "collate_conn_id"
    default_conn_name = "collate_default"
    conn_type = "collate"
    hook_name = "Collate"

    def __init__(
        self,
        collate_conn_id: str = default_conn_name,
        *,
        timeout: float | str | None = None,
        max_retries: int | str | None = None,
    ) -> None:
        super().__init__()
        self.collate_conn_id = collate_conn_id
        self._timeout = timeout
        self._max_retries = max_retries
        self._client: CollateClient | None = None
        self._stopped = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @classmethod
    def get_connection_form_widgets(cls) -> dict[str, Any]:
        """Fields of the connection form on Airflow 2.11 to 3.1."""
        return connection_form_widgets()

    @classmethod
    def get_ui_field_behaviour(cls) -> dict[str, Any]:
        """Labels and placeholders of the connection form on Airflow 2.11 to 3.1."""
        return ui_field_behaviour()

    @fails_the_task
    def get_conn(self) -> CollateClient:
        """The client of the server, made at the first call.

        :raises AirflowFailException: when the connection is faulty or its token has expired.
        """
        return self._connect()

    def close(self) -> None:
        """Send nothing more and close all connections."""
        if self._client is not None:
            self._client.stop()
            self._client.close()
            self._client = None

    def stop(self) -> None:
        """Send nothing more, now and later; safe to call from a signal handler."""
        self._stopped = True
        if self._client is not None:
            self._client.stop()

    @fails_the_task
    def raise_if_stopped(self) -> None:
        """End what was told to stop as a failure that Airflow retries, whatever was done by then."""
        self._check_stopped()

    def test_connection(self) -> tuple[bool, str]:
        """Try the connection: who the token belongs to, and one service. For the form's Test button.

        :return: whether it works, and a sentence.
        """
        try:
            self.close()
            return True, self._try_connection()
        except CollateError as error:
            return False, _sentence(error)
        except Exception as error:  # noqa: BLE001 - the form shows what it gets; only the kind of it is safe to show
            return False, f"The connection could not be tried: {type(error).__name__}"
        finally:
            self.close()

    @fails_the_task
    def get_service(self, name: str, *, kind: str = ML_MODEL.collection) -> dict[str, JsonValue] | None:
        """A service by its name, or None. `GET /v1/services/{kind}/name/{fqn}`.

        :param name: the service's name.
        :param kind: collection of the kind of service.
        :return: its plain fields, owners, domains and tags; nothing of its connection.
        """
        services = self._connect().services(_kind(kind))
        service = services.by_name(_name(name), _ALL_FIELDS)
        return None if service is None else self._shown(service, _kind(kind))

    @fails_the_task_while_iterating
    def list_services(
        self,
        *,
        kind: str = ML_MODEL.collection,
        include: Literal["non-deleted", "deleted", "all"] = "non-deleted",
    ) -> Iterator[dict[str, JsonValue]]:
        """All services, page by page. `GET /v1/services/{kind}`.

        :param kind: collection of the kind of service.
        :param include: `non-deleted`, `deleted` or `all`.
        :return: the same fields as `get_service`.
        :raises AirflowFailException: when no retry can mend it; what a retry may mend is raised as it is.
        """
        for page in self._connect().services(_kind(kind)).pages(_ALL_FIELDS, include=include):
            for service in page.services:
                yield self._shown(service, _kind(kind))

    @fails_the_task
    def create_service(
        self,
        service: Mapping[str, object] | CreateServiceRequest,
        *,
        kind: str = ML_MODEL.collection,
        if_exists: IfExists = "fail",
        on_unapplied: OnUnapplied = "fail",
        rewrite_secrets: bool = False,
    ) -> dict[str, JsonValue]:
        """Create a service and look that it is there as declared. `POST /v1/services/{kind}`.

        :param service: the declaration, as for `CreateMlModelServiceOperator`.
        :param kind: collection of the kind of service.
        :param if_exists: what to do when the name is taken: `fail`, `ignore` or `update`.
        :param on_unapplied: what to do about fields that the catalog keeps: `fail`, `warn` or `enforce`.
        :param rewrite_secrets: write secrets that the catalog shows only masked, though nothing else differs.
        :return: the service and what happened, without its connection.
        :raises AirflowFailException: when no retry can mend it; what a retry may mend is raised as it is.
        """
        options = RunOptions(if_exists=if_exists, on_unapplied=on_unapplied, rewrite_secrets=rewrite_secrets)
        report = self._reconcile([service], options, _kind(kind), single=True)
        _raise_error_of(report)
        return report.rows[0].to_json()

    @fails_the_task
    def upsert_service(
        self,
        service: Mapping[str, object] | CreateServiceRequest,
        *,
        kind: str = ML_MODEL.collection,
        on_unapplied: OnUnapplied = "fail",
        rewrite_secrets: bool = False,
    ) -> dict[str, JsonValue]:
        """Create or change a service; what is as declared is not written, what is not mentioned not touched.

        Calls `POST /v1/services/{kind}` or `PATCH /v1/services/{kind}/{id}`, and reads again.

        :param service: the declaration.
        :param kind: collection of the kind of service.
        :param on_unapplied: what to do about fields that the catalog keeps: `fail`, `warn` or `enforce`.
        :param rewrite_secrets: write secrets that the catalog shows only masked, though nothing else differs.
        :return: the service and what happened, without its connection.
        :raises AirflowFailException: when no retry can mend it; what a retry may mend is raised as it is.
        """
        options = RunOptions(on_unapplied=on_unapplied, rewrite_secrets=rewrite_secrets)
        report = self._reconcile([service], options, _kind(kind), single=True)
        _raise_error_of(report)
        return report.rows[0].to_json()

    @fails_the_task
    def patch_service(
        self, name: str, operations: Sequence[Mapping[str, JsonValue]], *, kind: str = ML_MODEL.collection
    ) -> dict[str, JsonValue]:
        """Change a service by a JSON Patch of your own and read it again. `PATCH /v1/services/{kind}/{id}`.

        :param name: the service's name.
        :param operations: JSON Patch operations, e.g. `{"op": "add", "path": "/description", "value": "…"}`.
        :param kind: collection of the kind of service.
        :return: the service as the catalog shows it afterwards, as `get_service`.
        :raises AirflowFailException: when no retry can mend it; what a retry may mend is raised as it is.
        """
        patch = _patch(operations)
        mask_secrets(_texts(operation.value for operation in patch if operation.path.startswith("/connection")))
        services = self._connect().services(_kind(kind))
        service = _found(services.by_name(_name(name)), name, _kind(kind))
        services.patch(service.id, patch, list(_texts(operation.value for operation in patch)))
        return self._shown(_found(services.by_id(service.id, _ALL_FIELDS), name, _kind(kind)), _kind(kind))

    @fails_the_task
    def delete_service(
        self,
        name: str,
        *,
        kind: str = ML_MODEL.collection,
        hard_delete: bool = False,
        if_missing: Literal["ignore", "fail"] = "ignore",
    ) -> dict[str, JsonValue]:
        """Delete a service and look that it is gone. `DELETE /v1/services/{kind}/{id}`.

        :param name: the service's name.
        :param kind: collection of the kind of service.
        :param hard_delete: delete it for good, with all that belongs to it; else it can be restored.
        :param if_missing: what to do when there is no such service: `ignore` or `fail`.
        :return: the service and what happened: `deleted`, or `ignored` when there was none.
        :raises AirflowFailException: when no retry can mend it; what a retry may mend is raised as it is.
        """
        if if_missing not in ("ignore", "fail"):
            raise InvalidDeclarationError([f"if_missing: is {if_missing!r}, but must be 'ignore' or 'fail'"])
        _check_flag("hard_delete", hard_delete)
        of_kind = _kind(kind)
        _name(name)
        client = self._connect()
        result = remove_service(client, of_kind, name, hard=hard_delete)
        if result is None and if_missing == "fail":
            raise _missing(name, of_kind)
        return (result or _nothing_to_delete(client, of_kind, name)).to_json()

    @fails_the_task
    def restore_service(self, name: str, *, kind: str = ML_MODEL.collection) -> dict[str, JsonValue]:
        """Bring a soft-deleted service back and look that it is there. `PUT /v1/services/{kind}/restore`.

        :param name: the service's name.
        :param kind: collection of the kind of service.
        :return: the service as the catalog shows it afterwards, as `get_service`.
        :raises AirflowFailException: when no retry can mend it; what a retry may mend is raised as it is.
        """
        services = self._connect().services(_kind(kind))
        service = _found(services.by_name(_name(name), include="all"), name, _kind(kind))
        if service.deleted:
            services.restore(service.id)
        return self._shown(_found(services.by_id(service.id, _ALL_FIELDS), name, _kind(kind)), _kind(kind))

    @fails_the_task
    def bulk_upsert_services(
        self,
        services: Sequence[Mapping[str, object] | CreateServiceRequest],
        *,
        kind: str = ML_MODEL.collection,
        on_unapplied: OnUnapplied = "fail",
        rewrite_secrets: bool = False,
        chunk_size: int = 100,
        max_workers: int = 8,
    ) -> dict[str, JsonValue]:
        """Create or change many services; only what differs is written.

        Calls `PUT /v1/services/{kind}/bulk` or `POST /v1/services/{kind}` for new ones, and
        `PATCH /v1/services/{kind}/{id}` for what differs.

        :param services: the declarations.
        :param kind: collection of the kind of service.
        :param on_unapplied: what to do about fields that the catalog keeps: `fail`, `warn` or `enforce`.
        :param rewrite_secrets: write secrets that the catalog shows only masked, though nothing else differs.
        :param chunk_size: rows in one bulk request.
        :param max_workers: single writes in flight at once.
        :return: the report: counts, and details of at most 1,000 rows that are not unchanged.
        :raises AirflowFailException: when no retry can mend it; what a retry may mend is raised as it is.
        """
        options = RunOptions(
            on_unapplied=on_unapplied,
            rewrite_secrets=rewrite_secrets,
            chunk_size=chunk_size,
            max_workers=max_workers,
        )
        report = self._reconcile(services, options, _kind(kind))
        _raise_error_of(report)
        return report.to_json()

    @fails_the_task
    def sync_services(
        self,
        services: Sequence[Mapping[str, object] | CreateServiceRequest],
        *,
        kind: str = ML_MODEL.collection,
        prune: Prune | None = None,
        prune_scope: Mapping[str, str] | None = None,
        max_prune: int | str = "10%",
        allow_empty: bool = False,
        on_unapplied: OnUnapplied = "fail",
        rewrite_secrets: bool = False,
        chunk_size: int = 100,
        max_workers: int = 8,
    ) -> dict[str, JsonValue]:
        """Make the declaration the whole truth for the services in its scope.

        Calls what `bulk_upsert_services` calls, and `DELETE /v1/services/{kind}/{id}`.

        :param services: the declarations.
        :param kind: collection of the kind of service.
        :param prune: how to delete services in scope that are not declared: `soft` or `hard`; None deletes nothing.
        :param prune_scope: which services the declaration speaks for, e.g. `{"tag": "Team.ml"}`.
        :param max_prune: how many may go: a number, or a percentage of those in scope.
        :param allow_empty: whether an empty declaration may prune.
        :param on_unapplied: what to do about fields that the catalog keeps: `fail`, `warn` or `enforce`.
        :param rewrite_secrets: write secrets that the catalog shows only masked, though nothing else differs.
        :param chunk_size: rows in one bulk request.
        :param max_workers: single writes in flight at once.
        :return: the report, as for `bulk_upsert_services`.
        :raises AirflowFailException: when no retry can mend it; what a retry may mend is raised as it is.
        """
        options = self.run_options(
            on_unapplied=on_unapplied,
            rewrite_secrets=rewrite_secrets,
            chunk_size=chunk_size,
            max_workers=max_workers,
            prune=prune,
            prune_scope=prune_scope,
            max_prune=max_prune,
            allow_empty=allow_empty,
        )
        report = self._reconcile(services, options, _kind(kind))
        _raise_error_of(report)
        return report.to_json()

    @fails_the_task
    def run_options(
        self, *, prune_scope: Mapping[str, str] | None = None, plan_only: bool = False, **options: Any
    ) -> RunOptions:
        """Check the options of a run.

        :param prune_scope: the scope as plain data.
        :param plan_only: whether the run is only to be planned; checked here, and not an option of the run.
        :param options: the other fields of `RunOptions`.
        :raises AirflowFailException: naming each option that is not one.
        """
        _check_flag("plan_only", plan_only)
        scope = None if prune_scope is None else PruneScope.parse(prune_scope)
        return RunOptions(prune_scope=scope, **options)

    @fails_the_task
    def plan(
        self,
        services: Sequence[object],
        options: RunOptions,
        *,
        kind: str = ML_MODEL.collection,
        single: bool = False,
    ) -> Plan:
        """Say what `reconcile` would do; writes nothing.

        :param services: the declarations.
        :param options: as for `reconcile`.
        :param kind: collection of the kind of service.
        :param single: messages speak of the one service instead of `services[0]`.
        :raises AirflowFailException: when no retry can mend it; what a retry may mend is raised as it is.
        """
        requests = self._validated(services, _kind(kind), single)
        return Reconciler(self._connect(), _kind(kind), options).plan(requests)

    @fails_the_task
    def reconcile(
        self,
        services: Sequence[object],
        options: RunOptions,
        *,
        kind: str = ML_MODEL.collection,
        single: bool = False,
    ) -> Report:
        """Make the catalog as declared and say what came of each row; rows that failed do not raise here.

        :param services: the declarations.
        :param options: how the run treats what it finds.
        :param kind: collection of the kind of service.
        :param single: messages speak of the one service instead of `services[0]`.
        :raises AirflowFailException: when no retry can mend it; what a retry may mend is raised as it is.
        """
        return self._reconcile(services, options, _kind(kind), single=single)

    @fails_the_task
    def list_page(self, *, kind: str = ML_MODEL.collection) -> str:
        """The UI's page of all services of a kind."""
        return self._connect().list_page(_kind(kind))

    @fails_the_task
    def raise_error_of(self, report: Report) -> None:
        """Fail the task if the catalog is not as declared; retryable if any of the failed rows is."""
        _raise_error_of(report)

    def _reconcile(
        self, services: Sequence[object], options: RunOptions, kind: ServiceKind, *, single: bool = False
    ) -> Report:
        requests = self._validated(services, kind, single)
        return Reconciler(self._connect(), kind, options).run(requests)

    def _validated(self, services: Sequence[object], kind: ServiceKind, single: bool) -> Sequence[CreateServiceRequest]:
        """Resolve `conn_id`s, check every row, and have all secrets masked before anything can print them.

        :raises AirflowFailException: when no retry can mend it; what a retry may mend is raised as it is.
        """
        rows: Any = services
        if isinstance(rows, Iterable) and not isinstance(rows, str | bytes | Mapping):
            rows, secrets = resolve_services(list(rows), self.get_connection, single=single)
            mask_secrets(secrets)
        validated = validate_services(rows, model=kind.request_model, single=single)
        mask_secrets(secret for service in validated.services for secret in service.secrets())
        for warning in validated.warnings:
            self.log.warning("%s", warning)
        return validated.services

    def _check_stopped(self) -> None:
        if self._stopped:
            raise StoppedError("The task was told to stop; no further request was sent")

    def _connect(self, *, patient: bool = True) -> CollateClient:
        self._check_stopped()
        if self._client is None:
            keep_headers_out_of_traces()
            connection = self._read_connection(now=datetime.now(timezone.utc))
            for warning in connection.warnings:
                self.log.warning("%s", warning)
            _quieten_httpx()
            config = replace(connection.config, user_agent=user_agent(airflow_version))
            if not patient:
                config = replace(config, timeout=min(config.timeout, _LONGEST_TEST), max_retries=0)
            self._client = CollateClient(config, TokenSource(self._read_token))
            self._check_stopped()
        return self._client

    def _read_connection(self, *, now: datetime | None = None) -> CollateConnection:
        conn = find_connection(self.collate_conn_id, self.get_connection)
        if conn is None:
            raise InvalidConnectionError(
                [f'there is no Airflow connection "{self.collate_conn_id}"'],
                advice="Add it under Admin > Connections, type Collate, or name another by collate_conn_id.",
            )
        mask_secrets(connection_secrets(conn))
        return parse_connection(conn, timeout=self._timeout, max_retries=self._max_retries, now=now)

    def _read_token(self) -> str:
        return self._read_connection().token

    def _try_connection(self) -> str:
        client = self._connect(patient=False)
        identity = client.identity()
        client.services(ML_MODEL).page(limit=1)
        kind = "bot" if identity.is_bot else "person"
        return f"Connected to Collate {client.release().text} as {identity.name} ({kind}, {self._lifetime()})"

    def _lifetime(self) -> str:
        claims = read_claims(self._read_token())
        return "token is no JWT" if claims is None else f"token {claims.lifetime}"

    def _shown(self, service: Service, kind: ServiceKind) -> dict[str, JsonValue]:
        return {
            "id": service.id,
            "name": service.name,
            "fullyQualifiedName": service.fully_qualified_name or fqn_of(service.name),
            "serviceType": service.service_type,
            "displayName": service.display_name,
            "description": service.description,
            "version": service.version,
            "deleted": service.deleted,
            "tags": [tag.tag_fqn for tag in service.tags or ()],
            "owners": [{"id": owner.id, "type": owner.type, "name": owner.name} for owner in service.owners or ()],
            "domains": [domain.label for domain in service.domains or ()],
            "url": self._connect().page_of(kind, service.name),
        }


def _quieten_httpx() -> None:
    """Airflow 3 keeps httpx's line for each request out of the task's log; Airflow 2.11 does not."""
    logger = logging.getLogger("httpx")
    if logger.level == logging.NOTSET:
        logger.setLevel(logging.WARNING)


def _sentence(error: CollateError) -> str:
    """An error on one line: the form shows no line breaks."""
    said = "; ".join(error.problems) if isinstance(error, InvalidConnectionError) else error.message
    end = "" if said.endswith((".", "?")) else "."
    return f"{said}{end} {error.advice}".rstrip()


def _kind(name: str) -> ServiceKind:
    if name not in KINDS:
        raise InvalidDeclarationError([f"kind: is {name!r}, but must be one of {', '.join(KINDS)}"])
    return KINDS[name]


def _raise_error_of(report: Report) -> None:
    error = report.error()
    if error is not None:
        raise error


def _name(name: object) -> str:
    """A name that can be looked for; an empty one would ask for the list instead."""
    if not isinstance(name, str) or not name.strip():
        raise InvalidDeclarationError(["name: must be a text that is not empty"])
    return name


def _check_flag(parameter: str, value: object) -> None:
    """Refuse what Python would take for true or false by itself, such as the text `"false"`."""
    if not isinstance(value, bool):
        raise InvalidDeclarationError([f"{parameter}: must be True or False, not {type(value).__name__}"])


def _patch(operations: Sequence[Mapping[str, JsonValue]]) -> list[PatchOperation]:
    """The operations of a caller's own patch."""
    if not operations or isinstance(operations, str | Mapping):
        raise InvalidDeclarationError(["operations: must be a list that is not empty"])
    problems = [
        f"operations[{number}]: needs an op (add, remove, replace or test) and a path"
        for number, given in enumerate(operations)
        if not _is_operation(given)
    ]
    if problems:
        raise InvalidDeclarationError(problems)
    return [PatchOperation(str(given["op"]), str(given["path"]), given.get("value")) for given in operations]


def _is_operation(given: object) -> bool:
    if not isinstance(given, Mapping):
        return False
    return given.get("op") in ("add", "remove", "replace", "test") and isinstance(given.get("path"), str)


def _texts(values: Iterable[JsonValue]) -> Iterator[str]:
    """All texts in a patch of the caller's own: any of them may be a secret, so none may come back in a message."""
    for value in values:
        if isinstance(value, str):
            yield value
        elif isinstance(value, dict):
            yield from _texts(value.values())
        elif isinstance(value, list):
            yield from _texts(value)


def _found(service: Service | None, name: str, kind: ServiceKind) -> Service:
    if service is None:
        raise _missing(name, kind)
    return service


def _missing(name: str, kind: ServiceKind) -> OutcomeError:
    return OutcomeError(
        f"There is no {kind.label} named {name!r}",
        advice="Check the name; case and blanks at its ends matter.",
    )


def _nothing_to_delete(client: CollateClient, kind: ServiceKind, name: str) -> RowResult:
    return RowResult(
        row=None,
        name=name,
        outcome=Outcome.IGNORED,
        fqn=fqn_of(name),
        service_type="",
        url=client.list_page(kind),
    )
