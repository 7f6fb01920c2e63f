"""What the tests of the sandbox send."""

from __future__ import annotations

from typing import Any

import httpx

PATCH = {"Content-Type": "application/json-patch+json"}
CHANGE = "x-openmetadata-change"


def mlflow(name: str, **fields: object) -> dict[str, Any]:
    config = {"type": "Mlflow", "trackingUri": "http://mlflow.example", "registryUri": "sqlite://"}
    return {"name": name, "serviceType": "Mlflow", "connection": {"config": config}, **fields}


def sagemaker(name: str, secret: str | None) -> dict[str, Any]:
    aws = {"awsRegion": "eu-west-1"} if secret is None else {"awsRegion": "eu-west-1", "awsSecretAccessKey": secret}
    return {"name": name, "serviceType": "SageMaker", "connection": {"config": {"type": "SageMaker", "awsConfig": aws}}}


def label(fqn: str, **fields: str) -> dict[str, str]:
    return {"tagFQN": fqn, "source": "Classification", "labelType": "Manual", "state": "Confirmed", **fields}


def add(path: str, value: object) -> dict[str, object]:
    return {"op": "add", "path": path, "value": value}


def patch(client: httpx.Client, name: str, *operations: dict[str, object]) -> httpx.Response:
    service_id = client.get(f"/name/{name}").json()["id"]
    return client.patch(f"/{service_id}", json=list(operations), headers=PATCH)
