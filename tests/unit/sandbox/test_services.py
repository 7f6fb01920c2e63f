"""What requests do to services: the recorded rules, for other names, orders and types."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from airflow_provider_collate.sandbox import Catalog
from tests.unit.sandbox.declared import CHANGE, PATCH, label, mlflow, sagemaker


@pytest.mark.parametrize("release", ["1.2", "2.x"])
class TestPut:
    def test_a_bot_keeps_what_people_wrote(self, bot: httpx.Client, catalog: Catalog, release: str) -> None:
        bot.post("", json=mlflow("a", description="By hand", displayName="A"))

        answer = bot.put("", json=mlflow("a", description="New", displayName="New"))

        assert answer.status_code == 200
        assert catalog.services["a"]["description"] == "By hand"
        assert catalog.services["a"]["displayName"] == ("A" if release == "1.2" else "New")

    def test_a_bot_fills_in_what_is_empty(self, bot: httpx.Client) -> None:
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

    def test_a_connection_may_be_left_out_only_where_there_is_none(self, bot: httpx.Client, release: str) -> None:
        bare = {"name": "a", "serviceType": "Mlflow"}
        bot.post("", json=bare if release == "2.x" else mlflow("a"))

        assert release == "1.2" or bot.put("", json=bare).headers[CHANGE] == "entityNoChange"
        assert release == "1.2" or bot.put("", json=mlflow("a")).json()["version"] == 0.2
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

    @pytest.mark.parametrize("release", ["1.2", "2.x"])
    @pytest.mark.parametrize(
        "tag, message",
        [
            ("Tier.Tier1", "Cannot deserialize value of type `org.openmetadata.schema.type.TagLabel`"),
            (
                {"tagFQN": "Tier.Tier1", "source": "Classification"},
                "[tags[0].labelType must not be null, tags[0].state",
            ),
            (label("Tier.Tier1", colour="red"), 'Unrecognized field "colour" (class org.openmetadata.schema.type.Tag'),
            (label("Tier.Tier1", source="Nope"), "instance of `org.openmetadata.schema.type.TagLabel$TagSource`, prob"),
            (label("Tier.Tier1", labelType="Nope"), "schema.type.TagLabel$LabelType`, problem: Nope"),
            (label("Tier.Tier1", state="Nope"), "schema.type.TagLabel$State`, problem: Nope"),
        ],
    )
    def test_a_tag_is_read_whatever_becomes_of_it(self, bot: httpx.Client, tag: object, message: str) -> None:
        created = bot.post("", json=mlflow("a", tags=[tag]))
        bot.post("", json=mlflow("b"))

        for answer in (created, bot.put("", json=mlflow("b", tags=[tag]))):
            assert (answer.status_code, message in answer.json()["message"]) == (400, True)

    @pytest.mark.parametrize("part", ["tagFQN", "source", "labelType", "state"])
    def test_a_tag_needs_all_its_parts(self, bot: httpx.Client, part: str) -> None:
        tag = label("Tier.Tier1")
        del tag[part]

        answer = bot.post("", json=mlflow("a", tags=[tag]))

        assert (answer.status_code, answer.json()["message"]) == (400, f"[tags[0].{part} must not be null]")


@pytest.mark.parametrize("release", ["1.2"])
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

    def test_a_person_s_put_replaces_a_domain_and_never_clears_it(self, admin: httpx.Client, catalog: Catalog) -> None:
        catalog.add_domain("Risk")
        admin.post("", json=mlflow("a", domain="Fraud"))

        replaced = admin.put("", json=mlflow("a", domain="Risk"))
        kept = admin.put("", json=mlflow("a"))

        assert (replaced.headers[CHANGE], kept.headers[CHANGE]) == ("entityUpdated", "entityNoChange")
        domain: Any = catalog.services["a"]["domain"]
        assert domain["name"] == "Risk"

    def test_removed_by_patch(self, bot: httpx.Client, catalog: Catalog) -> None:
        catalog.add_service("a", owner=catalog.add_team("search"), connection={"config": {}})
        service_id = bot.get("/name/a").json()["id"]

        bot.patch(f"/{service_id}", json=[{"op": "remove", "path": "/owner"}], headers=PATCH)

        assert "owner" not in catalog.services["a"]

    def test_what_is_stored_without_a_connection_cannot_be_changed(self, bot: httpx.Client) -> None:
        bare = {"name": "a", "serviceType": "Mlflow"}
        service_id = bot.post("", json=bare).json()["id"]

        answers = [
            bot.put("", json=bare),
            bot.put("", json=mlflow("a")),
            bot.patch(f"/{service_id}", json=[], headers=PATCH),
        ]

        assert [answer.status_code for answer in answers] == [500] * 3
        assert all('because "decryptedOrigConn" is null' in answer.json()["responseMessage"] for answer in answers)


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
        self, bot: httpx.Client, catalog: Catalog, hard: str
    ) -> None:
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
