"""A plan that a person approves in Airflow is what is applied; a catalog that changed between is refused."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import pytest

from airflow_provider_collate.sandbox import Catalog
from tests.dags.airflow_home import AirflowHome, Finished

pytest.importorskip("airflow.sdk.execution_time.hitl", reason="tasks that wait for a person came with Airflow 3.1")
# tests/e2e answers in a browser on each change. Airflow 3.3.2 fails a task that is answered before the process that
# asked has ended, which this cannot see.
pytestmark = pytest.mark.soak

DAG_ID = "approve_then_apply"
NAME = "approved_mlflow"
# Each process loads all of Airflow and its API.
SECONDS = 900.0
API = {"CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True", "API_AUTH__JWT_SECRET": "made up, but long enough" * 4}
WAITING = (
    "SELECT ti.run_id, detail.body FROM hitl_detail AS detail JOIN task_instance AS ti ON ti.id = detail.ti_id "
    "WHERE ti.state IN ('awaiting_input', 'deferred') AND detail.responded_at IS NULL"
)
STATES = "SELECT task_id, state FROM task_instance WHERE run_id = ?"


@dataclass
class Story:
    """Three runs of the DAG: what each asked, and what the catalog had when it asked."""

    runs: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    seen: list[dict[str, Any]] = field(default_factory=list)
    writes: list[int] = field(default_factory=list)


@pytest.fixture(scope="module")
def home(
    migrated_home: AirflowHome, connections: dict[str, str], root: Path, tmp_path_factory: pytest.TempPathFactory
) -> AirflowHome:
    dags = tmp_path_factory.mktemp("approval") / "dags"
    dags.mkdir()
    shutil.copy(root / "example_dags" / f"{DAG_ID}.py", dags)
    settings = {**connections, **{f"AIRFLOW__{name}": value for name, value in API.items()}}
    return migrated_home.copy(dags.parent / "home", dags, settings)


@pytest.fixture(scope="module")
def answer(home: AirflowHome) -> Iterator[Callable[[str, str], None]]:
    """Answer a run's question as a person would."""
    command = [sys.executable, "-m", "tests.dags.respondent"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, env=home.environment(), stdin=pipe, stdout=pipe, text=True) as respondent:
        assert respondent.stdin is not None
        assert respondent.stdout is not None
        questions: IO[str] = respondent.stdin
        answers: IO[str] = respondent.stdout

        def send(run_id: str, option: str) -> None:
            questions.write(f"{DAG_ID} {run_id} approve {option}\n")
            questions.flush()
            said = next((line for line in answers if line.startswith("answered")), "nothing")
            assert said == "answered: 200\n"

        yield send
        questions.close()


@pytest.fixture(scope="module")
def story(home: AirflowHome, catalog: Catalog, answer: Callable[[str, str], None]) -> tuple[Story, Finished]:
    """Reject; approve; approve, but somebody deletes the service before the answer."""
    told = Story()
    with ThreadPoolExecutor(1) as threads:
        run = threads.submit(lambda: home.run(DAG_ID, DAG_ID, DAG_ID, timeout=SECONDS))
        for number, option in enumerate(("Reject", "Approve", "Approve")):
            question = _question(home, run)
            told.runs.append(question["run_id"])
            told.asked.append(question["body"])
            told.seen.append(dict(catalog.services))
            told.writes.append(catalog.writes)
            if number == 2:
                catalog.remove_service(NAME, hard=True)
            answer(question["run_id"], option)
        return told, run.result()


def _question(home: AirflowHome, run: Future[Finished]) -> dict[str, Any]:
    until = time.monotonic() + SECONDS
    while time.monotonic() < until and not run.done():
        if rows := home.rows(WAITING):
            return rows[0]
        time.sleep(0.5)
    raise AssertionError(f"the DAG asked nobody:\n{run.result().output if run.done() else ''}")


def states(home: AirflowHome, run_id: str) -> dict[str, str]:
    return {row["task_id"]: row["state"] for row in home.rows(STATES, run_id)}


def test_a_person_sees_the_plan(story: tuple[Story, Finished]) -> None:
    told, _ = story
    assert "| + | `approved_mlflow` | create | `Mlflow` |" in told.asked[0]
    assert told.asked[1] == told.asked[0]
    assert told.asked[2].startswith("**Plan:** 1 unchanged")


def test_what_is_rejected_is_not_done(home: AirflowHome, story: tuple[Story, Finished]) -> None:
    told, _ = story
    assert states(home, told.runs[0]) == {"look": "success", "approve": "success", "apply": "skipped"}
    assert told.writes[1] == 0


def test_what_is_approved_is_done(home: AirflowHome, story: tuple[Story, Finished]) -> None:
    told, _ = story
    assert states(home, told.runs[1]) == {"look": "success", "approve": "success", "apply": "success"}
    assert told.seen[2][NAME]["description"] == "Models that a person has let in"


def test_a_catalog_that_changed_between_is_refused(
    home: AirflowHome, catalog: Catalog, story: tuple[Story, Finished]
) -> None:
    told, finished = story
    assert states(home, told.runs[2]) == {"look": "success", "approve": "success", "apply": "failed"}
    assert "1 change was not approved; nothing was written" in finished.output
    assert NAME not in catalog.services
