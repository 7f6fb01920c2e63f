"""A server that is watched, and task processes that can be killed."""

from __future__ import annotations

import json
import runpy
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from airflow_provider_collate.sandbox import Answer, Catalog, Request
from tests.dags.airflow_home import AirflowHome
from tests.kills.declared import EXISTING
from tests.unit.conftest import DagRun, TaskInstance

DAGS = Path(__file__).parent / "dags"
SECONDS = 300.0


class WatchedCatalog(Catalog):
    """A catalog that knows when requests came, and does something at one of them.

    :param at: number of the request, from 1.
    :param before: whether it is done before the request takes effect.
    :param writes_only: whether other requests do not count.
    """

    def __init__(self, *, has_bulk: bool, writes_only: bool = False) -> None:
        super().__init__(has_bulk=has_bulk)
        self.writes_only = writes_only
        self.lacks_bulk = not has_bulk
        self.came_at: list[float] = []
        self.at = 0
        self.before = True
        self.act: Callable[[], None] = lambda: None
        self._counting = threading.Lock()
        for name in EXISTING:
            self.add_service(name, connection=_connection(name), description="old")

    def handle(self, request: Request) -> Answer:
        if self.writes_only and not request.is_write:
            return super().handle(request)
        with self._counting:
            self.came_at.append(time.time())
            is_it = len(self.came_at) == self.at
        if is_it and self.before:
            self.act()
        answer = super().handle(request)
        if is_it and not self.before:
            self.act()
        return answer

    def versions(self) -> dict[str, float]:
        return {name: float(str(service["version"])) for name, service in self.services.items()}


@dataclass
class Worker:
    """A process that runs the task as Airflow's task process does."""

    process: subprocess.Popen[bytes]
    home: AirflowHome
    dag_id: str
    log: Path
    failed_at: Path

    def wait(self) -> int:
        """Wait for its end and give the exit code."""
        return self.process.wait(SECONDS)

    @property
    def task_state(self) -> str:
        """State of the task in Airflow's database; the process may have ended without a word on it."""
        query = "select state from task_instance where dag_id = ? order by run_id desc"
        rows = self.home.rows(query, self.dag_id)
        return str(rows[0]["state"])

    @property
    def output(self) -> str:
        return self.log.read_text(errors="replace")[-4000:]


@contextmanager
def worker(
    home: AirflowHome, url: str, token: str, folder: Path, dag_id: str = "register_many", **settings: str
) -> Iterator[Worker]:
    """A worker for the length of a `with` block; it is not left running."""
    failed_at, log_file = folder / "failed_at", folder / "log"
    failed_at.unlink(missing_ok=True)
    env = {**home.environment(), **_connected(url, token), "FAILED_AT": str(failed_at), **settings}
    command = [sys.executable, "-m", "tests.dags.runner", str(folder / "result"), dag_id]
    with log_file.open("wb") as log:
        process = subprocess.Popen(command, env=env, stdout=log, stderr=subprocess.STDOUT)
    try:
        yield Worker(process, home, dag_id, log_file, failed_at)
    finally:
        process.kill()
        process.wait()


def attempt_here(url: str, token: str, dag_id: str = "register_many", **settings: str) -> None:
    """Make another attempt, which nobody kills, in this process; `tests/fleet` lets Airflow make it."""
    with pytest.MonkeyPatch.context() as environment:
        for name, value in {**_connected(url, token), **settings}.items():
            environment.setenv(name, value)
        began = datetime.now(timezone.utc) - timedelta(hours=1)
        [task] = runpy.run_path(str(DAGS / f"{dag_id}.py"))["dag"].tasks
        task.execute({"ti": TaskInstance(try_number=2), "outlet_events": {}, "dag_run": DagRun(start_date=began)})


def _connected(url: str, token: str) -> dict[str, str]:
    connection = {"conn_type": "collate", "host": url, "password": token, "extra": {"timeout": 300}}
    return {"AIRFLOW_CONN_COLLATE_DEFAULT": json.dumps(connection)}


def _connection(name: str) -> Mapping[str, object]:
    return {"config": {"type": "Mlflow", "trackingUri": f"http://{name}.acme.example"}}
