"""An Airflow of its own for tasks that are killed."""

from __future__ import annotations

import pytest

from tests.dags.airflow_home import AirflowHome, migrated
from tests.kills.workers import DAGS


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> AirflowHome:
    """A migrated Airflow with the one DAG."""
    made = migrated(tmp_path_factory.mktemp("kills") / "airflow")
    made.dags = DAGS
    return made
