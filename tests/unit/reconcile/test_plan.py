"""The decision about each row."""

from __future__ import annotations

from typing import Any

import pytest

from airflow_provider_collate.client.release import Release
from airflow_provider_collate.models.service import Service
from airflow_provider_collate.reconcile.compare import Comparison
from airflow_provider_collate.reconcile.options import IfExists, RunOptions
from airflow_provider_collate.reconcile.plan import Action, Plan, RowPlan, make_plan
from airflow_provider_collate.reconcile.scope import PruneScope
from tests.unit.reconcile.workbench import Row, Workbench, mlflow, requests, sagemaker, shown, sklearn

PREFIX = PruneScope(name_prefix="team.")


def make(
    rows: list[Row], catalog: list[Service], *, is_bot: bool = True, release: str = "1.12.3", **options: object
) -> Plan:
    run_options = RunOptions(**options)  # type: ignore[arg-type]
    comparison = Comparison(
        release=lambda: Release(release),
        is_bot=lambda: is_bot,
        reference=lambda collection, fqn: None,
        enforce=run_options.enforce,
        rewrite_secrets=run_options.rewrite_secrets,
    )
    return make_plan(requests(rows), catalog, comparison, run_options)


def make_one(row: Row, service: Service | None, **options: object) -> RowPlan:
    (planned,) = make([row], [service] if service else [], **options).rows  # type: ignore[arg-type]
    return planned


class TestActions:
    def test_create(self) -> None:
        assert make_one(sklearn(), None).action is Action.CREATE

    def test_unchanged(self) -> None:
        assert make_one(sklearn(), shown()).action is Action.UNCHANGED

    def test_update_names_exactly_what_differs(self) -> None:
        row = make_one(sklearn(description="New", displayName="Same"), shown(displayName="Same"))
        assert row.action is Action.UPDATE
        assert [change.field for change in row.difference.changes] == ["description"]

    def test_restore(self) -> None:
        assert make_one(sklearn(), shown(deleted=True)).action is Action.RESTORE

    def test_keep(self) -> None:
        row = make_one(sklearn(description="New"), shown(description="By hand"))
        assert row.action is Action.KEEP
        assert not row.action.writes

    def test_update_of_one_field_while_another_is_kept(self) -> None:
        row = make_one(sklearn(description="New", displayName="New"), shown(description="By hand"))
        assert row.action is Action.UPDATE
        assert [change.field for change in row.difference.writable] == ["displayName"]
        assert [change.field for change in row.kept] == ["description"]

    def test_conflict_of_type_whatever_may_be_done_with_existing_ones(self) -> None:
        for choice in ("fail", "ignore", "update"):
            row = make_one(sklearn(), shown(serviceType="Mlflow"), if_exists=choice, retried=True)
            assert row.action is Action.CONFLICT
            assert row.reason == "is a Mlflow service, and a service's type cannot be changed"
            assert row.advice == "Delete the service first, or give the declaration another name."

    def test_conflict_with_a_release_that_cannot_hold_it(self) -> None:
        owners = [{"id": f"8a1f2b3c-0000-4000-8000-00000000000{n}", "type": "user"} for n in range(2)]
        row = make_one(sklearn(owners=owners), None, release="1.2.0")
        assert row.action is Action.CONFLICT
        assert row.reason == "asks for 2 owners, but Collate 1.2.0 holds one"

    def test_prune(self) -> None:
        plan = make([sklearn()], [shown(), shown(name="team.old")], prune="soft", prune_scope=PREFIX, max_prune=1)
        assert [(row.name, row.action, row.row) for row in plan.rows] == [
            ("team.sklearn", Action.UNCHANGED, 0),
            ("team.old", Action.PRUNE, None),
        ]

    def test_rows_keep_their_order_and_those_to_prune_are_sorted(self) -> None:
        catalog = [shown(name=f"team.old{n}") for n in (2, 0, 1)]
        rows: list[Row] = [sklearn("team.b"), sklearn("team.a")]
        plan = make(rows, catalog, prune="hard", prune_scope=PREFIX, max_prune="100%")
        assert [row.name for row in plan.rows] == ["team.b", "team.a", "team.old0", "team.old1", "team.old2"]
        assert plan.counts() == {"create": 2, "prune": 3}


