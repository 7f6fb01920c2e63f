"""The plan of a run: its changes, its counts, its refusal and its text."""

from __future__ import annotations

from typing import Any

import pytest

from airflow_provider_collate.exceptions import PruneRefusedError
from airflow_provider_collate.reconcile.changes import Action, Change, Desired
from airflow_provider_collate.reconcile.field_change import FieldChange, Status
from airflow_provider_collate.reconcile.options import RunOptions
from airflow_provider_collate.reconcile.plan import Plan
from airflow_provider_collate.reconcile.planner import Planner
from airflow_provider_collate.reconcile.scope import PruneScope
from tests.unit.reconcile.comparing import facts
from tests.unit.reconcile.workbench import Row, Workbench, declared_service, declared_services, mlflow, shown, sklearn

TEAM = PruneScope(name_prefix="team.")


def change(name: str, action: Action, *fields: FieldChange, **more: Any) -> Change:
    return Change(name, action, "Sklearn", Desired(0, [declared_service(name=name)], name), fields=fields, **more)


class TestText:
    def test_it_shows_what_changes_who_kept_what_and_counts_the_rest(self) -> None:
        by_hand = FieldChange("description", '"By hand" (ana) is kept, "New" was declared', status=Status.CONFLICT)
        plan = Plan(
            (
                change("fraud", Action.CREATE),
                change("team.a", Action.UPDATE, FieldChange("tags", "[] → [Tier.Tier1]"), by_hand),
                change("kept", Action.KEEP, by_hand),
                change("taken", Action.CONFLICT, reason="exists already"),
                change("old", Action.DELETE, reason="soft delete, it is not declared"),
                change("same", Action.NONE),
                change("masked", Action.NONE, FieldChange("connection.x", "masked", status=Status.REWRITE)),
            ),
            notes=("A note.",),
        )
        assert plan.text().splitlines() == [
            "+ fraud               create     Sklearn",
            "~ team.a              update     tags: [] → [Tier.Tier1]",
            '                                 description: "By hand" (ana) is kept, "New" was declared',
            '! kept                keep       description: "By hand" (ana) is kept, "New" was declared',
            "x taken               conflict   exists already",
            "- old                 delete     soft delete, it is not declared",
            "= 2 unchanged",
            "A note.",
        ]

    def test_tags_of_others_are_named_though_nothing_changes(self) -> None:
        left = FieldChange("tags", "[PII.None (ana)] not declared", status=Status.LEFT)
        assert "PII.None (ana)" in Plan((change("a", Action.NONE, left),)).text()

    def test_it_is_bounded_and_on_one_line_each(self) -> None:
        fields = [FieldChange(f"f{n}", "changed") for n in range(30)]
        lines = Plan((Change("a\nb", Action.UPDATE, "Sklearn", fields=tuple(fields)),)).text().splitlines()
        assert lines[0].startswith("~ a?b")
        assert lines[-1].endswith("… and 10 more")
        many = Plan(tuple(change(f"s{n}", Action.CREATE) for n in range(600))).text().splitlines()
        assert many[-1] == "… and 100 more services that are not unchanged"
        assert "more" not in Plan(tuple(change(f"s{n}", Action.CREATE) for n in range(500))).text()
        assert "more" not in Plan((Change("a", Action.UPDATE, "Sklearn", fields=tuple(fields[:20])),)).text()

    def test_an_empty_plan(self) -> None:
        assert Plan(()).text() == "= 0 unchanged"

    def test_drift_says_what_can_be_done(self) -> None:
        error = Plan((change("a", Action.CREATE),)).drift()
        assert error is not None
        assert error.advice.startswith("Run the task without plan_only")

    @pytest.mark.parametrize("refusal", [None, PruneRefusedError("too many")])
    def test_as_an_xcom(self, refusal: PruneRefusedError | None) -> None:
        plan = Plan((change("a", Action.CREATE),), refusal=refusal, fingerprint="plan1:x")
        assert plan.to_json("http://ui") == {
            "has_changes": True,
            "refused": refusal is not None,
            "counts": {"create": 1},
            "text": plan.text(),
            "markdown": plan.markdown(),
            "fingerprint": "plan1:x",
            "url": "http://ui",
        }


def seeded(bench: Workbench, *names: str) -> Workbench:
    bench.run([sklearn(name) for name in names])
    return bench


