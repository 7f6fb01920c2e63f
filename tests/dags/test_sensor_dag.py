"""The sensor in DAG runs of a whole Airflow with a database, against a sandbox over a socket."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from airflow import __version__ as airflow_version

from airflow_provider_collate.sandbox import Catalog
from tests.dags.airflow_home import AirflowHome

NO_SUCH_SERVICE = {"code": 404, "message": "mlmodelService instance not found"}

WAITS = """
from datetime import datetime, timezone

from airflow.providers.common.compat.sdk import DAG

from airflow_provider_collate.sensors.mlmodel_service import MlModelServiceSensor as Sensor

soon = {"poke_interval": 0.01, "timeout": 0.05, "deferrable": True}

with DAG("waits", start_date=datetime(2026, 1, 1, tzinfo=timezone.utc), schedule=None):
    Sensor(task_id="worker", name="for_worker", poke_interval=0.01, deferrable=False)
    Sensor(task_id="reschedule", name="for_reschedule", poke_interval=0.01, mode="reschedule", deferrable=False)
    Sensor.partial(task_id="mapped", deferrable=True).expand(name=["for_mapped_0", "for_mapped_1"])
    Sensor(task_id="late", name="late", **soon)
    Sensor(task_id="skipped", name="skipped", soft_fail=True, **soon)
    Sensor(task_id="refused", name="refused", timeout=3600, poke_interval=600, deferrable=True)
"""


@dataclass(frozen=True)
class Runs:
    """What came of the DAG runs.

    :param states: task → its states, of which a mapped task has several.
    :param returned: task → what it returned.
    :param log: all that was printed.
    :param home: the folder of Airflow's database and logs.
    :param catalog: the catalog that was asked.
    """

    states: Mapping[str, list[str]]
    returned: Mapping[str, Any]
    log: str
    home: Path
    catalog: Catalog

    def looks(self, name: str) -> list[int]:
        """The status of each answer to a request for a service."""
        return [request.status for request in self.catalog.requests if request.path.endswith(f"/name/{name}")]


@pytest.fixture(scope="module")
def runs(
    migrated_home: AirflowHome,
    catalog: Catalog,
    connections: dict[str, str],
    root: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Runs:
    """One run of the example and one of a DAG with a sensor of each kind; each has to wait for its second look."""
    dags = tmp_path_factory.mktemp("dags")
    shutil.copy(root / "example_dags" / "wait_for_service.py", dags)
    (dags / "waits.py").write_text(WAITS)
    catalog.add_service("prod_mlflow", tags=["Tier.Tier1"])
    for name in ("for_worker", "for_reschedule", "for_mapped_0", "for_mapped_1"):
        catalog.add_service(name)
    for name in catalog.services:
        catalog.fail(1, status=404, body=NO_SUCH_SERVICE, path=f"/name/{name}$")
    catalog.fail(None, skip=1, status=401, body={"code": 401, "message": "Expired token!"}, path="/name/refused$")
    home = migrated_home.copy(tmp_path_factory.mktemp("sensor") / "home", dags, connections)
    finished = home.run()
    assert finished.found["import_errors"] == {}
    states: dict[str, list[str]] = {}
    for run in finished.found["runs"].values():
        for task, state in run["tasks"].items():
            states.setdefault(task.partition("[")[0], []).append(state)
    stored = home.rows("SELECT task_id, value FROM xcom WHERE key = 'return_value'")
    returned = {row["task_id"]: json.loads(row["value"]) for row in stored}
    return Runs(states, returned, finished.output, home.path, catalog)


def test_the_example_waits_in_the_triggerer_and_goes_on(runs: Runs) -> None:
    assert (runs.states["wait"], runs.states["announce"]) == (["success"], ["success"])
    page = runs.returned["wait"]["url"]
    assert page.endswith("/service/mlmodelServices/prod_mlflow")
    assert runs.returned["announce"] == f"prod_mlflow is a tier 1 service now: {page}"
    assert "Waiting: prod_mlflow is not there" in runs.log
    assert runs.looks("prod_mlflow") == [404, 200]


@pytest.mark.parametrize("task", ["worker", "reschedule"])
def test_it_waits_in_a_worker_too(runs: Runs, task: str) -> None:
    assert runs.states[task] == ["success"]
    assert runs.returned[task]["name"] == f"for_{task}"
    assert runs.looks(f"for_{task}") == [404, 200]


def test_mapped_tasks_wait_each_for_its_own(runs: Runs) -> None:
    assert runs.states["mapped"] == ["success", "success"]
    assert [runs.looks(f"for_mapped_{index}") for index in (0, 1)] == [[404, 200], [404, 200]]


def test_a_timeout_in_the_triggerer_fails_the_task_or_skips_it(runs: Runs) -> None:
    assert (runs.states["late"], runs.states["skipped"]) == (["failed"], ["skipped"])
    assert "AirflowSensorTimeout" in runs.log
    assert ": late is not there" in runs.log
    assert runs.looks("late")[:2] == [404, 404]


def test_a_token_that_is_refused_in_the_triggerer_fails_the_task_at_once(runs: Runs) -> None:
    assert runs.states["refused"] == ["failed"]
    assert "Collate answered 401: Expired token!" in runs.log
    assert runs.looks("refused") == [404, 401]


def test_no_token_is_in_the_log_or_the_database(runs: Runs) -> None:
    log = runs.log
    if airflow_version.startswith("3.0."):  # dag.test() prints each secret that it is told to mask
        log = "".join(line for line in log.splitlines(keepends=True) if "msg=MaskSecret(" not in line)
    assert runs.catalog.bot_token not in log
    for file in runs.home.rglob("*"):
        assert not file.is_file() or runs.catalog.bot_token.encode() not in file.read_bytes(), file
