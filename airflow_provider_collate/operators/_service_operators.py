"""The operators on services, for any kind: a subclass names its kind."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from airflow import __version__ as airflow_version
from airflow.providers.common.compat.sdk import Asset, AssetAlias

from airflow_provider_collate.exceptions import InvalidDeclarationError
from airflow_provider_collate.files.path import ServicesPath
from airflow_provider_collate.hooks.boundary import fails_the_task
from airflow_provider_collate.operators._collate_task import CollateTask
from airflow_provider_collate.operators._template_fields import is_template, to_plain, unwrapped
from airflow_provider_collate.reconcile.options import (
    OFF,
    PRUNE_OPTIONS,
    DeleteOptions,
    IfExists,
    IfMissing,
    OnConflict,
    Prune,
    RunOptions,
)

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context
    from pydantic import JsonValue

    from airflow_provider_collate.hooks.collate import CollateHook
    from airflow_provider_collate.reconcile.report import Report, RowResult

MOST_ASSET_EVENTS = 100
_HAS_ASSETS = int(airflow_version.split(".", maxsplit=1)[0]) >= 3


class _NotGiven:
    def __repr__(self) -> str:
        return "<not given>"


_NOT_GIVEN: Any = _NotGiven()


class ServiceOperator(CollateTask):
    """Base of the operators on services of one kind.

    :raises AirflowFailException: for a non-retryable error; the original is its `__cause__`.
    """

    @fails_the_task
    def execute(self, context: Context) -> dict[str, JsonValue]:
        """Do the work; a task that was told to stop ends as a failure that Airflow retries."""
        self._warn_of_secrets()
        with self._make_hook() as hook:
            return self._run(hook, context)

    @abstractmethod
    def _run(self, hook: CollateHook, context: Context) -> dict[str, JsonValue]:
        """Do the operator's own work.

        No frame outside of the hook may hold declared services in a variable: an error's traceback shows frames.
        """


class ReconcileOperator(ServiceOperator):
    """Base of the operators that declare services."""

    option_names: Sequence[str] = ("on_conflict", "rewrite_secrets", "plan_only", "fail_on_changes")
    _is_single = False
    """Whether the task is about one service, so that messages need no row numbers."""

    def __init__(
        self,
        *,
        on_conflict: OnConflict = "fail",
        rewrite_secrets: bool | str | None = None,
        plan_only: bool | str = False,
        fail_on_changes: bool | str = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            on_conflict=on_conflict,
            rewrite_secrets=rewrite_secrets,
            plan_only=plan_only,
            fail_on_changes=fail_on_changes,
            **kwargs,
        )

    @abstractmethod
    def _declared(self) -> object:
        """Return the declared services."""

    @abstractmethod
    def _returned(self, report: Report) -> dict[str, JsonValue]:
        """Return the task's result."""

    def _run(self, hook: CollateHook, context: Context) -> dict[str, JsonValue]:
        """Make the catalog as declared; push the report, and only then fail if there is a reason to."""
        is_retry = int(context["ti"].try_number or 1) > 1
        options = {**self._options(), "created_since": context["dag_run"].start_date if is_retry else None}
        if RunOptions.parse(options).plan_only:
            return self._plan(hook, options)
        report = hook.reconcile(self._declared(), kind=self.kind, single=self._is_single, **options)
        if self.do_xcom_push:
            context["ti"].xcom_push(key="report", value=report.to_json())
        if error := report.error():
            raise error
        self._add_asset_events(context, report)
        return self._returned(report)

    def _plan(self, hook: CollateHook, options: Mapping[str, object]) -> dict[str, JsonValue]:
        from airflow_provider_collate.kinds import find_kind

        plan = hook.plan(self._declared(), kind=self.kind, single=self._is_single, **options)
        is_refused = plan.refusal is not None
        self.log.info("Plan, nothing is written%s:\n%s", "; a run would be refused" if is_refused else "", plan.text())
        return plan.to_json(hook.get_conn().list_page(find_kind(self.kind)))

    def _add_asset_events(self, context: Context, report: Report) -> None:
        """Tell other DAGs what changed, through the aliases among this task's outlets (Airflow 3)."""
        aliases = [outlet for outlet in self.outlets or () if isinstance(outlet, AssetAlias)]
        if not aliases or not _HAS_ASSETS:
            return
        host = urlsplit(report.url).netloc
        assets = [(row, self._asset_of(row, host)) for row in report.changed]
        named = [(row, asset) for row, asset in assets if asset is not None]
        for row, asset in named[:MOST_ASSET_EVENTS]:
            for alias in aliases:
                context["outlet_events"][alias].add(asset, extra={"outcome": row.outcome.value, "name": row.name})
        if unnamed := len(assets) - len(named):
            self.log.warning("%d services that changed have names too long for an asset, and no event is made", unnamed)
        if len(named) > MOST_ASSET_EVENTS:
            rest = len(named) - MOST_ASSET_EVENTS
            self.log.info("%d more services changed than asset events are made for in one run", rest)

    def _asset_of(self, row: RowResult, host: str) -> Asset | None:
        """Return a service's asset, or None where Airflow refuses its URI: encoded, a name can be 12 times as long."""
        try:
            return Asset(f"collate://{host}/{self.kind}/{quote(row.fqn, safe='')}")
        except ValueError:
            return None


