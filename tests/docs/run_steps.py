"""Do what the pages say, each with an empty catalog behind the address that the pages name.

`conftest.py` copies this file into a scratch directory, beside the steps of each page and a migrated database, and runs
it by pytest where the wheel is installed.
"""

from __future__ import annotations

import json
import os
import re
import runpy
import shutil
import sys
from pathlib import Path
from unittest.mock import MagicMock

import pytest
from airflow.cli.cli_parser import get_parser
from airflow.models import Connection, DagBag
from airflow.providers.common.compat.sdk import BaseOperator
from airflow.utils.session import create_session

import airflow_provider_collate
from airflow_provider_collate.hooks.connection import parse_connection
from airflow_provider_collate.pytest_plugin import InMemoryCollate

HERE = Path(__file__).parent
DAGS = Path(os.environ["AIRFLOW__CORE__DAGS_FOLDER"])
ADDRESS = "https://acme.getcollate.io"
ADD_CONNECTION = ["connections", "add"]


def airflow(*arguments: str) -> None:
    sys.argv = ["airflow", *arguments]  # Airflow looks there for passwords, too, and 2.11 fails on some
    parsed = get_parser().parse_args(arguments)
    parsed.func(parsed)


def test_the_package_is_that_of_the_wheel() -> None:
    assert Path(airflow_provider_collate.__file__).is_relative_to(os.environ["USERS_ENVIRONMENT"])


@pytest.mark.parametrize("path", sorted(HERE.glob("*.json")), ids=lambda path: path.stem)
def test_page(
    path: Path,
    collate: InMemoryCollate,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("INFO", "airflow_provider_collate")
    page = json.loads(path.read_text())
    for name, connection in page["connections"].items():
        monkeypatch.setenv(f"AIRFLOW_CONN_{name}", connection)
    http = {"conn_type": "http", "host": collate.url, "password": collate.token}
    monkeypatch.setenv("AIRFLOW_CONN_COLLATE_HTTP", json.dumps(http))
    if page["brings_its_connections"]:
        monkeypatch.delenv("AIRFLOW_CONN_COLLATE_DEFAULT")
    if page["there"]:
        name, tag = page["there"]
        collate.add(name, tags=[tag])
    printed = ""
    try:
        for number, step in enumerate(page["steps"]):
            try:
                do(step, number, collate, printed)
            except BaseException as error:
                raise AssertionError(f"{step['at']}: {type(error).__name__}: {error}") from error
            printed = caplog.text + "".join(capfd.readouterr())
            caplog.clear()
    finally:
        forget_connections()
        shutil.rmtree(DAGS, ignore_errors=True)


def do(step: dict[str, list[str] | str], number: int, collate: InMemoryCollate, printed: str) -> None:
    text = str(step["text"])
    path = DAGS / f"step_{number}.py"
    DAGS.mkdir(exist_ok=True)
    if step["kind"] == "command":
        command(list(step["arguments"]), collate)
    elif step["kind"] == "shown":
        said = without_times(printed.replace(collate.url, ADDRESS))
        assert [line for line in without_times(text).splitlines() if line not in said] == [], printed
    elif step["kind"] == "script":
        script(text, path)
    else:
        path.write_text(text)
        run_dags(path) if step["kind"] == "dag" else None


def without_times(text: str) -> str:
    return re.sub(r"\b\d+\.\d s\b", "0.1 s", text)


def command(arguments: list[str], collate: InMemoryCollate) -> None:
    arguments = [argument.replace(ADDRESS, collate.url) for argument in arguments]
    airflow(*arguments)
    if arguments[:2] == ADD_CONNECTION and "collate" in arguments:
        with create_session() as session:
            [added] = session.query(Connection).filter(Connection.conn_id == arguments[2])
            parsed = parse_connection(added)
        assert parsed.token == arguments[arguments.index("--conn-password") + 1]
        assert parsed.config.url == arguments[arguments.index("--conn-host") + 1] + "/api"


def run_dags(path: Path) -> None:
    bag = DagBag(str(path))
    assert bag.import_errors == {}
    assert bag.dags
    for dag in bag.dags.values():
        assert dag.test().state == "success"


def script(text: str, path: Path) -> None:
    path.write_text(text)
    tasks = [value for value in runpy.run_path(str(path)).values() if isinstance(value, BaseOperator)]
    assert tasks
    for task in tasks:
        task.execute({"ti": MagicMock(try_number=1), "dag_run": MagicMock()})


def forget_connections() -> None:
    with create_session() as session:
        for connection in session.query(Connection):
            session.delete(connection)
