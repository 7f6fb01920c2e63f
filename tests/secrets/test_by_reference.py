"""Secrets that Airflow connections and variables bring: 0 found anywhere."""

from __future__ import annotations

import pytest

from tests.secrets import scenario
from tests.secrets.conftest import Run, RunDags
from tests.secrets.places import assert_none, in_database_file, in_files, in_output, in_tables, in_tracebacks


@pytest.fixture(scope="module")
def run(run_dags: RunDags) -> Run:
    return run_dags("by_reference", "by_reference", servers=scenario.SERVERS)


def test_the_tasks_met_what_they_were_to_meet(run: Run) -> None:
    """Or nothing would be proven: the good server's tasks succeed, and each leaking answer fails some."""
    states = run.tasks("by_reference")
    good = {task: state for task, state in states.items() if task.startswith(("good_", "create_"))}
    good.pop("good_hook")  # whose last call decides, and what it finds depends on the order of the tasks
    assert set(good.values()) == {"success"}, good
    for server in scenario.SERVERS[1:]:
        failed = [task for task, state in states.items() if task.startswith(f"{server}_") and state == "failed"]
        assert len(failed) >= 1, server
    for task in ("unreadable", "refused_before_it_is_sent", "template_that_fails", "bulk_mapped[0]"):
        assert states[task] == "failed"
    assert "debug" in run.finished.output.lower()


def test_none_in_the_output(run: Run) -> None:
    assert_none(in_output(run.finished.output))


def test_none_in_log_files(run: Run) -> None:
    assert_none(in_files("log files", run.home.path / "logs"))


def test_none_along_the_tracebacks(run: Run) -> None:
    written = list(run.tracebacks.iterdir())
    failed = [task for task, state in run.tasks("by_reference").items() if state == "failed"]
    assert len([path for path in written if path.name.startswith("by_reference")]) == len(failed)
    assert any(path.name.startswith("hook.") for path in written)
    assert_none(in_tracebacks(run.tracebacks))


def test_none_in_the_database(run: Run) -> None:
    assert_none([*in_tables(run.home), *in_database_file(run.home)])


def test_the_database_has_what_was_searched(run: Run) -> None:
    for table in ("xcom", "rendered_task_instance_fields"):
        assert len(run.home.rows(f"SELECT * FROM {table}")) > 20  # noqa: S608 - names above
