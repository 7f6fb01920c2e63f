"""The life of one row of a run: its states, a table of what leads from one to the next, and its outcome."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from airflow_provider_collate.client.release import Release
from airflow_provider_collate.exceptions import (
    BrokenReferenceError,
    ChangedMeanwhileError,
    CollateError,
    ConflictError,
    NotFoundError,
    OutcomeError,
)
from airflow_provider_collate.reconcile.changes import Action, Change
from airflow_provider_collate.reconcile.facts import Overwritten
from airflow_provider_collate.reconcile.field_change import Status
from airflow_provider_collate.reconcile.options import RunOptions
from airflow_provider_collate.reconcile.report import Outcome
from airflow_provider_collate.reconcile.single_service import still_there
from airflow_provider_collate.reconcile.unknown_form import unknown_form


class RowState(Enum):
    """Where a row stands."""

    PLANNED = "nothing was sent for it yet"
    SENT = "a write was answered with success, and the catalog was not read again yet"
    UNCERTAIN = "a write failed in such a way that it may have taken effect, or may succeed later"
    OVERTAKEN = "somebody else created, edited or deleted the service since it was read"
    REFUSED = "the server refused the write for good"
    VERIFIED = "the catalog shows the service as declared"
    SUPERSEDED = "the catalog shows the service as declared, by somebody else's doing"
    UNAPPLIED = "a write was answered with success, and the catalog shows otherwise"
    OPEN = "it must be written once more, from what the catalog shows now"


class Event(Enum):
    """What happens to a row: how a write was answered, and what the catalog shows afterwards."""

    ANSWERED = "the write was answered with success"
    FAILED = "the write got no answer, or one that may be another the next time"
    MET_OTHERS = "the write met a service that somebody else has created, edited or deleted"
    REFUSAL = "the write was refused for good"
    MATCHES = "the catalog shows what was declared"
    DIFFERS = "the catalog shows something else"


_S, _E = RowState, Event
_AFTER_A_WRITE = {
    _E.ANSWERED: _S.SENT,
    _E.FAILED: _S.UNCERTAIN,
    _E.MET_OTHERS: _S.OVERTAKEN,
    _E.REFUSAL: _S.REFUSED,
}
TRANSITIONS: dict[tuple[RowState, Event], RowState] = {
    **{(state, event): end for state in (_S.PLANNED, _S.UNAPPLIED, _S.OPEN) for event, end in _AFTER_A_WRITE.items()},
    (_S.SENT, _E.MATCHES): _S.VERIFIED,
    (_S.SENT, _E.DIFFERS): _S.UNAPPLIED,
    (_S.UNCERTAIN, _E.MATCHES): _S.VERIFIED,
    (_S.UNCERTAIN, _E.DIFFERS): _S.OPEN,
    (_S.OVERTAKEN, _E.MATCHES): _S.SUPERSEDED,
    (_S.OVERTAKEN, _E.DIFFERS): _S.OPEN,
    (_S.REFUSED, _E.MATCHES): _S.SUPERSEDED,
    (_S.REFUSED, _E.DIFFERS): _S.REFUSED,
}

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
_NOT_THERE = "is not in the catalog, though the server answered the write with success"
_UNSEEN = "created, but what is read does not show it"
_LOOK_ADVICE = "Look at the service in Collate; the next attempt tries again."

Judgement = tuple[Outcome, tuple[str, ...], "CollateError | None"]


@dataclass(slots=True)
class Row:
    """One row of a run.

    :param planned: what the plan said.
    :param change: what to do now: as planned, or as the catalog showed when it was read again.
    :param error: what the last write met.
    :param written: what was written last; None before the first write.
    :param overwrote: for a service that somebody else had created since the plan: by whom, and which fields a bulk
        request replaced.
    """

    planned: Change
    change: Change
    states: tuple[RowState, ...] = (RowState.PLANNED,)
    error: CollateError | None = None
    written: Change | None = None
    overwrote: Overwritten | None = None

    @property
    def state(self) -> RowState:
        """Where it stands."""
        return self.states[-1]

    @property
    def was_sent(self) -> bool:
        """Whether anything was sent for it, whatever came of it."""
        return len(self.states) > 1

    @property
    def wrote(self) -> bool:
        """Whether a write of it was answered with success."""
        return RowState.SENT in self.states

    @property
    def met_others(self) -> bool:
        """Whether somebody else worked on the service since it was read."""
        return RowState.OVERTAKEN in self.states

    @property
    def carried_out(self) -> Change:
        """What was written: as planned, or as it was planned once more after somebody else's edit."""
        return self.written if self.written and self.met_others else self.planned

    @property
    def is_to_be_read(self) -> bool:
        """Whether the catalog must be read again to know what came of it."""
        return (self.state, Event.MATCHES) in TRANSITIONS

    def looks_stale(self, now: Change) -> bool:
        """Return whether the catalog shows a service as it was before a write that was answered with success."""
        return self.state is RowState.SENT and now.action is not Action.NONE and now.existing == self.change.existing

    @property
    def may_be_of_others(self) -> bool:
        """Whether somebody else may have created the service that the catalog shows now."""
        is_creation = self.written is not None and self.written.action is Action.CREATE
        return is_creation and self.state in (RowState.UNCERTAIN, RowState.OVERTAKEN)

    def is_worth_another_try(self, release: Release) -> bool:
        """Return whether writing it again may help.

        Once, after a fault or somebody else's edit. A creation or a restore does not take all fields on every
        release (recorded: a POST drops tags), so what it left is patched. A description that may be in a form of the
        server's own is written to see whether it then shows the same.
        """
        if not self.change.writes:
            return False
        if self.state is RowState.OPEN:
            return self.states.count(RowState.OPEN) == 1
        if self.state is not RowState.UNAPPLIED or self.states.count(RowState.UNAPPLIED) > 1:
            return False
        was_patched = self.planned.action in (Action.UPDATE, Action.NONE) or RowState.OPEN in self.states
        return not was_patched or (release.sanitises and unknown_form(self.change) != "")

    def is_rest_of_plan(self, user: str) -> bool:
        """Return whether what is left is a part of what was planned, on a service that no other user has edited since.

        A creation or a restore does not take all fields on every release.
        """
        there = self.change.existing
        if self.state is not RowState.UNAPPLIED or there is None or there.updated_by != user:
            return False
        return self.planned.action is Action.CREATE or self.change.values <= self.planned.values

    def answered(self, error: CollateError | None) -> None:
        """Note how a write of it was answered."""
        self.states += (TRANSITIONS[self.state, self._event_of(error)],)
        self.error, self.written = error, self.change

    def _event_of(self, error: CollateError | None) -> Event:
        is_creation = self.change.action is Action.CREATE
        if error is None:
            return Event.ANSWERED
        if isinstance(error, ConflictError) and is_creation:
            # An earlier attempt of this very row may have created it: what the catalog shows decides.
            may_be_ours = error.maybe_applied or RowState.UNCERTAIN in self.states
            return Event.FAILED if may_be_ours else Event.MET_OTHERS
        if isinstance(error, BrokenReferenceError):
            return Event.REFUSAL
        if isinstance(error, ChangedMeanwhileError | NotFoundError) and not is_creation:
            return Event.FAILED if error.maybe_applied else Event.MET_OTHERS
        return Event.FAILED if error.retryable else Event.REFUSAL

    def read_again(self, now: Change, release: Release) -> bool:
        """Note what the catalog shows after a write.

        :return: whether it counts as declared because nothing differs but a description in a form of the server's own.
        """
        form = unknown_form(now) if release.sanitises and self.state is RowState.SENT else ""
        is_in_own_form = form != "" and form == unknown_form(self.change)
        # A masked secret cannot be compared: it is as declared only when its own write was answered with success.
        is_as_declared = now.action in (Action.NONE, Action.KEEP) and self.state is RowState.SENT
        matches = is_in_own_form or is_as_declared or not (now.writes or now.action is Action.CONFLICT)
        self.change = now
        self.states += (TRANSITIONS[self.state, Event.MATCHES if matches else Event.DIFFERS],)
        return is_in_own_form


