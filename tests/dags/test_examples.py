"""The example DAGs, as they stand."""

from __future__ import annotations

from pathlib import Path

import pytest
from airflow import __version__

from airflow_provider_collate.sandbox import Catalog
from tests.dags.airflow_home import AirflowHome, Finished
from tests.unit.conftest import service_in

FAILS_ON_PURPOSE = "fails_on_purpose"
WAITS_FOR_A_PERSON = "approve_then_apply"  # run by test_approval_dag.py
AIRFLOW = tuple(map(int, __version__.split(".")[:2]))
# Files that have no DAG on Airflows before these.
SINCE = {WAITS_FOR_A_PERSON: (3, 1), "react_to_changes": (3, 0)}
MISSING = {name for name, since in SINCE.items() if since > AIRFLOW}


@pytest.fixture(scope="module")
def finished(
    migrated_home: AirflowHome, connections: dict[str, str], root: Path, tmp_path_factory: pytest.TempPathFactory
) -> Finished:
    home = migrated_home.copy(tmp_path_factory.mktemp("examples") / "home", root / "example_dags", connections)
    return home.run(*sorted({path.stem for path in home.dags.glob("*.py")} - MISSING - {WAITS_FOR_A_PERSON}))


def test_they_import_without_a_warning(finished: Finished, root: Path) -> None:
    assert finished.found["import_errors"] == {}
    warnings = finished.found["warnings"]
    if __version__.startswith("3.1."):  # a provider of Airflow's own warns of another one's imports
        warnings = [text for text in warnings if "/airflow/providers/" not in text.split(":")[0]]
    assert warnings == []
    files = {path.stem for path in (root / "example_dags").glob("*.py")}
    assert files - set(finished.found["dag_ids"]) == MISSING


def test_each_succeeds_but_the_one_that_fails_on_purpose(finished: Finished) -> None:
    states = {dag_id: run["state"] for dag_id, run in finished.found["runs"].items()}
    assert states.pop(FAILS_ON_PURPOSE) == "failed"
    assert set(states.values()) == {"success"}, finished.output


def test_the_failure_says_what_is_wrong(finished: Finished) -> None:
    assert "services[0].connection.config.trackingURI: unknown field, did you mean trackingUri?" in finished.output


def test_the_catalog_has_what_they_declare(finished: Finished, catalog: Catalog) -> None:
    assert {"fraud_mlflow", "fraud_sagemaker", "prod_mlflow", "research_0", "research_6"} <= catalog.services.keys()
    registry = service_in(catalog, "prod_mlflow")["connection"]["config"]["registryUri"]
    assert registry == "mysql+pymysql://mlflow:m%40ster%2F1@db/m"