class CreateServiceOperator(ReconcileOperator):
    """Register one service.

    :param name: the service's name, 1 to 256 characters without `::` (older servers take fewer).
    :param service_type: the service's type, as documented for its kind.
    :param connection: `{"config": {…}}`, a connection model, or `{"conn_id": "…"}` for an Airflow connection
        that is read when the task runs; None sends none.
    :param display_name: the name people see.
    :param description: Markdown.
    :param owners: names of users and teams, such as `"ana@acme.example"` or `"team:ml-platform"`, or references
        `{"id": …, "type": "user" | "team"}`; the whole list.
    :param domains: fully qualified names of domains; the whole list.
    :param domain: a single domain; not together with `domains`.
    :param data_products: fully qualified names of data products; the whole list.
    :param tags: fully qualified names of tags such as `"Tier.Tier1"` or `"glossary:Business.Churn"`, or whole tag
        labels; tags that people set stay beside them.
    :param style: `{"color": "#…", "iconURL": "…"}`, how the UI shows the service.
    :return: id, name, fullyQualifiedName, serviceType, version, url and outcome; under `plan_only` the plan
        (`has_changes`, `refused`, `counts`, `text`, `markdown`, `fingerprint`, `url`).
    """

    option_names: Sequence[str] = ("if_exists", *ReconcileOperator.option_names)
    template_fields: Sequence[str] = (
        "name", "service_type", "connection", "display_name", "description", "owners", "domains", "domain",
        "data_products", "tags", "style", *option_names, *CollateTask.connection_params,
    )  # fmt: skip
    connection_fields: Mapping[str, bool] = {"connection": True}
    _is_single = True

    def __init__(
        self,
        *,
        name: str,
        service_type: str,
        connection: object,
        display_name: str | None = _NOT_GIVEN,
        description: str | None = _NOT_GIVEN,
        owners: Sequence[str | Mapping[str, str]] | None = _NOT_GIVEN,
        domains: Sequence[str] | None = _NOT_GIVEN,
        domain: str | None = _NOT_GIVEN,
        data_products: Sequence[str] | None = _NOT_GIVEN,
        tags: Sequence[str | Mapping[str, str]] | None = _NOT_GIVEN,
        style: Mapping[str, str] | None = _NOT_GIVEN,
        if_exists: IfExists = "fail",
        **kwargs: Any,
    ) -> None:
        super().__init__(if_exists=if_exists, **kwargs)
        self.name = name
        self.service_type = service_type
        self.connection = to_plain(connection, is_connection=True)
        optional = {
            "display_name": display_name,
            "description": description,
            "owners": owners,
            "domains": domains,
            "domain": domain,
            "data_products": data_products,
            "tags": tags,
            "style": style,
        }
        self._given = tuple(field for field, value in optional.items() if value is not _NOT_GIVEN)
        for field, value in optional.items():
            setattr(self, field, None if value is _NOT_GIVEN else to_plain(value))

    def _declared(self) -> list[object]:
        fields = ("name", "service_type", "connection", *self._given)
        return [{field: unwrapped(getattr(self, field)) for field in fields}]

    def _returned(self, report: Report) -> dict[str, JsonValue]:
        return report.rows[0].to_json()


