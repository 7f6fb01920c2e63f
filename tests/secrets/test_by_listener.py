"""What OpenLineage's listener makes of a task, with all of the task's parameters: 0 found."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.secrets.conftest import RunDags
from tests.secrets.places import assert_none, in_files

pytest.importorskip("airflow.providers.openlineage", reason="OpenLineage's provider, whose listener it is, is missing")

SERVERS = ("good", "echo_400", "echo_cut", "dump_500", "failed_rows")


@pytest.fixture(scope="module")
def events(run_dags: RunDags, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what the listener has written of a run."""
    events = tmp_path_factory.mktemp("events")
    transport = {"type": "file", "log_file_path": str(events / "event"), "append": False}
    openlineage = {
        "AIRFLOW__OPENLINEAGE__TRANSPORT": json.dumps(transport),
        "AIRFLOW__OPENLINEAGE__INCLUDE_FULL_TASK_INFO": "True",
    }
    run_dags("by_executor", "by_executor", servers=SERVERS, **openlineage)
    return events


def tasks(events: Path) -> list[dict[str, Any]]:
    facets = [json.loads(path.read_text())["run"]["facets"] for path in events.iterdir()]
    return [facet["airflow"]["task"] for facet in facets if "airflow" in facet]


def test_it_was_told_of_each_task_with_its_parameters(events: Path) -> None:
    told_of = {task["task_id"]: task for task in tasks(events)}
    assert set(told_of) == {"create_mapped", "bulk", "delete", "good", "hook", "probe"}
    assert {name for name, task in told_of.items() if "on_conflict" in task} == {"create_mapped", "bulk", "good"}


def test_none_in_its_events(events: Path) -> None:
    assert_none(in_files("OpenLineage", events))