class TestPruning:
    def test_what_is_in_scope_and_not_declared_is_deleted_after_the_declared_ones_by_name(self, bot: Workbench) -> None:
        seeded(bot, "team.2", "team.0", "team.1", "other")
        rows: list[Row] = [sklearn("team.b"), sklearn("team.1")]
        plan = bot.plan(rows, prune="hard", prune_scope=TEAM, max_prune="100%")
        assert [(each.name, each.action) for each in plan.changes] == [
            ("team.b", Action.CREATE),
            ("team.1", Action.NONE),
            ("team.0", Action.DELETE),
            ("team.2", Action.DELETE),
        ]
        assert plan.counts == {"create": 1, "unchanged": 1, "delete": 2}
        assert plan.in_scope == 3

    def test_deletions_are_in_the_order_of_names_in_whatever_order_services_are_read(self) -> None:
        planner = Planner([], facts(), RunOptions(prune="soft", prune_scope=TEAM, allow_empty=True, max_prune=2))
        for name in ("team.b", "team.a"):
            planner.add(shown(name=name))
        assert [each.name for each in planner.plan().changes] == ["team.a", "team.b"]

    def test_nothing_is_deleted_unless_asked_or_if_it_is_deleted_already(self, bot: Workbench) -> None:
        seeded(bot, "team.a", "team.b")
        assert bot.plan([sklearn("team.a")]).counts == {"unchanged": 1}
        bot.catalog.remove_service("team.b")
        assert bot.plan([sklearn("team.a")], prune="hard", prune_scope=TEAM).counts == {"unchanged": 1}

    @pytest.mark.parametrize("limit, refused", [(2, False), (1, True), ("20%", False), ("19.9%", True)])
    def test_more_than_the_limit_is_refused_before_any_write(
        self, bot: Workbench, limit: int | str, refused: bool
    ) -> None:
        names = [f"team.{n}" for n in range(10)]
        seeded(bot, *names)
        rows: list[Row] = [sklearn(name) for name in names[:8]]
        options: dict[str, Any] = {"prune": "soft", "prune_scope": TEAM, "max_prune": limit}
        plan = bot.plan(rows, **options)
        assert (plan.refusal is not None) is refused
        assert ("A run would be refused: 2 of 10 services in scope are" in plan.text()) is refused
        assert "nothing was written" not in plan.text()
        if refused:
            written = len(bot.writes())
            with pytest.raises(PruneRefusedError, match=r"(?s)2 of 10 services in scope.*max_prune.*plan_only"):
                bot.run(rows, **options)
            assert len(bot.writes()) == written

    def test_an_empty_declaration_deletes_nothing_unless_that_is_allowed(self, bot: Workbench) -> None:
        seeded(bot, "team.a")
        options: dict[str, Any] = {"prune": "soft", "prune_scope": TEAM, "max_prune": "100%"}
        plan = bot.plan([], **options)
        assert (plan.changes, plan.in_scope, plan.is_as_declared, plan.warnings) == ((), 1, True, ())
        assert "allow_empty" in plan.notes[0]
        elsewhere = bot.plan([], **{**options, "prune_scope": PruneScope(name_prefix="other.")})
        assert elsewhere.warnings == ("No service is in the prune scope (name_prefix 'other.')",)
        assert bot.plan([], allow_empty=True, **options).counts == {"delete": 1}


def test_what_cannot_be_applied_as_it_is_is_a_conflict_and_the_rest_is_planned(bot: Workbench) -> None:
    services = declared_services([sklearn("a", tags=["X"]), sklearn("b"), sklearn("c")])
    first, second, third = bot.reconciler().plan(services, {0: "services[0]: its file", 2: "services[2]: c"}).changes
    assert first.reason == 'services[0]: its file; services[0].tags: "X" is not in the catalog'
    assert (second.action, third.reason) == (Action.CREATE, "services[2]: c")


def test_a_plan_writes_nothing(anyone: Workbench) -> None:
    anyone.run([sklearn("a"), mlflow("b", description="x")])
    seen = len(anyone.writes())
    plan = anyone.plan(
        [sklearn("a", displayName="New"), mlflow("c"), sklearn("d")],
        prune="hard",
        prune_scope=PruneScope(name_prefix="b"),
        max_prune=1,
    )
    assert plan.counts == {"update": 1, "create": 2, "delete": 1}
    assert len(anyone.writes()) == seen
