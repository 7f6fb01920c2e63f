"""What holds of approved plans: a fingerprint tells any two plans apart, and nothing is written that is not in it."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_collate.exceptions import CollateError
from airflow_provider_collate.reconcile.changes import Action
from airflow_provider_collate.reconcile.plan import Plan
from airflow_provider_collate.sandbox import ANA, Catalog
from tests.property.approved import beyond
from tests.property.declarations import Both, contents, declarations
from tests.property.test_reconcile import PRUNING, Crash, crash_after, modestly, releases, tokens
from tests.unit.reconcile.workbench import Workbench

choices = st.sampled_from(["fail", "keep", "overwrite"])


def planned(release: str, is_bot: bool, both: Both, choice: str) -> tuple[Workbench, Plan, dict[str, Any]]:
    """Return a catalog with the first declaration in it, and the plan of the second."""
    bench = Workbench(Catalog(release), is_bot=is_bot)
    options = {**PRUNING, "on_conflict": choice}
    bench.run(both[0], **options)
    return bench, bench.plan(both[1], **options), options


@modestly
@given(releases, tokens, declarations(), choices)
def test_the_fingerprint_is_the_same_when_nothing_changed(release: str, is_bot: bool, both: Both, choice: str) -> None:
    bench, plan, options = planned(release, is_bot, both, choice)
    assert bench.plan(both[1], **options).fingerprint == plan.fingerprint
    assert bench.plan(both[1][::-1], **options).fingerprint == plan.fingerprint


@modestly
@given(releases, tokens, declarations(), choices, st.data())
def test_it_is_another_when_anything_did(
    release: str, is_bot: bool, both: Both, choice: str, data: st.DataObject
) -> None:
    bench, plan, options = planned(release, is_bot, both, choice)
    written = [change for change in plan.changes if change.writes]
    rows = [dict(row) for row in both[1]]
    change = data.draw(st.none() | st.sampled_from(written)) if written else None
    if change is not None:
        if change.existing is None:
            bench.catalog.add_service(change.name, change.service_type, user=ANA)
        elif change.action is Action.RESTORE:
            bench.catalog.remove_service(change.name, hard=True)
        else:
            bench.catalog.edit_service(change.name, user=ANA, displayName="By Ana, a moment ago")
    elif rows:
        data.draw(st.sampled_from(rows))["displayName"] = "Another than any before"
    else:
        return
    again = bench.plan(rows, **options)
    same = {(change.name, *change.values) for change in again.changes if change.writes}
    if again.has_changes or same != {(change.name, *change.values) for change in written}:
        assert again.fingerprint != plan.fingerprint


@modestly
@given(
    releases, tokens, declarations(), choices, st.integers(0, 8), st.booleans(), st.integers(0, 1_000), st.booleans()
)
def test_nothing_is_ever_written_that_is_not_in_it(
    release: str, is_bot: bool, both: Both, choice: str, writes: int, applied: bool, seed: int, edit: bool
) -> None:
    """The server loses answers, the first attempt is killed midway, and somebody may edit before the second one."""
    bench, plan, options = planned(release, is_bot, both, choice)
    first = len(bench.writes())
    bench.catalog.fail_randomly(0.3, seed=seed, kinds=["lost_answer", "reset", "503"])
    crash_after(bench, writes, applied=applied)
    with suppress(Crash, CollateError):
        bench.run(both[1], max_workers=1, approved_plan=plan.fingerprint, **options)
    bench.before = lambda request: None
    if edit:
        for name in list(bench.catalog.services)[:2]:
            bench.catalog.edit_service(name, user=ANA, displayName="By Ana, a moment ago")
    with suppress(CollateError):
        bench.run(both[1], approved_plan=plan.fingerprint, **options)
    assert list(beyond(bench.catalog, plan, first)) == []


@modestly
@given(releases, tokens, declarations(), choices)
def test_undisturbed_it_ends_as_a_run_without_approval(release: str, is_bot: bool, both: Both, choice: str) -> None:
    ends = []
    for is_approved in (True, False):
        bench, plan, options = planned(release, is_bot, both, choice)
        approval = {"approved_plan": plan.fingerprint} if is_approved else {}
        report = bench.run(both[1], **approval, **options)
        ends.append((report.counts, contents(bench.catalog)))
    assert ends[0] == ends[1]
