"""The life of a row: what its writes and the catalog tell, and when it is written once more."""

from __future__ import annotations

import itertools
from contextlib import nullcontext

import pytest

from airflow_provider_collate.client.release import Release
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
from airflow_provider_collate.reconcile.row import TRANSITIONS, Event, Row, RowState, outcome_of

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


RELEASE = Release("2.0.7")
LOST = NoAnswerError("no answer", method="POST", path="/", maybe_applied=True)


class TestWhatIsLeft:
    @pytest.mark.parametrize(
        "is_sent, expected, told", [(True, Outcome.FAILED, "could not be read again"), (False, Outcome.NOT_SENT, "")]
    )
    def test_what_was_not_read_again_or_not_sent_is_left_to_the_next_attempt(
        self, is_sent: bool, expected: Outcome, told: str
    ) -> None:
        life = row()
        if is_sent:
            life.answered(None)
        outcome, _, error = outcome_of(life, RunOptions())
        assert outcome is expected
        assert error is not None
        assert told in error.message
        assert error.retryable

    def test_only_what_an_answered_write_left_is_the_rest_of_a_plan(self) -> None:
        creation = Change("a", Action.CREATE, "Sklearn", existing=Existing("id", 0.1, 1, "me"))
        for error, expected in ((None, True), (LOST, False)):
            left = Row(creation, creation)
            left.answered(error)
            left.read_again(creation, RELEASE)
            assert left.is_rest_of_plan("me") is expected
            assert not left.is_rest_of_plan("ana")


class TestTheTable:
    def test_each_state_waits_for_a_write_or_for_a_look_at_the_catalog_or_is_an_end(self) -> None:
        reads = {Event.MATCHES, Event.DIFFERS}
        ends = set()
        for state in RowState:
            events = {event for known, event in TRANSITIONS if known is state}
            assert events in (set(Event) - reads, reads, set())
            if not events:
                ends.add(state)
        assert ends == {RowState.VERIFIED, RowState.SUPERSEDED}

    def test_each_transition_is_met_by_a_row_and_no_other(self) -> None:
        answers: dict[Event, CollateError | None] = {
            Event.ANSWERED: None,
            Event.FAILED: LOST,
            Event.MET_OTHERS: failed(ChangedMeanwhileError),
            Event.REFUSAL: failed(BadRequestError),
        }
        shown = {Event.MATCHES: change(Action.NONE), Event.DIFFERS: change(Action.UPDATE, WRITE)}
        for state, event in itertools.product(RowState, Event):
            life = Row(row().planned, change(Action.UPDATE, WRITE), (RowState.PLANNED, state))
            with nullcontext() if (state, event) in TRANSITIONS else pytest.raises(KeyError):
                if event in answers:
                    life.answered(answers[event])
                else:
                    life.read_again(shown[event], RELEASE)
                assert life.state is TRANSITIONS[state, event]


def test_every_path_ends() -> None:
    """Whatever is answered and shown, a row is written three times at the most."""
    answers = [None, LOST, failed(ConflictError), failed(ChangedMeanwhileError), failed(BadRequestError)]
    shown = [change(Action.NONE), change(Action.CREATE), change(Action.UPDATE, WRITE), change(Action.CONFLICT)]
    for seen in itertools.product(itertools.product(answers, shown), repeat=3):
        life = row(Action.CREATE)
        for error, now in seen:
            life.answered(error)
            assert life.is_to_be_read
            life.read_again(now, RELEASE)
            if not life.is_worth_another_try(RELEASE):
                break
        assert not life.is_worth_another_try(RELEASE)


@pytest.mark.parametrize(
    "error, action, expected",
    [
        (None, Action.CREATE, RowState.SENT),
        (LOST, Action.UPDATE, RowState.UNCERTAIN),
        (failed(ServerError), Action.UPDATE, RowState.UNCERTAIN),
        (failed(BadRequestError), Action.UPDATE, RowState.REFUSED),
        (failed(ChangedMeanwhileError), Action.UPDATE, RowState.OVERTAKEN),
        (failed(ChangedMeanwhileError, maybe_applied=True), Action.UPDATE, RowState.UNCERTAIN),
        (failed(NotFoundError), Action.UPDATE, RowState.OVERTAKEN),
        (failed(BrokenReferenceError), Action.UPDATE, RowState.REFUSED),
        (failed(NotFoundError), Action.CREATE, RowState.REFUSED),
        (failed(NotFoundError, maybe_applied=True), Action.RESTORE, RowState.UNCERTAIN),
        (failed(ConflictError), Action.CREATE, RowState.OVERTAKEN),
        (failed(ConflictError, maybe_applied=True), Action.CREATE, RowState.UNCERTAIN),
        (failed(ConflictError), Action.RESTORE, RowState.REFUSED),
    ],
)
def test_what_an_answer_means(error: CollateError | None, action: Action, expected: RowState) -> None:
    life = row(action)
    life.answered(error)
    assert life.state is expected


