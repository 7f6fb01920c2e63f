"""A whole Airflow with CeleryExecutor, whose workers can be lost."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from tests.conftest import ROOT
from tests.e2e.processes import Child, free_ports, wait_until
from tests.fleet.backing import create_database
from tests.fleet.hostnames import VARIABLE

CONCURRENCY = 2
"""Tasks that a worker runs at once."""
POOL = "collate"
DAGS = ("keep_services", "keep_services_in_one_xcom", "keep_services_in_tasks")
FERNET_KEY = "81HqDtbqAywKSOumSha3BhWNOdQ26slT6K0YaZeZyPs="
START_SECONDS = 240.0
RUN_SECONDS = 1_500.0
POLL_SECONDS = 0.5
_AIRFLOW = (sys.executable, "-m", "airflow")
_PARTS = ("scheduler", "dag-processor")


@dataclass(frozen=True)
class MappedTask:
    """A task of a run, as Airflow's API shows it."""

    task_id: str
    map_index: int
    state: str
    try_number: int
    hostname: str
    seconds: float


@dataclass
class Fleet:
    """An Airflow that runs.

    :param url: of its API.
    :param env: of its processes.
    :param children: its processes by name, workers among them.
    """

    url: str
    home: Path
    env: Mapping[str, str]
    children: dict[str, Child] = field(default_factory=dict)

    def start(self, name: str, *command: str, **env: str) -> Child:
        """Start one of its processes."""
        log = self.home / f"{name}.log"
        self.children[name] = Child(name, [*_AIRFLOW, *command], {**self.env, **env}, log)
        return self.children[name]

    def start_worker(self, name: str, concurrency: int = CONCURRENCY) -> None:
        """Start a worker, or start it again when it was lost."""
        command = ("celery", "worker", "--celery-hostname", name, "--concurrency", str(concurrency))
        self.start(name, *command, "--skip-serve-logs", "--without-gossip", "--without-mingle", **{VARIABLE: name})

    def lose(self, name: str) -> None:
        """End a worker and its tasks by SIGKILL, as when its machine is lost."""
        self.children.pop(name).kill()

    def trigger(self, dag_id: str, **conf: object) -> str:
        """Start a DAG run and return its id."""
        body = {"logical_date": None, "conf": conf}
        return str(self._ask("POST", f"dags/{dag_id}/dagRuns", json=body)["dag_run_id"])

    def state(self, dag_id: str, run_id: str) -> str:
        """Return the state of a run."""
        return str(self._ask("GET", f"dags/{dag_id}/dagRuns/{run_id}")["state"])

    def tasks(self, dag_id: str, run_id: str, task_id: str = "upsert") -> list[MappedTask]:
        """Return the mapped tasks of a run, in the order of their chunks."""
        path = f"dags/{dag_id}/dagRuns/{run_id}/taskInstances/{task_id}/listMapped"
        found: list[MappedTask] = []
        while True:
            answer = self._ask("GET", path, params={"limit": 100, "offset": len(found), "order_by": "map_index"})
            found += map(_task, answer["task_instances"])
            if len(found) >= answer["total_entries"] or not answer["task_instances"]:
                return found

    def xcom(self, dag_id: str, run_id: str, map_index: int, key: str = "report") -> Any:
        """Return an XCom of a mapped task."""
        path = f"dags/{dag_id}/dagRuns/{run_id}/taskInstances/upsert/xcomEntries/{key}"
        return self._ask("GET", path, params={"map_index": map_index, "deserialize": False})["value"]

    def wait_for_end(self, dag_id: str, run_id: str, seconds: float = RUN_SECONDS) -> str:
        """Wait until a run has ended and return its state."""
        states: list[str] = []

        def is_over() -> bool:
            states.append(self.state(dag_id, run_id))
            return states[-1] in ("success", "failed")

        self.wait(f"the end of {run_id}", is_over, seconds)
        return states[-1]

    def wait(self, what: str, is_so: Callable[[], bool], seconds: float = RUN_SECONDS) -> None:
        """Wait until something is so; a process that ends meanwhile is a failure."""
        deadline = time.monotonic() + seconds
        while not is_so():
            ended = [child for child in self.children.values() if not child.is_running]
            late = time.monotonic() > deadline
            assert not ended, "\n".join(f"{child.name} ended before {what}\n{child.tail()}" for child in ended)
            assert not late, f"waited {seconds:.0f} s for {what}\n{self.children['scheduler'].tail()}"
            time.sleep(POLL_SECONDS)

    def set_slots(self, slots: int) -> None:
        """Make the pool of the chunks, or change its size."""
        body = {"slots": slots, "description": "Chunks that write at once", "include_deferred": False}
        try:
            self._ask("POST", "pools", json={"name": POOL, **body})
        except httpx.HTTPStatusError as error:
            if error.response.status_code != httpx.codes.CONFLICT:
                raise
            self._ask("PATCH", f"pools/{POOL}", json={"pool": POOL, **body})

    def has_dags(self, *dag_ids: str) -> bool:
        """Return whether the DAG processor has seen them."""
        answer = self._ask("GET", "dags", params={"limit": 100})
        return set(dag_ids) <= {dag["dag_id"] for dag in answer["dags"]}

    def _ask(self, method: str, path: str, **given: Any) -> Any:
        token = httpx.get(f"{self.url}/auth/token", timeout=60, trust_env=False).json()["access_token"]
        headers = {"Authorization": f"Bearer {token}"}
        url = f"{self.url}/api/v2/{path}"
        answer = httpx.request(method, url, headers=headers, timeout=60, trust_env=False, **given)
        if answer.is_error:
            answer.read()
        return answer.raise_for_status().json()


