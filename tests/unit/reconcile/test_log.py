"""What the log of a run tells, and how often."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator, Sequence
from itertools import count

import pytest

from airflow_provider_collate.kinds.mlmodel import ML_MODEL
from airflow_provider_collate.reconcile.changes import Change
from airflow_provider_collate.reconcile.engine import Reconciler, Watcher
from airflow_provider_collate.reconcile.options import RunOptions
from airflow_provider_collate.reconcile.plan import Plan
from airflow_provider_collate.sandbox import ANA, Catalog
from tests.unit.reconcile.workbench import Row, Workbench, declared_services, sklearn

PACKAGE = "airflow_provider_collate"


def ticking(seconds: int = 1) -> Callable[[], float]:
    """A clock that is so many seconds further each time somebody looks."""
    ticks = count(step=seconds)
    return lambda: float(next(ticks))


@pytest.fixture
def told(caplog: pytest.LogCaptureFixture) -> Iterator[Callable[[], list[str]]]:
    """What was logged so far: the first line of each message, without times."""

    def lines() -> list[str]:
        records = [record for record in caplog.records if record.name.startswith(PACKAGE)]
        messages = [record.getMessage().splitlines()[0] for record in records]
        return [re.sub(r"\d+\.\d s$", "… s", message) for message in messages]

    with caplog.at_level(logging.INFO, PACKAGE):
        yield lines


def run(bench: Workbench, rows: Sequence[Row], seconds: int = 1, **options: object) -> None:
    """Run with a clock that is so many seconds further each time somebody looks."""
    Reconciler(bench.client(), ML_MODEL, RunOptions.parse(options), ticking(seconds)).run(declared_services(rows))


def test_a_run_of_one_service(bot: Workbench, told: Callable[[], list[str]]) -> None:
    run(bot, [sklearn("notebooks", tags=["Tier.Tier1"])])

    assert told() == [
        "Collate 2.0.6 at http://catalog.example, as ingestion-bot (bot): 1 service declared",
        "Looked up 1 name in … s",
        "Read 0 services in … s",
        "Plan:",
        "Read 1 service in … s",
        "notebooks: created",
        "Done: 1 created, in … s",
    ]


def test_the_plan_is_in_the_log(bot: Workbench, caplog: pytest.LogCaptureFixture) -> None:
    rows = [sklearn("notebooks"), sklearn("others")]
    told = f"Plan:\n{bot.plan(rows).text()}"
    with caplog.at_level(logging.INFO, PACKAGE):
        run(bot, rows)

    assert told in caplog.messages


def test_the_last_line_says_that_a_run_failed(old_bot: Workbench, told: Callable[[], list[str]]) -> None:
    row = sklearn("notebooks", description="New")
    old_bot.catalog.add_service("notebooks", "Sklearn", user=ANA, description="By hand", connection=row["connection"])
    run(old_bot, [row, sklearn("others")])

    assert "Read the history of 1 service in … s" in told()
    assert told()[-1] == "Failed: 1 created, 1 conflict, in … s"


@pytest.fixture(scope="module")
def filled() -> Workbench:
    """A catalog of 1,600 services of ours, in seven pages."""
    bench = Workbench(Catalog())
    bench.run([sklearn(f"s{number:04}") for number in range(1_600)])
    return bench


def test_reading_a_large_catalog_is_not_silent(filled: Workbench, told: Callable[[], list[str]]) -> None:
    run(filled, [sklearn("s0000")], seconds=3, prune_scope={"name_prefix": "x"}, prune="soft")

    assert [line for line in told() if "services read" in line] == [
        "250 services read, of 1,600 in the catalog",
        "750 services read, of 1,600 in the catalog",
        "1,250 services read, of 1,600 in the catalog",
        "1,600 services read, of 1,600 in the catalog",
    ]
    assert "Read 1,600 services in … s" in told()


def test_reading_by_ranges_and_by_name_is_not_silent(filled: Workbench, told: Callable[[], list[str]]) -> None:
    apart = [sklearn(f"s{number:04}") for number in range(0, 1_600, 40)]
    run(filled, apart, seconds=5)

    lines = [line for line in told() if "services read" in line]
    assert lines[0] == "50 services read, of 1,600 in the catalog"
    assert len(set(lines)) == len(lines) > 20


def test_looking_up_names_is_not_silent(bot: Workbench, told: Callable[[], list[str]]) -> None:
    rows = [sklearn(f"s{number}", domains=[f"d{number}"]) for number in range(10)]
    run(bot, rows, seconds=2)

    assert [line for line in told() if "names looked up" in line] == [
        "1 of 10 names looked up",
        "4 of 10 names looked up",
        "7 of 10 names looked up",
        "10 of 10 names looked up",
    ]


def test_looking_for_e_mails_is_not_silent(bot: Workbench, told: Callable[[], list[str]]) -> None:
    run(bot, [sklearn("s0", owners=["nobody@acme.example"])], seconds=5)

    assert "1 users read, to find their e-mails" in told()


def test_reading_histories_is_not_silent(bot: Workbench, told: Callable[[], list[str]]) -> None:
    for number in range(7):
        connection = {"config": {"type": "Sklearn"}}
        bot.catalog.add_service(f"s{number}", "Sklearn", user=ANA, connection=connection, description="By hand")
    run(bot, [sklearn(f"s{number}", description="New") for number in range(7)], seconds=2)

    assert [line for line in told() if "histories read" in line] == [
        "2 of 7 histories read",
        "5 of 7 histories read",
    ]


def test_writing_is_not_silent_and_what_fails_is_counted(old_bot: Workbench, told: Callable[[], list[str]]) -> None:
    for number in (1, 2, 7):
        old_bot.catalog.forbid(name=f"s{number}")
    run(old_bot, [sklearn(f"s{number}") for number in range(12)], max_workers=1)

    assert [line for line in told() if "services written" in line] == [
        "5 of 12 services written, 2 failed",
        "10 of 12 services written, 3 failed",
    ]


def test_a_watcher_sees_the_plan_and_each_answer(bot: Workbench) -> None:
    seen: list[str] = []

    class Notes(Watcher):
        def planned(self, plan: Plan) -> None:
            seen.append(f"{len(plan.changes)} planned")

        def answered(self, change: Change) -> None:
            seen.append(change.name)

    options = RunOptions(max_workers=1, if_exists="ignore")
    Reconciler(bot.client(), ML_MODEL, options, watcher=Notes()).run(declared_services([sklearn("a"), sklearn("b")]))
    assert seen == ["2 planned", "a", "b"]
