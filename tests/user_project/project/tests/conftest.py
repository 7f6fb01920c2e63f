"""Give the tests an Airflow of their own: its settings must be there before it is imported."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parent.parent

os.environ["AIRFLOW_HOME"] = str(PROJECT / ".airflow")
os.environ["AIRFLOW__CORE__DAGS_FOLDER"] = str(PROJECT / "dags")
os.environ["AIRFLOW__CORE__LOAD_EXAMPLES"] = "False"
os.environ["AIRFLOW_CONN_MLFLOW_TRACKING"] = "https://mlflow.acme.example"
os.environ["AIRFLOW_CONN_MLFLOW_REGISTRY"] = "postgres://mlflow:secret@db.acme.example/mlflow"


@pytest.fixture(scope="session", autouse=True)
def airflow_database():
    """Make the database that `dag.test()` needs; a few seconds, once."""
    subprocess.run([sys.executable, "-m", "airflow", "db", "migrate"], check=True, capture_output=True)
