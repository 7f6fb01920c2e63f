"""The migrated database that all Airflows of this suite start from."""

from __future__ import annotations

import pytest

from tests.dags.airflow_home import AirflowHome, migrated


@pytest.fixture(scope="session")
def migrated_home(tmp_path_factory: pytest.TempPathFactory) -> AirflowHome:
    """To be copied, not used."""
    return migrated(tmp_path_factory.mktemp("airflow") / "migrated")