def outcome_of(row: Row, options: RunOptions) -> Judgement:
    """Return what came of a row: what the catalog shows decides, not what was answered.

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
    done = row.carried_out
    changes = tuple(map(str, done.writable))
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
    if done.action in (Action.NONE, Action.UPDATE) and row.change.existing == row.planned.existing:
        # What was written again was there: a masked secret (recorded), or a text in a form that is not recognised.
        return Outcome.UNCHANGED, (), None
    return _DONE[Action.UPDATE if done.action is Action.NONE else done.action], changes, None


def _failed(row: Row) -> Judgement:
    left = tuple(map(str, (*row.change.having(Status.WRITE), *row.change.conflicts)))
    if row.error is None and row.state is RowState.UNAPPLIED and row.change.action in (Action.KEEP, Action.UPDATE):
        written = [f"{change} (written)" for change in map(str, row.carried_out.writable) if change not in left]
        return Outcome.UNAPPLIED, (*left, *written), None
    if row.error is not None:
        return Outcome.FAILED, left, _with_what_happened(row, row.error)
    if row.is_to_be_read:
        return Outcome.FAILED, (), OutcomeError(_NOT_READ, retryable=True)
    name = row.change.name
    text = still_there(name) if row.change.action is Action.DELETE else f"{name!r} {_NOT_THERE}"
    return Outcome.FAILED, left, OutcomeError(text, advice=_LOOK_ADVICE, retryable=True)


def _with_what_happened(row: Row, error: CollateError) -> CollateError:
    """Return the error of a row with what changed in the catalog all the same.

    A creation may have succeeded before its patch was refused, and a refused patch may have changed something: one
    that names an unknown tag removes those that were there (recorded).
    """
    if isinstance(error, ChangedMeanwhileError):
        error.retryable = True  # it was planned once more and met another edit
        return error
    before = {change.field: change.shows for change in row.planned.fields}
    now = row.change.having(Status.WRITE)
    damage = [str(change) for change in now if before.get(change.field, change.shows) != change.shows]
    if row.planned.action is Action.CREATE and row.wrote:
        if isinstance(error, ConflictError):
            return OutcomeError(f"{_UNSEEN}: {error.message}", advice=_LOOK_ADVICE, retryable=True)
        return OutcomeError(f"created, but {error.message}", advice=error.advice, retryable=error.retryable)
    if row.state is RowState.REFUSED and damage:
        text = f"{error.message}; although it was refused, the catalog changed, and now: {'; '.join(damage)}"
        return OutcomeError(text, advice=error.advice, retryable=error.retryable)
    return error
