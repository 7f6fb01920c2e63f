"""A DAG that waits for changed services is run by Airflow's scheduler, with the events of the task that made them."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from airflow_provider_collate.sandbox import Catalog
from tests.e2e.airflow_server import IS_AIRFLOW_3, AirflowServer
from tests.e2e.processes import wait_until
from tests.e2e.ui import RUN_SECONDS

pytestmark = pytest.mark.skipif(not IS_AIRFLOW_3, reason="asset events of services need Airflow 3")

WAITS = "/api/v2/dags/react_to_changes/dagRuns"


@pytest.fixture
def api(airflow: AirflowServer) -> httpx.Client:
    """Airflow's REST API."""
    given = {"username": airflow.user, "password": airflow.password}
    token = httpx.post(f"{airflow.url}/auth/token", json=given).raise_for_status().json()["access_token"]
    return httpx.Client(base_url=airflow.url, headers={"Authorization": f"Bearer {token}"}, timeout=30.0)


def runs(api: httpx.Client) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = api.get(WAITS).raise_for_status().json()["dag_runs"]
    return found


def test_the_second_dag_runs_and_is_told_what_changed(
    airflow: AirflowServer, api: httpx.Client, catalog: Catalog, saved_connection: str
) -> None:
    assert runs(api) == []
    api.post("/api/v2/dags/keep_services/dagRuns", json={"logical_date": None}).raise_for_status()
    wait_until(
        "a run of the second DAG to end",
        lambda: [run["state"] for run in runs(api)] in (["success"], ["failed"]),
        airflow.children,
        RUN_SECONDS,
    )

    [run] = runs(api)
    told = api.get(f"{WAITS}/{run['dag_run_id']}/taskInstances/tell/xcomEntries/return_value").raise_for_status()
    assert (run["state"], run["run_type"]) == ("success", "asset_triggered")
    assert told.json()["value"] == ["event_notebooks: created"]
    assert "event_notebooks" in catalog.services
