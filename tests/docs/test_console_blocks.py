"""Every command of the documentation does what it says.

Commands that are harmless are run. `CHECKED` has the others, each with what stands in for running it.
"""

from __future__ import annotations

import json
import re
import shlex
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import metadata
from pathlib import Path
from types import SimpleNamespace

import httpx
import pytest
from airflow.providers.common.compat.sdk import Connection

from airflow_provider_collate.hooks.connection import CollateConnection, parse_connection
from airflow_provider_collate.sandbox import DEFAULT_BOT_TOKEN
from docs.hooks.quotes import ROOT
from tests.docs.conftest import MakeHome
from tests.docs.pages import Block, blocks

TOKEN = "a-token-that-is-no-jwt"
COMMANDS = [(block, command) for block in blocks("console", "sh") for command in block.commands]


def make_target_is_there(command: str) -> None:
    """`make …`: sets up environments for minutes; that the targets work is what CI is for."""
    [target] = re.fullmatch(r"make ([\w.-]+)", command).groups()  # type: ignore[union-attr]
    assert re.search(rf"^{re.escape(target)}:", (ROOT / "Makefile").read_text(), re.MULTILINE)


def package_is_ours(command: str) -> None:
    """`pip install …`: needs the network, and installs into the environment that is under test."""
    first, *others = shlex.split(command)[2:]
    name, _, extra = first.rstrip("]").partition("[")
    ours = metadata(name)
    assert "Framework :: Apache Airflow :: Provider" in (ours.get_all("Classifier") or [])
    assert not extra or extra in (ours.get_all("Provides-Extra") or [])
    assert set(others) <= {"pytest"}


CHECKED: dict[str, Callable[[str], None]] = {"make": make_target_is_there, "pip": package_is_ours}
RUN = ("airflow connections add ", "export AIRFLOW_CONN_COLLATE_DEFAULT=", "python -m airflow_provider_collate.sandbox")


def commands_like(start: str) -> list[str]:
    return list(dict.fromkeys(command for _, command in COMMANDS if command.startswith(start)))


@pytest.mark.parametrize("block", blocks("console", "sh"), ids=str)
def test_block_has_commands_that_are_known(block: Block) -> None:
    assert block.commands
    for command in block.commands:
        assert command.startswith(RUN) or command.split()[0] in CHECKED, f"no rule for {command}"


@pytest.mark.parametrize("command", [command for start in CHECKED for command in commands_like(f"{start} ")])
def test_command_is_right_where_it_is_not_run(command: str) -> None:
    CHECKED[command.split(maxsplit=1)[0]](command)


@pytest.mark.parametrize("command", commands_like("airflow connections add "))
def test_connection_is_added(command: str, tmp_path: Path, make_home: MakeHome) -> None:
    env = make_home(tmp_path) | {"COLLATE_TOKEN": TOKEN}
    done = subprocess.run(
        ["/bin/sh", "-ec", command], env=env, capture_output=True, text=True, check=False, timeout=120
    )

    assert done.returncode == 0, done.stdout + done.stderr
    conn_id = shlex.split(command)[3]
    added = _stored(tmp_path / "airflow.db", conn_id)
    assert added.token == (DEFAULT_BOT_TOKEN if conn_id == "collate_sandbox" else TOKEN)
    assert added.ui_url in command


def _stored(database: Path, conn_id: str) -> CollateConnection:
    columns = ("conn_type", "host", "schema", "port", "login", "password", "extra")
    with sqlite3.connect(database) as connection:
        query = f"SELECT {', '.join(columns)} FROM connection WHERE conn_id = ?"  # noqa: S608 - names of our own
        row = connection.execute(query, (conn_id,)).fetchone()
    assert row[0] == "collate"
    stored: Connection = SimpleNamespace(**dict(zip(columns, row, strict=True)))  # type: ignore[assignment]
    return parse_connection(stored)


@pytest.mark.parametrize("command", commands_like("export "))
def test_connection_is_in_the_environment(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = subprocess.run(
        ["/bin/sh", "-ec", f"{command}; printenv AIRFLOW_CONN_COLLATE_DEFAULT"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout

    connection = Connection(conn_id="collate_default", **{**json.loads(shown), "password": TOKEN})
    assert parse_connection(connection).ui_url == "https://acme.getcollate.io"


@pytest.mark.parametrize("command", commands_like("python -m airflow_provider_collate.sandbox"))
def test_sandbox_serves(command: str, tmp_path: Path, make_home: MakeHome) -> None:
    # The port that the page names may be taken here; the last one given counts.
    arguments = [sys.executable, *shlex.split(command)[1:], "--port", "0"]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True, cwd=tmp_path) as process:
        try:
            assert process.stdout is not None
            url = process.stdout.readline().strip()
            version = httpx.get(f"{url}/api/v1/system/version", trust_env=False).json()["version"]
            page = httpx.get(url, trust_env=False).text
        finally:
            process.terminate()

    assert version == ("1.2.0" if "--release 1.2" in command else "1.12.3")
    assert "ML model services" in page
