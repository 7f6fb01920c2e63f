"""Tasks that a scheduler gives to an executor, with their log files: 0 found but the probe."""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
from airflow import __version__ as airflow_version

from tests.dags.airflow_home import AirflowHome
from tests.e2e.processes import Child, free_ports, running, wait_until
from tests.secrets import scenario
from tests.secrets.canaries import MARK, Finding
from tests.secrets.conftest import DAGS
from tests.secrets.places import assert_none, in_database_file, in_files, in_tables, in_tracebacks

SERVERS = ("good", "echo_400", "echo_cut", "dump_500", "failed_rows")
IS_AIRFLOW_3 = int(airflow_version.split(".", maxsplit=1)[0]) >= 3
PARTS = ("api-server", "dag-processor", "scheduler") if IS_AIRFLOW_3 else ("scheduler",)
SECONDS = 150.0


@dataclass
class Run:
    home: AirflowHome
    tracebacks: Path
    output: Path


@pytest.fixture(scope="module")
def run(migrated_home: AirflowHome, tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("by_executor")
    run = Run(migrated_home.copy(folder / "home", DAGS / "by_executor"), folder / "tracebacks", folder / "output")
    for made in (run.tracebacks, run.output):
        made.mkdir()
    with scenario.servers(SERVERS) as urls, ExitStack() as stack:
        run.home.settings.update(scenario.settings(urls), TRACEBACKS=str(run.tracebacks), **_addresses())
        env = run.home.environment()
        children = [
            stack.enter_context(
                running(f"airflow {part}", [sys.executable, "-m", "airflow", part], env, run.output / f"{part}.txt")
            )
            for part in PARTS
        ]
        _wait_for_the_run(run.home, children)
    return run


def _addresses() -> dict[str, str]:
    port, worker_logs, trigger_logs = free_ports(3)
    url = f"http://localhost:{port}"
    return {
        "AIRFLOW__API__BASE_URL": url,
        "AIRFLOW__API__HOST": "127.0.0.1",
        "AIRFLOW__API__PORT": str(port),
        "AIRFLOW__API__WORKERS": "1",
        "AIRFLOW__API__SECRET_KEY": "only-for-this-test",
        "AIRFLOW__API_AUTH__JWT_SECRET": "only-for-this-test-and-long-enough-for-a-signature-of-512-bits-or-more",
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{url}/execution/",
        "AIRFLOW__CORE__PARALLELISM": "2",
        "AIRFLOW__LOGGING__WORKER_LOG_SERVER_PORT": str(worker_logs),
        "AIRFLOW__LOGGING__TRIGGER_LOG_SERVER_PORT": str(trigger_logs),
        "AIRFLOW__SCHEDULER__DAG_DIR_LIST_INTERVAL": "5",
        "AIRFLOW__WORKERS__EXECUTION_API_TIMEOUT": "60",  # a task that waits for 5 seconds fails, as on a busy machine
    }


def _wait_for_the_run(home: AirflowHome, children: Sequence[Child]) -> None:
    def is_over() -> bool:
        try:
            rows = home.rows("SELECT state FROM dag_run WHERE dag_id = 'by_executor'")
        except sqlite3.OperationalError:  # locked by a writer
            return False
        return bool(rows) and rows[0]["state"] in ("success", "failed")

    wait_until("the end of the run", is_over, children, SECONDS)


def _not_the_probe(found: Iterator[tuple[str, Finding]]) -> list[tuple[str, Finding]]:
    """Without what the probe has leaked."""
    return [(place, finding) for place, finding in found if f"{MARK}prb" not in finding.excerpt]


def test_the_tasks_met_what_they_were_to_meet(run: Run) -> None:
    rows = run.home.rows("SELECT task_id, state FROM task_instance WHERE dag_id = 'by_executor'")
    assert {row["task_id"]: row["state"] for row in rows} == {
        "create_mapped": "failed",
        "bulk": "failed",
        "delete": "failed",
        "good": "success",
        "hook": "failed",
        "probe": "success",
    }


def test_the_probe_is_found_in_its_log_file(run: Run) -> None:
    found = [place for place, _ in in_files("log files", run.home.path / "logs")]
    assert any("task_id=probe" in place for place in found)


def test_the_log_files_have_everything(run: Run) -> None:
    logs = {path.parent.name: path.read_text() for path in run.home.path.rglob("task_id=*/**/*.log")}
    text = "".join(logs.values())
    assert "debug" in text.lower()
    assert "Collate answered 400" in text


def test_none_in_log_files(run: Run) -> None:
    assert_none(_not_the_probe(in_files("log files", run.home.path / "logs")))


def test_none_in_what_the_scheduler_prints(run: Run) -> None:
    assert_none(_not_the_probe(in_files("output", run.output)))


def test_none_along_the_tracebacks(run: Run) -> None:
    assert len(list(run.tracebacks.glob("by_executor.*"))) == 4
    assert_none(in_tracebacks(run.tracebacks))


def test_none_in_the_database(run: Run) -> None:
    assert_none([*in_tables(run.home), *in_database_file(run.home)])
