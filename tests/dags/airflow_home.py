"""Airflow's folder and database for tests, and processes that use them."""

from __future__ import annotations

import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

from tests.conftest import ROOT
from tests.dags import runner

TIMEOUT = 300.0
_COLOUR = re.compile(r"\x1b\[[\d;]*m")
FERNET_KEY = "81HqDtbqAywKSOumSha3BhWNOdQ26slT6K0YaZeZyPs="


@dataclass
class Finished:
    """A run of the runner.

    :param found: what it wrote; see `tests.dags.runner`.
    :param output: its stdout and stderr, without the colours of Airflow 3.0.
    """

    found: dict[str, Any]
    output: str


@dataclass
class AirflowHome:
    """A folder of Airflow's with a migrated database.

    :param path: the folder.
    :param dags: the folder with the DAG files.
    :param settings: further environment variables, such as connections.
    """

    path: Path
    dags: Path
    settings: dict[str, str] = field(default_factory=dict)

    @property
    def database(self) -> Path:
        return self.path / "airflow.db"

    def environment(self) -> dict[str, str]:
        """The environment of its processes: what is there, without the settings of another Airflow."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW_")}
        return {
            **inherited,
            "AIRFLOW_HOME": str(self.path),
            "AIRFLOW__CORE__DAGS_FOLDER": str(self.dags),
            "AIRFLOW__CORE__FERNET_KEY": FERNET_KEY,
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__CORE__UNIT_TEST_MODE": "False",
            "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
            "PYTHONPATH": str(ROOT),
            "NO_PROXY": "*",
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), inherited.get("PATH", os.defpath)]),
            **self.settings,
        }

    def run(self, *dag_ids: str, then: Sequence[str] = (), timeout: float = TIMEOUT) -> Finished:
        """Run DAGs by `dag.test()`; all of the folder when none is named.

        :param then: a command of Airflow's that comes last.
        """
        result = self.path / "result.json"
        result.unlink(missing_ok=True)
        last = [runner.THEN, *then] if then else []
        done = self.command([sys.executable, "-m", "tests.dags.runner", str(result), *dag_ids, *last], timeout)
        assert result.is_file(), f"the runner ended with {done.returncode}:\n{done.stdout}\n{done.stderr}"
        return Finished(json.loads(result.read_text()), _COLOUR.sub("", done.stdout + done.stderr))

    def airflow(self, *arguments: str) -> str:
        """Run Airflow's command line and give back what it printed."""
        done = self.command([sys.executable, "-m", "airflow", *arguments])
        assert done.returncode == 0, f"airflow {' '.join(arguments)} failed:\n{done.stdout}\n{done.stderr}"
        return done.stdout + done.stderr

    def command(self, command: Sequence[str], timeout: float = TIMEOUT) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            list(command),
            env=self.environment(),
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )

    def rows(self, query: str, *values: object) -> list[dict[str, Any]]:
        """Rows of the metadata database."""
        with sqlite3.connect(f"file:{self.database}?mode=ro", uri=True) as database:
            database.row_factory = sqlite3.Row
            return [dict(row) for row in database.execute(query, values)]

    def copy(self, path: Path, dags: Path, settings: Mapping[str, str] | None = None) -> AirflowHome:
        """Another folder with the same database, not used yet."""
        path.mkdir(parents=True)
        shutil.copy(self.database, path / "airflow.db")
        return AirflowHome(path, dags, dict(settings or {}))


def migrated(path: Path) -> AirflowHome:
    """A folder with a new database, to be copied. Migrating takes long, so it is done once for each Airflow."""
    home = AirflowHome(path, path / "dags")
    home.dags.mkdir(parents=True)
    kept = ROOT / ".airflow" / f"migrated-{version('apache-airflow')}.db"
    if kept.exists():
        shutil.copy(kept, home.database)
        return home
    home.airflow("db", "migrate")
    kept.parent.mkdir(exist_ok=True)
    half = kept.with_suffix(f".{os.getpid()}")  # another process may be at it
    shutil.copy(home.database, half)
    half.replace(kept)
    return home
