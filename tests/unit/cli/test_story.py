"""An existing catalog is taken over and changed by way of a plan that somebody approves, all by commands."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from airflow_provider_collate.cli.main import main
from airflow_provider_collate.sandbox import ANA, DEFAULT_BOT_TOKEN, Catalog
from airflow_provider_collate.sandbox.server import serve_in_thread
from tests.unit.cli.filled import PLAIN, SECRET, WITH_SECRETS, fill

CONNECTIONS = {
    "REGISTRY": {"conn_type": "mysql", "host": "b", "schema": "c", "login": "a", "password": SECRET},
    "KEYS": {"conn_type": "aws", "login": "AKIAEXAMPLE", "password": SECRET, "extra": {"region_name": "eu-central-1"}},
    "CUSTOM": {"conn_type": "generic", "extra": {"a": SECRET}},
}


@dataclass
class Ended:
    """What came of a command."""

    code: int
    out: str
    err: str


@dataclass
class Terminal:
    """Runs commands in a folder, against a server; those of `test_guide.py` are processes of their own."""

    folder: Path
    host: str
    catalog: Catalog
    capsys: pytest.CaptureFixture[str]

    def run(self, *words: str) -> Ended:
        code = main(words)
        return Ended(code, *self.capsys.readouterr())

    def ask(self, *words: str) -> Ended:
        return self.run(*words, "--host", self.host)

    @property
    def file(self) -> Path:
        return self.folder / "services.yaml"

    def edit(self, old: str, new: str) -> None:
        text = self.file.read_text()
        assert old in text
        self.file.write_text(text.replace(old, new))


@pytest.fixture(params=["1.2", "2.x"])
def terminal(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Terminal]:
    for name, fields in CONNECTIONS.items():
        monkeypatch.setenv(f"AIRFLOW_CONN_{name}", json.dumps(fields))
    monkeypatch.setenv("COLLATE_TOKEN", DEFAULT_BOT_TOKEN)
    monkeypatch.chdir(tmp_path)
    catalog = Catalog(request.param)
    fill(catalog)
    with serve_in_thread(catalog) as url:
        yield Terminal(tmp_path, url, catalog, capsys)


def test_from_export_to_nothing_left_to_do(terminal: Terminal) -> None:
    exported = terminal.ask("export")
    assert exported.code == 0
    assert SECRET not in exported.out + exported.err
    terminal.file.write_text(exported.out)

    checked = terminal.run("check", "services.yaml")
    assert checked.code == 1
    assert checked.out.count('"TODO" stands for secrets') == len(WITH_SECRETS)
    unfinished = terminal.ask("plan", "services.yaml")
    assert unfinished.code == 1
    assert unfinished.out.count('"TODO" stands for secrets') == len(WITH_SECRETS)
    assert f"= {len(PLAIN)} unchanged" in unfinished.out

    for name in WITH_SECRETS:
        _name_connection(terminal.file, name)
    terminal.edit(
        "      trackingUri: https://mlflow.acme.example\n\n", "      trackingUri: https://new.acme.example\n\n"
    )
    assert terminal.run("check", "services.yaml").code == 0
    planned = terminal.ask("plan", "services.yaml", "--format", "json", "--on-conflict", "overwrite")
    assert planned.code == 2, planned.err
    plan = json.loads(planned.out)
    assert "connection.config.trackingUri: changed" in plan["text"]
    assert SECRET not in planned.out + planned.err
    assert terminal.catalog.writes == 0

    approved = ("--approved", plan["fingerprint"], "--on-conflict", "overwrite")
    applied = terminal.ask("apply", "services.yaml", *approved)
    assert applied.code == 0, applied.err
    assert SECRET not in applied.out + applied.err
    assert terminal.ask("plan", "services.yaml").code == 0


def test_what_changed_since_the_plan_is_not_applied(terminal: Terminal) -> None:
    terminal.file.write_text("- {name: one, serviceType: Sklearn, connection: {config: {}}, displayName: One}\n")
    terminal.catalog.add_service("one", "Sklearn", connection={"config": {"type": "Sklearn"}})
    fingerprint = json.loads(terminal.ask("plan", "services.yaml", "--format", "json").out)["fingerprint"]
    terminal.catalog.edit_service("one", user=ANA, description="By hand")

    refused = terminal.ask("apply", "services.yaml", "--approved", fingerprint)
    assert refused.code == 1
    assert "was not approved; nothing was written" in refused.err
    assert terminal.catalog.writes == 0


def _name_connection(file: Path, name: str) -> None:
    before, mark, after = file.read_text().partition(f"- name: {name}\n")
    assert mark
    key = "registry_conn_id" if name == "registry" else "conn_id"
    file.write_text(before + mark + after.replace("conn_id: TODO", f"{key}: {name}", 1))
