"""The life of a row: what its writes and the catalog tell, and when it is written once more."""

from __future__ import annotations

import itertools

import pytest

from airflow_provider_collate.exceptions import (
    BadRequestError,
    BrokenReferenceError,
    ChangedMeanwhileError,
    CollateError,
    ConflictError,
    NoAnswerError,
    NotFoundError,
    ServerError,
    StatusError,
)
from airflow_provider_collate.reconcile.changes import Action, Change, Existing
from airflow_provider_collate.reconcile.field_change import FieldChange, Status
from airflow_provider_collate.reconcile.options import RunOptions
from airflow_provider_collate.reconcile.report import Outcome
from airflow_provider_collate.reconcile.row import TRANSITIONS, Event, Row, RowState, event_of, outcome_of

WRITE = FieldChange("description", '"" → "New"')
MASKED = FieldChange("connection.config.password", "masked, written again", status=Status.REWRITE)
KEPT = FieldChange("description", '"By hand" is kept', status=Status.CONFLICT)


def change(action: Action, *fields: FieldChange) -> Change:
    return Change("a", action, "Sklearn", fields=fields)


def row(action: Action = Action.UPDATE, *fields: FieldChange) -> Row:
    planned = change(action, *(fields or (WRITE,)))
    return Row(planned, planned)


def failed(kind: type[StatusError], *, maybe_applied: bool = False) -> StatusError:
    return kind("no", status=400, method="POST", path="/", maybe_applied=maybe_applied)


LOST = NoAnswerError("no answer", method="POST", path="/", maybe_applied=True)


class TestWhatIsLeft:
    @pytest.mark.parametrize("event", [None, Event.FAILED, Event.MET_OTHERS, Event.REFUSAL])
    def test_what_could_not_be_read_again_is_left_to_the_next_attempt(self, event: Event | None) -> None:
        sent = row()
        sent.met(event or Event.ANSWERED)
        outcome, _, error = outcome_of(sent, RunOptions())
        assert outcome is Outcome.FAILED
        assert error is not None
        assert "could not be read again" in error.message
        assert error.retryable

    def test_what_was_not_sent_is_left_to_the_next_attempt_too(self) -> None:
        outcome, _, error = outcome_of(row(), RunOptions())
        assert outcome is Outcome.NOT_SENT
        assert error is not None
        assert error.retryable

    def test_only_what_an_answered_write_left_is_the_rest_of_a_plan(self) -> None:
        creation = Change("a", Action.CREATE, "Sklearn", existing=Existing("id", 0.1, 1, "me"))
        for event, expected in ((Event.ANSWERED, True), (Event.FAILED, False)):
            left = Row(creation, creation)
            left.met(event)
            left.met(Event.DIFFERS)
            assert left.is_rest_of_plan("me") is expected
            assert not left.is_rest_of_plan("ana")


class TestTheTable:
    def test_each_state_waits_for_a_write_or_for_a_look_at_the_catalog_or_is_an_end(self) -> None:
        writes = {Event.ANSWERED, Event.FAILED, Event.MET_OTHERS, Event.REFUSAL}
        reads = {Event.MATCHES, Event.DIFFERS}
        ends = set()
        for state in RowState:
            events = {event for known, event in TRANSITIONS if known is state}
            assert events in (writes, reads, set())
            if not events:
                ends.add(state)
        assert ends == {RowState.VERIFIED, RowState.SUPERSEDED}

    def test_what_was_sent_is_a_success_only_when_the_catalog_shows_it(self) -> None:
        assert TRANSITIONS[RowState.SENT, Event.MATCHES] is RowState.VERIFIED
        assert TRANSITIONS[RowState.SENT, Event.DIFFERS] is RowState.UNAPPLIED

    def test_a_refusal_stays_one_unless_somebody_else_made_it_so(self) -> None:
        assert TRANSITIONS[RowState.REFUSED, Event.DIFFERS] is RowState.REFUSED
        assert TRANSITIONS[RowState.REFUSED, Event.MATCHES] is RowState.SUPERSEDED

    def test_every_path_ends(self) -> None:
        """Whatever happens, a row is written three times at the most."""
        for events in itertools.product(Event, repeat=6):
            life = row(Action.CREATE)
            writes = 0
            for event in events:
                if (life.state, event) not in TRANSITIONS:
                    break
                writes += event in (Event.ANSWERED, Event.FAILED, Event.MET_OTHERS, Event.REFUSAL)
                life.met(event)
                if not life.is_to_be_read and not life.is_worth_another_try:
                    break
            assert writes <= 3


