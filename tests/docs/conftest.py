"""One process with an Airflow of its own, in which blocks of all pages are run."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from tests.docs.pages import ADD_CONNECTION, commands, has_dag, name_of, runnable, text_for_here

CONNECTIONS = {
    "AWS_PROD": {
        "conn_type": "aws",
        "login": "AKIAEXAMPLE",
        "password": "secret",
        "extra": {"region_name": "eu-central-1"},
    },
    "MLFLOW_REGISTRY": {"conn_type": "postgres", "host": "db.acme.example", "login": "mlflow", "password": "secret"},
    "MLFLOW_TRACKING": {"conn_type": "https", "host": "mlflow.acme.example"},
}
BROKEN = {
    "broken_name": "NoSuchOperator()",
    "broken_task": 'DeleteMlModelServiceOperator(task_id="delete", name="nobody", if_missing="fail")',
}
# Stands in for the command `airflow`: its arguments as the shell has expanded them.
_ARGUMENTS = """airflow() { for word in "$@"; do printf '%s\\0' "$word"; done; }\n"""


@pytest.fixture(scope="session")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What came of each block and command, by its name: nothing if it ran, else what was said."""
    folder = tmp_path_factory.mktemp("blocks")
    for name in ("commands", "dags", "tasks"):
        (folder / name).mkdir()
    env = _environment(folder)
    for number, command in enumerate(commands(ADD_CONNECTION)):
        (folder / "commands" / f"command_{number}.json").write_text(json.dumps(_arguments(command, env)))
    for block in runnable():
        text = text_for_here(block) if has_dag(block) else f"task = {block.text}"
        (folder / ("dags" if has_dag(block) else "tasks") / f"{name_of(block)}.py").write_text(text)
    for name, text in BROKEN.items():
        (folder / "tasks" / f"{name}.py").write_text(f"task = {text}")
    shutil.copy(Path(__file__).with_name("run_blocks.py"), folder / "test_blocks.py")
    (folder / "pytest.ini").write_text("[pytest]\n")
    pytest_command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--junitxml=report.xml"]
    said = subprocess.run(pytest_command, cwd=folder, env=env, capture_output=True, text=True, check=False, timeout=300)
    assert (folder / "report.xml").exists(), said.stdout + said.stderr
    cases = ET.parse(folder / "report.xml").iter("testcase")  # noqa: S314 - pytest wrote it just now
    return {str(case.get("name")).partition("[")[2].rstrip("]"): _problem(case) for case in cases}


def _environment(home: Path) -> dict[str, str]:
    """Return an environment with an Airflow of its own, whose commands are those of the running interpreter."""
    others = {name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW_", "PYTEST_"))}
    connections = {f"AIRFLOW_CONN_{name}": json.dumps(fields) for name, fields in CONNECTIONS.items()}
    return {
        **others,
        **connections,
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__DAGS_FOLDER": str(home / "dags"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home}/airflow.db",
        "COLLATE_TOKEN": "a-token-that-is-no-jwt",
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)]),
    }


def _arguments(command: str, env: dict[str, str]) -> list[str]:
    script = ["/bin/sh", "-ec", _ARGUMENTS + command]
    return subprocess.run(script, env=env, capture_output=True, text=True, check=True).stdout.rstrip("\0").split("\0")


def _problem(case: ET.Element) -> str:
    return "\n".join(part.text or "" for kind in ("failure", "error") for part in case.iter(kind))
