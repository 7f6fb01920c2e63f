"""The hook: from an Airflow connection to the services of the server it names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, Literal

from airflow import __version__ as airflow_version
from airflow.providers.common.compat.sdk import BaseHook
from pydantic import JsonValue

from airflow_provider_collate.client.client import CollateClient
from airflow_provider_collate.client.config import user_agent
from airflow_provider_collate.client.patches import parse_patch, texts_of
from airflow_provider_collate.client.services import fqn_of
from airflow_provider_collate.client.token_claims import read_claims
from airflow_provider_collate.exceptions import (
    CollateError,
    InvalidConnectionError,
    InvalidDeclarationError,
    OutcomeError,
    StoppedError,
)
from airflow_provider_collate.files.path import ServicesPath
from airflow_provider_collate.hooks.boundary import fails_the_task, fails_the_task_while_iterating
from airflow_provider_collate.hooks.connection import CollateConnection, read_connection
from airflow_provider_collate.hooks.connection_form import connection_form_widgets, ui_field_behaviour
from airflow_provider_collate.hooks.declarations import read_declarations
from airflow_provider_collate.hooks.masking import mask_secrets, quieten_http_logs
from airflow_provider_collate.kinds import ServiceKind, find_kind
from airflow_provider_collate.models.request import CreateServiceRequest
from airflow_provider_collate.models.service import Service
from airflow_provider_collate.models.validation import ValidatedServices
from airflow_provider_collate.reconcile.engine import Reconciler
from airflow_provider_collate.reconcile.options import DeleteOptions, RunOptions
from airflow_provider_collate.reconcile.plan import Plan
from airflow_provider_collate.reconcile.report import Outcome, Report
from airflow_provider_collate.reconcile.single_service import SHOWN_FIELDS, delete_service, patch_service, shown_service
from airflow_provider_collate.reconcile.waiting import Verdict, look

if TYPE_CHECKING:
    from typing_extensions import Self

ML_MODEL_SERVICES = "mlmodelServices"

# Seconds for one request of the Test button: somebody waits for it, and proxies before Airflow give up after 60.
_LONGEST_TEST = 10.0
Declaration = Mapping[str, object] | CreateServiceRequest


class CollateHook(BaseHook):
    """Talk to the Collate or OpenMetadata server that an Airflow connection names.

    Nothing is looked up before the first call, so a hook may be made anywhere. Every method raises
    AirflowFailException for a non-retryable error, and a retryable one as it is. `kind` is the collection of the kind
    of service; `options` are those of the operators, by their names.

    :param collate_conn_id: id of an Airflow connection of type `collate`.
    :param request_timeout: seconds for one attempt of a request; None for the connection's own.
    :param request_retries: how often a request is tried again after a transient error; None for the connection's own.
    """

    conn_name_attr = "collate_conn_id"
    default_conn_name = "collate_default"
    conn_type = "collate"
    hook_name = "Collate"

    def __init__(
        self,
        collate_conn_id: str = default_conn_name,
        *,
        request_timeout: float | str | None = None,
        request_retries: int | str | None = None,
    ) -> None:
        super().__init__()
        self.collate_conn_id = collate_conn_id
        self._request_timeout = request_timeout
        self._request_retries = request_retries
        self._client: CollateClient | None = None
        self._stopped = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self.close()
        if kind is None:
            self._check_stopped()

    @classmethod
    def get_connection_form_widgets(cls) -> dict[str, Any]:
        """Return the fields of the connection form on Airflow 2.11 to 3.1."""
        return connection_form_widgets()

    @classmethod
    def get_ui_field_behaviour(cls) -> dict[str, Any]:
        """Return labels and placeholders of the connection form on Airflow 2.11 to 3.1."""
        return ui_field_behaviour()

    @fails_the_task
    def get_conn(self) -> CollateClient:
        """Return the client of the server, made at the first call."""
        return self._connect()

    def close(self) -> None:
        """Send nothing more and close all connections; a later call opens them again."""
        if self._client is not None:
            self._client.stop()
            self._client.close()
            self._client = None

    def stop(self) -> None:
        """Send nothing more, now and later; safe to call from a signal handler.

        A `with` block of the hook then ends with a StoppedError, which Airflow retries.
        """
        self._stopped = True
        if self._client is not None:
            self._client.stop()

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
    def get_service(self, name: str, *, kind: str = ML_MODEL_SERVICES) -> dict[str, JsonValue] | None:
        """Return a service by its name, or None. `GET /v1/services/{kind}/name/{fqn}`.

        :param name: the service's name.
        :return: its plain fields, owners, domains and tags; nothing of its connection.
        """
        of_kind = find_kind(kind)
        service = self._connect().services(of_kind).by_name(_name(name), SHOWN_FIELDS)
        return None if service is None else self._shown(service, of_kind)

    @fails_the_task_while_iterating
    def list_services(
        self, *, kind: str = ML_MODEL_SERVICES, include: Literal["non-deleted", "deleted", "all"] = "non-deleted"
    ) -> Iterator[dict[str, JsonValue]]:
        """Yield all services, page by page. `GET /v1/services/{kind}`.

        :param include: `non-deleted`, `deleted` or `all`.
        :return: the same fields as `get_service`.
        """
        of_kind = find_kind(kind)
        for page in self._connect().services(of_kind).pages(SHOWN_FIELDS, include=include):
            for service in page.services:
                yield self._shown(service, of_kind)

    @fails_the_task
    def plan(self, services: object, *, kind: str = ML_MODEL_SERVICES, single: bool = False, **options: object) -> Plan:
        """Return what `reconcile` would do; writes nothing.

        :param services: as for `reconcile`.
        :param single: as for `reconcile`.
        """
        checked, of_kind = RunOptions.parse(options), find_kind(kind)
        declared = self._declared(services, of_kind, single)
        reconciler = Reconciler(self._connect(), of_kind, checked)
        plan = reconciler.plan(declared.services, declared.unfinished)
        if checked.fail_on_changes and (drift := plan.drift()):
            raise drift
        return plan

    @fails_the_task
    def reconcile(
        self, services: object, *, kind: str = ML_MODEL_SERVICES, single: bool = False, **options: object
    ) -> Report:
        """Make the catalog as declared and return what came of each row; rows that failed do not raise here.

        Calls `POST /v1/services/{kind}` or `PUT /v1/services/{kind}/bulk` for new services,
        `PATCH /v1/services/{kind}/{id}` for what differs, and `DELETE /v1/services/{kind}/{id}` to prune.

        :param services: the declarations, their JSON text, or a `ServicesPath` that says which files have them; as for
            `BulkUpsertMlModelServicesOperator`.
        :param single: whether messages speak of the one service instead of `services[0]`.
        """
        checked, of_kind = RunOptions.parse(options), find_kind(kind)
        declared = self._declared(services, of_kind, single)
        reconciler = Reconciler(self._connect(), of_kind, checked)
        return reconciler.run(declared.services, declared.unfinished)

    @fails_the_task
    def create_service(
        self, service: Declaration, *, kind: str = ML_MODEL_SERVICES, **options: object
    ) -> dict[str, JsonValue]:
        """Create a service, and fail if it exists; `reconcile` with `if_exists="fail"`.

        :param service: the declaration.
        :return: the service and what happened, without its connection.
        """
        return self._reconciled([service], kind, {"if_exists": "fail", **options}, single=True).rows[0].to_json()

    @fails_the_task
    def upsert_service(
        self, service: Declaration, *, kind: str = ML_MODEL_SERVICES, **options: object
    ) -> dict[str, JsonValue]:
        """Create or change a service, and fail if the catalog is not as declared; `reconcile` of one.

        :param service: the declaration.
        :return: the service and what happened, without its connection.
        """
        return self._reconciled([service], kind, options, single=True).rows[0].to_json()

    @fails_the_task
    def bulk_upsert_services(
        self, services: Sequence[Declaration] | ServicesPath | str, *, kind: str = ML_MODEL_SERVICES, **options: object
    ) -> dict[str, JsonValue]:
        """Create or change many services, and fail if the catalog is not as declared; `reconcile` of many.

        :param services: the declarations.
        :return: the report: counts, and details of at most 1,000 rows that are not unchanged.
        """
        return self._reconciled(services, kind, options).to_json()

    @fails_the_task
    def sync_services(
        self, services: Sequence[Declaration] | ServicesPath | str, *, kind: str = ML_MODEL_SERVICES, **options: object
    ) -> dict[str, JsonValue]:
        """Do as `bulk_upsert_services`, and delete what is in scope and not declared by `prune` and `prune_scope`.

        :param services: the declarations.
        :return: the report, as for `bulk_upsert_services`.
        """
        return self._reconciled(services, kind, options).to_json()

    @fails_the_task
    def patch_service(
        self, name: str, operations: Sequence[Mapping[str, JsonValue]], *, kind: str = ML_MODEL_SERVICES
    ) -> dict[str, JsonValue]:
        """Change a service by a JSON Patch of your own and read it again. `PATCH /v1/services/{kind}/{id}`.

        It is sent with a guard: if somebody edits the service after it was read, nothing is written.

        :param name: the service's name.
        :param operations: JSON Patch operations, e.g. `{"op": "add", "path": "/description", "value": "…"}`.
        :return: the service as the catalog shows it afterwards, as `get_service`.
        """
        patch, of_kind = parse_patch(operations), find_kind(kind)
        mask_secrets(texts_of(patch, below="/connection"))
        client = self._connect()
        service = _found(client.services(of_kind).by_name(_name(name)), name, of_kind)
        return self._shown(_found(patch_service(client, of_kind, service, patch), name, of_kind), of_kind)

    @fails_the_task
    def delete_service(self, name: str, *, kind: str = ML_MODEL_SERVICES, **options: object) -> dict[str, JsonValue]:
        """Delete a service and check that it is gone. `DELETE /v1/services/{kind}/{id}`.

        :param name: the service's name.
        :param options: `hard_delete` and `if_missing`, as for `DeleteMlModelServiceOperator`.
        :return: the service and what happened: `deleted`, or `ignored` when there was none.
        """
        checked, of_kind = DeleteOptions.parse(options), find_kind(kind)
        result = delete_service(self._connect(), of_kind, _name(name), hard=checked.hard_delete)
        if result.outcome is Outcome.IGNORED and checked.if_missing == "fail":
            raise _missing(name, of_kind)
        return result.to_json()

    @fails_the_task
    def restore_service(self, name: str, *, kind: str = ML_MODEL_SERVICES) -> dict[str, JsonValue]:
        """Bring a soft-deleted service back and check that it is there. `PUT /v1/services/{kind}/restore`.

        :param name: the service's name.
        :return: the service as the catalog shows it afterwards, as `get_service`.
        """
        of_kind = find_kind(kind)
        services = self._connect().services(of_kind)
        service = _found(services.by_name(_name(name), include="all"), name, of_kind)
        if service.deleted:
            services.restore(service.id)
        return self._shown(_found(services.by_id(service.id, SHOWN_FIELDS), name, of_kind), of_kind)

    def _declared(self, services: object, kind: ServiceKind, single: bool) -> ValidatedServices:
        validated = read_declarations(services, kind, self.get_connection, single=single)
        for warning in validated.warnings:
            self.log.warning("%s", warning)
        return validated

    def _reconciled(self, services: object, kind: str, options: Mapping[str, object], single: bool = False) -> Report:
        report = self.reconcile(services, kind=kind, single=single, **options)
        if error := report.error():
            raise error
        return report

    def _check_stopped(self) -> None:
        if self._stopped:
            raise StoppedError

    def _connect(self, *, for_test: bool = False) -> CollateClient:
        self._check_stopped()
        if self._client is None:
            quieten_http_logs()
            connection = self._read_connection(now=datetime.now(timezone.utc))
            for warning in connection.warnings:
                self.log.warning("%s", warning)
            config = replace(connection.config, user_agent=user_agent(airflow_version))
            if for_test:
                config = replace(config, timeout=min(config.timeout, _LONGEST_TEST), max_retries=0)
            self._client = CollateClient(config, self._read_token, token=connection.token)
            self._check_stopped()
        return self._client

    def _read_connection(self, *, now: datetime | None = None) -> CollateConnection:
        instead = {"request_timeout": self._request_timeout, "request_retries": self._request_retries}
        return read_connection(self.collate_conn_id, self.get_connection, now=now, **instead)

    def _read_token(self) -> str:
        return self._read_connection().token

    def _try_connection(self) -> str:
        client = self._connect(for_test=True)
        identity = client.identity()
        client.services(find_kind(ML_MODEL_SERVICES)).page(limit=1)
        who = "bot" if identity.is_bot else "person"
        lifetime = claims.lifetime if (claims := read_claims(self._read_token())) else "is not a JWT"
        return f"Connected to Collate {client.release().text} as {identity.name} ({who}, token {lifetime})"

    def _shown(self, service: Service, kind: ServiceKind) -> dict[str, JsonValue]:
        return shown_service(service, self._connect().page_of(kind, fqn_of(service.name)))


def look_by(hook: CollateHook, kind: str, name: object, fields: object) -> Verdict:
    """Look once for the service that a sensor or a trigger waits for; the connection is read when it is needed.

    :param name: as for `look`.
    :param fields: as for `look`.
    :raises InvalidDeclarationError: before anything is read.
    :raises CollateError: when no later look can succeed.
    """

    def email_of(user_id: str) -> str:
        return hook.get_conn().directory.email_of(user_id)

    return look(lambda wanted: hook.get_service(wanted, kind=kind), name, fields, email_of=email_of)


def _sentence(error: CollateError) -> str:
    """Return an error on one line: the form shows no line breaks."""
    text = "; ".join(error.problems) if isinstance(error, InvalidConnectionError) else error.message
    end = "" if text.endswith((".", "?")) else "."
    return f"{text}{end} {error.advice}".rstrip()


def _name(name: object) -> str:
    """Return a name that can be looked for; an empty one would ask for the list instead."""
    if not isinstance(name, str) or not name.strip():
        raise InvalidDeclarationError(["name: must be a text that is not empty"])
    return name


def _found(service: Service | None, name: str, kind: ServiceKind) -> Service:
    if service is None:
        raise _missing(name, kind)
    return service


def _missing(name: str, kind: ServiceKind) -> OutcomeError:
    return OutcomeError(
        f"There is no {kind.label} named {name!r}", advice="Check the name; case and blanks at its ends matter."
    )
