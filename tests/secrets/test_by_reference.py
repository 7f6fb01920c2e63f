"""Secrets that Airflow connections and variables bring: 0 found anywhere."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.dags.airflow_home import AirflowHome, Finished
from tests.secrets import scenario
from tests.secrets.places import in_database_file, in_files, in_output, in_tables, in_tracebacks, told

DAGS = Path(__file__).parent / "dags" / "by_reference"


@dataclass
class Run:
    home: AirflowHome
    finished: Finished
    tracebacks: Path
    tasks: dict[str, str]


@pytest.fixture(scope="module")
def run(migrated_home: AirflowHome, tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("by_reference")
    tracebacks = folder / "tracebacks"
    tracebacks.mkdir()
    with scenario.servers() as urls:
        home = migrated_home.copy(folder / "home", DAGS, {**scenario.settings(urls), "TRACEBACKS": str(tracebacks)})
        finished = home.run()
    assert finished.found["import_errors"] == {}
    done = finished.found["runs"]["by_reference"]
    assert done["state"] == "failed", done
    return Run(home, finished, tracebacks, done["tasks"])


def test_the_tasks_met_what_they_were_to_meet(run: Run) -> None:
    """Or nothing would be proven: the good server's tasks succeed, and each leaking answer fails some."""
    states = run.tasks
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
    found = list(in_output(run.finished.output))
    assert not found, told(found)


def test_none_in_log_files(run: Run) -> None:
    found = list(in_files("log files", run.home.path / "logs"))
    assert not found, told(found)


def test_none_along_the_tracebacks(run: Run) -> None:
    written = list(run.tracebacks.iterdir())
    failed = [task for task, state in run.tasks.items() if state == "failed"]
    assert len([path for path in written if path.name.startswith("by_reference")]) == len(failed)
    assert any(path.name.startswith("hook.") for path in written)
    found = list(in_tracebacks(run.tracebacks))
    assert not found, told(found)


def test_none_in_the_database(run: Run) -> None:
    found = [*in_tables(run.home), *in_database_file(run.home)]
    assert not found, told(found)


def test_the_database_has_what_was_searched(run: Run) -> None:
    for table in ("xcom", "rendered_task_instance_fields"):
        assert len(run.home.rows(f"SELECT * FROM {table}")) > 20  # noqa: S608 - names above
