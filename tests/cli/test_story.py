"""An existing catalog is taken over and changed by way of a plan that somebody approves, all by commands."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from airflow_provider_collate.sandbox import ANA, DEFAULT_BOT_TOKEN, Catalog
from airflow_provider_collate.sandbox.server import serve_in_thread
from tests.unit.cli.filled import PLAIN, SECRET, WITH_SECRETS, fill

COMMAND = str(Path(sys.executable).with_name("airflow-collate"))
CONNECTIONS = {
    "REGISTRY": {"conn_type": "mysql", "host": "b", "schema": "c", "login": "a", "password": SECRET},
    "KEYS": {"conn_type": "aws", "login": "AKIAEXAMPLE", "password": SECRET, "extra": {"region_name": "eu-central-1"}},
    "CUSTOM": {"conn_type": "generic", "extra": {"a": SECRET}},
}


@dataclass
class Terminal:
    """Runs commands in a folder, against a server."""

    folder: Path
    host: str
    catalog: Catalog

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        connections = {f"AIRFLOW_CONN_{name}": json.dumps(fields) for name, fields in CONNECTIONS.items()}
        env = {**os.environ, **connections, "AIRFLOW_HOME": str(self.folder), "COLLATE_TOKEN": DEFAULT_BOT_TOKEN}
        return subprocess.run([COMMAND, *words], cwd=self.folder, env=env, capture_output=True, text=True, check=False)

    def ask(self, *words: str) -> subprocess.CompletedProcess[str]:
        return self.run(*words, "--host", self.host)

    @property
    def file(self) -> Path:
        return self.folder / "services.yaml"

    def edit(self, old: str, new: str) -> None:
        text = self.file.read_text()
        assert old in text
        self.file.write_text(text.replace(old, new))


@pytest.fixture(params=["1.2", "2.x"])
def terminal(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Terminal]:
    catalog = Catalog(request.param)
    fill(catalog)
    with serve_in_thread(catalog) as url:
        yield Terminal(tmp_path, url, catalog)


def test_from_export_to_nothing_left_to_do(terminal: Terminal) -> None:
    exported = terminal.ask("export")
    assert exported.returncode == 0
    assert SECRET not in exported.stdout + exported.stderr
    terminal.file.write_text(exported.stdout)

    checked = terminal.run("check", "services.yaml")
    assert checked.returncode == 1
    assert checked.stdout.count('"TODO" stands for secrets') == len(WITH_SECRETS)
    unfinished = terminal.ask("plan", "services.yaml")
    assert unfinished.returncode == 1
    assert unfinished.stdout.count('"TODO" stands for secrets') == len(WITH_SECRETS)
    assert f"= {len(PLAIN)} unchanged" in unfinished.stdout

    for name in WITH_SECRETS:
        _name_connection(terminal.file, name)
    terminal.edit(
        "      trackingUri: https://mlflow.acme.example\n\n", "      trackingUri: https://new.acme.example\n\n"
    )
    assert terminal.run("check", "services.yaml").returncode == 0
    planned = terminal.ask("plan", "services.yaml", "--format", "json", "--on-conflict", "overwrite")
    assert planned.returncode == 2, planned.stderr
    plan = json.loads(planned.stdout)
    assert "connection.config.trackingUri: changed" in plan["text"]
    assert SECRET not in planned.stdout + planned.stderr
    assert terminal.catalog.writes == 0

    approved = ("--approved", plan["fingerprint"], "--on-conflict", "overwrite")
    applied = terminal.ask("apply", "services.yaml", *approved)
    assert applied.returncode == 0, applied.stderr
    assert SECRET not in applied.stdout + applied.stderr
    assert terminal.ask("plan", "services.yaml").returncode == 0


def test_what_changed_since_the_plan_is_not_applied(terminal: Terminal) -> None:
    terminal.file.write_text("- {name: one, serviceType: Sklearn, connection: {config: {}}, displayName: One}\n")
    terminal.catalog.add_service("one", "Sklearn", connection={"config": {"type": "Sklearn"}})
    fingerprint = json.loads(terminal.ask("plan", "services.yaml", "--format", "json").stdout)["fingerprint"]
    terminal.catalog.edit_service("one", user=ANA, description="By hand")

    refused = terminal.ask("apply", "services.yaml", "--approved", fingerprint)
    assert refused.returncode == 1
    assert "was not approved; nothing was written" in refused.stderr
    assert terminal.catalog.writes == 0


def _name_connection(file: Path, name: str) -> None:
    before, mark, after = file.read_text().partition(f"- name: {name}\n")
    assert mark
    key = "registry_conn_id" if name == "registry" else "conn_id"
    file.write_text(before + mark + after.replace("conn_id: TODO", f"{key}: {name}", 1))