@pytest.mark.parametrize(
    "error, as_declared, otherwise",
    [
        (None, RowState.VERIFIED, RowState.UNAPPLIED),
        (LOST, RowState.VERIFIED, RowState.OPEN),
        (failed(ChangedMeanwhileError), RowState.SUPERSEDED, RowState.OPEN),
        (failed(BadRequestError), RowState.SUPERSEDED, RowState.REFUSED),
    ],
)
def test_what_the_catalog_then_tells(error: CollateError | None, as_declared: RowState, otherwise: RowState) -> None:
    for now, expected in ((change(Action.NONE), as_declared), (change(Action.UPDATE, WRITE), otherwise)):
        life = row()
        life.answered(error)
        life.read_again(now, RELEASE)
        assert life.state is expected


def test_a_name_that_exists_after_a_lost_answer_may_be_our_own() -> None:
    life = row(Action.CREATE)
    life.answered(LOST)
    life.read_again(change(Action.CREATE), RELEASE)
    life.answered(failed(ConflictError))
    assert life.state is RowState.UNCERTAIN
    assert not life.met_others


class TestAnotherTry:
    @pytest.mark.parametrize(
        "action, error, end",
        [
            (Action.UPDATE, LOST, RowState.OPEN),
            (Action.UPDATE, failed(ChangedMeanwhileError), RowState.OPEN),
            (Action.CREATE, None, RowState.UNAPPLIED),
            (Action.RESTORE, None, RowState.UNAPPLIED),
        ],
    )
    def test_once_after_a_fault_or_an_edit_and_for_what_a_creation_or_a_restore_left(
        self, action: Action, error: CollateError | None, end: RowState
    ) -> None:
        life = row(action)
        for expected in (True, False):
            life.answered(error)
            life.read_again(change(Action.UPDATE, WRITE), RELEASE)
            assert life.is_worth_another_try(RELEASE) is expected
        assert life.state is end

    @pytest.mark.parametrize(
        "action, error, now, end",
        [
            (Action.UPDATE, None, change(Action.UPDATE, WRITE), RowState.UNAPPLIED),
            (Action.NONE, None, change(Action.UPDATE, WRITE), RowState.UNAPPLIED),
            (Action.UPDATE, failed(BadRequestError), change(Action.UPDATE, WRITE), RowState.REFUSED),
            (Action.CREATE, failed(ConflictError), change(Action.CONFLICT), RowState.OPEN),
        ],
        ids=["an answered patch", "one of secrets alone", "a refusal", "a conflict"],
    )
    def test_never_after(self, action: Action, error: CollateError | None, now: Change, end: RowState) -> None:
        life = row(action)
        life.answered(error)
        life.read_again(now, RELEASE)
        assert life.state is end
        assert not life.is_worth_another_try(RELEASE)

    def test_never_after_a_patch_of_what_a_lost_creation_left(self) -> None:
        life = row(Action.CREATE)
        for error, expected in ((LOST, True), (None, False)):
            life.answered(error)
            life.read_again(change(Action.UPDATE, WRITE), RELEASE)
            assert life.is_worth_another_try(RELEASE) is expected


class TestMaskedSecrets:
    def test_are_as_declared_when_their_write_was_answered_with_success(self) -> None:
        life = row(Action.NONE, MASKED)
        life.answered(None)
        life.read_again(change(Action.NONE, MASKED), RELEASE)
        assert life.state is RowState.VERIFIED

    @pytest.mark.parametrize("error", [LOST, failed(ChangedMeanwhileError), failed(BadRequestError)])
    def test_are_not_known_to_be_after_any_other_answer(self, error: CollateError) -> None:
        life = row(Action.NONE, MASKED)
        life.answered(error)
        life.read_again(change(Action.NONE, MASKED), RELEASE)
        assert life.state in (RowState.OPEN, RowState.REFUSED)


def test_a_field_that_somebody_else_set_does_not_make_a_written_row_a_failure() -> None:
    life = row()
    life.answered(None)
    life.read_again(change(Action.KEEP, KEPT), RELEASE)
    assert life.state is RowState.VERIFIED
