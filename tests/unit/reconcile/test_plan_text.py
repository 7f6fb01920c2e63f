"""The plan as a person reads it."""

from __future__ import annotations

from typing import Any

from airflow_provider_collate.reconcile.compare import Difference, FieldChange
from airflow_provider_collate.reconcile.plan import Action, Plan, RowPlan
from airflow_provider_collate.reconcile.plan_text import render_plan
from airflow_provider_collate.reconcile.scope import PruneScope
from airflow_provider_collate.sandbox import Catalog
from tests.unit.reconcile.workbench import Row, Workbench, mlflow, sagemaker, sklearn

CANARY = "canary-ThIs-MuSt-NoT-aPpEaR"


def row(name: str, action: Action, *changes: FieldChange, reason: str = "") -> RowPlan:
    return RowPlan(0, name, action, "Mlflow", difference=Difference(changes), reason=reason)


def test_it_reads_as_promised() -> None:
    kept = FieldChange(
        "description", '"By hand" stays, "New" was asked', kept_because="a bot's PUT does not replace it"
    )
    plan = Plan(
        (
            row("fraud_mlflow", Action.CREATE),
            row(
                "team.sklearn",
                Action.UPDATE,
                FieldChange("description", '"Old" → "New"', only_patched=True),
                FieldChange("connection.config.awsConfig.awsSecretAccessKey", "changed"),
            ),
            row("churn_mlflow", Action.KEEP, kept),
            *(row(f"same{n}", Action.UNCHANGED) for n in range(1998)),
        )
    )
    assert render_plan(plan) == (
        "+ fraud_mlflow        create   Mlflow\n"
        '~ team.sklearn        update   description: "Old" → "New"   (patch)\n'
        "                               connection.config.awsConfig.awsSecretAccessKey: changed\n"
        '! churn_mlflow        keep     description: "By hand" stays, "New" was asked: '
        "a bot's PUT does not replace it\n"
        "= 1,998 unchanged"
    )


def test_every_other_action() -> None:
    plan = Plan(
        (
            row("deleted", Action.RESTORE, FieldChange("tags", "[] → [A]", only_patched=True)),
            row("plain", Action.RESTORE),
            row("other", Action.CONFLICT, reason="is a Sklearn service, and a service's type cannot be changed"),
            row("there", Action.IGNORE),
            row("a-name-that-is-a-good-deal-longer-than-the-widest-column", Action.PRUNE, reason="soft delete"),
        )
    )
    assert render_plan(plan).splitlines() == [
        "+ deleted                                   restore    tags: [] → [A]   (patch)",
        "+ plain                                     restore",
        (
            "x other                                     conflict   "
            "is a Sklearn service, and a service's type cannot be changed"
        ),
        "= there                                     ignore",
        "- a-name-that-is-a-good-deal-longer-than-the-widest-column  prune      soft delete",
    ]


def test_nothing_to_say() -> None:
    assert render_plan(Plan(())) == "= 0 unchanged"


def test_it_is_bounded() -> None:
    changes = [FieldChange(f"connection.config.connectionOptions.k{n}", "changed") for n in range(100)]
    plan = Plan(tuple(row(f"s{n}", Action.UPDATE, *changes) for n in range(700)))
    lines = render_plan(plan).splitlines()
    assert len(lines) == 500 * 21 + 1
    assert lines[20].strip() == "… and 80 more"
    assert lines[-1] == "… and 200 more rows that are not unchanged"


def test_a_name_cannot_draw_on_the_log() -> None:
    text = render_plan(Plan((row("a\n+ b\x1b[2J", Action.CREATE),)))
    assert text.splitlines() == ["+ a?+ b?[2J           create   Mlflow"]


def test_notes_come_last(bot: Workbench) -> None:
    bot.run([sklearn(f"team.{n}") for n in range(5)])
    plan = bot.plan([sklearn("team.0")], prune="soft", prune_scope=PruneScope(name_prefix="team."))
    assert render_plan(plan).splitlines()[-1] == (
        "A run would be refused: 4 of 5 services in scope are not declared any more, but max_prune='10%' lets 0 go; "
        "nothing was written"
    )


def test_no_secret_is_in_it() -> None:
    """For bots, who read them in clear, and for people: in new, changed, replaced and removed connections."""
    for release in ("today", "1.2"):
        for is_bot in (True, False):
            bench = Workbench(Catalog(release), is_bot=is_bot)
            bench.run(
                [sagemaker("sage", secret=f"{CANARY}-old"), mlflow("flow"), sklearn("bare"), custom("mine", "old")]
            )
            rows: list[Row] = [
                sagemaker("sage", secret=f"{CANARY}-new", displayName="Sage"),
                mlflow("flow", **uri(f"mysql://ml:{CANARY}@db/ml")),
                custom("mine", "new"),
                sagemaker("new", secret=CANARY),
            ]
            plan = bench.plan(rows, rewrite_secrets=True)
            assert {planned.action for planned in plan.rows} == {Action.UPDATE, Action.CREATE}
            assert CANARY not in f"{render_plan(plan)} {plan!r}"


def uri(registry: str) -> dict[str, Any]:
    return {"connection": {"config": {"type": "Mlflow", "trackingUri": "http://mlflow", "registryUri": registry}}}


def custom(name: str, value: str) -> Row:
    config = {
        "type": "CustomMlModel",
        "connectionOptions": {"password": f"{CANARY}-{value}"},
        "mine": f"{CANARY}{value}",
    }
    return {"name": name, "serviceType": "CustomMlModel", "connection": {"config": config}}
