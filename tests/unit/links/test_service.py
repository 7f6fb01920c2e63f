from __future__ import annotations

from typing import NamedTuple

import pytest
from airflow.providers.common.compat.sdk import BaseOperator, XCom
from pytest_mock import MockerFixture

from airflow_provider_collate.links.service import ServiceLink


class TaskInstanceKey(NamedTuple):
    """Which run of a task; Airflow 3 gives the task instance itself, Airflow 2.11 a tuple like this one."""

    dag_id: str
    task_id: str
    run_id: str
    try_number: int
    map_index: int


TI_KEY = TaskInstanceKey(dag_id="register", task_id="create", run_id="manual", try_number=1, map_index=3)
PAGE = "https://acme.getcollate.io/service/mlmodelServices/prod_mlflow"


@pytest.fixture
def xcoms(mocker: MockerFixture) -> dict[tuple[object, ...], object]:
    """Airflow's store of XComs, which only a running task or a database has."""
    stored: dict[tuple[object, ...], object] = {}

    def get_value(*, ti_key: TaskInstanceKey, key: str) -> object:
        return stored.get((ti_key.dag_id, ti_key.task_id, ti_key.run_id, ti_key.map_index, key))

    mocker.patch.object(XCom, "get_value", autospec=True, side_effect=get_value)
    return stored


def link() -> str:
    return ServiceLink().get_link(BaseOperator(task_id="create"), ti_key=TI_KEY)  # type: ignore[arg-type]


def test_the_button_has_its_name() -> None:
    assert ServiceLink().name == "Collate service"


def test_it_opens_the_page_that_this_run_of_the_task_returned(xcoms: dict[tuple[object, ...], object]) -> None:
    xcoms["register", "create", "manual", 3, "return_value"] = {"name": "prod_mlflow", "url": PAGE}
    xcoms["register", "create", "manual", 4, "return_value"] = {"name": "other", "url": "https://other"}

    assert link() == PAGE


@pytest.mark.parametrize(
    "returned", [None, "text", [PAGE], {}, {"url": None}, {"url": 5}, {"url": "javascript:alert(1)"}, {"url": "/page"}]
)
def test_without_a_page_there_is_no_link(xcoms: dict[tuple[object, ...], object], returned: object) -> None:
    xcoms["register", "create", "manual", 3, "return_value"] = returned

    assert link() == ""
