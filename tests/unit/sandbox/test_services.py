"""What requests do to services: the recorded rules, for other names, orders and types."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from airflow_provider_collate.sandbox import Catalog

PATCH = {"Content-Type": "application/json-patch+json"}
CHANGE = "x-openmetadata-change"


def mlflow(name: str, **fields: object) -> dict[str, Any]:
    config = {"type": "Mlflow", "trackingUri": "http://mlflow.example", "registryUri": "sqlite://"}
    return {"name": name, "serviceType": "Mlflow", "connection": {"config": config}, **fields}


def sagemaker(name: str, secret: str | None) -> dict[str, Any]:
    aws = {"awsRegion": "eu-west-1"} if secret is None else {"awsRegion": "eu-west-1", "awsSecretAccessKey": secret}
    return {
        "name": name,
        "serviceType": "SageMaker",
        "connection": {"config": {"type": "SageMaker", "awsConfig": aws}},
    }


def secret_of(service: dict[str, Any]) -> object:
    return service["connection"]["config"]["awsConfig"].get("awsSecretAccessKey")


def label(fqn: str, **fields: str) -> dict[str, str]:
    return {"tagFQN": fqn, "source": "Classification", "labelType": "Manual", "state": "Confirmed", **fields}


@pytest.mark.parametrize("release", ["1.2", "2.x"])
class TestPut:
    @pytest.fixture(autouse=True)
    def _release(self, catalog: Catalog, release: str) -> None:
        catalog.release = release

    def test_a_bot_keeps_what_people_wrote(self, bot: httpx.Client, catalog: Catalog, release: str) -> None:
        catalog.add_service("a", description="By hand", displayName="A")

        answer = bot.put("", json=mlflow("a", description="New", displayName="New"))

        assert answer.status_code == 200
        assert catalog.services["a"]["description"] == "By hand"
        assert catalog.services["a"]["displayName"] == ("A" if release == "1.2" else "New")

    def test_a_bot_fills_in_what_is_empty(self, bot: httpx.Client, catalog: Catalog) -> None:
        bot.post("", json=mlflow("a", description=""))

        answer = bot.put("", json=mlflow("a", description="New", displayName="New"))

        assert answer.headers[CHANGE] == "entityUpdated"
        assert (answer.json()["description"], answer.json()["displayName"]) == ("New", "New")
        assert answer.json()["version"] == 0.2

    def test_a_person_clears_what_is_omitted(self, bot: httpx.Client, admin: httpx.Client) -> None:
        bot.post("", json=mlflow("a", description="Old", displayName="A"))

        answer = admin.put("", json=mlflow("a"))

        assert answer.headers[CHANGE] == "entityUpdated"
        assert not {"description", "displayName"} & answer.json().keys()
        assert answer.json()["updatedBy"] == "admin"

    def test_a_connection_may_be_left_out_only_where_there_is_none(self, bot: httpx.Client) -> None:
        bare = {"name": "a", "serviceType": "Mlflow"}
        bot.post("", json=bare)

        assert bot.put("", json=bare).headers[CHANGE] == "entityNoChange"
        assert bot.put("", json=mlflow("a")).json()["version"] == 0.2
        assert bot.put("", json=bare).status_code == 400

    def test_another_service_type_is_refused(self, bot: httpx.Client) -> None:
        bot.post("", json=mlflow("a"))
        sklearn = {"name": "a", "serviceType": "Sklearn", "connection": {"config": {"type": "Sklearn"}}}

        answer = bot.put("", json=sklearn)

        assert answer.status_code == 400
        assert "Failed to unmask connection instance of Sklearn" in answer.json()["message"]

    def test_a_soft_deleted_service_comes_back(self, bot: httpx.Client, catalog: Catalog) -> None:
        bot.post("", json=mlflow("a"))
        bot.delete("/name/a")
        assert bot.post("", json=mlflow("a")).status_code == 409

        answer = bot.put("", json=mlflow("a"))

        assert (answer.status_code, answer.headers[CHANGE]) == (200, "entityUpdated")
        assert answer.json()["version"] == 0.3
        assert list(catalog.services) == ["a"]
        assert not catalog.deleted

    def test_the_same_again_is_no_change(self, bot: httpx.Client) -> None:
        first = bot.put("", json=sagemaker("b", "s3cret"))
        again = bot.put("", json=sagemaker("b", "s3cret"))

        assert (first.status_code, first.headers[CHANGE]) == (201, "entityCreated")
        assert (again.status_code, again.headers[CHANGE]) == (200, "entityNoChange")
        assert again.json()["updatedAt"] == first.json()["updatedAt"]


@pytest.mark.parametrize("release", ["1.2", "2.x"])
class TestSecrets:
    @pytest.fixture(autouse=True)
    def _release(self, catalog: Catalog, release: str) -> None:
        catalog.release = release

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

    @pytest.mark.usefixtures("catalog_1_2")
    def test_1_2_knows_neither_vertex_ai_nor_newer_settings(self, bot: httpx.Client) -> None:
        vertex = bot.post("", json={"name": "a", "serviceType": "VertexAI"})
        newer = sagemaker("a", None)
        newer["connection"]["config"]["awsConfig"]["enabled"] = True

        assert (vertex.status_code, "problem: VertexAI" in vertex.json()["message"]) == (400, True)
        assert bot.post("", json=newer).status_code == 400


class TestNames:
    def test_a_dot_puts_the_name_in_quotes(self, bot: httpx.Client) -> None:
        answer = bot.post("", json=mlflow("team.prod"))

        assert answer.json()["fullyQualifiedName"] == '"team.prod"'
        assert bot.get("/name/%22team.prod%22").json()["name"] == "team.prod"
        assert bot.get("/name/team.prod").json()["name"] == "team.prod"
        assert bot.get("/name/team.test").json()["message"] == 'mlmodelService instance for "team.test" not found'

    @pytest.mark.parametrize("name", ["a/b", "ü ñ", " spaces ", "100%", "a+b", "?x=#y"])
    def test_any_name_is_found_percent_encoded(self, bot: httpx.Client, name: str) -> None:
        bot.post("", json=mlflow(name))

        encoded = "".join(f"%{byte:02X}" for byte in name.encode())
        assert bot.get(f"/name/{encoded}").json()["name"] == name

    @pytest.mark.parametrize(
        "release, name, status",
        [
            ("2.x", "x" * 256, 201),
            ("2.x", "x" * 257, 400),
            ("2.x", "a::b", 400),
            ("2.x", "a/b", 201),
            ("1.2", "x" * 128, 201),
            ("1.2", "x" * 129, 400),
            ("1.2", "a/b", 400),
            ("1.2", "Größe (1) & 100%", 201),
            ("1.2", "", 400),
        ],
    )
    def test_rule_of_the_release(
        self, bot: httpx.Client, catalog: Catalog, release: str, name: str, status: int
    ) -> None:
        catalog.release = release

        assert bot.post("", json=mlflow(name)).status_code == status


class TestPatch:
    def patch(self, client: httpx.Client, name: str, *operations: dict[str, object]) -> httpx.Response:
        service_id = client.get(f"/name/{name}").json()["id"]
        return client.patch(f"/{service_id}", json=list(operations), headers=PATCH)

    def test_guarded_by_any_field(self, bot: httpx.Client, catalog: Catalog) -> None:
        service = bot.post("", json=mlflow("a")).json()
        guards = [{"op": "test", "path": f"/{field}", "value": service[field]} for field in ("version", "updatedAt")]
        guards += [{"op": "test", "path": path, "value": []} for path in ("/tags", "/owners", "/domains")]

        answer = self.patch(bot, "a", *guards, {"op": "add", "path": "/description", "value": "x"})

        assert answer.status_code == 200
        catalog.edit_service("a", description="By hand")
        again = self.patch(bot, "a", guards[0], {"op": "add", "path": "/description", "value": "x"})
        assert again.status_code == 500
        assert "'test' failed for path '/version' and value '0.1'" in again.json()["responseMessage"]
        assert catalog.services["a"]["description"] == "By hand"

    def test_references_and_tags_are_replaced(self, bot: httpx.Client, catalog: Catalog) -> None:
        team, ana = catalog.add_team("search"), catalog.state.directory.by_name("user", "ana")
        catalog.add_domain("Risk")
        catalog.add_service("a", owners=[team], domains=[], tags=["Tier.Tier1"])

        answer = self.patch(
            bot,
            "a",
            {"op": "replace", "path": "/owners", "value": [{"id": ana.id, "type": "user"}]},
            {"op": "replace", "path": "/tags", "value": [label("Tier.Tier2"), label("PII.Sensitive")]},
        )

        assert answer.headers[CHANGE] == "entityUpdated"
        shown = bot.get("/name/a", params={"fields": "owners,tags,domains"}).json()
        assert [owner["name"] for owner in shown["owners"]] == ["ana"]
        assert [tag["tagFQN"] for tag in shown["tags"]] == ["PII.Sensitive", "Tier.Tier2"]
        assert shown["domains"] == []

    @pytest.mark.parametrize(
        "path, value, message",
        [
            ("/tags", [label("No.Such")], "tag instance for No.Such not found"),
            ("/tags", [label("No.Such", source="Glossary")], "glossaryTerm instance for No.Such not found"),
            ("/owners", [{"id": "0" * 8, "type": "team"}], "team instance for 00000000 not found"),
        ],
    )
    def test_unknown_references_are_not_found(
        self, bot: httpx.Client, catalog: Catalog, path: str, value: object, message: str
    ) -> None:
        catalog.add_service("a")

        answer = self.patch(bot, "a", {"op": "add", "path": path, "value": value})

        assert (answer.status_code, answer.json()["message"]) == (404, message)
        assert catalog.services["a"]["version"] == 0.1

    def test_a_name_shows_in_the_answer_only(self, bot: httpx.Client, catalog: Catalog) -> None:
        catalog.add_service("a")

        answer = self.patch(bot, "a", {"op": "replace", "path": "/name", "value": "b.c"})

        assert answer.headers[CHANGE] == "entityNoChange"
        assert answer.json()["fullyQualifiedName"] == '"b.c"'
        assert list(catalog.services) == ["a"]

    def test_what_no_patch_may_set(self, bot: httpx.Client, catalog: Catalog) -> None:
        catalog.add_service("a")

        self.patch(bot, "a", {"op": "replace", "path": "/version", "value": 9}, {"op": "remove", "path": "/id"})
        unknown = self.patch(bot, "a", {"op": "add", "path": "/colour", "value": "red"})
        deleted = self.patch(bot, "a", {"op": "replace", "path": "/deleted", "value": True})

        assert (unknown.status_code, deleted.status_code) == (400, 400)
        assert 'Unrecognized field "colour"' in unknown.json()["message"]
        assert catalog.services["a"]["version"] == 0.1

    def test_a_soft_deleted_service_cannot_be_patched(self, bot: httpx.Client) -> None:
        service = bot.post("", json=mlflow("a")).json()
        bot.delete(f"/{service['id']}")

        assert bot.patch(f"/{service['id']}", json=[], headers=PATCH).status_code == 404

    def test_two_of_an_exclusive_classification_are_refused(self, bot: httpx.Client, catalog: Catalog) -> None:
        catalog.add_service("a")

        answer = self.patch(
            bot, "a", {"op": "add", "path": "/tags", "value": [label("Tier.Tier1"), label("Tier.Tier2")]}
        )

        assert answer.status_code == 400
        assert "mutually exclusive" in answer.json()["message"]


class TestNewerReleases:
    def test_owners_domains_and_tags_by_post(self, bot: httpx.Client, catalog: Catalog) -> None:
        team = catalog.add_team("search")
        catalog.add_domain("Risk.Credit")
        catalog.add_data_product("Scores")
        request = mlflow(
            "a",
            owners=[{"id": team.id, "type": "team"}],
            domains=["Risk.Credit"],
            dataProducts=["Scores"],
            tags=[label("Tier.Tier1")],
        )

        answer = bot.post("", json=request).json()

        assert [owner["name"] for owner in answer["owners"]] == ["search"]
        assert [domain["fullyQualifiedName"] for domain in answer["domains"]] == ["Risk.Credit"]
        assert not {"owners", "tags", "domains", "dataProducts"} & bot.get("/name/a").json().keys()
        shown = bot.get("/name/a", params={"fields": "tags,dataProducts"}).json()
        assert [tag["tagFQN"] for tag in shown["tags"]] == ["Tier.Tier1"]
        assert [product["name"] for product in shown["dataProducts"]] == ["Scores"]

    def test_a_put_adds_tags_and_never_removes(self, bot: httpx.Client, catalog: Catalog) -> None:
        catalog.add_service("a", "Sklearn", tags=["Tier.Tier1"])
        request = {"name": "a", "serviceType": "Sklearn"}

        bot.put("", json={**request, "tags": [label("PII.Sensitive")]})
        bot.put("", json={**request, "tags": []})

        tags: Any = catalog.services["a"]["tags"]
        assert [tag["tagFQN"] for tag in tags] == ["PII.Sensitive", "Tier.Tier1"]
        assert catalog.services["a"]["version"] == 0.2

    def test_a_put_replaces_owners_and_never_removes_them(self, bot: httpx.Client, catalog: Catalog) -> None:
        one, two = catalog.add_team("one"), catalog.add_team("two")
        catalog.add_service("a", owners=[one])
        request = {"name": "a", "serviceType": "Mlflow"}

        bot.put("", json={**request, "owners": [{"id": two.id, "type": "team"}]})
        bot.put("", json={**request, "owners": []})

        owners: Any = catalog.services["a"]["owners"]
        assert [owner["name"] for owner in owners] == ["two"]

    def test_a_bot_keeps_domains_and_a_person_replaces_them(
        self, bot: httpx.Client, admin: httpx.Client, catalog: Catalog
    ) -> None:
        catalog.add_domain("Risk")
        catalog.add_service("a", domains=[catalog.state.directory.by_name("domain", "Fraud")])
        request = {"name": "a", "serviceType": "Mlflow", "domains": ["Risk"]}

        assert bot.put("", json=request).headers[CHANGE] == "entityNoChange"
        assert admin.put("", json=request).json()["domains"][0]["name"] == "Risk"
        assert admin.put("", json={"name": "a", "serviceType": "Mlflow"}).headers[CHANGE] == "entityUpdated"
        assert catalog.services["a"]["domains"] == []

    @pytest.mark.parametrize("field", ["owner", "domain"])
    def test_old_names_are_unknown(self, bot: httpx.Client, field: str) -> None:
        answer = bot.post("", json=mlflow("a", **{field: "x"}))

        assert answer.status_code == 400
        assert f'Unrecognized field "{field}"' in answer.json()["message"]
        assert bot.get("", params={"fields": field}).json()["message"] == f"Invalid field name {field}"

    @pytest.mark.parametrize("part", ["tagFQN", "source", "labelType", "state"])
    def test_a_tag_needs_all_its_parts(self, bot: httpx.Client, part: str) -> None:
        tag = label("Tier.Tier1")
        del tag[part]

        answer = bot.post("", json=mlflow("a", tags=[tag]))

        assert (answer.status_code, answer.json()["message"]) == (400, f"[tags[0].{part} must not be null]")


@pytest.mark.usefixtures("catalog_1_2")
class TestOwnerAndDomainOf12:
    def test_one_of_each(self, bot: httpx.Client, catalog: Catalog) -> None:
        team = catalog.add_team("search")
        request = mlflow("a", owner={"id": team.id, "type": "team"}, domain="Fraud", tags=[label("Tier.Tier1")])

        answer = bot.post("", json=request)

        assert answer.status_code == 201
        shown = bot.get("/name/a", params={"fields": "owner,domain,tags"}).json()
        assert (shown["owner"]["name"], shown["domain"]["name"], shown["tags"]) == ("search", "Fraud", [])
        again = bot.put("", json=mlflow("a"))
        assert again.headers[CHANGE] == "entityNoChange"

    def test_removed_by_patch(self, bot: httpx.Client, catalog: Catalog) -> None:
        catalog.add_service("a", owner=catalog.add_team("search"))
        service_id = bot.get("/name/a").json()["id"]

        bot.patch(f"/{service_id}", json=[{"op": "remove", "path": "/owner"}], headers=PATCH)

        assert "owner" not in catalog.services["a"]


class TestDeleteAndRestore:
    def test_soft_delete_and_restore(self, bot: httpx.Client, catalog: Catalog) -> None:
        service = bot.post("", json=mlflow("a")).json()

        gone = bot.delete(f"/{service['id']}")
        again = bot.delete(f"/{service['id']}")
        assert (gone.headers[CHANGE], gone.json()["version"], again.json()["version"]) == (
            "entitySoftDeleted",
            0.2,
            0.2,
        )
        assert list(catalog.deleted) == ["a"]
        assert bot.get("", params={"include": "deleted"}).json()["paging"]["total"] == 1

        back = bot.put("/restore", json={"id": service["id"]})
        assert (back.headers[CHANGE], back.json()["version"]) == ("entityRestored", 0.3)
        assert bot.put("/restore", json={"id": service["id"]}).status_code == 404

    def test_hard_delete_makes_room(self, bot: httpx.Client, catalog: Catalog) -> None:
        bot.post("", json=mlflow("a"))

        answer = bot.delete("/name/a", params={"hardDelete": "true", "recursive": "true"})

        assert answer.headers[CHANGE] == "entityDeleted"
        assert not catalog.deleted
        assert bot.post("", json=mlflow("a")).status_code == 201

    @pytest.mark.parametrize("release", ["1.2", "2.x"])
    @pytest.mark.parametrize("hard", ["false", "true"])
    def test_a_service_with_models_is_deleted_only_recursively(
        self, bot: httpx.Client, catalog: Catalog, release: str, hard: str
    ) -> None:
        catalog.release = release
        service = bot.post("", json=mlflow("a")).json()
        catalog.add_model("a", "churn.v1")

        refused = bot.delete("/name/a", params={"hardDelete": hard})

        assert (refused.status_code, refused.json()["message"]) == (400, "mlmodelService is not empty")
        assert catalog.models == ['a."churn.v1"']
        assert bot.delete("/name/a", params={"hardDelete": hard, "recursive": "true"}).status_code == 200
        assert catalog.models == []
        back = bot.put("/restore", json={"id": service["id"]})
        assert (back.status_code, catalog.models) == ((404, []) if hard == "true" else (200, ['a."churn.v1"']))

    def test_models_stay_when_their_service_changes(self, bot: httpx.Client, catalog: Catalog) -> None:
        service = bot.post("", json=mlflow("a")).json()
        catalog.add_model("a", "churn")

        bot.put("", json=mlflow("a", displayName="A"))
        bot.patch(f"/{service['id']}", json=[{"op": "add", "path": "/description", "value": "x"}], headers=PATCH)

        assert catalog.services["a"]["version"] == 0.2
        assert catalog.models == ["a.churn"]


class TestList:
    @pytest.mark.parametrize("limit", [1, 2, 3, 7, 100])
    def test_pages_hold_each_service_once_both_ways(self, bot: httpx.Client, catalog: Catalog, limit: int) -> None:
        names = ["b", "a", "Z", "é", "a.b", "c 1", "c"]
        for name in names:
            catalog.add_service(name)
        seen, params, last = [], {"limit": str(limit)}, {}
        while True:
            last = bot.get("", params=params).json()
            seen += [row["name"] for row in last["data"]]
            if "after" not in last["paging"]:
                break
            params = {"limit": str(limit), "after": last["paging"]["after"]}

        assert seen == sorted(names)
        back = [row["name"] for row in last["data"]]
        while "before" in last["paging"]:
            last = bot.get("", params={"limit": limit, "before": last["paging"]["before"]}).json()
            back = [row["name"] for row in last["data"]] + back
        assert back == sorted(names)

    def test_ten_without_a_limit(self, bot: httpx.Client, catalog: Catalog) -> None:
        for number in range(12):
            catalog.add_service(f"s{number}")

        page = bot.get("").json()

        assert (len(page["data"]), page["paging"]["total"]) == (10, 12)

    def test_of_a_domain(self, bot: httpx.Client, catalog: Catalog) -> None:
        catalog.add_service("a", domains=[catalog.add_domain("Risk")])
        catalog.add_service("b")

        assert [row["name"] for row in bot.get("", params={"domain": "Risk"}).json()["data"]] == ["a"]
        assert bot.get("", params={"domain": "Nope"}).status_code == 404

    @pytest.mark.parametrize("params", [{"limit": -1}, {"limit": 1_000_001}, {"after": "%"}, {"include": "some"}])
    def test_bad_parameters(self, bot: httpx.Client, params: dict[str, str]) -> None:
        assert bot.get("", params=params).status_code == 400