class TestIfExists:
    @pytest.mark.parametrize(
        "choice, retried, expected",
        [
            ("update", False, Action.UNCHANGED),
            ("ignore", False, Action.IGNORE),
            ("fail", False, Action.CONFLICT),
            ("fail", True, Action.UNCHANGED),
            ("ignore", True, Action.UNCHANGED),
        ],
    )
    def test_a_service_that_is_as_declared(self, choice: IfExists, retried: bool, expected: Action) -> None:
        assert make_one(sklearn(), shown(), if_exists=choice, retried=retried).action is expected

    @pytest.mark.parametrize(
        "choice, retried, expected",
        [
            ("update", False, Action.UPDATE),
            ("ignore", False, Action.IGNORE),
            ("fail", False, Action.CONFLICT),
            ("fail", True, Action.CONFLICT),
            ("ignore", True, Action.IGNORE),
        ],
    )
    def test_a_service_that_is_not(self, choice: IfExists, retried: bool, expected: Action) -> None:
        row = make_one(sklearn(displayName="New"), shown(), if_exists=choice, retried=retried)
        assert row.action is expected

    @pytest.mark.parametrize(
        "choice, expected", [("update", Action.RESTORE), ("ignore", Action.CONFLICT), ("fail", Action.CONFLICT)]
    )
    def test_a_soft_deleted_service(self, choice: IfExists, expected: Action) -> None:
        row = make_one(sklearn(), shown(deleted=True), if_exists=choice, retried=True)
        assert row.action is expected
        assert row.reason == ("" if expected is Action.RESTORE else "exists, soft-deleted")

    def test_a_secret_that_is_masked_does_not_make_it_another_one(self) -> None:
        masked = shown(serviceType="SageMaker", name="sage", connection=sagemaker(secret="*********")["connection"])
        row = make_one(sagemaker(), masked, if_exists="fail", retried=True)
        assert row.action is Action.UNCHANGED


class TestGuard:
    def test_a_patch_is_guarded_by_all_that_tells_of_an_edit(self) -> None:
        row = make_one(sklearn(displayName="New"), shown())
        assert [step.to_json() for step in row.guard] == [
            {"op": "test", "path": "/version", "value": 0.3},
            {"op": "test", "path": "/updatedAt", "value": 1_700_000_000_000},
        ]

    def test_a_server_that_shows_neither(self) -> None:
        assert make_one(sklearn(displayName="New"), shown(version=None, updatedAt=None)).guard == ()


class TestPruning:
    def test_nothing_is_pruned_unless_asked(self) -> None:
        assert make([sklearn()], [shown(), shown(name="team.old")], prune_scope=PREFIX).counts() == {"unchanged": 1}

    def test_what_is_out_of_scope_or_deleted_stays(self) -> None:
        catalog = [shown(), shown(name="other.old"), shown(name="team.gone", deleted=True)]
        plan = make([sklearn()], catalog, prune="hard", prune_scope=PREFIX, max_prune=0)
        assert plan.counts() == {"unchanged": 1}
        assert plan.in_scope == 1

    def test_a_declared_service_out_of_scope_is_written_all_the_same(self) -> None:
        plan = make([sklearn("elsewhere")], [shown()], prune="soft", prune_scope=PREFIX, max_prune="100%")
        assert plan.counts() == {"create": 1, "prune": 1}

    @pytest.mark.parametrize("limit, refused", [(2, False), (1, True), ("20%", False), ("19.9%", True)])
    def test_more_than_the_limit_is_refused(self, limit: int | str, refused: bool) -> None:
        catalog = [shown(name=f"team.{n}") for n in range(10)]
        rows: list[Row] = [sklearn(f"team.{n}") for n in range(8)]
        plan = make(rows, catalog, prune="soft", prune_scope=PREFIX, max_prune=limit)
        assert (plan.refusal is not None) is refused
        assert plan.counts()["prune"] == 2

    def test_the_refusal_says_how_many_and_what_to_do(self) -> None:
        catalog = [shown(name=f"team.{n}") for n in range(1_500)]
        plan = make([sklearn("team.0")], catalog, prune="soft", prune_scope=PREFIX)
        assert str(plan.refusal) == (
            "1,499 of 1,500 services in scope are not declared any more, but max_prune='10%' lets 150 go; "
            "nothing was written\n"
            "Look at the plan with plan_only=True; if it is right, run with max_prune=1499."
        )

    def test_an_empty_declaration_prunes_nothing(self) -> None:
        plan = make([], [shown()], prune="soft", prune_scope=PREFIX, max_prune="100%")
        assert plan.rows == ()
        assert plan.notes == (
            "Nothing is declared, so none of the 1 services in scope is pruned: allow_empty=True does",
        )

    def test_an_empty_declaration_prunes_when_that_is_allowed_and_within_the_limit(self) -> None:
        allowed: dict[str, Any] = {"prune": "soft", "prune_scope": PREFIX, "allow_empty": True}
        assert make([], [shown()], max_prune="100%", **allowed).counts() == {"prune": 1}
        assert make([], [shown()], **allowed).refusal is not None


def test_a_plan_writes_nothing(anyone: Workbench) -> None:
    anyone.run([sklearn("a"), mlflow("b", description="x")])
    seen = len(anyone.writes())
    plan = anyone.plan(
        [sklearn("a", displayName="New"), mlflow("c"), sklearn("d")],
        prune="hard",
        prune_scope=PruneScope(name_prefix="b"),
        max_prune=1,
    )
    assert plan.counts() == {"update": 1, "create": 2, "prune": 1}
    assert len(anyone.writes()) == seen
