"""What holds of runs for any two catalogs, on servers of both releases, by a bot's token and by a person's."""

from __future__ import annotations

import random
import threading
from contextlib import suppress
from typing import Any

import httpx
from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_provider_collate.reconcile.changes import Action
from airflow_provider_collate.reconcile.report import Outcome, Report
from airflow_provider_collate.reconcile.scope import PruneScope
from airflow_provider_collate.sandbox import Catalog
from tests.property.declarations import NAMES, RELEASES, Both, Declared, contents, declarations
from tests.unit.reconcile.workbench import Workbench, sklearn

# The examples are found again each time and not kept; they take milliseconds, on a busy machine more.
settings.register_profile("reconcile", max_examples=40, deadline=None, database=None)
modestly = settings(settings.get_profile("reconcile"))

releases = st.sampled_from(RELEASES)
tokens = st.booleans()
PRUNING: dict[str, Any] = {
    "prune": "soft",
    "prune_scope": PruneScope(name_prefix="prefix_"),
    "max_prune": "100%",
    "allow_empty": True,
}
# With it nothing is known beforehand not to be applied, so that a run ends with the catalog as declared.
ENFORCED: dict[str, Any] = {"on_conflict": "overwrite"}


class Crash(BaseException):
    """The worker is gone, in the middle of a run."""


def failures(report: Report) -> list[str]:
    return [str(row) for row in report.rows if row.outcome in (Outcome.FAILED, Outcome.UNAPPLIED)]


@modestly
@given(releases, tokens, declarations(), st.sampled_from([{}, PRUNING]))
def test_a_second_plan_has_nothing_left_to_write(
    release: str, is_bot: bool, both: Both, options: dict[str, Any]
) -> None:
    bench = Workbench(Catalog(release), is_bot=is_bot)
    for rows in both:
        assert failures(bench.run(rows, **ENFORCED, **options)) == []
        plan = bench.plan(rows, **ENFORCED, **options)
        assert {change.action for change in plan.changes} <= {Action.NONE}


@modestly
@given(releases, tokens, declarations())
def test_what_is_not_enforced_is_reported_and_nothing_else_is_left(release: str, is_bot: bool, both: Both) -> None:
    bench = Workbench(Catalog(release), is_bot=is_bot)
    for rows in both:
        report = bench.run(rows)
        plan = bench.plan(rows)
        assert {change.action for change in plan.changes} <= {Action.NONE, Action.KEEP}
        kept = {change.name for change in plan.changes if change.action is Action.KEEP}
        assert kept == {row.name for row in report.rows if row.outcome is Outcome.CONFLICT}


