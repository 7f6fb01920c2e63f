"""An Airflow database that is made once, to copy."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Environment = dict[str, str]
MakeHome = Callable[[Path], Environment]


def environment(home: Path) -> Environment:
    """The environment with an Airflow of its own, whose commands are those of the running interpreter."""
    others = {name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW_", "PYTEST_"))}
    return {
        **others,
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__DAGS_FOLDER": str(home / "dags"),
        "AIRFLOW__CORE__FERNET_KEY": "",  # so that what is stored can be read here
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home}/airflow.db",
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)]),
    }


@pytest.fixture(scope="session")
def make_home(tmp_path_factory: pytest.TempPathFactory) -> MakeHome:
    """Make an AIRFLOW_HOME of a folder."""
    first = tmp_path_factory.mktemp("airflow")
    command = [sys.executable, "-m", "airflow", "db", "migrate"]
    done = subprocess.run(command, env=environment(first), capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr

    def make(home: Path) -> Environment:
        shutil.copy(first / "airflow.db", home / "airflow.db")
        (home / "dags").mkdir(exist_ok=True)
        return environment(home)

    return make
