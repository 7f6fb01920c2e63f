"""What the operators on services have in common: the hook, the stop, the report."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import quote, urlsplit

from airflow import __version__ as airflow_version
from airflow.providers.common.compat.sdk import Asset, AssetAlias, BaseOperator, XComArg

from airflow_provider_collate.links.mlmodel_service import MlModelServiceLink
from airflow_provider_collate.operators.rendered import Rendered, unwrapped
from airflow_provider_collate.operators.written_secrets import written_secrets

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context
    from pydantic import JsonValue

    from airflow_provider_collate.hooks.collate import CollateHook
    from airflow_provider_collate.reconcile.report import Report, RowResult

MOST_ASSET_EVENTS = 100
MOST_ROWS_RETURNED = 20
_HAS_ASSETS = int(airflow_version.split(".", maxsplit=1)[0]) >= 3


class ServiceOperator(BaseOperator):
    """Base of the operators on services of one kind.

    :param collate_conn_id: id of an Airflow connection of type `collate`.
    :param timeout: seconds for one attempt of a request; None for the connection's own.
    :param max_retries: how often a request is tried again after a passing fault; None for the connection's own.
    """

    kind = "mlmodelServices"
    template_fields: Sequence[str] = ("collate_conn_id", "timeout", "max_retries")
    operator_extra_links = (MlModelServiceLink(),)
    ui_color = "#e6e0f5"

    fields_with_connections: Mapping[str, bool] = {}
    """Template fields that hold connections → whether the field is itself one."""

    def __init__(
        self,
        *,
        collate_conn_id: str = "collate_default",
        timeout: float | str | None = None,
        max_retries: int | str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.collate_conn_id = collate_conn_id
        self.timeout = timeout
        self.max_retries = max_retries
        self._hook: CollateHook | None = None
        self._is_killed = False
        self._fields_with_written_secrets: list[str] = []

    def execute(self, context: Context) -> dict[str, JsonValue]:
        """Do the work; a task that was told to stop ends as a failure that Airflow retries."""
        for name in self._fields_with_written_secrets:
            self.log.warning(
                "A secret in `%s` is written in the DAG file, which Airflow stores and shows in clear; "
                'use connection={"conn_id": …} instead',
                name,
            )
        with self._make_hook() as hook:
            result = self._run(hook, context)
            hook.raise_if_stopped()
        return result

    def on_kill(self) -> None:
        """Send nothing more; `execute` then ends as a failure that Airflow retries."""
        self._is_killed = True
        if self._hook is not None:
            self._hook.stop()

    @abstractmethod
    def _run(self, hook: CollateHook, context: Context) -> dict[str, JsonValue]:
        """Do the operator's own work.

        No frame outside of the hook may hold declared services in a variable: an error's traceback shows frames.
        """

    def _do_render_template_fields(
        self,
        parent: Any,
        template_fields: Iterable[str],
        context: Context,
        jinja_env: Any,
        seen_oids: set[int],
    ) -> None:
        if parent is self:
            self._note_written_secrets(seen_oids)
        try:
            super()._do_render_template_fields(parent, template_fields, context, jinja_env, seen_oids)
        except Exception as error:
            from airflow_provider_collate.hooks.boundary import empty_frames

            empty_frames(error)  # those of Airflow hold what was half rendered
            raise
        if parent is self:
            for name, is_connection in self.fields_with_connections.items():
                value = unwrapped(getattr(self, name))
                setattr(self, name, Rendered(value, is_connection=is_connection))

    def _note_written_secrets(self, seen_oids: set[int]) -> None:
        """Mask secrets of the DAG file before Airflow can print them with a template that it cannot render.

        :param seen_oids: ids of the values that came from upstream tasks, and not from the DAG file.
        """
        self._fields_with_written_secrets = []
        for name, is_connection in self.fields_with_connections.items():
            value = getattr(self, name)
            if id(value) in seen_oids or self._is_mapped_from_upstream(name):
                continue
            if secrets := written_secrets(value, is_connection=is_connection):
                from airflow_provider_collate.hooks.masking import mask_secrets

                mask_secrets(secrets)
                self._fields_with_written_secrets.append(name)

    def _is_mapped_from_upstream(self, name: str) -> bool:
        """Whether a field is one of the keyword arguments that an upstream task returned for `expand_kwargs`.

        Airflow tells its origin for `expand` only.
        """
        mapped = self.dag.task_dict.get(self.task_id) if self._has_dag else None
        arguments = getattr(getattr(mapped, "expand_input", None), "value", None)
        return isinstance(arguments, XComArg) and name not in getattr(mapped, "partial_kwargs", {})

    @property
    def _has_dag(self) -> bool:
        return bool(self.has_dag())  # type: ignore[no-untyped-call]

    def _make_hook(self) -> CollateHook:
        """The hook, made when the task runs: a DAG file that is parsed does not load the client."""
        from airflow_provider_collate.hooks.collate import CollateHook

        self._hook = CollateHook(self.collate_conn_id, timeout=self.timeout, max_retries=self.max_retries)
        if self._is_killed:
            self._hook.stop()
        return self._hook

    def _reconcile(self, hook: CollateHook, context: Context, options: Mapping[str, Any]) -> Report:
        """Make the catalog as declared; push the report, and only then fail if there is a reason to."""
        checked = hook.run_options(**options)
        report = hook.reconcile(self._declared(), checked, kind=self.kind, single=self._is_single)
        context["ti"].xcom_push(key="report", value=report.to_json())
        hook.raise_error_of(report)
        self._add_asset_events(context, report)
        return report

    def _plan(self, hook: CollateHook, options: Mapping[str, Any]) -> dict[str, JsonValue]:
        """Print and return the plan; writes nothing."""
        from airflow_provider_collate.reconcile.plan_text import render_plan

        checked = hook.run_options(**options)
        plan = hook.plan(self._declared(), checked, kind=self.kind, single=self._is_single)
        text = render_plan(plan)
        refused = plan.refusal is not None
        self.log.info("Plan, nothing is written%s:\n%s", "; a run would be refused" if refused else "", text)
        return {
            "plan": text,
            "counts": dict(plan.counts()),
            "refused": refused,
            "url": hook.list_page(kind=self.kind),
        }

    _is_single = False
    """Whether the task is about one service, so that messages need no row numbers."""

    def _declared(self) -> Sequence[object]:
        """The declared services."""
        return ()

    def _add_asset_events(self, context: Context, report: Report) -> None:
        """Tell other DAGs what changed, through the aliases among this task's outlets (Airflow 3)."""
        aliases = [outlet for outlet in self.outlets or () if isinstance(outlet, AssetAlias)]
        if not aliases or not _HAS_ASSETS:
            return
        host = urlsplit(report.url).netloc
        changed = [(row, self._asset_of(row, host)) for row in report.changed]
        told = [(row, asset) for row, asset in changed if asset is not None]
        for row, asset in told[:MOST_ASSET_EVENTS]:
            for alias in aliases:
                context["outlet_events"][alias].add(asset, extra={"outcome": row.outcome.value, "name": row.name})
        if unnamed := len(changed) - len(told):
            self.log.warning("%d services that changed have names too long for an asset, and no event is made", unnamed)
        if len(told) > MOST_ASSET_EVENTS:
            rest = len(told) - MOST_ASSET_EVENTS
            self.log.info("%d more services changed than asset events are made for in one run", rest)

    def _asset_of(self, row: RowResult, host: str) -> Asset | None:
        """The asset of a service, or None where Airflow refuses its URI: encoded, a name can be 12 times as long."""
        try:
            return Asset(f"collate://{host}/{self.kind}/{quote(row.fqn, safe='')}")
        except ValueError:
            return None


def shortened(report: Report) -> dict[str, JsonValue]:
    """The report with the details of at most 20 rows, the bad ones first: what a task of many returns."""
    told = report.to_json()
    rows = cast("list[JsonValue]", told["rows"])
    left_out = cast("int", told["rows_left_out"]) + max(0, len(rows) - MOST_ROWS_RETURNED)
    return {**told, "rows": rows[:MOST_ROWS_RETURNED], "rows_left_out": left_out}


def is_retry(context: Context) -> bool:
    """Whether this is a later attempt of the same task."""
    return int(context["ti"].try_number or 1) > 1
