"""What a patch may do."""

from __future__ import annotations

import httpx
import pytest

from airflow_provider_collate.sandbox import Catalog
from tests.unit.sandbox.conftest import ROOT
from tests.unit.sandbox.declared import CHANGE, PATCH, add, label, mlflow, patch

NOBODY = "11111111-1111-4111-8111-111111111111"


class TestPatch:
    def test_guarded_by_any_field(self, bot: httpx.Client, catalog: Catalog) -> None:
        service = bot.post("", json=mlflow("a")).json()
        guards = [{"op": "test", "path": f"/{field}", "value": service[field]} for field in ("version", "updatedAt")]
        guards += [{"op": "test", "path": path, "value": []} for path in ("/tags", "/owners", "/domains")]

        answer = patch(bot, "a", *guards, add("/description", "x"))

        assert answer.status_code == 200
        catalog.edit_service("a", description="By hand")
        again = patch(bot, "a", guards[0], add("/description", "x"))
        assert again.status_code == 500
        assert "'test' failed for path '/version' and value '0.1'" in again.json()["responseMessage"]
        assert catalog.services["a"]["description"] == "By hand"

    def test_references_and_tags_are_replaced(self, bot: httpx.Client, catalog: Catalog) -> None:
        team, ana = catalog.add_team("search"), catalog.state.directory.by_name("user", "ana")
        catalog.add_domain("Risk")
        catalog.add_service("a", owners=[team], domains=[], tags=["Tier.Tier1"])

        answer = patch(
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
            ("/owners", [{"id": NOBODY, "type": "team"}], f"team instance for {NOBODY} not found"),
        ],
    )
    def test_unknown_references_are_not_found(
        self, bot: httpx.Client, catalog: Catalog, path: str, value: object, message: str
    ) -> None:
        catalog.add_service("a")

        answer = patch(bot, "a", add(path, value))

        assert (answer.status_code, answer.json()["message"]) == (404, message)
        assert catalog.services["a"]["version"] == 0.1

    @pytest.mark.parametrize("release", ["1.2", "2.x"])
    def test_an_id_that_is_none_cannot_be_read(self, bot: httpx.Client, release: str) -> None:
        service = bot.post("", json=mlflow("a")).json()
        person, domain = {"id": "x", "type": "user"}, {"id": "x", "type": "domain"}
        owner: tuple[str, object] = ("owner", person) if release == "1.2" else ("owners", [person])
        other: tuple[str, object] = ("domain", domain) if release == "1.2" else ("domains", [domain])

        answers = [
            bot.post("", json=mlflow("b", **{owner[0]: owner[1]})),
            *(patch(bot, "a", add(f"/{field}", value)) for field, value in (owner, other)),
            bot.put("/restore", json={"id": "x"}),
        ]

        text = 'Cannot deserialize value of type `java.util.UUID` from String "x": UUID has to be represented by'
        assert [(answer.status_code, text in answer.json()["message"]) for answer in answers] == [(400, True)] * 4
        unknown = bot.put("/restore", json={"id": service["id"], "colour": "red"})
        assert (unknown.status_code, 'Unrecognized field "colour"' in unknown.json()["message"]) == (400, True)

    def test_who_cannot_be_an_owner(self, bot: httpx.Client, admin: httpx.Client) -> None:
        department = {"name": "sales", "teamType": "Department"}
        team = admin.post(f"{ROOT}/teams", json=department).json()

        answers = [
            bot.post("", json=mlflow("a", owners=[{"id": team["id"], "type": kind}])) for kind in ("team", "table")
        ]

        assert [(answer.status_code, answer.json()["message"]) for answer in answers] == [
            (400, "Team of type Department can't own entities. Only Team of type Group can own entities."),
            (400, "Entity of type table can't be the owner. Only Team of type Group or a User can own entities."),
        ]

    def test_a_name_shows_in_the_answer_only(self, bot: httpx.Client, catalog: Catalog) -> None:
        catalog.add_service("a")

        answer = patch(bot, "a", {"op": "replace", "path": "/name", "value": "b.c"})

        assert answer.headers[CHANGE] == "entityNoChange"
        assert answer.json()["fullyQualifiedName"] == '"b.c"'
        assert list(catalog.services) == ["a"]

    def test_what_no_patch_may_set(self, bot: httpx.Client, catalog: Catalog) -> None:
        catalog.add_service("a")

        patch(bot, "a", {"op": "replace", "path": "/version", "value": 9}, {"op": "remove", "path": "/id"})
        unknown = patch(bot, "a", add("/colour", "red"))
        deleted = patch(bot, "a", {"op": "replace", "path": "/deleted", "value": True})

        assert (unknown.status_code, deleted.status_code) == (400, 400)
        assert 'Unrecognized field "colour"' in unknown.json()["message"]
        assert catalog.services["a"]["version"] == 0.1

    @pytest.mark.parametrize("release", ["1.2", "2.x"])
    def test_an_operation_without_a_path_is_unexpected(self, bot: httpx.Client, catalog: Catalog) -> None:
        catalog.add_service("a")

        assert patch(bot, "a", {"op": "add", "value": "x"}).status_code == 500

    def test_a_soft_deleted_service_cannot_be_patched(self, bot: httpx.Client) -> None:
        service = bot.post("", json=mlflow("a")).json()
        bot.delete(f"/{service['id']}")

        assert bot.patch(f"/{service['id']}", json=[], headers=PATCH).status_code == 404
