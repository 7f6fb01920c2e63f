"""From the end of a row's life to its outcome."""

from __future__ import annotations

from airflow_provider_collate.exceptions import ChangedMeanwhileError, CollateError, OutcomeError
from airflow_provider_collate.reconcile.changes import Action, Change
from airflow_provider_collate.reconcile.deletion import still_there
from airflow_provider_collate.reconcile.field_change import Status, with_status
from airflow_provider_collate.reconcile.options import RunOptions
from airflow_provider_collate.reconcile.report import Outcome
from airflow_provider_collate.reconcile.row import Row, RowState

_DONE = {
    Action.CREATE: Outcome.CREATED,
    Action.RESTORE: Outcome.RESTORED,
    Action.UPDATE: Outcome.UPDATED,
    Action.DELETE: Outcome.DELETED,
    Action.NONE: Outcome.UNCHANGED,
    Action.IGNORE: Outcome.IGNORED,
}
_NOT_SENT = "was not sent, because the run ended before"
_NOT_READ = "was sent, but the catalog could not be read again"
_LOOK_ADVICE = "Look at the service in Collate; the next attempt tries again."

Judgement = tuple[Outcome, tuple[str, ...], "CollateError | None"]


def outcome_of(row: Row, options: RunOptions) -> Judgement:
    """Return what came of a row: what the catalog shows decides, not what was answered.

    :param row: a row at the end of a run.
    :param options: the run's options.
    :return: the outcome, what was changed or stayed in words, and what went wrong.
    """
    if row.planned.action is Action.CONFLICT and not row.was_sent:
        return _conflict(row.planned)
    if not row.was_sent:
        return _unsent(row, options)
    if row.state in (RowState.VERIFIED, RowState.SUPERSEDED):
        return _verified(row, options)
    if row.change.action is Action.CONFLICT:
        return _conflict(row.change)
    return _failed(row)


def _conflict(change: Change) -> Judgement:
    is_placed = change.desired is not None and bool(change.desired.problems)
    text = change.reason if is_placed else f"{change.name!r} {change.reason}"
    return Outcome.FAILED, (), OutcomeError(text, advice=change.advice)


def _unsent(row: Row, options: RunOptions) -> Judgement:
    change = row.planned
    if change.writes:
        return Outcome.NOT_SENT, (), row.error or OutcomeError(_NOT_SENT, retryable=True)
    if change.conflicts and change.action is not Action.IGNORE:
        return _kept(change, options)
    if change.desired is None:
        return Outcome.KEPT, tuple(map(str, change.fields)), None
    return _DONE[change.action], (), None


def _kept(change: Change, options: RunOptions, written: tuple[str, ...] = ()) -> Judgement:
    outcome = Outcome.KEPT if options.on_conflict == "keep" else Outcome.CONFLICT
    return outcome, (*map(str, change.conflicts), *written), None


def _verified(row: Row, options: RunOptions) -> Judgement:
    planned = row.planned
    changes = tuple(map(str, planned.writable))
    if row.change.action is Action.IGNORE:
        return Outcome.IGNORED, (), None
    overwrote = (str(row.overwrote),) if row.overwrote else ()
    if row.change.conflicts:
        written = (*overwrote, *(f"{change} (written)" for change in changes)) if row.wrote else ()
        return _kept(row.change, options, written)
    if row.state is RowState.SUPERSEDED:
        return Outcome.UNCHANGED, (), None
    if row.overwrote:
        return (Outcome.UPDATED if row.overwrote.fields else Outcome.UNCHANGED), overwrote, None
    action = row.written if row.met_others else planned.action
    if action in (Action.NONE, Action.UPDATE) and row.change.existing == planned.existing:
        # What was written again was there: a masked secret (recorded), or a text in a form that is not recognised.
        return Outcome.UNCHANGED, (), None
    return _DONE[Action.UPDATE if action is Action.NONE else action], changes, None


def _failed(row: Row) -> Judgement:
    left = tuple(map(str, (*with_status(row.change.fields, Status.WRITE), *row.change.conflicts)))
    if row.state is RowState.UNAPPLIED and row.change.action in (Action.KEEP, Action.UPDATE):
        written = [f"{change} (written)" for change in map(str, row.planned.writable) if change not in left]
        return Outcome.UNAPPLIED, (*left, *written), None
    if row.error is not None:
        return Outcome.FAILED, left, _with_what_happened(row, row.error)
    if row.state in (RowState.SENT, RowState.UNCERTAIN, RowState.OVERTAKEN, RowState.REFUSED):
        return Outcome.FAILED, (), OutcomeError(_NOT_READ, retryable=True)
    return Outcome.FAILED, left, _not_there(row.change)


def _with_what_happened(row: Row, error: CollateError) -> CollateError:
    """Return the error of a row with what changed in the catalog all the same.

    A creation may have succeeded before its patch was refused, and a refused patch may have changed something: one
    that names an unknown tag removes those that were there (recorded).
    """
    if isinstance(error, ChangedMeanwhileError):
        error.retryable = True  # it was planned once more and met another edit
        return error
    before = {change.field: change.shows for change in row.planned.fields}
    now = with_status(row.change.fields, Status.WRITE)
    damage = [str(change) for change in now if before.get(change.field, change.shows) != change.shows]
    if row.planned.action is Action.CREATE and row.wrote:
        return OutcomeError(f"created, but {error.message}", advice=error.advice, retryable=error.retryable)
    if row.state is RowState.REFUSED and damage:
        text = f"{error.message}; although it was refused, the catalog changed, and now: {'; '.join(damage)}"
        return OutcomeError(text, advice=error.advice, retryable=error.retryable)
    return error


def _not_there(change: Change) -> OutcomeError:
    if change.action is Action.DELETE:
        return OutcomeError(still_there(change.name), advice=_LOOK_ADVICE, retryable=True)
    text = f"{change.name!r} is not in the catalog, though the server answered the write with success"
    return OutcomeError(text, advice=_LOOK_ADVICE, retryable=True)
