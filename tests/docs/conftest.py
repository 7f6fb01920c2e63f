"""A new user: a scratch directory, the built wheel, and what the pages say in their order."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import pytest

from airflow_provider_collate.sandbox import DEFAULT_BOT_TOKEN
from scripts.docs_pages import ROOT, pages
from tests.dags.airflow_home import AirflowHome
from tests.docs.steps import Step, brings_its_connections, steps_of

# For pages that do not say how to make them.
CONNECTIONS: dict[str, dict[str, object]] = {
    "AWS_PROD": {
        "conn_type": "aws",
        "login": "AKIAEXAMPLE",
        "password": "secret",
        "extra": {"region_name": "eu-central-1"},
    },
    "MLFLOW_REGISTRY": {"conn_type": "postgres", "host": "db.acme.example", "login": "mlflow", "password": "secret"},
    "MLFLOW_TRACKING": {"conn_type": "https", "host": "mlflow.acme.example"},
}
# What another team has registered already, by the page that waits for it: name and tag.
ALREADY_THERE = {"docs/waiting.md": ("prod_mlflow", "Tier.Tier1")}
# Steps that must be seen to fail.
BROKEN = {
    "broken_command": Step("command", "airflow connections add", "a page"),
    "broken_dag": Step("dag", "from nowhere import DAG", "a page"),
    "broken_task": Step(
        "script",
        "from airflow_provider_collate.operators.mlmodel_service import DeleteMlModelServiceOperator\n"
        'task = DeleteMlModelServiceOperator(task_id="delete", name="nobody", if_missing="fail")',
        "a page",
    ),
    "broken_words": Step("shown", "was never printed\n", "a page"),
}
# Stands in for the command `airflow`: its arguments as the shell has expanded them.
_ARGUMENTS = """airflow() { for word in "$@"; do printf '%s\\0' "$word"; done; }\n"""


def name_of(page: Path) -> str:
    """Return the name under which a page's outcome is."""
    return str(page.relative_to(ROOT).with_suffix("")).replace("/", "_")


@pytest.fixture(scope="session")
def outcomes(
    users_python: Path, migrated_home: AirflowHome, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, str]:
    """What came of each page, by its name: nothing if all of its steps were done, else what was said."""
    scratch = tmp_path_factory.mktemp("new_user")
    shutil.copy(migrated_home.database, scratch)
    env = _environment(scratch, users_python)
    for page in pages():
        if steps := steps_of(page):
            connections = {} if brings_its_connections(steps) else CONNECTIONS
            there = ALREADY_THERE.get(str(page.relative_to(ROOT)), ())
            _write(scratch / f"{name_of(page)}.json", steps, env, connections, there)
    for name, step in BROKEN.items():
        _write(scratch / f"{name}.json", [step], env, CONNECTIONS)
    shutil.copy(Path(__file__).with_name("run_steps.py"), scratch / "test_steps.py")
    (scratch / "pytest.ini").write_text("[pytest]\n")
    command = [str(users_python), "-m", "pytest", "-q", "-p", "no:cacheprovider", "--junitxml=report.xml"]
    done = subprocess.run(command, cwd=scratch, env=env, capture_output=True, text=True, check=False, timeout=1200)
    assert (scratch / "report.xml").exists(), done.stdout + done.stderr
    cases = ET.parse(scratch / "report.xml").iter("testcase")  # noqa: S314 - pytest wrote it just now
    return {
        str(case.get("name")).partition("[")[2].rstrip("]") or str(case.get("name")): _problem(case) for case in cases
    }


def _write(
    path: Path,
    steps: Sequence[Step],
    env: dict[str, str],
    connections: dict[str, dict[str, object]],
    there: Sequence[str] = (),
) -> None:
    said = {
        "connections": {name: json.dumps(fields) for name, fields in connections.items()},
        "brings_its_connections": not connections,
        "there": there,
        "steps": [{**asdict(step), "arguments": _arguments(step, env)} for step in steps],
    }
    path.write_text(json.dumps(said))


def _environment(home: Path, python: Path) -> dict[str, str]:
    """Return an environment with an Airflow of its own, whose commands are those of the user's interpreter."""
    others = {
        name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW_", "PYTEST_", "PYTHON"))
    }
    return {
        **others,
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__DAGS_FOLDER": str(home / "dags"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home}/airflow.db",
        "COLLATE_TOKEN": DEFAULT_BOT_TOKEN,
        "PATH": os.pathsep.join([str(python.parent), os.environ.get("PATH", os.defpath)]),
        "USERS_ENVIRONMENT": str(python.parent.parent),
    }


def _arguments(step: Step, env: dict[str, str]) -> list[str]:
    if step.kind != "command":
        return []
    script = ["/bin/sh", "-ec", _ARGUMENTS + step.text]
    return subprocess.run(script, env=env, capture_output=True, text=True, check=True).stdout.rstrip("\0").split("\0")


def _problem(case: ET.Element) -> str:
    return "\n".join(f"{part.get('message')}\n{part.text}" for kind in ("failure", "error") for part in case.iter(kind))
