"""The way of the data: read → plan → apply → verify → report."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import suppress
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
    NotFoundError,
    OutcomeError,
    ServerError,
    StoppedError,
)
from airflow_provider_collate.models import CreateServiceRequest
from airflow_provider_collate.models.service import Service
from airflow_provider_collate.reconcile.apply import Writer
from airflow_provider_collate.reconcile.catalog_reader import CatalogReader
from airflow_provider_collate.reconcile.compare import Comparison, fields_to_read
from airflow_provider_collate.reconcile.options import RunOptions
from airflow_provider_collate.reconcile.plan import (
    EXISTS_ADVICE,
    Action,
    Plan,
    RowPlan,
    is_in_scope,
    is_our_creation,
    make_plan,
    plan_removal,
    plan_row,
)
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


_NOT_PRUNED = "is not pruned, because declared services failed"
_NOT_SENT = "was not sent, because the run was given up"
_UNKNOWN = "was sent, but the catalog could not be read again"


@dataclass(slots=True)
class _Row:
    """One row on its way: what was planned, what was met, and what the catalog shows in the end."""

    plan: RowPlan
    error: CollateError | None = None
    now: RowPlan | None = None
    sent: bool = False
    """Something was sent for it, whatever came of it."""
    wrote: bool = False
    """A write of it was answered with success."""
    taken: bool = False
    """Somebody else created the service after the plan was made."""
    secrets_unsure: bool = False
    """Secrets that the catalog does not show were sent, and the write did not end well."""

    @property
    def next(self) -> RowPlan:
        """What is to be done about it now."""
        return self.now or self.plan


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
        # Once a row is written, the service is ours: it is compared as under `update`.
        self._settling = replace(options, if_exists="update")
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
        abort = self._write_all(rows, fields_to_read(requests))
        report = self._report(rows, plan.notes, abort)
        for line in report.log_lines():
            log.info("%s", line)
        return report

    def _write_all(self, rows: Sequence[_Row], fields: Collection[str]) -> CollateError | None:
        """Write and verify; prune only when all that is declared is there: a rename would lose the service else.

        :return: what ended the run early, if anything did.
        """
        todo = [row for row in rows if row.plan.action.writes]
        doomed = [row for row in todo if row.plan.action is Action.PRUNE]
        try:
            self._write_and_verify([row for row in todo if row.plan.action is not Action.PRUNE], fields)
            if any(_judge(row)[0] is Outcome.FAILED for row in rows if row.plan.action is not Action.PRUNE):
                for row in doomed:
                    row.error = OutcomeError(_NOT_PRUNED)
            else:
                self._write_and_verify(doomed, fields)
        except StoppedError:
            raise
        except CollateError as error:
            return error
        return None

    def _write_and_verify(self, todo: Sequence[_Row], fields: Collection[str]) -> None:
        """Write, read again, and once more what the first time did not do.

        A server may drop fields of a POST that it takes by PATCH (tags, recorded), and a fault may have outlasted
        a request's own retries.
        """
        for _ in range(2):
            if not todo:
                return
            try:
                self._write(todo)
            except StoppedError:
                raise
            except CollateError:
                # The run is given up, but what it did is to be in the report.
                with suppress(CollateError):
                    self._verify(todo, fields)
                raise
            self._verify(todo, fields)
            todo = [row for row in todo if self._deserves_another_try(row)]

    def _write(self, rows: Sequence[_Row]) -> None:
        writer = Writer(self._client, self._services, self._options, self._look_again, self._clock)
        try:
            writer.write([row.next for row in rows])
        finally:
            for row in rows:
                if row.plan.name in writer.written:
                    self._note(row, writer.written[row.plan.name])

    def _note(self, row: _Row, error: CollateError | None) -> None:
        """Note what came of sending a row."""
        maybe_ours = isinstance(row.error, NoAnswerError | ServerError) and row.error.maybe_applied
        row.sent = True
        row.wrote = row.wrote or error is None
        row.secrets_unsure = error is not None and bool(row.next.difference.masked)
        row.error = error
        if isinstance(error, ConflictError):
            row.taken = not (error.maybe_applied or maybe_ours)
            if not row.taken or self._options.if_exists != "fail":
                # Ours after all, or to be made as declared: what the catalog shows decides.
                row.error = None

    def _deserves_another_try(self, row: _Row) -> bool:
        """Whether writing a row once more may help."""
        if row.now is None or not row.now.action.writes:
            return False
        if row.taken and self._options.if_exists == "ignore":
            return False
        if isinstance(row.error, NotFoundError):
            # Removed since the plan: to be created or restored instead.
            return row.now.action in (Action.CREATE, Action.RESTORE) and row.plan.action is not Action.CREATE
        return row.error is None or (isinstance(row.error, NoAnswerError | ServerError) and row.error.retryable)

    def _look_again(self, row: RowPlan) -> RowPlan:
        request, scope = row.request, self._options.prune_scope
        if row.service_id is None:
            return row
        if request is None:
            service = self._services.by_id(row.service_id, scope.fields if scope else (), include="all")
            return _look_at_doomed(row, service, self._options)
        service = self._services.by_id(row.service_id, fields_to_read([request]), include="all")
        return plan_row(row.row, request, service, self._comparison, self._settling)

    def _verify(self, rows: Sequence[_Row], fields: Collection[str]) -> None:
        unseen = {row.plan.name: row for row in rows}
        if not unseen:
            return
        for service in self._reader.read(unseen.keys(), fields):
            row = unseen.pop(service.name, None)
            if row is not None:
                row.now = self._look(row, service)
                self._settle_a_doubtful_creation(row)
        for row in unseen.values():
            row.now = self._look(row, None)

    def _look(self, row: _Row, service: Service | None) -> RowPlan:
        """What there would still be to do about a row, from what the catalog shows now."""
        if row.plan.request is None:
            gone = service is None or (service.deleted and self._options.prune != "hard")
            return replace(row.plan, action=Action.UNCHANGED if gone else Action.PRUNE)
        # A masked secret is as declared when its write was answered with success; else it must be written again.
        comparison = replace(self._comparison, rewrite_secrets=row.secrets_unsure or (row.taken and not row.wrote))
        return plan_row(row.plan.row, row.plan.request, service, comparison, self._settling)

    def _settle_a_doubtful_creation(self, row: _Row) -> None:
        """Under `fail`, a service that was there after a lost answer is ours only if it is what was asked."""
        now = row.now
        if self._options.if_exists != "fail" or row.plan.action is not Action.CREATE or row.wrote or now is None:
            return
        if now.action.writes and row.error is None and not is_our_creation(now.version, now.difference):
            row.taken = True
            row.error = OutcomeError(f"{now.name!r} exists already", advice=EXISTS_ADVICE)

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

    def _report(self, rows: Sequence[_Row], plan_notes: Sequence[str], abort: CollateError | None) -> Report:
        # Only the result of a single service is shown with its page; thousands of addresses would fill the memory.
        results = tuple(self._result(row, with_page=len(rows) == 1) for row in rows)
        masked = [(len(row.plan.difference.masked), row.wrote and not row.secrets_unsure) for row in rows]
        written, unknown = (sum(count for count, was in masked if was is wanted) for wanted in (True, False))
        notes = list(plan_notes)
        if written:
            notes.append(f"{written:,} declared secrets are shown masked to this token; they were written again")
        if unknown:
            notes.append(
                f"{unknown:,} declared secrets are shown masked to this token, so whether they are as declared "
                "is not known; rewrite_secrets=True writes them again"
            )
        return Report(
            results,
            self._client.list_page(self._kind),
            written + unknown,
            self._options.on_unapplied,
            tuple(notes),
            abort,
        )

    def _result(self, row: _Row, *, with_page: bool) -> RowResult:
        outcome, changes, error = _judge(row)
        if row.taken and self._options.if_exists == "ignore" and row.next.action is not Action.CONFLICT:
            outcome, changes, error = Outcome.IGNORED, (), None
        shown = row.next
        return RowResult(
            row=row.plan.row,
            name=row.plan.name,
            outcome=outcome,
            fqn=fqn_of(row.plan.name),
            service_type=row.plan.service_type,
            changes=changes,
            service_id=shown.service_id,
            version=shown.version,
            url=self._client.page_of(self._kind, row.plan.name) if with_page else "",
            error=error,
            wrote=row.wrote and outcome is Outcome.UNAPPLIED,
        )


def _look_at_doomed(row: RowPlan, service: Service | None, options: RunOptions) -> RowPlan:
    """What is to be done about a service that is to be pruned, as the catalog shows it now."""
    if service is None or (service.deleted and options.prune != "hard"):
        return replace(row, action=Action.UNCHANGED)
    if service.deleted or is_in_scope(service, options):
        return plan_removal(service, options)
    return replace(row, action=Action.CONFLICT)


def _judge(row: _Row) -> tuple[Outcome, tuple[str, ...], CollateError | None]:
    """What came of a row: what the catalog shows decides, not what was answered."""
    planned = tuple(str(change) for change in (*row.plan.difference.writable, *row.plan.kept))
    if row.next.action is Action.CONFLICT:
        return Outcome.FAILED, (), OutcomeError(f"{row.next.name!r} {row.next.reason}", advice=row.next.advice)
    if row.now is None and row.plan.action.writes:
        return Outcome.FAILED, (), row.error or OutcomeError(_UNKNOWN if row.sent else _NOT_SENT, retryable=True)
    if row.now is None:
        kept = tuple(str(change) for change in row.plan.kept)
        return _DONE[row.plan.action], kept, None
    if row.now.action is Action.UNCHANGED and not isinstance(row.error, ConflictError):
        return (Outcome.UPDATED if row.taken and row.wrote else _done(row)), planned, None
    return _judge_leftovers(row, row.now, planned)


def _done(row: _Row) -> Outcome:
    return Outcome.UNCHANGED if row.taken else _DONE[row.plan.action]


def _judge_leftovers(
    row: _Row, now: RowPlan, planned: Sequence[str]
) -> tuple[Outcome, tuple[str, ...], CollateError | None]:
    """What came of a row that is not as declared in the end."""
    left = tuple(str(change) for change in now.difference.changes)
    if row.error is not None or not row.sent:
        return Outcome.FAILED, left, row.error or OutcomeError(_NOT_SENT, retryable=True)
    if now.action in (Action.KEEP, Action.UPDATE):
        written = [f"{change} (written)" for change in planned if change not in left] if row.wrote else []
        return Outcome.UNAPPLIED, (*left, *written), None
    return Outcome.FAILED, left, _not_there(now)


def _not_there(now: RowPlan) -> OutcomeError:
    what = "is still there" if now.action is Action.PRUNE else "is not in the catalog"
    return OutcomeError(
        f"{now.name!r} {what}, though the server answered the write with success",
        advice="Look at the service in Collate; the next attempt tries again.",
        retryable=True,
    )
