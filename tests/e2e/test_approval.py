"""A person sees a plan in Airflow's pages and approves it; a catalog that changed between is refused."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from airflow_provider_collate.sandbox import ANA, Catalog
from tests.e2e.airflow_server import IS_AIRFLOW_3, AirflowServer
from tests.e2e.processes import wait_until
from tests.e2e.ui import RUN_SECONDS, AirflowUi, TaskRun, expect_end
from tests.e2e.ui_airflow_3 import Airflow3Ui

pytestmark = pytest.mark.skipif(not IS_AIRFLOW_3, reason="tasks that wait for a person came with Airflow 3.1")

DAG_ID = "approve_then_apply"
NAME = "approved_mlflow"
# What the scheduler prints when the process that has asked is over.
HAS_ASKED = "TaskInstance Finished: dag_id={}, task_id=approve, run_id={}, .*, state=awaiting_input,"


@pytest.fixture
def asked(ui: AirflowUi, airflow: AirflowServer, catalog: Catalog, saved_connection: str) -> tuple[Airflow3Ui, str]:
    """The open question whether a service that is not there may be created, and the id of the run that asks."""
    assert isinstance(ui, Airflow3Ui)
    if NAME in catalog.services:
        catalog.remove_service(NAME, hard=True)
    run_id = ui.start_run(DAG_ID)
    _wait_until_asked(airflow, run_id)
    ui.open_question(TaskRun(DAG_ID, run_id, "approve"))
    return ui, run_id


def _wait_until_asked(airflow: AirflowServer, run_id: str) -> None:
    """Wait until the process that asks is over, some seconds after the question is there.

    The scheduler of Airflow 3.3.2 fails a task whose answer it takes up in the same round as the end of that process:
    "finished with state success, but the task instance's state attribute is queued". A person is seldom so quick.
    """
    [standalone] = airflow.children
    line = re.compile(HAS_ASKED.format(re.escape(DAG_ID), re.escape(run_id)))
    wait_until(
        "the scheduler to see the question",
        lambda: bool(line.search(standalone.log.read_text())),
        [standalone],
        RUN_SECONDS,
    )


def test_what_a_person_approves_is_done(
    asked: tuple[Airflow3Ui, str], catalog: Catalog, shoot: Callable[[Page, str], None]
) -> None:
    ui, run_id = asked
    expect(ui.page.get_by_text("May this be changed in the catalog?")).to_be_visible()
    expect(ui.page.get_by_role("row", name=f"+ {NAME} create Mlflow")).to_be_visible()
    assert NAME not in catalog.services
    shoot(ui.page, "approve-plan")

    ui.approve()

    expect_end(ui.open_run(DAG_ID, run_id))
    assert catalog.services[NAME]["description"] == "Models that a person has let in"


def test_a_catalog_that_changed_between_is_refused(asked: tuple[Airflow3Ui, str], catalog: Catalog) -> None:
    ui, run_id = asked
    catalog.add_service(NAME, user=ANA, description="By hand")

    ui.approve()

    expect_end(ui.open_run(DAG_ID, run_id), "failed")
    log = ui.open_log(TaskRun(DAG_ID, run_id, "apply"))
    expect(log).to_contain_text("1 change was not approved; nothing was written")
    expect(log).to_contain_text(f"~ {NAME}")
    assert catalog.services[NAME]["description"] == "By hand"
