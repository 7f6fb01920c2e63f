"""What must be so when a run over a fleet has ended."""

from __future__ import annotations

from typing import Any

from airflow_provider_collate.sandbox import Catalog
from tests.fleet.declared import declared, name_of
from tests.fleet.fleet import Fleet, MappedTask
from tests.fleet.held import HeldCatalog


def assert_as_declared(catalog: Catalog, chunks: int, rows: int) -> None:
    """Compare the whole catalog with the declaration."""
    stored: dict[str, Any] = dict(catalog.services)
    expected = declared(chunks, rows)
    assert stored.keys() == expected.keys()
    for name, row in expected.items():
        shown = stored[name]
        config = {key: shown["connection"]["config"][key] for key in row["connection"]["config"]}
        assert (shown["description"], config) == (row["description"], row["connection"]["config"]), name
        assert shown["version"] == 0.1, f"{name} was changed after it was created"


def assert_created_once(catalog: HeldCatalog) -> None:
    """Look for a service that was created twice, or by more than one request."""
    twice = {name: count for name, count in catalog.created().items() if count != 1}
    assert not twice


def assert_reports(fleet: Fleet, dag_id: str, run_id: str, chunks: int, rows: int) -> list[MappedTask]:
    """Look for the report of every chunk, and return the chunks' tasks."""
    tasks = fleet.tasks(dag_id, run_id)
    assert [task.map_index for task in tasks] == list(range(chunks))
    assert {task.state for task in tasks} == {"success"}
    for number in range(chunks):
        report = fleet.xcom(dag_id, run_id, number)
        assert sum(report["counts"].values()) == rows, report
        assert set(report["counts"]) <= {"created", "unchanged"}, report
        assert {row["name"] for row in report["rows"]} <= {name_of(number, row) for row in range(rows)}
    return tasks
