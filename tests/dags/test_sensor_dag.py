"""The sensor in DAG runs of a whole Airflow with a database, against a sandbox over a socket."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_collate.sandbox import Catalog
from airflow_provider_collate.sandbox.server import serve_in_thread

SECONDS = 180
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

# Run in a process of its own, because a process has one Airflow and that has one home.
RUN_DAGS = """
import json, sys

from airflow.utils.session import create_session

try:
    from airflow.dag_processing.dagbag import DagBag
    from airflow.models.xcom import XComModel as XCom
    value_of = XCom.deserialize_value
except ImportError:
    from airflow.models.dagbag import DagBag
    from airflow.models.xcom import XCom
    value_of = lambda row: row.value

bag = DagBag(sys.argv[1])
assert not bag.import_errors, bag.import_errors
for dag_id in sys.argv[2:]:
    run = bag.dags[dag_id].test()
    states = [[ti.task_id, getattr(ti.state, "value", ti.state)] for ti in run.get_task_instances()]
    with create_session() as session:
        rows = session.query(XCom).filter(XCom.run_id == run.run_id, XCom.key == "return_value").all()
        returned = {row.task_id: value_of(row) for row in rows}
    print("RESULT", json.dumps({"dag_id": dag_id, "states": states, "returned": returned}))
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
def runs(tmp_path_factory: pytest.TempPathFactory, root: Path) -> Runs:
    """One run of the example and one of a DAG with a sensor of each kind; each has to wait for its second look."""
    home, dags = tmp_path_factory.mktemp("airflow"), tmp_path_factory.mktemp("dags")
    shutil.copy(root / "example_dags" / "wait_for_service.py", dags)
    (dags / "waits.py").write_text(WAITS)
    catalog = Catalog()
    catalog.add_service("prod_mlflow", tags=["Tier.Tier1"])
    for name in ("for_worker", "for_reschedule", "for_mapped_0", "for_mapped_1"):
        catalog.add_service(name)
    for name in catalog.services:
        catalog.fail(1, status=404, body=NO_SUCH_SERVICE, path=f"/name/{name}$")
    catalog.fail(None, skip=1, status=401, body={"code": 401, "message": "Expired token!"}, path="/name/refused$")
    with serve_in_thread(catalog) as url:
        env = {
            **{name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW_")},
            "AIRFLOW_HOME": str(home),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__CORE__DAGS_FOLDER": str(dags),
            "AIRFLOW_CONN_COLLATE_DEFAULT": json.dumps(
                {"conn_type": "collate", "host": url, "password": catalog.bot_token, "extra": {"max_retries": 0}}
            ),
        }
        _python(env, "-m", "airflow", "db", "migrate")
        log = _python(env, "-c", RUN_DAGS, str(dags), "wait_for_service", "waits")
    results = [json.loads(line.removeprefix("RESULT ")) for line in log.splitlines() if line.startswith("RESULT ")]
    states: dict[str, list[str]] = {}
    for task_id, state in (pair for result in results for pair in result["states"]):
        states.setdefault(task_id, []).append(state)
    returned = {task_id: value for result in results for task_id, value in result["returned"].items()}
    return Runs(states, returned, log, home, catalog)


def _python(env: dict[str, str], *arguments: str) -> str:
    command = [sys.executable, *arguments]
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=SECONDS, check=False)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return done.stdout + done.stderr


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
    assert runs.catalog.bot_token not in runs.log
    for file in runs.home.rglob("*"):
        assert not file.is_file() or runs.catalog.bot_token.encode() not in file.read_bytes(), file
