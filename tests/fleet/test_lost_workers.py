"""Workers that are lost while they write."""

from __future__ import annotations

from tests.fleet.ends import assert_as_declared, assert_created_once, assert_reports
from tests.fleet.fleet import Fleet, MappedTask
from tests.fleet.held import HeldCatalog

CHUNKS, ROWS = 50, 200
DAG = "keep_services"


def holder(fleet: Fleet, run_id: str, chunk: int) -> MappedTask:
    """Return the task that holds a chunk."""
    [task] = [task for task in fleet.tasks(DAG, run_id) if task.map_index == chunk]
    assert task.state == "running"
    return task


def test_a_worker_is_lost_midway(two_workers: Fleet, catalog: HeldCatalog) -> None:
    catalog.hold(first_chunk=CHUNKS // 3, after=ROWS // 2)
    run_id = two_workers.trigger(DAG, chunks=CHUNKS, rows=ROWS)
    two_workers.wait("a chunk that is half written", catalog.held.is_set)
    lost = holder(two_workers, run_id, catalog.chunk)
    two_workers.lose(lost.hostname)
    catalog.let_through()

    assert two_workers.wait_for_end(DAG, run_id) == "success"

    assert_as_declared(catalog, CHUNKS, ROWS)
    assert_created_once(catalog)
    tasks = assert_reports(two_workers, DAG, run_id, CHUNKS, ROWS)
    again = tasks[lost.map_index]
    assert (again.try_number, again.hostname != lost.hostname) == (2, True)
    assert {task.hostname for task in tasks} == {"worker-1", "worker-2"}
    counts = two_workers.xcom(DAG, run_id, lost.map_index)["counts"]
    assert counts["unchanged"] >= ROWS // 2


def test_a_worker_is_lost_with_the_last_chunk(two_workers: Fleet, catalog: HeldCatalog) -> None:
    chunks, rows = 6, 20
    catalog.hold(first_chunk=chunks - 1, after=rows // 2)
    run_id = two_workers.trigger(DAG, chunks=chunks, rows=rows)
    two_workers.wait("the last chunk", catalog.held.is_set)
    two_workers.wait(
        "the end of all others", lambda: [task.state for task in two_workers.tasks(DAG, run_id)].count("success") == 5
    )
    lost = holder(two_workers, run_id, chunks - 1)
    two_workers.lose(lost.hostname)
    catalog.let_through()

    assert two_workers.wait_for_end(DAG, run_id) == "success"

    assert_as_declared(catalog, chunks, rows)
    assert_created_once(catalog)
    tasks = assert_reports(two_workers, DAG, run_id, chunks, rows)
    assert [task.try_number for task in tasks] == [1, 1, 1, 1, 1, 2]
