"""A server for the DAGs of each module."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from airflow_provider_collate.sandbox import DEFAULT_BOT_TOKEN, Catalog
from airflow_provider_collate.sandbox.server import serve_in_thread


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return Catalog()


@pytest.fixture(scope="module")
def url(catalog: Catalog) -> Iterator[str]:
    with serve_in_thread(catalog) as url:
        yield url


@pytest.fixture(scope="module")
def connections(url: str) -> dict[str, str]:
    """The Airflow connections that the DAGs name, as environment variables."""
    collate = {"conn_type": "collate", "host": url, "password": DEFAULT_BOT_TOKEN, "extra": {"max_retries": 0}}
    given = {
        "COLLATE_DEFAULT": collate,
        "COLLATE_OTHER": collate,
        "MLFLOW_TRACKING": {"conn_type": "http", "host": "http://mlflow:5000"},
        "MLFLOW_REGISTRY": {
            "conn_type": "mysql",
            "host": "db",
            "schema": "m",
            "login": "mlflow",
            "password": "m@ster/1",
        },
        "REGISTRY": {"conn_type": "mysql", "host": "db", "login": "mlflow", "password": "m4ster-1"},
        "AWS_PROD": {
            "conn_type": "aws",
            "login": "AKIA1",
            "password": "aws-1",
            "extra": {"region_name": "eu-central-1"},
        },
        "GCP_PROD": {
            "conn_type": "google_cloud_platform",
            "extra": {"project": "acme-prod", "key_path": "/etc/keys/collate.json", "location": "europe-west3"},
        },
        "ACME_MODELS": {"conn_type": "generic", "host": "models.acme.example", "password": "models-1"},
    }
    return {f"AIRFLOW_CONN_{name}": json.dumps(fields) for name, fields in given.items()}
