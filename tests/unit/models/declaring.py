"""Rows as a person declares them, whole and faulty, and what is said of the faulty ones."""

from __future__ import annotations

from functools import partial

import pytest

from airflow_provider_collate.exceptions import InvalidDeclarationError
from airflow_provider_collate.kinds.mlmodel import CreateMlModelServiceRequest
from airflow_provider_collate.models import validate_services

validate = partial(validate_services, model=CreateMlModelServiceRequest)
LOOSER = (
    "not given; the server takes the service without it, but the documented schema requires it: "
    "expect its ingestion and its connection test to fail"
)


def service(**changes: object) -> dict[str, object]:
    config = {"trackingUri": "http://mlflow:5000", "registryUri": "http://mlflow:5000"}
    return {"name": "a", "serviceType": "Mlflow", "connection": {"config": config}, **changes}


def mlflow(**config: object) -> dict[str, object]:
    return service(connection={"config": config})


def vertex(**gcp_config: object) -> dict[str, object]:
    config = {"location": "eu", "credentials": {"gcpConfig": gcp_config}}
    return service(serviceType="VertexAI", connection={"config": config})


def custom(**config: object) -> dict[str, object]:
    return service(serviceType="CustomMlModel", connection={"config": config})


def problems(*rows: object, single: bool = False) -> list[str]:
    with pytest.raises(InvalidDeclarationError) as refused:
        validate(list(rows), single=single)
    return list(refused.value.problems)
