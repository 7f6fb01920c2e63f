"""Secrets that pass through an XCom or stand in the DAG file: 0 found beyond those two places themselves."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.secrets.conftest import Run, RunDags
from tests.secrets.places import assert_none, in_files, in_output, in_tables, in_tracebacks

SERVERS = ("good", "echo_400", "echo_cut", "failed_rows")
_TIME = re.compile(r"\d\d:\d\d:\d\d[.,]\d{3}")


@pytest.fixture(scope="module")
def run(run_dags: RunDags) -> Run:
    return run_dags("by_value", "upstream", "literal", servers=SERVERS)


def is_exempt(table: str, row: dict[str, Any]) -> bool:
    """The upstream's own XCom, and the DAG as Airflow stores it."""
    if table == "xcom":
        return bool(re.fullmatch("upstream(_chunks|_uri|_texts?)?", row["task_id"]))
    return table in ("serialized_dag", "dag_code")


def test_the_tasks_met_what_they_were_to_meet(run: Run) -> None:
    for dag_id in ("upstream", "literal"):
        tasks = run.tasks(dag_id)
        assert {state for task, state in tasks.items() if task.startswith(("good_", "upstream"))} == {"success"}
        assert "failed" in {state for task, state in tasks.items() if task.startswith("echo_400")}
    tasks = run.tasks("upstream")
    # A list as JSON text is read as one; one service is no list.
    assert sorted(tasks[task] for task in tasks if re.fullmatch(r"text(_mapped.*)?", task)) == [
        "failed",
        "success",
        "success",
    ]
    assert run.tasks("literal")["template_that_fails"] == "failed"


def test_none_in_the_output(run: Run) -> None:
    assert_none(in_output(run.finished.output))


def test_none_in_log_files(run: Run) -> None:
    assert_none(in_files("log files", run.home.path / "logs"))


def test_none_along_the_tracebacks(run: Run) -> None:
    assert_none(in_tracebacks(run.tracebacks))


def test_none_in_other_rows_of_the_database(run: Run) -> None:
    assert_none(in_tables(run.home, is_exempt))


def test_the_exempt_rows_are_there(run: Run) -> None:
    assert {place.partition(":")[0] for place, _ in in_tables(run.home)} >= {"XCom"}


def test_each_task_with_a_literal_warns_once_and_points_at_conn_id(run: Run) -> None:
    # Each handler prints a line once; the same time is the same warning.
    lines = re.findall(r"^.*A secret in `\w+` is written in the DAG file.*$", run.finished.output, re.MULTILINE)
    times = {found[0].replace(",", ".") for line in lines if (found := _TIME.search(line))}
    tasks = run.tasks("literal")
    with_a_secret = [task for task in tasks if task != "template_that_fails"]  # which ends before it executes
    assert len(times) == len(with_a_secret)
    assert all('use connection={"conn_id": …}' in line for line in lines)
