"""What `airflow tasks render` prints of a task: 0 found, and a task that leaks is found."""

from __future__ import annotations

import pytest

from tests.dags.airflow_home import AirflowHome
from tests.secrets import scenario
from tests.secrets.canaries import findings
from tests.secrets.conftest import DAGS
from tests.secrets.places import assert_none, in_output


@pytest.fixture(scope="module")
def home(migrated_home: AirflowHome, tmp_path_factory: pytest.TempPathFactory) -> AirflowHome:
    nowhere = dict.fromkeys(scenario.SERVERS, "http://127.0.0.1:9")
    folder = tmp_path_factory.mktemp("by_command")
    return migrated_home.copy(folder / "home", DAGS, scenario.settings(nowhere))


def printed(home: AirflowHome, dag_id: str, *task: str) -> str:
    home.dags = DAGS / dag_id
    return home.airflow("tasks", "render", dag_id, task[0], "2026-01-01", *task[1:])


@pytest.mark.parametrize(
    "task", [("create_custom",), ("good_create_mapped", "--map-index", "3")], ids=["plain", "mapped"]
)
def test_none_in_a_rendered_task(home: AirflowHome, task: tuple[str, ...]) -> None:
    output = printed(home, "by_reference", *task)
    assert "'connectionOptions': {'anything': '***'}" in output
    assert_none(in_output(output))


def test_a_task_that_leaks_is_found(home: AirflowHome) -> None:
    assert list(findings(printed(home, "probes", "rendered")))
