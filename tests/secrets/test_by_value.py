"""Secrets that pass through an XCom or stand in the DAG file: 0 found beyond those two places themselves."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.dags.airflow_home import AirflowHome, Finished
from tests.secrets import scenario
from tests.secrets.places import in_files, in_output, in_tables, in_tracebacks, told

DAGS = Path(__file__).parent / "dags" / "by_value"
SERVERS = ("good", "echo_400", "echo_cut", "failed_rows")
_TIME = re.compile(r"\d\d:\d\d:\d\d[.,]\d{3}")


@dataclass
class Run:
    home: AirflowHome
    finished: Finished
    tracebacks: Path


@pytest.fixture(scope="module")
def run(migrated_home: AirflowHome, tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("by_value")
    tracebacks = folder / "tracebacks"
    tracebacks.mkdir()
    with scenario.servers(SERVERS) as urls:
        home = migrated_home.copy(folder / "home", DAGS, {**scenario.settings(urls), "TRACEBACKS": str(tracebacks)})
        finished = home.run("upstream", "literal")
    assert finished.found["import_errors"] == {}
    return Run(home, finished, tracebacks)


def is_exempt(table: str, row: dict[str, Any]) -> bool:
    """The upstream's own XCom, and the DAG as Airflow stores it."""
    if table == "xcom":
        return bool(re.fullmatch("upstream(_chunks|_uri|_texts?)?", row["task_id"]))
    return table in ("serialized_dag", "dag_code")


def test_the_tasks_met_what_they_were_to_meet(run: Run) -> None:
    for dag_id in ("upstream", "literal"):
        tasks = run.finished.found["runs"][dag_id]["tasks"]
        assert {state for task, state in tasks.items() if task.startswith(("good_", "upstream"))} == {"success"}
        assert "failed" in {state for task, state in tasks.items() if task.startswith("echo_400")}
    tasks = run.finished.found["runs"]["upstream"]["tasks"]
    # A list as JSON text is read as one; one service is no list.
    assert sorted(tasks[task] for task in tasks if re.fullmatch(r"text(_mapped.*)?", task)) == [
        "failed",
        "success",
        "success",
    ]
    assert run.finished.found["runs"]["literal"]["tasks"]["template_that_fails"] == "failed"


def test_none_in_the_output(run: Run) -> None:
    found = list(in_output(run.finished.output))
    assert not found, told(found)


def test_none_in_log_files(run: Run) -> None:
    found = list(in_files("log files", run.home.path / "logs"))
    assert not found, told(found)


def test_none_along_the_tracebacks(run: Run) -> None:
    found = list(in_tracebacks(run.tracebacks))
    assert not found, told(found)


def test_none_in_other_rows_of_the_database(run: Run) -> None:
    found = list(in_tables(run.home, is_exempt))
    assert not found, told(found)


def test_the_exempt_rows_are_there(run: Run) -> None:
    assert {place.partition(":")[0] for place, _ in in_tables(run.home)} >= {"XCom"}


def test_each_task_with_a_literal_warns_once_and_points_at_conn_id(run: Run) -> None:
    # Each handler prints a line once; the same time is the same warning.
    lines = re.findall(r"^.*A secret in `\w+` is written in the DAG file.*$", run.finished.output, re.MULTILINE)
    times = {found[0].replace(",", ".") for line in lines if (found := _TIME.search(line))}
    tasks = run.finished.found["runs"]["literal"]["tasks"]
    with_a_secret = [task for task in tasks if task != "template_that_fails"]  # which ends before it executes
    assert len(times) == len(with_a_secret)
    assert all('use connection={"conn_id": …}' in line for line in lines)
