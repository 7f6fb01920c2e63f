"""The way of the data: read → plan → apply → verify → report."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace

from airflow_provider_collate.client.client import CollateClient
from airflow_provider_collate.client.kinds import ServiceKind
from airflow_provider_collate.client.services import Services, fqn_of
from airflow_provider_collate.exceptions import (
    BadRequestError,
    CollateError,
    ConflictError,
    InvalidDeclarationError,
    NoAnswerError,
    OutcomeError,
    ServerError,
)
from airflow_provider_collate.models import CreateServiceRequest
from airflow_provider_collate.models.service import Service
from airflow_provider_collate.reconcile.apply import Writer, Written
from airflow_provider_collate.reconcile.catalog_reader import CatalogReader
from airflow_provider_collate.reconcile.compare import Comparison, fields_to_read
from airflow_provider_collate.reconcile.options import RunOptions
from airflow_provider_collate.reconcile.plan import Action, Plan, RowPlan, make_plan, plan_row
from airflow_provider_collate.reconcile.plan_text import render_plan
from airflow_provider_collate.reconcile.report import Outcome, Report, RowResult
from airflow_provider_collate.reconcile.scope import PruneScope

log = logging.getLogger(__name__)

_DONE = {
    Action.CREATE: Outcome.CREATED,
    Action.RESTORE: Outcome.RESTORED,
    Action.UPDATE: Outcome.UPDATED,
    Action.PRUNE: Outcome.PRUNED,
    Action.UNCHANGED: Outcome.UNCHANGED,
    Action.IGNORE: Outcome.IGNORED,
    Action.KEEP: Outcome.UNAPPLIED,
    Action.CONFLICT: Outcome.FAILED,
}


@dataclass(slots=True)
class _Row:
    """One row on its way: what was planned, what was met, and what the catalog shows in the end."""

    plan: RowPlan
    error: CollateError | None = None
    now: RowPlan | None = None
    taken: bool = False
    """Somebody else created the service after the plan was made."""


class Reconciler:
    """Makes the services of one kind on one server as declared.

    :param client: the server.
    :param kind: the kind.
    :param options: how the run treats what it finds.
    :param clock: a monotonic clock in seconds.
    """

    def __init__(
        self,
        client: CollateClient,
        kind: ServiceKind,
        options: RunOptions,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client = client
        self._kind = kind
        self._options = options
        self._clock = clock
        self._services: Services = client.services(kind)
        self._reader = CatalogReader(
            self._services, max_workers=options.max_workers, stopped=lambda: self._client.stopped
        )
        self._comparison = Comparison(
            release=client.release,
            is_bot=lambda: client.identity().is_bot,
            reference=client.reference,
            enforce=options.enforce,
            rewrite_secrets=options.rewrite_secrets,
        )

    def plan(self, requests: Sequence[CreateServiceRequest]) -> Plan:
        """Say what a run would do, and whether it would be refused; writes nothing.

        :raises RequestError: when the catalog cannot be read.
        :raises InvalidDeclarationError: when the server cannot show what the prune scope asks for.
        """
        names = {request.name for request in requests}
        fields = fields_to_read(requests)
        scope = self._options.prune_scope if self._options.prune else None
        services = self._reader.read(names, fields) if scope is None else self._read_scope(scope, names, fields)
        return make_plan(requests, services, self._comparison, self._options)

    def run(self, requests: Sequence[CreateServiceRequest]) -> Report:
        """Plan, write what differs, read again, and report.

        :raises RequestError: when the catalog cannot be read, or refuses the token.
        :raises PruneRefusedError: when more would be pruned than may be.
        :raises StoppedError: when the task was told to stop.
        """
        plan = self.plan(requests)
        log.info("Plan:\n%s", render_plan(plan))
        if plan.refusal is not None:
            raise plan.refusal
        rows = [_Row(row) for row in plan.rows]
        self._write_and_verify(rows, fields_to_read(requests))
        report = self._report(rows, plan.notes)
        for line in report.log_lines():
            log.info("%s", line)
        return report

    def _write_and_verify(self, rows: list[_Row], fields: Collection[str]) -> None:
        """Write, read again, and once more what the first time did not do.

        A server may drop fields of a POST that it takes by PATCH (tags, recorded), and a fault may have outlasted
        a request's own retries.
        """
        todo = [row for row in rows if row.plan.action.writes]
        for _ in range(2):
            if not todo:
                return
            self._write(todo)
            self._verify(todo, fields)
            todo = [row for row in todo if self._deserves_another_try(row)]

    def _write(self, rows: Sequence[_Row]) -> None:
        plans = [row.now or row.plan for row in rows]
        writer = Writer(self._client, self._services, self._options, self._look_again, self._clock)
        written: Written = writer.write(plans)
        for row in rows:
            maybe_ours = isinstance(row.error, NoAnswerError | ServerError) and row.error.maybe_applied
            row.error = written.get(row.plan.name)
            if isinstance(row.error, ConflictError):
                row.taken = not (row.error.maybe_applied or maybe_ours)
                if not row.taken or self._options.if_exists != "fail":
                    # Ours after all, or to be made as declared: what the catalog shows decides.
                    row.error = None

    def _deserves_another_try(self, row: _Row) -> bool:
        """Whether writing a row once more may help."""
        if row.now is None or not row.now.action.writes:
            return False
        if row.taken and self._options.if_exists == "ignore":
            return False
        return row.error is None or (isinstance(row.error, NoAnswerError | ServerError) and row.error.retryable)

    def _look_again(self, row: RowPlan) -> RowPlan:
        request = row.request
        if request is None or row.service_id is None:
            return row
        service = self._services.by_id(row.service_id, fields_to_read([request]), include="all")
        return plan_row(row.row, request, service, self._comparison, self._settling)

    @property
    def _settling(self) -> RunOptions:
        """Once a row is written, the service is ours: it is compared as under `update`."""
        return replace(self._options, if_exists="update")

    def _verify(self, rows: Sequence[_Row], fields: Collection[str]) -> None:
        comparison = replace(self._comparison, rewrite_secrets=False)
        options = self._settling
        unseen = {row.plan.name: row for row in rows}
        for service in self._reader.read(unseen.keys(), fields):
            row = unseen.pop(service.name, None)
            if row is not None:
                row.now = _look(row.plan, service, comparison, options)
        for row in unseen.values():
            row.now = _look(row.plan, None, comparison, options)

    def _read_scope(self, scope: PruneScope, names: set[str], fields: frozenset[str]) -> Iterator[Service]:
        try:
            yield from self._reader.read(names, fields | scope.fields, in_scope=scope.holds)
            return
        except BadRequestError as error:
            if error.status != 400 or not scope.fields:
                raise
            refused = error
        problem = f"prune_scope: this server's list cannot show {', '.join(sorted(scope.fields))}"
        raise InvalidDeclarationError(
            [f"{problem}: {refused.server_message}"],
            advice="Choose another scope, such as a name_prefix, or upgrade the server.",
        ) from refused

    def _report(self, rows: Sequence[_Row], plan_notes: Sequence[str]) -> Report:
        results = tuple(self._result(row) for row in rows)
        unreadable = sum(len(row.plan.difference.masked) for row in rows)
        notes = list(plan_notes)
        if unreadable:
            rewritten = self._options.rewrite_secrets
            notes.append(
                f"{unreadable:,} declared secrets are shown masked to this token, so whether they are as declared "
                f"is not known; {'they were written again' if rewritten else 'rewrite_secrets=True writes them again'}"
            )
        return Report(results, self._client.list_page(self._kind), unreadable, self._options.on_unapplied, tuple(notes))

    def _result(self, row: _Row) -> RowResult:
        outcome, changes, error = _judge(row)
        if row.taken and self._options.if_exists == "ignore":
            outcome, changes, error = Outcome.IGNORED, (), None
        shown = row.now or row.plan
        return RowResult(
            row=row.plan.row,
            name=row.plan.name,
            outcome=outcome,
            fqn=fqn_of(row.plan.name),
            service_type=row.plan.service_type,
            changes=changes,
            service_id=shown.service_id,
            version=shown.version,
            url=self._client.page_of(self._kind, row.plan.name),
            error=error,
        )


def _look(plan: RowPlan, service: Service | None, comparison: Comparison, options: RunOptions) -> RowPlan:
    """What there would still be to do about a row, from what the catalog shows now."""
    if plan.request is not None:
        return plan_row(plan.row, plan.request, service, comparison, options)
    gone = service is None or (service.deleted and options.prune != "hard")
    return replace(plan, action=Action.UNCHANGED if gone else Action.PRUNE)


def _judge(row: _Row) -> tuple[Outcome, tuple[str, ...], CollateError | None]:
    """What came of a row: what the catalog shows decides, not what was answered."""
    planned = tuple(str(change) for change in (*row.plan.difference.writable, *row.plan.kept))
    decided = row.now or row.plan
    if decided.action is Action.CONFLICT:
        return Outcome.FAILED, (), OutcomeError(f"{decided.name!r} {decided.reason}", advice=decided.advice)
    if row.now is None:
        kept = tuple(str(change) for change in row.plan.kept)
        return _DONE[row.plan.action], kept, None
    if row.now.action is Action.UNCHANGED and not isinstance(row.error, ConflictError):
        return (Outcome.UPDATED if row.taken else _DONE[row.plan.action]), planned, None
    left = tuple(str(change) for change in row.now.difference.changes)
    if row.error is not None:
        return Outcome.FAILED, left, row.error
    if row.now.action in (Action.KEEP, Action.UPDATE):
        return Outcome.UNAPPLIED, left, None
    return Outcome.FAILED, left, _not_there(row.now)


def _not_there(now: RowPlan) -> OutcomeError:
    what = "is still there" if now.action is Action.PRUNE else "is not in the catalog"
    return OutcomeError(
        f"{now.name!r} {what}, though the server answered the write with success",
        advice="Look at the service in Collate; the next attempt tries again.",
        retryable=True,
    )
