"""Every Python block of the documentation runs as it stands.

A block with a DAG is run by `dag.test()`; an operator alone is executed; quotes are of files whose own tests run them;
the README's test of a DAG is that of the user's project.
"""

from __future__ import annotations

import ast
import json
import os
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from airflow import __version__ as airflow_version

from docs.hooks.quotes import ROOT, quoted
from tests.docs.conftest import MakeHome
from tests.docs.pages import Block, blocks

IS_AIRFLOW_3 = int(airflow_version.split(".", maxsplit=1)[0]) >= 3
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
IMPORTS_ON_AIRFLOW_2 = {
    "from airflow.sdk import DAG": "from airflow import DAG",
    "from airflow.sdk import dag, task": "from airflow.decorators import dag, task",
}
RUN_BY_OTHER_TESTS = ("example_dags/", "tests/user_project/project/")


def has_dag(block: Block) -> bool:
    return re.search(r"^(with DAG\(|@dag\b)", block.text, re.MULTILINE) is not None


def is_test(block: Block) -> bool:
    return "def test_" in block.text


def runs_here(block: Block) -> bool:
    return IS_AIRFLOW_3 or "AssetAlias" not in block.text


def text_for_here(block: Block) -> str:
    """The block; on Airflow 2.11, with the imports that the page on upgrading names for it."""
    text = block.text
    for new, old in {} if IS_AIRFLOW_3 else IMPORTS_ON_AIRFLOW_2.items():
        text = text.replace(new, old)
    return text


WRITTEN = [block for block in blocks("python") if not block.is_quote]
QUOTES = [block for block in blocks("python") if block.is_quote]
RUN = [block for block in WRITTEN if not is_test(block) and runs_here(block)]


def name_of(block: Block) -> str:
    return re.sub(r"\W", "_", str(block))


@pytest.fixture(scope="session")
def outcomes(tmp_path_factory: pytest.TempPathFactory, make_home: MakeHome) -> dict[str, str]:
    """What came of each block, by its name: nothing if it ran, else what was said."""
    folder = tmp_path_factory.mktemp("blocks")
    env = make_home(folder)
    (folder / "tasks").mkdir()
    dags = {name_of(block): text_for_here(block) for block in RUN if has_dag(block)}
    tasks = {name_of(block): block.text for block in RUN if not has_dag(block)}
    for name, text in dags.items():
        (folder / "dags" / f"{name}.py").write_text(text)
    for name, text in (tasks | BROKEN).items():
        (folder / "tasks" / f"{name}.py").write_text(f"task = {text}")
    shutil.copy(Path(__file__).with_name("run_blocks.py"), folder / "test_blocks.py")
    (folder / "pytest.ini").write_text("[pytest]\n")
    env |= {f"AIRFLOW_CONN_{name}": json.dumps(connection) for name, connection in CONNECTIONS.items()}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--junitxml=report.xml"]
    said = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False, timeout=300)
    assert (folder / "report.xml").exists(), said.stdout + said.stderr
    cases = ET.parse(folder / "report.xml").iter("testcase")  # noqa: S314 - pytest wrote it just now
    return {str(case.get("name")).partition("[")[2].rstrip("]"): _problem(case) for case in cases}


def _problem(case: ET.Element) -> str:
    return "\n".join(part.text or "" for kind in ("failure", "error") for part in case.iter(kind))


@pytest.mark.parametrize("block", RUN, ids=str)
def test_block_runs(block: Block, outcomes: dict[str, str]) -> None:
    assert outcomes[name_of(block)] == ""


@pytest.mark.parametrize("block", QUOTES, ids=str)
def test_quote_is_python_that_other_tests_run(block: Block) -> None:
    path, *section = block.text.split()[1:]

    assert path.startswith(RUN_BY_OTHER_TESTS)
    assert ast.parse(quoted(path, *section)).body


def test_the_imports_of_airflow_2_are_documented() -> None:
    page = (ROOT / "docs" / "upgrade.md").read_text()

    for new, old in IMPORTS_ON_AIRFLOW_2.items():
        assert f"| `{new}` | `{old}` |" in page


def test_all_examples_are_quoted() -> None:
    shown = {block.text.split()[1] for block in QUOTES}
    examples = {f"example_dags/{path.name}" for path in (ROOT / "example_dags").glob("*.py")}

    assert examples - shown <= {"example_dags/fails_on_purpose.py"}


def test_a_test_in_a_page_is_that_of_the_users_project() -> None:
    written = [block for block in WRITTEN if is_test(block)]

    assert [block.page for block in written] == ["README.md"]
    assert written[0].text == quoted("tests/user_project/project/tests/test_dags.py") + os.linesep


@pytest.mark.parametrize("name", BROKEN)
def test_a_block_that_fails_is_seen(name: str, outcomes: dict[str, str]) -> None:
    assert "Error" in outcomes[name]
