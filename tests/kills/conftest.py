"""An Airflow of its own for tasks that are killed."""

from __future__ import annotations

import pytest

from tests.dags.airflow_home import AirflowHome
from tests.kills.workers import DAGS


@pytest.fixture(scope="session")
def home(migrated_home: AirflowHome, tmp_path_factory: pytest.TempPathFactory) -> AirflowHome:
    return migrated_home.copy(tmp_path_factory.mktemp("kills") / "airflow", DAGS)
