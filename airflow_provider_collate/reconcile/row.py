"""The life of one row of a run: its states, and a table of what leads from one to the next."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from airflow_provider_collate.exceptions import (
    BrokenReferenceError,
    ChangedMeanwhileError,
    CollateError,
    ConflictError,
    NotFoundError,
)
from airflow_provider_collate.reconcile.changes import Action, Change
from airflow_provider_collate.reconcile.facts import Overwritten


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


@dataclass(slots=True)
class Row:
    """One row of a run.

    :param planned: what the plan said.
    :param change: what to do now: as planned, or as the catalog showed when it was read again.
    :param states: its states so far.
    :param error: what the last write met.
    :param written: what was written last.
    :param overwrote: for a service that somebody else had created since the plan: by whom, and which fields a bulk
        request replaced.
    """

    planned: Change
    change: Change
    states: list[RowState] = field(default_factory=lambda: [RowState.PLANNED])
    error: CollateError | None = None
    written: Action = Action.NONE
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
    def is_to_be_read(self) -> bool:
        """Whether the catalog must be read again to know what came of it."""
        return (self.state, Event.MATCHES) in TRANSITIONS

    def looks_stale(self, now: Change) -> bool:
        """Return whether the catalog shows a service as it was before a write that was answered with success.

        :param now: what would still have to be done.
        """
        return self.state is RowState.SENT and now.action is not Action.NONE and now.existing == self.change.existing

    @property
    def may_be_of_others(self) -> bool:
        """Whether somebody else may have created the service that the catalog shows now."""
        return self.written is Action.CREATE and self.state in (RowState.UNCERTAIN, RowState.OVERTAKEN)

    @property
    def is_worth_another_try(self) -> bool:
        """Whether writing it again may help.

        Once, after a fault or somebody else's edit. A creation or a restore does not take all fields on every
        release (recorded: a POST drops tags), so what it left is patched.
        """
        if not self.change.writes:
            return False
        if self.state is RowState.OPEN:
            return self.states.count(RowState.OPEN) == 1
        return self.state is RowState.UNAPPLIED and self.states.count(RowState.UNAPPLIED) == 1 and not self._was_patched

    @property
    def _was_patched(self) -> bool:
        return self.planned.action in (Action.UPDATE, Action.NONE) or RowState.OPEN in self.states

    def met(self, event: Event) -> None:
        """Note what happened."""
        self.states.append(TRANSITIONS[self.state, event])

    def answered(self, error: CollateError | None) -> None:
        """Note how a write of it was answered.

        :param error: what the write met; None for an answer of success.
        """
        event = event_of(error, self.change.action, after_failure=RowState.UNCERTAIN in self.states)
        self.error, self.written = error, self.change.action
        self.met(event)

    def read_again(self, now: Change) -> None:
        """Note what the catalog shows after a write.

        :param now: what would still have to be done.
        """
        # A masked secret cannot be compared: it is as declared only when its own write was answered with success.
        is_as_declared = now.action in (Action.NONE, Action.KEEP) and self.state is RowState.SENT
        matches = is_as_declared or not (now.writes or now.action is Action.CONFLICT)
        self.change = now
        self.met(Event.MATCHES if matches else Event.DIFFERS)

    def accept(self, now: Change) -> None:
        """Note that what the catalog shows after a write counts as declared."""
        self.change = now
        self.met(Event.MATCHES)


def event_of(error: CollateError | None, action: Action, *, after_failure: bool = False) -> Event:
    """Return what an answer means for its row.

    :param error: what the write met.
    :param action: what was written.
    :param after_failure: whether an earlier write of the row may have taken effect unseen.
    """
    if error is None:
        return Event.ANSWERED
    if isinstance(error, ConflictError) and action is Action.CREATE:
        # An earlier attempt of this very row may have created it: what the catalog shows decides.
        return Event.FAILED if error.maybe_applied or after_failure else Event.MET_OTHERS
    if isinstance(error, BrokenReferenceError):
        return Event.REFUSAL
    if isinstance(error, ChangedMeanwhileError | NotFoundError) and action is not Action.CREATE:
        return Event.FAILED if error.maybe_applied else Event.MET_OTHERS
    return Event.FAILED if error.retryable else Event.REFUSAL
