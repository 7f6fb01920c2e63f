"""What a run reads grows with what is declared, and not with the catalog."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_provider_collate.reconcile.progress import Progress
from airflow_provider_collate.reconcile.report import Outcome, Report
from airflow_provider_collate.reconcile.scope import PruneScope
from airflow_provider_collate.reconcile.service_reader import ServiceReader
from airflow_provider_collate.reconcile.workers import Workers
from airflow_provider_collate.sandbox import Catalog
from tests.unit.client.collated import COLLATIONS, CollatedNetwork
from tests.unit.client.scripted import TOKEN, services_over
from tests.unit.reconcile.workbench import COLLECTION, Task, Workbench, sklearn

OURS = [f"mlflow_{number:03}" for number in range(200)]
CONFIG = {"config": {"type": "Sklearn"}}


@pytest.fixture(scope="module", params=["1.2", "2.x"])
def server(request: pytest.FixtureRequest) -> Workbench:
    """A catalog with 5,000 services of others around ours."""
    catalog = Catalog(request.param, has_bulk=False)
    for number in range(5_000):
        catalog.add_service(f"{'fraud' if number % 2 else 'risk'}_{number:04}", "Sklearn", connection=CONFIG)
    for name in OURS:
        catalog.add_service(name, "Sklearn", connection=CONFIG)
    return Workbench(catalog)


@pytest.fixture
def large(server: Workbench) -> Workbench:
    server.catalog.requests.clear()
    return server


def run(bench: Workbench, names: list[str], **options: Any) -> Report:
    report = bench.run([sklearn(name) for name in names], **options)
    assert report.error() is None
    return report


def rows_read(bench: Workbench) -> int:
    """Return how many services the reads may have shown at most."""
    return sum(int(seen.params.get("limit", 1)) for seen in bench.sent("GET") if seen.path.startswith(COLLECTION))


def test_200_that_are_unchanged_are_found_among_5200(large: Workbench) -> None:
    report = run(large, OURS)

    assert {row.outcome for row in report.rows} == {Outcome.UNCHANGED}
    assert len(large.sent()) <= 12
    assert rows_read(large) <= 2.5 * len(OURS)


def test_200_new_ones_are_created_among_5200(large: Workbench) -> None:
    names = [f"pytorch_{number:03}" for number in range(200)]

    report = run(large, names)

    assert {row.outcome for row in report.rows} == {Outcome.CREATED}
    assert len(large.sent("POST")) == 200
    assert len(large.sent("GET")) <= 12
    # Once to plan, and once to see that they are there.
    assert rows_read(large) <= 2 * 2.5 * len(OURS)


def test_what_was_written_is_read_again_and_nothing_else(large: Workbench) -> None:
    changed = set(OURS[50:70])

    report = large.run([sklearn(name, displayName="New") if name in changed else sklearn(name) for name in OURS])

    assert report.error() is None
    assert {row.name for row in report.rows if row.outcome is Outcome.UPDATED} == changed
    last_write = max(number for number, seen in enumerate(large.sent()) if seen.is_write)
    after = [seen for seen in large.sent()[last_write + 1 :] if seen.path.startswith(COLLECTION)]
    assert sum(int(seen.params.get("limit", 1)) for seen in after) <= 2 * len(changed)


def test_a_prune_reads_all_of_the_list(large: Workbench) -> None:
    run(large, OURS, prune="soft", prune_scope=PruneScope(name_prefix="mlflow_"))

    assert rows_read(large) >= 5_200


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(list(COLLATIONS)),
    st.booleans(),
    st.sets(st.text("abAB12_-.é ", min_size=1, max_size=4), min_size=30, max_size=200),
    st.data(),
)
def test_what_is_read_is_what_is_there_in_whatever_order(
    collation: str, with_id: bool, names: set[str], data: st.DataObject
) -> None:
    everything = sorted(names)
    there = everything[data.draw(st.integers(0, 2)) :: data.draw(st.integers(1, 3))]
    wanted = everything[data.draw(st.integers(0, 3)) :: data.draw(st.integers(1, 6))]
    network = CollatedNetwork(there, COLLATIONS[collation], with_id=with_id)
    reader = ServiceReader(services_over(network, TOKEN), Workers(4, Task()), Progress())

    for _ in range(2):
        found = [service.name for service in reader.read(wanted, [])]
        assert sorted(found) == sorted({*wanted} & {*there})


class UnknownCursors(CollatedNetwork):
    """Pages whose cursors have a form that nobody knows, so that no range of names can be asked for."""

    def _cursor(self, name: str) -> str:
        return name.encode().hex()

    def _behind(self, cursor: str) -> Callable[[str], bool]:
        return lambda name: name > bytes.fromhex(cursor).decode()


@pytest.mark.parametrize(
    "count, pages, asked_by_name",
    [(24, [30], 24), (120, [150], 120), (121, [151, *[250] * 5, 199], 0), (800, [250] * 6 + [100], 0)],
)
def test_without_ranges_names_are_read_one_by_one_where_the_rest_of_the_list_costs_more(
    count: int, pages: list[int], asked_by_name: int
) -> None:
    there = [f"s{number:04}" for number in range(1_600)]
    network = UnknownCursors(there, with_id=False)
    reader = ServiceReader(services_over(network, TOKEN), Workers(4, Task()), Progress())
    wanted = there[-count:]

    assert sorted(service.name for service in reader.read(wanted, ["tags"])) == wanted
    assert network.pages == pages
    assert len(network.asked) == asked_by_name
