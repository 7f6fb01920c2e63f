"""The decision about one service."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from airflow_provider_collate.models.history import History
from airflow_provider_collate.reconcile.changes import Action, broken_change, deletion_of, is_gone
from airflow_provider_collate.reconcile.facts import Authors
from airflow_provider_collate.reconcile.field_change import Status
from airflow_provider_collate.reconcile.options import IfExists, OnConflict, RunOptions
from airflow_provider_collate.reconcile.scope import PruneScope
from tests.unit.reconcile.comparing import ME, WHEN, compare, facts, history, texts, version
from tests.unit.reconcile.workbench import sagemaker, shown, sklearn

OWNERS = [{"id": f"8a1f2b3c-0000-4000-8000-00000000000{n}", "type": "user"} for n in range(2)]
CREATED_AT = datetime(2025, 11, 20, 14, 3, tzinfo=timezone.utc)


class TestActions:
    def test_a_service_that_is_not_there_is_created(self) -> None:
        assert compare(None).action is Action.CREATE

    def test_one_that_is_as_declared_is_left(self) -> None:
        change = compare(shown())
        assert change.action is Action.NONE
        assert not change.writes

    def test_another_type_is_a_conflict_whatever_is_done_with_existing_ones(self) -> None:
        for choice in ("fail", "ignore", "update"):
            change = compare(shown(serviceType="Mlflow"), options=RunOptions(if_exists=choice))
            assert change.action is Action.CONFLICT
            assert change.reason == "is a Mlflow service, and a service's type cannot be changed"
            assert "another name" in change.advice

    @pytest.mark.parametrize("service", [None, shown()])
    def test_what_the_release_cannot_hold_is_a_conflict(self, service: None) -> None:
        change = compare(service, by=facts("1.2.0"), owners=OWNERS)
        assert change.action is Action.CONFLICT
        assert change.reason == "declares 2 owners, but Collate 1.2.0 holds one"

    @pytest.mark.parametrize("release, is_there", [("1.2.0", False), ("1.4.9", False), ("1.5.0", True), ("next", True)])
    def test_a_type_that_the_release_does_not_have_is_a_conflict(self, release: str, is_there: bool) -> None:
        row = sklearn(serviceType="VertexAI", connection={"config": {"location": "eu"}})
        change = compare(None, by=facts(release), row=row)
        assert change.action is (Action.CREATE if is_there else Action.CONFLICT)
        assert ("VertexAI" in change.reason and release in change.reason) is not is_there
        existing = compare(shown(serviceType="VertexAI"), by=facts(release), row=row)
        assert existing.action is not Action.CONFLICT

    def test_a_mask_does_not_become_a_new_service_s_password(self) -> None:
        change = compare(None, row=sagemaker(secret="*********"))
        assert change.action is Action.CONFLICT
        assert "mask" in change.reason

    def test_one_that_refers_to_what_does_not_exist_is_a_conflict(self) -> None:
        desired = compare(None).desired
        assert desired is not None
        change = broken_change(desired, "its domain is gone")
        assert (change.name, change.service_type, change.desired) == ("team.sklearn", "Sklearn", desired)
        assert change.advice.startswith("Ask the server's operator")

    def test_a_patch_is_guarded_by_all_that_tells_of_an_edit(self) -> None:
        change = compare(shown())
        assert change.existing is not None
        assert [step.to_json() for step in change.existing.guard] == [
            {"op": "test", "path": "/version", "value": 0.3},
            {"op": "test", "path": "/updatedAt", "value": 1_700_000_000_000},
        ]


class TestIfExists:
    @pytest.mark.parametrize(
        "choice, expected", [("update", Action.NONE), ("ignore", Action.IGNORE), ("fail", Action.CONFLICT)]
    )
    def test_a_service_that_exists(self, choice: IfExists, expected: Action) -> None:
        assert compare(shown(), options=RunOptions(if_exists=choice)).action is expected

    @pytest.mark.parametrize(
        "user, late, expected", [(ME, 30, Action.NONE), (ME, 90, Action.CONFLICT), ("ana", 0, Action.CONFLICT)]
    )
    def test_on_a_later_attempt_it_is_ours_if_we_created_it_since_the_dag_run_began(
        self, user: str, late: int, expected: Action
    ) -> None:
        options = RunOptions(if_exists="fail", created_since=CREATED_AT + timedelta(seconds=late))
        assert compare(shown(), options=options).is_undecided
        assert compare(shown(), options=options, told=history(version(0.1, user, at=WHEN))).action is expected

    @pytest.mark.parametrize("ahead, expected", [(-600, Action.NONE), (0, Action.CONFLICT), (600, Action.CONFLICT)])
    def test_the_time_is_converted_to_the_servers_clock(self, ahead: int, expected: Action) -> None:
        options = RunOptions(if_exists="fail", created_since=CREATED_AT + timedelta(seconds=600))
        by = facts(clock_ahead=timedelta(seconds=ahead))
        told = history(version(0.1, ME, at=WHEN))
        assert compare(shown(), options=options, by=by, told=told).action is expected

    def test_a_history_that_cannot_be_read_makes_it_somebody_else_s(self) -> None:
        options = RunOptions(if_exists="fail", created_since=CREATED_AT)
        assert compare(shown(), options=options, told=History()).action is Action.CONFLICT

    @pytest.mark.parametrize("user, expected", [(ME, Action.NONE), ("ana", Action.IGNORE)])
    def test_one_of_an_earlier_attempt_is_not_ignored(self, user: str, expected: Action) -> None:
        options = RunOptions(if_exists="ignore", created_since=CREATED_AT)
        assert compare(shown(), options=options).is_undecided
        assert compare(shown(), options=options, told=history(version(0.1, user, at=WHEN))).action is expected


class TestSoftDeletedServices:
    def deleted_by(self, user: str) -> History:
        updated = [{"name": "deleted", "oldValue": False, "newValue": True}]
        return history(version(0.2, user, fields={"deleted": True}, fieldsUpdated=updated), version(0.1, ME))

    def test_our_own_deletion_is_restored(self) -> None:
        assert compare(shown(deleted=True)).is_undecided
        assert compare(shown(deleted=True), told=self.deleted_by(ME)).action is Action.RESTORE

    def test_one_that_somebody_else_deleted_is_a_conflict(self) -> None:
        change = compare(shown(deleted=True), told=self.deleted_by("ana"))
        assert change.action is Action.KEEP
        assert texts(change, Status.CONFLICT) == [
            "deleted: it was soft-deleted (ana, 2025-11-20 14:03 UTC), and stays so"
        ]

    def test_it_is_restored_when_that_is_asked(self) -> None:
        assert compare(shown(deleted=True), by=facts(on_conflict="overwrite")).action is Action.RESTORE

    @pytest.mark.parametrize("choice", ["ignore", "fail"])
    def test_it_stands_in_the_way_of_a_creation(self, choice: IfExists) -> None:
        change = compare(shown(deleted=True), options=RunOptions(if_exists=choice), told=self.deleted_by(ME))
        assert change.action is Action.CONFLICT
        assert change.reason == "exists, soft-deleted"
        assert "restore it" in change.advice


@pytest.mark.parametrize("choice", ["fail", "keep"])
def test_a_kept_field_never_writes(choice: OnConflict) -> None:
    change = compare(shown(description="By hand"), by=facts(on_conflict=choice), told=History(), description="New")
    assert change.action is Action.KEEP
    assert not change.writes


@pytest.mark.parametrize(
    "there, hard, expected",
    [
        (None, True, True),
        (shown(deleted=True), False, True),
        (shown(deleted=True), True, False),
        (shown(), False, False),
    ],
)
def test_when_a_service_counts_as_deleted(there: None, hard: bool, expected: bool) -> None:
    assert is_gone(there, hard=hard) is expected


class TestDeletions:
    OPTIONS = RunOptions(prune="hard", prune_scope=PruneScope(name_prefix="a"))

    def test_what_we_have_created_is_deleted(self) -> None:
        assert deletion_of(shown(), facts(), self.OPTIONS).is_undecided
        change = deletion_of(shown(), facts(), self.OPTIONS, Authors(history(version(0.1, ME))))
        assert (change.action, change.service_type) == (Action.DELETE, "Sklearn")
        assert change.reason == "hard delete, it is not declared"

    @pytest.mark.parametrize("told", [history(version(0.1, "ana")), History()])
    def test_what_others_have_created_is_named_and_stays(self, told: History) -> None:
        change = deletion_of(shown(), facts(), self.OPTIONS, Authors(told))
        assert change.action is Action.NONE
        assert "is not declared, and is not deleted" in texts(change, Status.LEFT)[0]

    def test_overwriting_deletes_it_without_a_look_at_the_history(self) -> None:
        assert deletion_of(shown(), facts(on_conflict="overwrite"), self.OPTIONS).action is Action.DELETE