@modestly
@given(releases, tokens, declarations(), st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(release: str, is_bot: bool, both: Both, chance: random.Random) -> None:
    ends = []
    for shuffled in (False, True):
        bench = Workbench(Catalog(release), is_bot=is_bot)
        for rows in both:
            ordered = chance.sample(rows, len(rows)) if shuffled else rows
            bench.run(ordered, **ENFORCED, **PRUNING)
        ends.append(contents(bench.catalog))
    assert ends[0] == ends[1]


@modestly
@given(releases, tokens, declarations(), st.integers(0, 12), st.booleans(), st.booleans())
def test_a_crash_and_another_run_end_as_one_undisturbed_run(
    release: str, is_bot: bool, both: Both, writes: int, applied: bool, enforce: bool
) -> None:
    before, rows = both
    options = {**PRUNING, **(ENFORCED if enforce else {})}
    undisturbed, crashed = (Workbench(Catalog(release), is_bot=is_bot) for _ in range(2))
    for bench in (undisturbed, crashed):
        bench.run(before, **options)
    undisturbed.run(rows, **options)

    crash_after(crashed, writes, applied=applied)
    with suppress(Crash):
        crashed.run(rows, max_workers=1, chunk_size=2, **options)
    crashed.before = lambda request: None
    crashed.run(rows, **options)
    assert contents(crashed.catalog) == contents(undisturbed.catalog)


def crash_after(bench: Workbench, writes: int, *, applied: bool) -> None:
    """Crash at the write after these; before it arrives, or once it has taken effect."""
    left = [writes]

    def before(request: httpx.Request) -> None:
        if request.method == "GET":
            return
        left[0] -= 1
        if left[0] == -1 and applied:
            bench.catalog.fail(1, method=request.method, lose_answer=True)
        elif left[0] < 0:
            raise Crash

    bench.before = before


@modestly
@given(releases, tokens, declarations(), st.booleans())
def test_a_plan_never_writes(release: str, is_bot: bool, both: Both, rewrite: bool) -> None:
    bench = Workbench(Catalog(release), is_bot=is_bot)
    bench.run(both[0])
    written = bench.catalog.writes
    bench.plan(both[1], rewrite_secrets=rewrite, **ENFORCED, **PRUNING)
    assert bench.catalog.writes == written


@modestly
@given(releases, tokens, declarations(), st.booleans())
def test_fields_that_are_not_declared_are_never_changed(release: str, is_bot: bool, both: Both, enforce: bool) -> None:
    catalog = Catalog(release)
    Workbench(catalog).run(both[0], **ENFORCED)
    before = contents(catalog)
    Workbench(catalog, is_bot=is_bot).run(both[1], **(ENFORCED if enforce else {}))
    after = contents(catalog)
    old_names = {"owners": "owner", "domains": "domain"} if release == "1.2" else {}
    for row in both[1]:
        if row["name"] not in before:
            continue
        declared = {old_names.get(field, field) for field in row}
        if row["connection"] is None:
            declared.discard("connection")
        old, new = ({k: v for k, v in side[row["name"]].items() if k not in declared} for side in (before, after))
        assert new == old
    assert {name: after[name] for name in after if name not in {row["name"] for row in both[1]}} == {
        name: before[name] for name in before if name not in {row["name"] for row in both[1]}
    }


@settings(modestly, max_examples=25)
@given(releases, tokens, tokens, declarations())
def test_two_runs_of_one_declaration_at_once_end_as_declared(
    release: str, is_bot: bool, other_is_bot: bool, both: Both
) -> None:
    catalog = Catalog(release)
    before, rows = both
    Workbench(catalog).run(before, **ENFORCED)
    reports = at_once(catalog, [(is_bot, rows), (other_is_bot, rows)], **PRUNING)
    assert len(reports) == 2
    plan = Workbench(catalog).plan(rows, **ENFORCED, **PRUNING)
    assert {change.action for change in plan.changes} <= {Action.NONE}


@settings(modestly, max_examples=25)
@given(releases, tokens, tokens, st.lists(st.sampled_from(NAMES), unique=True, min_size=1))
def test_two_runs_of_two_declarations_at_once_leave_no_service_half_one_and_half_the_other(
    release: str, is_bot: bool, other_is_bot: bool, names: list[str]
) -> None:
    catalog = Catalog(release)
    Workbench(catalog).run([sklearn(name) for name in names])
    one = [sklearn(name, displayName="one", tags=["PII.None"]) for name in names]
    other = [sklearn(name, displayName="other", tags=["PII.Sensitive"]) for name in names]
    reports = at_once(catalog, [(is_bot, one), (other_is_bot, other)])
    succeeded = {row.name for report in reports for row in report.rows if row.outcome is Outcome.UPDATED}
    assert succeeded == set(names)
    for service in catalog.services.values():
        tags: Any = service["tags"]
        shown = (service["displayName"], *(tag["tagFQN"] for tag in tags))
        assert shown in {("one", "PII.None"), ("other", "PII.Sensitive")}


def at_once(catalog: Catalog, runs: list[tuple[bool, list[Declared]]], **options: Any) -> list[Report]:
    """Run at the same time, each in a thread and with a client of its own."""
    reports: list[Report] = []
    start = threading.Barrier(len(runs))
    given_options = {**ENFORCED, **options}

    def run(is_bot: bool, rows: list[Declared]) -> None:
        bench = Workbench(catalog, is_bot=is_bot)
        start.wait()
        reports.append(bench.run(rows, chunk_size=2, **given_options))

    threads = [threading.Thread(target=run, args=arguments) for arguments in runs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return reports
