"""The tables that are written by hand say what tasks really return."""

from __future__ import annotations

import json
import re
from typing import Any
from unittest.mock import MagicMock

import pytest

from airflow_provider_collate.operators.mlmodel_service import (
    BulkUpsertMlModelServicesOperator,
    CreateMlModelServiceOperator,
    DeleteMlModelServiceOperator,
)
from airflow_provider_collate.pytest_plugin import InMemoryCollate
from airflow_provider_collate.reconcile.report import Outcome
from airflow_provider_collate.sandbox import ANA
from airflow_provider_collate.sensors.mlmodel_service import MlModelServiceSensor
from scripts.docs_pages import ROOT
from tests.docs.pages import blocks

SKLEARN = {"config": {"type": "Sklearn"}}
ROWS: list[dict[str, Any]] = [
    {"name": "notebooks", "serviceType": "Sklearn", "connection": SKLEARN, "description": "Declared"}
]


def names_in(page: str, row: str, column: int = 1) -> set[str]:
    """Return the names in a cell of the row of a page's table that begins with a text."""
    [line] = [line for line in (ROOT / page).read_text().splitlines() if line.startswith(f"| {row} |")]
    return set(re.findall(r"`([\w]+)`", line.split(" | ")[column]))


def executed(task: Any) -> dict[str, Any]:
    returned: dict[str, Any] = task.execute({"ti": MagicMock(try_number=1)})
    return returned


@pytest.fixture
def report(collate: InMemoryCollate) -> dict[str, Any]:
    """The report of a run with a conflict and a failed row."""
    collate.add("notebooks", "Sklearn", connection=SKLEARN)
    collate.catalog.edit_service("notebooks", user=ANA, description="By hand")
    rows = [*ROWS, {"name": "other", "serviceType": "Sklearn", "connection": SKLEARN}]
    collate.fail(None, status=403, method="POST")
    task = BulkUpsertMlModelServicesOperator(task_id="upsert", services=rows)
    ti = MagicMock(try_number=1)
    with pytest.raises(Exception, match="not as declared"):
        task.execute({"ti": ti})
    pushed: dict[str, Any] = ti.xcom_push.call_args.kwargs["value"]
    return pushed


def test_what_a_task_of_one_service_returns(collate: InMemoryCollate) -> None:
    task = CreateMlModelServiceOperator(task_id="create", name="notebooks", service_type="Sklearn", connection=SKLEARN)
    created = executed(task)
    found: Any = MlModelServiceSensor(task_id="wait", name="notebooks").poke({})
    deleted = executed(DeleteMlModelServiceOperator(task_id="delete", name="notebooks"))

    assert created.keys() == deleted.keys() == names_in("docs/operators.md", "Create")
    assert found.xcom_value.keys() == names_in("docs/operators.md", "the sensor")


def test_what_a_task_of_many_services_returns(collate: InMemoryCollate) -> None:
    returned = executed(BulkUpsertMlModelServicesOperator(task_id="upsert", services=ROWS))
    plan = executed(BulkUpsertMlModelServicesOperator(task_id="plan", services=ROWS, plan_only=True))

    assert returned.keys() == names_in("docs/operators.md", "the report")
    assert plan.keys() == names_in("docs/operators.md", "the plan")


def test_what_a_row_of_the_report_has(report: dict[str, Any]) -> None:
    keys = {key for row in report["rows"] for key in row}

    assert keys == names_in("docs/operators.md", "a row of it")


def test_the_json_in_the_pages_has_the_keys_that_tasks_return() -> None:
    shown = [json.loads(block.text).keys() for block in blocks("json")]

    assert shown == [names_in("docs/operators.md", "Create"), names_in("docs/operators.md", "the report")]


def test_every_outcome_is_explained() -> None:
    page = (ROOT / "docs" / "declarations.md").read_text()
    table = page[page.index("| outcome |") :]

    assert {outcome.value for outcome in Outcome} <= set(re.findall(r"`(\w+)`", table))
