"""Every command of the documentation does what it says.

`test_new_user.py` runs those of Airflow, on their pages. `CHECKED` has those that are not run, each with what stands in
for running it.
"""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import metadata

import httpx
import pytest
from airflow.providers.common.compat.sdk import Connection

from airflow_provider_collate.cli.main import commands as commands_of_ours
from airflow_provider_collate.hooks.connection import parse_connection
from airflow_provider_collate.sandbox.releases import DEFAULT_RELEASE, RELEASES
from scripts.docs_pages import ROOT
from tests.docs.pages import Block, blocks, commands
from tests.docs.steps import AIRFLOW

EXPORT = "export AIRFLOW_CONN_COLLATE_DEFAULT="
SANDBOX = "airflow-collate sandbox"


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


def command_is_ours(command: str) -> None:
    """`airflow-collate …`: `tests/cli` runs them in the order of a story, against a sandbox."""
    _, name, *_ = shlex.split(command.partition(" > ")[0])
    assert name in commands_of_ours.commands


def token_is_exported(command: str) -> None:
    """`export COLLATE_TOKEN=…`: the token is the reader's."""
    assert command.startswith("export COLLATE_TOKEN=")


CHECKED: dict[str, Callable[[str], None]] = {
    "airflow-collate": command_is_ours,
    "export": token_is_exported,
    "make": make_target_is_there,
    "pip": package_is_ours,
}


@pytest.mark.parametrize("block", blocks("console", "sh"), ids=str)
def test_block_has_commands_that_are_known(block: Block) -> None:
    assert block.commands
    for command in block.commands:
        assert command.startswith((AIRFLOW, EXPORT, SANDBOX)) or command.split()[0] in CHECKED, command


@pytest.mark.parametrize(
    "command", [command for start in CHECKED for command in commands(f"{start} ") if not command.startswith(EXPORT)]
)
def test_command_is_right_where_it_is_not_run(command: str) -> None:
    CHECKED[command.split(maxsplit=1)[0]](command)


@pytest.mark.parametrize("command", commands(EXPORT))
def test_connection_is_in_the_environment(command: str) -> None:
    script = ["/bin/sh", "-ec", f"{command}; printenv AIRFLOW_CONN_COLLATE_DEFAULT"]
    shown = json.loads(subprocess.run(script, capture_output=True, text=True, check=True).stdout)

    connection = Connection(conn_id="collate_default", **{**shown, "password": "a-token-that-is-no-jwt"})
    assert parse_connection(connection).config.url == "https://acme.getcollate.io/api"


@pytest.mark.parametrize("command", commands(SANDBOX))
def test_sandbox_serves(command: str) -> None:
    # The port that the page names may be in use here; the last one given counts.
    arguments = [sys.executable, "-m", "airflow_provider_collate", *shlex.split(command)[1:], "--port", "0"]
    release = arguments[arguments.index("--release") + 1] if "--release" in arguments else DEFAULT_RELEASE
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            url = process.stdout.readline().strip()
            version = httpx.get(f"{url}/api/v1/system/version", trust_env=False).json()["version"]
            page = httpx.get(url, trust_env=False).text
        finally:
            process.terminate()

    assert version == RELEASES[release].version
    assert "ML model services" in page
