"""The commands of the guide, in a repository of its own against a sandbox."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from airflow_provider_collate.sandbox import DEFAULT_BOT_TOKEN, Catalog
from airflow_provider_collate.sandbox.server import serve_in_thread
from tests.docs.pages import Block, blocks

PAGE = "docs/guides/catalog-as-code.md"
HOST = "https://acme.getcollate.io"
GH = '#!/bin/sh\nshift 3\ncp "$2" comment.md\n'
CONNECTIONS = {
    "MLFLOW_TRACKING": {"conn_type": "https", "host": "mlflow.acme.example"},
    "MLFLOW_REGISTRY": {"conn_type": "mysql", "host": "db", "login": "a", "password": "hunter2-hunter2"},
}


class Repository:
    """A scratch repository whose commands reach a sandbox."""

    def __init__(self, folder: Path, host: str) -> None:
        self.folder, self.host = folder, host
        (folder / "services").mkdir()
        bin_folder = folder / ".git" / "stubs"
        subprocess.run(["git", "init", "-q", str(folder)], check=True)  # noqa: S607 - whichever git is there
        bin_folder.mkdir()
        for name, text in {"gh": GH, "pip": "#!/bin/sh\n"}.items():
            (bin_folder / name).write_text(text)
            (bin_folder / name).chmod(0o755)
        connections = {f"AIRFLOW_CONN_{name}": json.dumps(fields) for name, fields in CONNECTIONS.items()}
        path = [str(bin_folder), str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)]
        self.env = {
            **os.environ, **connections, "PATH": os.pathsep.join(path),
            "AIRFLOW_HOME": str(folder / ".git" / "airflow"),
            "COLLATE_TOKEN": DEFAULT_BOT_TOKEN, "NUMBER": "7",
        }  # fmt: skip

    def run(self, command: str) -> subprocess.CompletedProcess[str]:
        script = ["/bin/sh", "-ec", command.replace(HOST, self.host)]
        return subprocess.run(script, cwd=self.folder, env=self.env, capture_output=True, text=True, check=False)


@pytest.fixture
def catalog() -> Catalog:
    return Catalog()


@pytest.fixture
def repository(tmp_path: Path, catalog: Catalog) -> Iterator[Repository]:
    with serve_in_thread(catalog) as url:
        yield Repository(tmp_path, url)


def on_page(language: str) -> list[Block]:
    return [block for block in blocks(language) if block.page == PAGE]


def test_the_commands_do_what_the_page_says(repository: Repository, catalog: Catalog) -> None:
    catalog.add_service("notebooks", "Sklearn", connection={"config": {"type": "Sklearn"}})

    typed = [command for block in on_page("console") for command in block.commands if "COLLATE_TOKEN" not in command]
    for command in typed:
        done = repository.run(command)
        assert done.returncode == 0, (command, done.stdout, done.stderr)
    assert "notebooks" in (repository.folder / "services" / "all.yaml").read_text()
    assert (repository.folder / "services.schema.json").exists()


def test_the_workflow_checks_and_comments_the_plan(repository: Repository, catalog: Catalog) -> None:
    [declared] = [block.text for block in on_page("yaml") if "risk_mlflow" in block.text]
    [workflow] = [yaml.safe_load(block.text) for block in on_page("yaml") if "jobs:" in block.text]
    file = repository.folder / "services" / "risk.yaml"
    file.write_text(declared)
    steps = [step["run"] for step in workflow["jobs"]["plan"]["steps"] if "run" in step]

    for step in steps:
        done = repository.run(step)
        assert done.returncode == 0, (step, done.stdout, done.stderr)
        assert "hunter2" not in done.stdout + done.stderr
    comment = (repository.folder / "comment.md").read_text()
    assert "| + | `risk_mlflow` | create |" in comment
    assert "hunter2" not in comment
    assert catalog.writes == 0

    planned = repository.run(f"airflow-collate plan 'services/*.yaml' --host {HOST} --format json")
    assert planned.returncode == 2
    assert json.loads(planned.stdout)["fingerprint"]

    file.write_text(declared.replace("serviceType: Sklearn", "serviceType: sklearn"))
    checked = repository.run(steps[1])
    assert checked.returncode == 1
    assert "::error file=services/risk.yaml,line=15::services[1].serviceType" in checked.stdout


def test_the_files_of_the_page_are_the_example(root: Path) -> None:
    example = (root / "example_dags" / "services" / "risk.yaml").read_text()

    assert example.partition("\n")[2] in [block.text for block in on_page("yaml")]


def test_the_hook_is_a_command(root: Path) -> None:
    [hook] = yaml.safe_load((root / ".pre-commit-hooks.yaml").read_text())
    configured = [yaml.safe_load(block.text) for block in on_page("yaml") if "repos:" in block.text]

    assert configured[0]["repos"][0]["hooks"][0]["id"] == hook["id"]
    assert hook["entry"] == "airflow-collate check"
