"""What OpenLineage's listener makes of a task, with all of the task's parameters: 0 found."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.dags.airflow_home import AirflowHome, Finished
from tests.secrets import scenario
from tests.secrets.places import in_files, told

pytest.importorskip("airflow.providers.openlineage", reason="OpenLineage's provider, whose listener it is, is missing")

DAGS = Path(__file__).parent / "dags" / "by_executor"
SERVERS = ("good", "echo_400", "echo_cut", "dump_500", "failed_rows")


@dataclass
class Run:
    finished: Finished
    events: Path


@pytest.fixture(scope="module")
def run(migrated_home: AirflowHome, tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("by_listener")
    events = folder / "events"
    tracebacks = folder / "tracebacks"
    events.mkdir()
    tracebacks.mkdir()
    transport = {"type": "file", "log_file_path": str(events / "event"), "append": False}
    openlineage = {
        "AIRFLOW__OPENLINEAGE__TRANSPORT": json.dumps(transport),
        "AIRFLOW__OPENLINEAGE__INCLUDE_FULL_TASK_INFO": "True",
    }
    with scenario.servers(SERVERS) as urls:
        settings = {**scenario.settings(urls), **openlineage, "TRACEBACKS": str(tracebacks)}
        return Run(migrated_home.copy(folder / "home", DAGS, settings).run("by_executor"), events)


def tasks(events: Path) -> list[dict[str, Any]]:
    facets = [json.loads(path.read_text())["run"]["facets"] for path in events.iterdir()]
    return [facet["airflow"]["task"] for facet in facets if "airflow" in facet]


def test_it_was_told_of_each_task_with_its_parameters(run: Run) -> None:
    told_of = {task["task_id"]: task for task in tasks(run.events)}
    assert set(told_of) == {"create_mapped", "bulk", "delete", "good", "hook", "probe"}
    assert {name for name, task in told_of.items() if "on_conflict" in task} == {"create_mapped", "bulk", "good"}


def test_none_in_its_events(run: Run) -> None:
    found = list(in_files("OpenLineage", run.events))
    assert not found, told(found)
