"""Two Airflows that keep the same services at the same time."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.fleet.conftest import Backing
from tests.fleet.ends import assert_as_declared, assert_created_once, assert_reports
from tests.fleet.fleet import CONCURRENCY, Fleet, fleet
from tests.fleet.held import HeldCatalog

pytestmark = pytest.mark.soak

CHUNKS, ROWS = 6, 100
DAG = "keep_services"


@pytest.fixture
def other_fleet(backing: Backing, connections: dict[str, str]) -> Iterator[Fleet]:
    url = f"redis://127.0.0.1:{backing.redis.port}/1"
    with fleet(backing.folder / "other", backing.postgres, url, connections, workers=1) as made:
        yield made


def test_two_fleets_declare_the_same(two_workers: Fleet, other_fleet: Fleet, catalog: HeldCatalog) -> None:
    fleets = (two_workers, other_fleet)
    for each in fleets:
        each.set_slots(0)
    runs = [each.trigger(DAG, chunks=CHUNKS, rows=ROWS) for each in fleets]
    for each, run_id in zip(fleets, runs, strict=True):
        wait_for_chunks(each, run_id)
    for each in fleets:
        each.set_slots(CONCURRENCY)

    assert [each.wait_for_end(DAG, run_id) for each, run_id in zip(fleets, runs, strict=True)] == ["success"] * 2

    assert_as_declared(catalog, CHUNKS, ROWS)
    assert_created_once(catalog)
    created = 0
    for each, run_id in zip(fleets, runs, strict=True):
        assert_reports(each, DAG, run_id, CHUNKS, ROWS)
        reports = [each.xcom(DAG, run_id, number) for number in range(CHUNKS)]
        created += sum(report["counts"].get("created", 0) for report in reports)
    assert created == CHUNKS * ROWS, "each service is told as created by one of the two"


def wait_for_chunks(fleet: Fleet, run_id: str) -> None:
    """Wait until all chunks of a run wait for slots."""
    fleet.wait("the chunks", lambda: [task.state for task in fleet.tasks(DAG, run_id)] == ["scheduled"] * CHUNKS)
