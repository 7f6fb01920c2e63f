"""Runs of DAGs against servers that leak."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.dags.airflow_home import AirflowHome, Finished
from tests.secrets import scenario

DAGS = Path(__file__).parent / "dags"


@dataclass(frozen=True)
class Run:
    """What a run has left behind.

    :param tracebacks: a folder with what was written down along the errors of tasks.
    """

    home: AirflowHome
    finished: Finished
    tracebacks: Path

    def tasks(self, dag_id: str) -> dict[str, str]:
        """Return the state of each task of a DAG."""
        tasks: dict[str, str] = self.finished.found["runs"][dag_id]["tasks"]
        return tasks


RunDags = Callable[..., Run]


@pytest.fixture(scope="module")
def run_dags(migrated_home: AirflowHome, tmp_path_factory: pytest.TempPathFactory) -> RunDags:
    """Run DAGs of a folder by `dag.test()`; Airflow 2.11 also has those that its files import."""

    def run(folder: str, *dag_ids: str, servers: tuple[str, ...] = (), **settings: Any) -> Run:
        home = tmp_path_factory.mktemp(folder)
        tracebacks = home / "tracebacks"
        tracebacks.mkdir()
        with scenario.servers(servers) as urls:
            given = {**scenario.settings(urls), **settings, "TRACEBACKS": str(tracebacks)}
            airflow = migrated_home.copy(home / "home", DAGS / folder, given)
            finished = airflow.run(*dag_ids)
        assert finished.found["import_errors"] == {}
        return Run(airflow, finished, tracebacks)

    return run
