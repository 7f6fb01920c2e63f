"""A broker that goes and comes back with nothing in it."""

from __future__ import annotations

import time

import pytest

from tests.fleet.conftest import Backing
from tests.fleet.ends import assert_as_declared, assert_created_once, assert_reports
from tests.fleet.fleet import Fleet
from tests.fleet.held import HeldCatalog

pytestmark = pytest.mark.soak

CHUNKS, ROWS = 12, 20
SECONDS_GONE = 10.0
DAG = "keep_services"


def test_redis_is_gone_for_ten_seconds(two_workers: Fleet, catalog: HeldCatalog, backing: Backing) -> None:
    run_id = two_workers.trigger(DAG, chunks=CHUNKS, rows=ROWS)
    two_workers.wait("the first chunk's end", lambda: "success" in states(two_workers, run_id))
    backing.redis.stop()
    back_at = time.monotonic() + SECONDS_GONE
    two_workers.wait("ten seconds without Redis", lambda: time.monotonic() > back_at)
    backing.redis.start()

    assert two_workers.wait_for_end(DAG, run_id) == "success"

    assert_as_declared(catalog, CHUNKS, ROWS)
    assert_created_once(catalog)
    assert_reports(two_workers, DAG, run_id, CHUNKS, ROWS)


def states(fleet: Fleet, run_id: str) -> list[str]:
    return [task.state for task in fleet.tasks(DAG, run_id)]
