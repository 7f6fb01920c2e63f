"""Connections: what is filled in and refused, and who reads which secrets."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from airflow_provider_collate.sandbox import Catalog
from tests.unit.sandbox.declared import CHANGE, PATCH, mlflow, sagemaker


def secret_of(service: dict[str, Any]) -> object:
    return service["connection"]["config"]["awsConfig"].get("awsSecretAccessKey")


@pytest.mark.parametrize("release", ["1.2", "2.x"])
class TestSecrets:
    def test_bots_read_them_and_people_do_not(self, bot: httpx.Client, admin: httpx.Client) -> None:
        created = bot.post("", json=sagemaker("a", "s3cret"))

        assert secret_of(created.json()) == "s3cret"
        assert secret_of(bot.get("/name/a").json()) == "s3cret"
        assert secret_of(admin.get("/name/a").json()) == "*********"
        assert secret_of(admin.get("").json()["data"][0]) == "*********"

    def test_a_mask_put_back_keeps_the_secret(self, admin: httpx.Client, catalog: Catalog) -> None:
        admin.put("", json=sagemaker("a", "s3cret"))

        answer = admin.put("", json=sagemaker("a", "*********"))

        assert answer.headers[CHANGE] == "entityNoChange"
        assert secret_of(catalog.services["a"]) == "s3cret"

    def test_a_new_secret_replaces_the_old(self, admin: httpx.Client, catalog: Catalog) -> None:
        admin.put("", json=sagemaker("a", "s3cret"))

        assert admin.put("", json=sagemaker("a", "other")).headers[CHANGE] == "entityUpdated"
        assert secret_of(catalog.services["a"]) == "other"
        admin.put("", json=sagemaker("a", None))
        assert secret_of(catalog.services["a"]) is None

    def test_a_patch_answers_ciphertext_and_keeps_the_secret(self, bot: httpx.Client, catalog: Catalog) -> None:
        service = bot.post("", json=sagemaker("a", "s3cret")).json()
        operations = [{"op": "add", "path": "/description", "value": "New"}]

        answer = bot.patch(f"/{service['id']}", json=operations, headers=PATCH)

        assert str(secret_of(answer.json())).startswith("fernet:")
        assert secret_of(catalog.services["a"]) == "s3cret"
        connection = answer.json()["connection"]
        again = bot.put("", json={"name": "a", "serviceType": "SageMaker", "connection": connection})
        assert again.headers[CHANGE] == "entityNoChange"

    def test_a_patch_replaces_a_secret(self, bot: httpx.Client, catalog: Catalog) -> None:
        service = bot.post("", json=sagemaker("a", "s3cret")).json()
        path = "/connection/config/awsConfig/awsSecretAccessKey"

        bot.patch(f"/{service['id']}", json=[{"op": "replace", "path": path, "value": "other"}], headers=PATCH)

        assert secret_of(catalog.services["a"]) == "other"

    def test_a_test_of_what_is_absent_prints_the_connection(self, bot: httpx.Client) -> None:
        service = mlflow("a")
        service["connection"]["config"]["registryUri"] = "mysql://u:hunter2hunter2@db/ml"
        service_id = bot.post("", json=service).json()["id"]

        answer = bot.patch(f"/{service_id}", json=[{"op": "test", "path": "/description", "value": "x"}], headers=PATCH)

        assert answer.status_code == 500
        assert "hunter2hunter2" in answer.json()["responseMessage"]
        assert answer.json()["responseMessage"].endswith(
            "for the name 'description'] was thrown while processing request."
        ) or (answer.json()["responseMessage"].endswith("for name 'description'] was thrown while processing request."))


class TestConnections:
    @pytest.mark.parametrize(
        "service_type, config, filled_in",
        [
            ("Sklearn", {}, {"supportsMetadataExtraction": True}),
            (
                "SageMaker",
                {"awsConfig": {"awsRegion": "x"}},
                {
                    "awsConfig": {"awsRegion": "x", "assumeRoleSessionName": "OpenMetadataSession", "enabled": False},
                    "supportsMetadataExtraction": True,
                },
            ),
            (
                "VertexAI",
                {"location": "x", "credentials": {"gcpConfig": {"path": "/key"}}},
                {
                    "location": "x",
                    "credentials": {"gcpConfig": {"path": "/key", "type": "gcp_credential_path"}},
                    "supportsMetadataExtraction": True,
                },
            ),
            ("CustomMlModel", {"x": [1]}, {"x": [1], "supportsMetadataExtraction": True}),
        ],
    )
    def test_defaults_are_filled_in(
        self, bot: httpx.Client, service_type: str, config: dict[str, object], filled_in: dict[str, object]
    ) -> None:
        answer = bot.post("", json={"name": "a", "serviceType": service_type, "connection": {"config": config}})

        assert answer.json()["connection"]["config"] == {"type": service_type, **filled_in}

    @pytest.mark.parametrize(
        "config",
        [
            {"type": "Sklearn"},
            {"type": "Mlflow", "trackingUri": {"host": "x"}},
            {"type": "Mlflow", "mlModelFilterPattern": {"includes": "x"}},
            {"type": "Mlflow", "supportsMetadataExtraction": "yes"},
            "{}",
        ],
    )
    def test_what_does_not_fit_the_type_is_refused(self, bot: httpx.Client, config: object) -> None:
        answer = bot.post("", json={"name": "a", "serviceType": "Mlflow", "connection": {"config": config}})

        assert answer.json() == {
            "code": 400,
            "message": "InvalidServiceConnectionException for service [Mlflow] due to "
            "[Failed to encrypt connection instance of Mlflow].",
        }

    def test_an_unknown_setting_is_named(self, bot: httpx.Client) -> None:
        answer = bot.post("", json=mlflow("a", connection={"config": {"type": "Mlflow", "trackingURI": "x"}}))

        assert (answer.status_code, answer.json()["message"]) == (
            400,
            "Failed to encrypt 'Mlflow' connection stored in DB due to an unrecognized field: 'trackingURI'",
        )

    @pytest.mark.parametrize("release", ["1.2"])
    def test_1_2_knows_neither_vertex_ai_nor_newer_settings(self, bot: httpx.Client) -> None:
        vertex = bot.post("", json={"name": "a", "serviceType": "VertexAI"})
        newer = sagemaker("a", None)
        newer["connection"]["config"]["awsConfig"]["enabled"] = True

        assert (vertex.status_code, "problem: VertexAI" in vertex.json()["message"]) == (400, True)
        assert bot.post("", json=newer).status_code == 400
