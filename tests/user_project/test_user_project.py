"""A user's project, with tests of its own, where the built wheel is installed and nothing of the checkout is there."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.installed import run

PROJECT = Path(__file__).parent / "project"
TESTS = 6


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("user") / "acme-dags"
    shutil.copytree(PROJECT, folder, ignore=shutil.ignore_patterns("__pycache__", ".*"))
    return folder


def test_the_package_is_that_of_the_wheel(users_python: Path, project: Path) -> None:
    code = "import airflow_provider_collate as package, airflow; print(package.__file__)"
    said = run(users_python, "-c", code, cwd=project)

    assert said.returncode == 0, said.stderr
    assert Path(said.stdout.strip()).is_relative_to(users_python.parent.parent)


def test_the_tests_of_the_user_pass(users_python: Path, project: Path) -> None:
    before = files_of(project)

    said = run(users_python, "-m", "pytest", "-q", "-p", "no:cacheprovider", cwd=project)

    assert files_of(project) == before
    assert said.returncode == 0, said.stdout + said.stderr
    assert f"{TESTS} passed" in said.stdout


def files_of(project: Path) -> set[Path]:
    """What is in a project, without the bytecode that Python puts beside its modules."""
    return {path for path in project.rglob("*") if "__pycache__" not in path.parts}


def test_the_test_of_a_dag_is_five_lines() -> None:
    lines = (PROJECT / "tests" / "test_dags.py").read_text().splitlines()

    assert len([line for line in lines if line.strip()]) == 5