@pytest.mark.parametrize(
    "error, action, expected",
    [
        (None, Action.CREATE, Event.ANSWERED),
        (LOST, Action.UPDATE, Event.FAILED),
        (failed(ServerError), Action.UPDATE, Event.FAILED),
        (failed(BadRequestError), Action.UPDATE, Event.REFUSAL),
        (failed(ChangedMeanwhileError), Action.UPDATE, Event.MET_OTHERS),
        (failed(ChangedMeanwhileError, maybe_applied=True), Action.UPDATE, Event.FAILED),
        (failed(NotFoundError), Action.UPDATE, Event.MET_OTHERS),
        (failed(BrokenReferenceError), Action.UPDATE, Event.REFUSAL),
        (failed(NotFoundError), Action.CREATE, Event.REFUSAL),
        (failed(NotFoundError, maybe_applied=True), Action.RESTORE, Event.FAILED),
        (failed(ConflictError), Action.CREATE, Event.MET_OTHERS),
        (failed(ConflictError, maybe_applied=True), Action.CREATE, Event.FAILED),
        (failed(ConflictError), Action.RESTORE, Event.REFUSAL),
    ],
)
def test_what_an_answer_means(error: CollateError | None, action: Action, expected: Event) -> None:
    assert event_of(error, action) is expected


def test_a_name_that_exists_after_a_lost_answer_may_be_our_own() -> None:
    life = row(Action.CREATE)
    life.answered(LOST)
    life.read_again(change(Action.CREATE))
    life.answered(failed(ConflictError))
    assert life.state is RowState.UNCERTAIN
    assert not life.met_others


class TestAnotherTry:
    def test_after_a_fault_once(self) -> None:
        life = row()
        for expected in (True, False):
            life.answered(LOST)
            life.read_again(change(Action.UPDATE, WRITE))
            assert life.is_worth_another_try is expected

    def test_after_an_edit_by_somebody_else_once(self) -> None:
        life = row()
        for expected in (True, False):
            life.answered(failed(ChangedMeanwhileError))
            life.read_again(change(Action.UPDATE, WRITE))
            assert life.is_worth_another_try is expected

    @pytest.mark.parametrize("action", [Action.CREATE, Action.RESTORE])
    def test_what_a_creation_or_a_restore_left_is_patched_once(self, action: Action) -> None:
        life = row(action)
        for expected in (True, False):
            life.answered(None)
            life.read_again(change(Action.UPDATE, WRITE))
            assert life.is_worth_another_try is expected
        assert life.state is RowState.UNAPPLIED

    def test_a_patch_that_was_answered_with_success_is_not_sent_again(self) -> None:
        life = row()
        life.answered(None)
        life.read_again(change(Action.UPDATE, WRITE))
        assert not life.is_worth_another_try

    def test_a_refusal_is_final(self) -> None:
        life = row()
        life.answered(failed(BadRequestError))
        life.read_again(change(Action.UPDATE, WRITE))
        assert life.state is RowState.REFUSED
        assert not life.is_worth_another_try

    def test_a_conflict_is_not_written(self) -> None:
        life = row(Action.CREATE)
        life.answered(failed(ConflictError))
        life.read_again(change(Action.CONFLICT))
        assert not life.is_worth_another_try


class TestMaskedSecrets:
    def test_are_as_declared_when_their_write_was_answered_with_success(self) -> None:
        life = row(Action.NONE, MASKED)
        life.answered(None)
        life.read_again(change(Action.NONE, MASKED))
        assert life.state is RowState.VERIFIED

    @pytest.mark.parametrize("error", [LOST, failed(ChangedMeanwhileError), failed(BadRequestError)])
    def test_are_not_known_to_be_after_any_other_answer(self, error: CollateError) -> None:
        life = row(Action.NONE, MASKED)
        life.answered(error)
        life.read_again(change(Action.NONE, MASKED))
        assert life.state in (RowState.OPEN, RowState.REFUSED)


def test_a_field_that_somebody_else_set_does_not_make_a_written_row_a_failure() -> None:
    life = row()
    life.answered(None)
    life.read_again(change(Action.KEEP, KEPT))
    assert life.state is RowState.VERIFIED
