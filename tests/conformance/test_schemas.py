"""The sandbox's answers fit today's official schemas, and it takes the documented requests."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
from jsonschema import Draft7Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT7

from airflow_provider_collate.sandbox import Catalog, InProcessTransport
from airflow_provider_collate.sandbox.rules import sanitized
from tests.conformance.shared import needs, shared

CONTRACT = shared("contract")
HOST = "open-metadata.org/schema/"
PATCH = {"Content-Type": "application/json-patch+json"}
EVERYTHING = {"fields": "owners,tags,domains,dataProducts"}

pytestmark = needs(CONTRACT)

REQUESTS: dict[str, dict[str, object]] = {
    "bare": {"serviceType": "Mlflow"},
    "Sklearn": {"serviceType": "Sklearn", "connection": {"config": {}}},
    "SageMaker": {"serviceType": "SageMaker", "connection": {"config": {"awsConfig": {"awsRegion": "x"}}}},
    "VertexAI": {
        "serviceType": "VertexAI",
        "connection": {
            "config": {
                "location": "x",
                "credentials": {
                    "gcpConfig": {"projectId": ["a", "b"], "privateKey": "-----"},
                    "gcpImpersonateServiceAccount": {"impersonateServiceAccount": "s"},
                },
            }
        },
    },
    "CustomMlModel": {"serviceType": "CustomMlModel", "connection": {"config": {"connectionOptions": {"a": "b"}}}},
}


def validator(path: str) -> Draft7Validator:
    registry: Registry[Any] = Registry(retrieve=_retrieve)  # type: ignore[call-arg]  # attrs' alias is not seen
    return Draft7Validator(json.loads((CONTRACT / path).read_text(encoding="utf-8")), registry=registry)


def _retrieve(uri: str) -> Resource[Any]:
    text = (CONTRACT / uri.partition(HOST)[2]).read_text(encoding="utf-8")
    return Resource.from_contents(json.loads(text), default_specification=DRAFT7)


@pytest.fixture
def catalog() -> Catalog:
    return Catalog(has_bulk=True)


@pytest.fixture
def client(catalog: Catalog) -> httpx.Client:
    return httpx.Client(
        base_url="http://sandbox.example/api/v1/services/mlmodelServices",
        transport=InProcessTransport(catalog),
        headers={"Authorization": f"Bearer {catalog.bot_token}"},
    )


@pytest.mark.parametrize("kind", REQUESTS)
def test_services_fit_the_schema(client: httpx.Client, catalog: Catalog, kind: str) -> None:
    schema = validator("entity/services/mlmodelService.json")
    team = catalog.add_team("t")
    request: dict[str, object] = {
        **REQUESTS[kind],
        "name": "a.b",
        "owners": [{"id": team.id, "type": "team"}],
        "domains": ["Fraud"],
        "tags": [{"tagFQN": "Tier.Tier1", "source": "Classification", "labelType": "Manual", "state": "Confirmed"}],
    }

    created = client.post("", json=request).json()
    operations = [{"op": "add", "path": "/description", "value": "x"}]
    patched = client.patch(f"/{created['id']}", json=operations, headers=PATCH).json()
    read = client.get(f"/{created['id']}", params=EVERYTHING).json()
    listed = client.get("", params=EVERYTHING).json()["data"][0]

    for service in (created, patched, read, listed):
        assert [error.message for error in schema.iter_errors(service)] == []
    assert read == listed


def test_bulk_results_fit_the_schema(client: httpx.Client) -> None:
    rows = [{"name": name, "serviceType": "Mlflow"} for name in ("a", "a::b")]

    result = client.put("/bulk", json=rows).json()

    assert result["status"] == "partialSuccess"
    assert [error.message for error in validator("type/bulkOperationResult.json").iter_errors(result)] == []


@pytest.mark.parametrize("release", ["2.x", "1.2"])
def test_documented_requests_are_taken(client: httpx.Client, catalog: Catalog, release: str) -> None:
    catalog.release = release
    examples = json.loads((CONTRACT / "documented_examples.json").read_text(encoding="utf-8"))

    answers = [client.post("", json=request) for request in (examples["create"]["request"], *examples["bulk"])]

    assert [answer.status_code for answer in answers] == [201, 201, 201]


def test_the_documented_answer_is_given(client: httpx.Client) -> None:
    example = json.loads((CONTRACT / "documented_examples.json").read_text(encoding="utf-8"))["create"]

    answer = client.post("", json=example["request"]).json()

    made_by_server = {"id", "href", "updatedAt", "updatedBy"}
    want = {name: value for name, value in example["answer"].items() if name not in made_by_server}
    assert {name: answer.get(name) for name in want} == want


def test_descriptions_are_stored_as_the_server_stores_them() -> None:
    # One text has a line separator that is no end of a line here.
    lines = (CONTRACT / "descriptions_stored.jsonl").read_text(encoding="utf-8").strip().split("\n")
    pairs = [json.loads(line) for line in lines]

    assert [pair["sent"] for pair in pairs if sanitized(pair["sent"]) != pair["stored"]] == []
    assert [pair["stored"] for pair in pairs if sanitized(pair["stored"]) != pair["stored"]] == []
    assert len(pairs) == 65


def test_a_history_fits_the_schemas(client: httpx.Client, catalog: Catalog) -> None:
    catalog.add_service("a", tags=["Tier.Tier1"])
    catalog.edit_service("a", description="x")
    service_id = catalog.services["a"]["id"]

    versions = client.get(f"/{service_id}/versions").json()["versions"]

    schema = validator("entity/services/mlmodelService.json")
    assert [error.message for text in versions for error in schema.iter_errors(json.loads(text))] == []
    assert len(versions) == 2
