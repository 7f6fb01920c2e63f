"""The engine of a run: read, plan, apply, verify, report."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import replace
from datetime import datetime, timezone
from functools import cached_property

from airflow_provider_collate.client.client import CollateClient
from airflow_provider_collate.client.services import Services, fqn_of
from airflow_provider_collate.exceptions import (
    BadRequestError,
    CollateError,
    InvalidDeclarationError,
    NotApprovedError,
    OutcomeError,
    StoppedError,
)
from airflow_provider_collate.kinds import ServiceKind
from airflow_provider_collate.models import DeclaredService
from airflow_provider_collate.models.problems import counted
from airflow_provider_collate.models.service import Service
from airflow_provider_collate.reconcile.apply import CircuitBreaker, Writer
from airflow_provider_collate.reconcile.approval import LOOK_AGAIN, Approval, fingerprint_of
from airflow_provider_collate.reconcile.catalog_reader import CatalogReader, Pair
from airflow_provider_collate.reconcile.changes import (
    Action,
    Change,
    broken_change,
    change_of,
    existing_of,
    is_gone,
)
from airflow_provider_collate.reconcile.facts import Authors
from airflow_provider_collate.reconcile.options import RunOptions
from airflow_provider_collate.reconcile.plan import Plan
from airflow_provider_collate.reconcile.planner import Planner, label_warnings
from airflow_provider_collate.reconcile.progress import Progress
from airflow_provider_collate.reconcile.report import Outcome, Report, RowResult
from airflow_provider_collate.reconcile.row import Row, outcome_of
from airflow_provider_collate.reconcile.service_reader import ServiceReader
from airflow_provider_collate.reconcile.workers import Workers

log = logging.getLogger(__name__)

_UNKNOWN_FORM = (
    "this server stores the description in a form that this version does not recognise; it counts as declared"
)
# Seconds between readings of a catalog whose reads lag behind its writes.
_PAUSES = (0.5, 1.0, 2.0, 4.0)
_MOST_TOLD = 20
_NOT_PRUNED = "was not deleted, because declared services failed"


class Watcher:
    """Follow a run; this one ignores what it is told."""

    def planned(self, plan: Plan) -> None:
        """Take note of the plan, which is about to be carried out."""

    def answered(self, change: Change) -> None:
        """Take note that a write was answered, in whatever way."""


class Reconciler:
    """Make the services of one kind on one server as declared.

    A run takes these steps, in this order:

    1. Ask the server for its release and whose token it is.
    2. Look up the names that the declarations use (owners, tags, domains), each once.
    3. Read the declared services and those in the prune scope, and compare each with its declaration.
    4. Read the history of those services where it matters who set a field, and compare them again: this is the plan.
    5. Refuse the plan if it would delete more than it may, or do what was not approved.
    6. Write what differs, and read again what was written.
    7. Write once more what a fault or somebody else's edit left open, from what the catalog shows by then;
       under an approved plan only what was approved.
    8. Delete what is in scope and not declared, if nothing that is declared failed.
    9. Report one outcome for each service.

    :param clock: a monotonic clock in seconds.
    :param now: the time of day, with its time zone.
    :param watcher: told how a run goes.
    """

    def __init__(
        self,
        client: CollateClient,
        kind: ServiceKind,
        options: RunOptions,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = lambda: datetime.now(timezone.utc),
        watcher: Watcher | None = None,
    ) -> None:
        self._client = client
        self._kind = kind
        self._options = options
        self._progress = Progress(clock)
        self._watcher = watcher or Watcher()
        self._began_at = now()
        self._fields: frozenset[str] = frozenset()
        self._services: Services = client.services(kind)
        self._approval: Approval | None = None
        self._workers = Workers(options.max_workers, client)
        self._service_reader = ServiceReader(self._services, self._workers, self._progress)
        self._reader = CatalogReader(client, self._services, options, self._workers, self._progress)

    def plan(self, declared: Sequence[DeclaredService], unfinished: Mapping[int, str] | None = None) -> Plan:
        """Return what a run would do, and whether it would be refused, with its fingerprint; write nothing.

        :param declared: the declared services, valid and each name once; they are gone through several times.
        :param unfinished: numbers of those that cannot be applied as they are, with why; the others can.
        :raises InvalidDeclarationError: when the server cannot show what the prune scope asks for.
        """
        plan = self._plan(declared, unfinished or {})
        return replace(plan, fingerprint=fingerprint_of(plan.changes, self._client.plan_key(self._kind)))

    def _plan(self, declared: Sequence[DeclaredService], unfinished: Mapping[int, str]) -> Plan:
        facts = self._reader.facts
        who = f"{facts.user} ({'bot' if facts.is_bot else 'person'})"
        log.info(
            "Collate %s at %s, as %s: %s declared",
            facts.release.text, self._client.ui_url, who, counted(len(declared), "service"),
        )  # fmt: skip
        found = self._reader.resolve(declared, unfinished)
        self._fields = found.on_request
        if found.scope is not None:
            self._options = replace(self._options, prune_scope=found.scope)
            self._fields |= found.scope.fields
        planner = Planner(found.rows, facts, self._options, found.warnings)
        for service in self._read({row.name for row in found.rows}):
            planner.add(service, self._service_reader.broken.get(service.name, ""))
        for (desired, service), authors in self._reader.authors(planner.undecided) if planner.undecided else ():
            planner.decide(desired, service, authors)
        plan = planner.plan()
        for warning in plan.warnings:
            log.warning("%s", warning)
        return plan

    def run(self, declared: Sequence[DeclaredService], unfinished: Mapping[int, str] | None = None) -> Report:
        """Plan, write what differs, read again, and report.

        :param declared: as for `plan`.
        :param unfinished: as for `plan`.
        :raises RequestError: when the catalog cannot be read, or refuses the token.
        :raises PruneRefusedError: when more would be deleted than may be.
        :raises NotApprovedError: when it would do what was not approved.
        :raises StoppedError: when the task was told to stop.
        """
        began_at = self._progress.clock()
        plan = self._plan(declared, unfinished or {})
        log.info("Plan:\n%s", replace(plan, warnings=()).text())  # they were told above
        plan.raise_if_refused()
        self._raise_if_unapproved(plan)
        self._watcher.planned(plan)
        rows = [Row(change, change) for change in plan.changes]
        abort = self._carry_out(rows)
        self._note_overwritten(rows)
        report = self._report(rows, plan, abort)
        for line in report.log_warnings():
            log.warning("%s", line)
        for line in report.log_lines():
            log.info("%s", line)
        self._progress.end(f"{report.headline()},", began_at)
        return report

    @cached_property
    def _writer(self) -> Writer:
        facts = self._reader.facts
        return Writer(self._client, self._services, facts, self._options, self._workers, self._progress)

    def _raise_if_unapproved(self, plan: Plan) -> None:
        if self._options.approved_plan is None:
            return
        self._approval = Approval(self._options.approved_plan, self._client.plan_key(self._kind))
        if unapproved := self._approval.unapproved(plan.changes):
            told = Plan(tuple(unapproved)).text(_MOST_TOLD)
            are = "1 change was" if len(unapproved) == 1 else f"{len(unapproved):,} changes were"
            raise NotApprovedError(f"{are} not approved; nothing was written:\n{told}", advice=LOOK_AGAIN)

    def _is_approved(self, row: Row, approval: Approval) -> bool:
        """Return whether a row may be written again: the approved change itself, or what our own write left of it."""
        if approval.has(row.change) or row.is_rest_of_plan(self._reader.facts.user):
            return True
        left = "; ".join(map(str, row.change.writable)) or row.change.action.value
        text = f"{row.planned.name!r} is not as the approved plan found it, and was not written again: {left}"
        row.error = NotApprovedError(text, advice=LOOK_AGAIN)
        return False

    def _carry_out(self, rows: Sequence[Row]) -> CollateError | None:
        """Apply and verify; delete only when all that is declared is there, or a rename would lose the service.

        :return: what ended the run early, if anything did.
        """
        declared = [row for row in rows if row.planned.action is not Action.DELETE]
        deletions = [row for row in rows if row.planned.action is Action.DELETE]
        try:
            self._apply_and_verify([row for row in declared if row.planned.writes])
            if deletions and any(outcome_of(row, self._options)[0] is Outcome.FAILED for row in declared):
                for row in deletions:
                    row.error = OutcomeError(_NOT_PRUNED)
            else:
                self._apply_and_verify(deletions)
        except StoppedError:
            raise
        except CollateError as error:
            return error
        return None

    def _note_overwritten(self, rows: Sequence[Row]) -> None:
        """Find out which new services somebody else had created since the plan: a bulk request replaces them."""
        facts = self._reader.facts
        if not self._writer.sent_bulk:
            return
        created = (row for row in rows if row.planned.action is Action.CREATE and row.was_sent and not row.met_others)
        shown = ((row, row.change.existing) for row in created)
        doubtful = {there.id: row for row, there in shown if there and not there.is_new_by(facts.user)}
        for service_id, authors in self._reader.authors_of(doubtful) if doubtful else ():
            if not authors.was_created_for(facts, self._began_at):
                doubtful[service_id].overwrote = authors.replaced_by(facts.user)

    def _apply_and_verify(self, rows: Sequence[Row]) -> None:
        breaker: CircuitBreaker | None = CircuitBreaker()
        while rows:
            try:
                self._apply(rows, breaker)
            except StoppedError:
                raise
            except CollateError:
                # The run ends here, but what it did belongs into the report.
                with suppress(CollateError):
                    self._verify(rows)
                raise
            self._verify(rows)
            rows = [row for row in rows if row.is_worth_another_try(self._reader.facts.release)]
            rows = [row for row in rows if self._approval is None or self._is_approved(row, self._approval)]
            # Only rows that failed are left: that they fail again says nothing of the server.
            breaker = None

    def _apply(self, rows: Sequence[Row], breaker: CircuitBreaker | None) -> None:
        by_name = {row.planned.name: row for row in rows}
        with closing(self._writer.write([row.change for row in rows], breaker)) as results:
            for change, error in results:
                by_name[change.name].answered(error)
                self._watcher.answered(change)

    def _verify(self, rows: Sequence[Row]) -> None:
        """Read again what was written, and note what the catalog shows.

        Reads may lag behind writes: what looks as if nothing was written is read again, a few times.
        """
        unsettled = [row for row in rows if row.is_to_be_read]
        for pause in (*_PAUSES, None):
            if not unsettled:
                return
            stale: list[Row] = []
            for row, change in self._compared(unsettled):
                if pause is not None and row.looks_stale(change):
                    stale.append(row)
                elif row.read_again(change, self._reader.facts.release):
                    log.warning("%s: %s", change.name, _UNKNOWN_FORM)
            unsettled = stale
            if stale and pause is not None:
                self._client.pause(pause)

    def _compared(self, rows: Sequence[Row]) -> Iterator[tuple[Row, Change]]:
        """Read services again, and yield each row with what would still have to be done about it."""
        by_name = {row.planned.name: row for row in rows}
        unread = dict(by_name)
        undecided: list[Pair] = []
        for service in self._service_reader.read(by_name.keys(), self._fields):
            row = unread.pop(service.name, None)
            if row is None:
                continue
            change = self._change_now(row, service)
            if change.is_undecided:
                undecided.append((row.planned.desired, service))
            else:
                yield row, change
        for row in unread.values():
            yield row, self._change_now(row, None)
        for (_, service), authors in self._reader.authors(undecided) if undecided else ():
            row = by_name[service.name]
            yield row, self._change_now(row, service, authors)

    def _change_now(self, row: Row, service: Service | None, authors: Authors | None = None) -> Change:
        desired = row.planned.desired
        if desired is None:
            return self._deletion_now(row.planned, service)
        if why := self._service_reader.broken.get(row.planned.name):
            # A domain that was removed after it was looked up: a patch with it is answered with success (recorded).
            written = "; ".join(map(str, row.planned.writable))
            return replace(broken_change(desired, why), reason=f"was written ({written}), but {why}")
        return change_of(desired, service, self._reader.facts, self._options_for(row), authors)

    def _options_for(self, row: Row) -> RunOptions:
        """Return the options to compare a row by after it was written.

        A service that we have written is ours, and is compared as under `update`. Of one that was there when we
        tried to create it, the history tells whether an attempt of this run made it after all.
        """
        if self._options.if_exists == "update":
            return self._options
        if not row.may_be_of_others:
            return replace(self._options, if_exists="update")
        return replace(self._options, created_since=self._options.created_since or self._began_at)

    def _deletion_now(self, planned: Change, service: Service | None) -> Change:
        scope, was = self._options.prune_scope, planned.existing
        is_another = service is not None and was is not None and service.id != was.id  # that somebody has made since
        if service is None or is_another or is_gone(service, hard=self._options.prune == "hard"):
            return replace(planned, action=Action.NONE)
        if service.deleted or (scope is not None and scope.holds(service)):
            return replace(planned, existing=existing_of(service))
        return replace(planned, action=Action.CONFLICT, reason="left the prune scope meanwhile, and was not deleted")

    def _read(self, names: set[str]) -> Iterator[Service]:
        scope = self._options.prune_scope
        try:
            yield from self._service_reader.read(names, self._fields, in_scope=scope.holds if scope else None)
        except BadRequestError as error:
            if error.status != 400 or scope is None or not scope.fields:
                raise
            problem = f"prune_scope: this server's list cannot show {', '.join(sorted(scope.fields))}"
            raise InvalidDeclarationError(
                [f"{problem}: {error.server_message}"],
                advice="Choose another scope, such as a name_prefix, or upgrade the server.",
            ) from error

    def _report(self, rows: Sequence[Row], plan: Plan, abort: CollateError | None) -> Report:
        # Only the result of a single service is shown with its page; thousands of addresses would fill the memory.
        results = tuple(self._result(row, with_page=len(rows) == 1) for row in rows)
        late = [warning for warning in label_warnings([row.change for row in rows]) if warning not in plan.warnings]
        for warning in late:
            log.warning("%s", warning)
        notes = (*plan.notes, *plan.warnings, *late)
        return Report(results, self._client.list_page(self._kind), plan.unreadable_secrets, notes, abort)

    def _result(self, row: Row, *, with_page: bool) -> RowResult:
        outcome, changes, error = outcome_of(row, self._options)
        existing = row.change.existing
        name, fqn = row.planned.name, fqn_of(row.planned.name)
        return RowResult(
            row=row.planned.desired.row if row.planned.desired else None,
            name=name,
            outcome=outcome,
            fqn=fqn,
            service_type=row.planned.service_type,
            changes=changes,
            service_id=existing.id if existing else None,
            version=existing.version if existing else None,
            url=self._client.page_of(self._kind, fqn) if with_page else "",
            error=error,
            wrote=row.wrote and outcome is not Outcome.UNCHANGED,
        )