class BulkUpsertServicesOperator(ReconcileOperator):
    """Register or change many services.

    :param services: a list of mappings or models, the output of an upstream task, or any of these as JSON text; rows
        as for one service, in camelCase as documented or in snake_case. Exactly one of it and `services_path` is given.
    :param services_path: a file that has the declarations, or a glob such as `s3://bucket/services/*.yaml`: YAML, JSON
        or JSON Lines by suffix, local or wherever Airflow's ObjectStoragePath reaches. Nothing in it is a template.
    :param services_conn_id: the Airflow connection by which a path with a scheme is read.
    :return: the report: counts in full, details of at most 20 rows that are not unchanged. With at most 1,000 of them
        it is pushed as XCom `report`, also when the task fails. Under `plan_only` the plan (`has_changes`,
        `refused`, `counts`, `text`, `markdown`, `fingerprint`, `url`).
    """

    option_names: Sequence[str] = (*ReconcileOperator.option_names, "chunk_size", "max_workers", "approved_plan")
    declared_by: Sequence[str] = ("services", "services_path", "services_conn_id")
    template_fields: Sequence[str] = (*declared_by, *option_names, *CollateTask.connection_params)
    connection_fields: Mapping[str, bool] = {"services": False}

    def __init__(
        self,
        *,
        services: object = _NOT_GIVEN,
        services_path: str | None = None,
        services_conn_id: str | None = None,
        chunk_size: int | str = 100,
        max_workers: int | str = 8,
        approved_plan: str = _NOT_GIVEN,
        **kwargs: Any,
    ) -> None:
        self._needs_approval = approved_plan is not _NOT_GIVEN
        approved = (approved_plan or "") if self._needs_approval else None
        super().__init__(chunk_size=chunk_size, max_workers=max_workers, approved_plan=approved, **kwargs)
        self.services = None if services is _NOT_GIVEN else to_plain(services)
        self.services_path = services_path
        self.services_conn_id = services_conn_id
        self._check_declared(has_services=services is not _NOT_GIVEN)

    def _options(self) -> dict[str, object]:
        options = super()._options()
        # A template that renders to None must not mean that nothing needs to be approved.
        return {**options, "approved_plan": options["approved_plan"] or ""} if self._needs_approval else options

    @fails_the_task
    def _check_declared(self, *, has_services: bool) -> None:
        if has_services is (self.services_path is not None):
            raise InvalidDeclarationError(["services, services_path: exactly one of them must be given"])
        if self.services_conn_id and self.services_path is None:
            raise InvalidDeclarationError(["services_conn_id: reads nothing without services_path"])

    def _declared(self) -> object:
        if self.services_path is None:
            return unwrapped(self.services)
        return ServicesPath(str(self.services_path), self.services_conn_id or None)

    def _returned(self, report: Report) -> dict[str, JsonValue]:
        return report.shortened()


class SyncServicesOperator(BulkUpsertServicesOperator):
    """Register or change many services, and delete those in scope that are not declared."""

    option_names: Sequence[str] = (
        *BulkUpsertServicesOperator.option_names, "prune", "prune_scope", "max_prune", "allow_empty",
    )  # fmt: skip
    template_fields: Sequence[str] = (
        *BulkUpsertServicesOperator.declared_by, *option_names, *CollateTask.connection_params,
    )  # fmt: skip

    def __init__(
        self,
        *,
        prune: Prune | str | None = None,
        prune_scope: Mapping[str, str] | None = None,
        max_prune: int | str = "10%",
        allow_empty: bool | str = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(prune=prune, prune_scope=prune_scope, max_prune=max_prune, allow_empty=allow_empty, **kwargs)
        self._may_switch_off = is_template(prune)

    def _options(self) -> dict[str, object]:
        options = super()._options()
        if not self._may_switch_off or options["prune"] not in OFF:
            return options
        # A template has switched pruning off; what it would have been limited by may stay in the DAG.
        return {name: value for name, value in options.items() if name not in PRUNE_OPTIONS}


class DeleteServiceOperator(ServiceOperator):
    """Delete one service.

    :param name: the service's name.
    :return: id, name, fullyQualifiedName, serviceType, version, url and outcome (`deleted` or `ignored`).
    """

    options_class = DeleteOptions
    option_names: Sequence[str] = ("hard_delete", "if_missing")
    template_fields: Sequence[str] = ("name", *option_names, *CollateTask.connection_params)

    def __init__(
        self, *, name: str, hard_delete: bool | str = False, if_missing: IfMissing = "ignore", **kwargs: Any
    ) -> None:
        super().__init__(hard_delete=hard_delete, if_missing=if_missing, **kwargs)
        self.name = name

    def _run(self, hook: CollateHook, context: Context) -> dict[str, JsonValue]:
        return hook.delete_service(self.name, kind=self.kind, **self._options())