@contextmanager
def fleet(
    folder: Path, postgres: str, redis_url: str, connections: Mapping[str, str], *, workers: int = 2, **settings: str
) -> Iterator[Fleet]:
    """An Airflow for the length of a `with` block.

    :param folder: an empty folder; its name is that of the database.
    :param postgres: address of a PostgreSQL, `USER@HOST:PORT`.
    :param redis_url: a database of a Redis.
    :param connections: environment variables with Airflow connections.
    :param settings: further environment variables.
    """
    folder.mkdir(parents=True)
    create_database(postgres, folder.name)
    [port] = free_ports(1)
    env = {**_environment(folder, f"{postgres}/{folder.name}", redis_url, port), **connections, **settings}
    env["AIRFLOW__CORE__PARALLELISM"] = str(workers * CONCURRENCY)  # what waits in Redis too long counts as lost
    done = subprocess.run([*_AIRFLOW, "db", "migrate"], env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    made = Fleet(f"http://127.0.0.1:{port}", folder, env)
    with ExitStack() as stack:
        stack.callback(_stop, made)
        made.start("api-server", "api-server", "--workers", "1")
        for part in _PARTS:
            made.start(part, part)
        for number in range(workers):
            made.start_worker(f"worker-{number + 1}")
        wait_until("a healthy Airflow", lambda: _is_ready(made), list(made.children.values()), START_SECONDS)
        made.set_slots(workers * CONCURRENCY)
        yield made


def _environment(home: Path, database: str, redis_url: str, port: int) -> dict[str, str]:
    """Return the environment of all processes: what is there, without the settings of another Airflow."""
    dropped = ("AIRFLOW_", "PYTHONDONTWRITEBYTECODE")
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(dropped)}
    sections: dict[str, dict[str, object]] = {
        "API": {"BASE_URL": f"http://127.0.0.1:{port}", "HOST": "127.0.0.1", "PORT": port, "SECRET_KEY": FERNET_KEY},
        "API_AUTH": {"JWT_SECRET": FERNET_KEY * 2},
        "CELERY": {"BROKER_URL": redis_url, "RESULT_BACKEND": f"db+postgresql+psycopg2://{database}"},
        "CORE": {
            "DAGS_ARE_PAUSED_AT_CREATION": False,
            "DAGS_FOLDER": ROOT / "tests" / "fleet" / "dags",
            "EXECUTION_API_SERVER_URL": f"http://127.0.0.1:{port}/execution/",
            "EXECUTOR": "CeleryExecutor",
            "FERNET_KEY": FERNET_KEY,
            "HOSTNAME_CALLABLE": "tests.fleet.hostnames.hostname",
            "LOAD_EXAMPLES": False,
            "SIMPLE_AUTH_MANAGER_ALL_ADMINS": True,
        },
        "DATABASE": {"SQL_ALCHEMY_CONN": f"postgresql+psycopg2://{database}"},
        # A lost worker is noticed after 30 s instead of Airflow's 300, a lost message after 60 instead of 600.
        "SCHEDULER": {
            "TASK_INSTANCE_HEARTBEAT_TIMEOUT": 30,
            "TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL": 5,
            "TASK_QUEUED_TIMEOUT": 60,
            "TASK_QUEUED_TIMEOUT_CHECK_INTERVAL": 5,
        },
        "USAGE_DATA_COLLECTION": {"ENABLED": False},
    }
    return {
        **inherited,
        "AIRFLOW_HOME": str(home),
        "NO_PROXY": "*",
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), inherited.get("PATH", os.defpath)]),
        "PYTHONPATH": str(ROOT),
        **{f"AIRFLOW__{name}__{key}": str(value) for name, of in sections.items() for key, value in of.items()},
    }


def _is_ready(made: Fleet) -> bool:
    try:
        health = httpx.get(f"{made.url}/api/v2/monitor/health", timeout=5, trust_env=False).json()
        is_healthy = all(health[part]["status"] == "healthy" for part in ("metadatabase", "scheduler", "dag_processor"))
        return is_healthy and made.has_dags(*DAGS)
    except (httpx.HTTPError, ValueError, KeyError):
        return False


def _stop(made: Fleet) -> None:
    for child in list(made.children.values()):
        child.stop()


def _task(shown: Mapping[str, Any]) -> MappedTask:
    return MappedTask(
        task_id=shown["task_id"],
        map_index=shown["map_index"],
        state=shown["state"] or "",
        try_number=shown["try_number"],
        hostname=shown["hostname"] or "",
        seconds=shown["duration"] or 0.0,
    )
