"""A user's project, with tests of its own, where the built wheel is installed and nothing of the checkout is there."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

PROJECT = Path(__file__).parent / "project"
TESTS = 6


def run(*command: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run a command in an environment without settings of Airflow or Python."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW_", "PYTEST", "PYTHON"))}
    return subprocess.run(command, cwd=cwd, env=clean, capture_output=True, text=True, check=False, timeout=300)


@pytest.fixture(scope="module")
def wheel(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package as it is published."""
    pytest.importorskip("hatchling", reason="hatchling, which builds the wheel, is not installed")
    folder = tmp_path_factory.mktemp("wheel")
    built = run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder, cwd=root)
    assert built.returncode == 0, built.stdout + built.stderr
    [wheel] = folder.glob("*.whl")
    return wheel


@pytest.fixture(scope="module")
def python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An interpreter that has the wheel, and Airflow from the environment that runs this test."""
    home = tmp_path_factory.mktemp("environment")
    venv.EnvBuilder(symlinks=True).create(home)
    site = Path(sysconfig.get_path("purelib", "venv", {"base": str(home), "platbase": str(home)}))
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)  # this is what installing a wheel comes to
    # A path in a .pth file: what is there can be imported, but its own .pth files, an editable install's, do not count.
    (site / "airflow.pth").write_text(f"{sysconfig.get_path('purelib')}\n")
    return home / "bin" / "python"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("user") / "acme-dags"
    shutil.copytree(PROJECT, folder, ignore=shutil.ignore_patterns("__pycache__", ".*"))
    return folder


def test_the_package_is_that_of_the_wheel(python: Path, project: Path) -> None:
    code = "import airflow_provider_collate as package, airflow; print(package.__file__)"
    said = run(python, "-c", code, cwd=project)

    assert said.returncode == 0, said.stderr
    assert Path(said.stdout.strip()).is_relative_to(python.parent.parent)


def test_the_tests_of_the_user_pass(python: Path, project: Path) -> None:
    before = files_of(project)

    said = run(python, "-m", "pytest", "-q", "-p", "no:cacheprovider", cwd=project)

    assert files_of(project) == before
    assert said.returncode == 0, said.stdout + said.stderr
    assert f"{TESTS} passed" in said.stdout


def files_of(project: Path) -> set[Path]:
    """What is in a project, without the bytecode that Python puts beside its modules."""
    return {path for path in project.rglob("*") if "__pycache__" not in path.parts}


def test_the_test_of_a_dag_is_five_lines() -> None:
    lines = (PROJECT / "tests" / "test_dags.py").read_text().splitlines()

    assert len([line for line in lines if line.strip()]) == 5
