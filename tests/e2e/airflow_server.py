"""A whole Airflow of the version that is installed, on SQLite in a folder of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import httpx

from tests.e2e.processes import Child, free_ports, running, wait_until

IS_AIRFLOW_3 = int(version("apache-airflow").split(".", maxsplit=1)[0]) >= 3
START_SECONDS = 180.0
SETUP_SECONDS = 120.0
PASSWORD_ON_AIRFLOW_2 = "only-for-this-test"


@dataclass(frozen=True)
class AirflowServer:
    """An Airflow that answers.

    :param url: of its web pages.
    :param user: who may log in.
    :param password: the user's password.
    :param children: its processes.
    """

    url: str
    user: str
    password: str
    children: tuple[Child, ...]


@contextmanager
def airflow_server(home: Path, dags: Path, settings: Mapping[str, str]) -> Iterator[AirflowServer]:
    """Airflow for the length of a `with` block; nothing of it is left running.

    :param home: an empty folder for its configuration, database and logs.
    :param dags: the folder with the DAG files.
    :param settings: further environment variables, e.g. connections.
    """
    start = _start_airflow_3 if IS_AIRFLOW_3 else _start_airflow_2
    with ExitStack() as stack:
        yield start(stack, home, {**_environment(home, dags), **settings})


def _environment(home: Path, dags: Path) -> dict[str, str]:
    """The environment of all processes: what is there, without the settings of another Airflow."""
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("AIRFLOW_") and name != "PYTHONDONTWRITEBYTECODE"
    }
    worker_logs, trigger_logs = free_ports(2)
    return {
        **inherited,
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__DAGS_FOLDER": str(dags),
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__PARALLELISM": "2",
        "AIRFLOW__CORE__TEST_CONNECTION": "Enabled",
        "AIRFLOW__LOGGING__WORKER_LOG_SERVER_PORT": str(worker_logs),
        "AIRFLOW__LOGGING__TRIGGER_LOG_SERVER_PORT": str(trigger_logs),
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), inherited.get("PATH", os.defpath)]),
    }


def _start_airflow_3(stack: ExitStack, home: Path, env: dict[str, str]) -> AirflowServer:
    [port] = free_ports(1)
    url = f"http://localhost:{port}"
    env |= {
        "AIRFLOW__API__BASE_URL": url,
        "AIRFLOW__API__HOST": "127.0.0.1",
        "AIRFLOW__API__PORT": str(port),
        "AIRFLOW__API__WORKERS": "1",
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{url}/execution/",
    }
    standalone = stack.enter_context(
        running("airflow standalone", [*_AIRFLOW, "standalone"], env, home / "standalone.log")
    )
    _wait_for_health(f"{url}/api/v2/monitor/health", ("metadatabase", "scheduler", "dag_processor"), standalone)
    passwords = json.loads((home / "simple_auth_manager_passwords.json.generated").read_text())
    return AirflowServer(url, "admin", passwords["admin"], (standalone,))


def _start_airflow_2(stack: ExitStack, home: Path, env: dict[str, str]) -> AirflowServer:
    [port] = free_ports(1)
    url = f"http://localhost:{port}"
    env |= {
        "AIRFLOW__WEBSERVER__BASE_URL": url,
        "AIRFLOW__WEBSERVER__WEB_SERVER_HOST": "127.0.0.1",
        "AIRFLOW__WEBSERVER__WEB_SERVER_PORT": str(port),
        "AIRFLOW__WEBSERVER__WORKERS": "1",
    }
    _run(home, env, "db", "migrate")
    _run(home, env, "users", "create", *_USER, "--password", PASSWORD_ON_AIRFLOW_2)
    web = stack.enter_context(running("airflow webserver", [*_AIRFLOW, "webserver"], env, home / "webserver.log"))
    scheduler = stack.enter_context(running("airflow scheduler", [*_AIRFLOW, "scheduler"], env, home / "scheduler.log"))
    _wait_for_health(f"{url}/health", ("metadatabase", "scheduler"), web, scheduler)
    return AirflowServer(url, "admin", PASSWORD_ON_AIRFLOW_2, (web, scheduler))


_AIRFLOW = (sys.executable, "-m", "airflow")
_USER = (
    *("--username", "admin", "--role", "Admin"),
    *("--firstname", "Ana", "--lastname", "Lee", "--email", "ana@acme.example"),
)


def _run(home: Path, env: Mapping[str, str], *arguments: str) -> None:
    done = subprocess.run(
        [*_AIRFLOW, *arguments],
        env=dict(env),
        cwd=home,
        capture_output=True,
        text=True,
        timeout=SETUP_SECONDS,
        check=False,
    )
    assert done.returncode == 0, f"airflow {' '.join(arguments[:2])} failed:\n{done.stdout}\n{done.stderr}"


def _wait_for_health(url: str, parts: tuple[str, ...], *children: Child) -> None:
    def is_healthy() -> bool:
        try:
            health = httpx.get(url, timeout=5.0).json()
        except (httpx.HTTPError, ValueError):
            return False
        return all(health.get(part, {}).get("status") == "healthy" for part in parts)

    wait_until(f"a healthy Airflow at {url}", is_healthy, children, START_SECONDS)
