from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from airflow_provider_collate.files.schema import services_schema
from airflow_provider_collate.kinds import find_kind


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    return services_schema(find_kind("mlmodelServices"))


def is_valid(schema: dict[str, Any], **fields: object) -> bool:
    row = {"name": "one", "serviceType": "Mlflow", "connection": None, **fields}
    return bool(Draft202012Validator(schema).is_valid({"services": [row]}))


def test_it_is_valid_by_its_meta_schema(schema: dict[str, Any]) -> None:
    Draft202012Validator.check_schema(schema)


def test_the_example_files_are_valid_by_it(schema: dict[str, Any], root: Path) -> None:
    files = sorted((root / "example_dags" / "services").glob("*.yaml"))
    assert files
    for file in files:
        for document in yaml.safe_load_all(file.read_text()):
            Draft202012Validator(schema).validate(document)


@pytest.mark.parametrize(
    "fields",
    [
        {"connection": {"config": {"type": "Mlflow", "trackingUri": "https://mlflow.acme.example"}}},
        {"connection": {"conn_id": "mlflow", "registry_conn_id": "db", "trackingUri": "https://mlflow.acme.example"}},
        {"serviceType": "OfTheirOwn", "connection": {"config": {"anything": 1}}},
        {"tags": ["Tier.Tier1", {"tagFQN": "Tier.Tier2"}]},
        {"owners": ["ana@acme.example", {"id": "a" * 8 + "-aaaa" * 3 + "-" + "a" * 12, "type": "user"}]},
        {"serviceType": "VertexAI", "connection": {"config": {"credentials": {"gcpConfig": {"type": "gcp_adc"}}}}},
        {"description": None, "domain": "Finance"},
    ],
)
def test_what_may_be_declared_is_valid(schema: dict[str, Any], fields: dict[str, object]) -> None:
    assert is_valid(schema, **fields)


@pytest.mark.parametrize(
    "fields",
    [
        {"name": ""},
        {"owner": "ana"},
        {"connection": {"config": {"trackingUrl": "https://mlflow.acme.example"}}},
        {"connection": {"trackingUri": "https://mlflow.acme.example"}},
        {"serviceType": "Sklearn", "connection": {"conn_id": "mlflow"}},
        {"tags": [7]},
    ],
)
def test_what_may_not_be_declared_is_not(schema: dict[str, Any], fields: dict[str, object]) -> None:
    assert not is_valid(schema, **fields)


def test_fields_are_described(schema: dict[str, Any]) -> None:
    definitions = schema["$defs"]
    assert all("description" in field for field in definitions["Service"]["properties"].values())
    assert definitions["MlflowConnection"]["description"].startswith("Connection to an MLflow server")
