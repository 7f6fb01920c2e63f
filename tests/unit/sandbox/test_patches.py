"""What a patch may do."""

from __future__ import annotations

import httpx
import pytest

from airflow_provider_collate.sandbox import Catalog
from tests.unit.sandbox.declared import CHANGE, PATCH, add, label, mlflow, patch


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
            ("/owners", [{"id": "0" * 8, "type": "team"}], "team instance for 00000000 not found"),
        ],
    )
    def test_unknown_references_are_not_found(
        self, bot: httpx.Client, catalog: Catalog, path: str, value: object, message: str
    ) -> None:
        catalog.add_service("a")

        answer = patch(bot, "a", add(path, value))

        assert (answer.status_code, answer.json()["message"]) == (404, message)
        assert catalog.services["a"]["version"] == 0.1

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
    def test_an_operation_without_a_path_is_unexpected(self, bot: httpx.Client, catalog: Catalog, release: str) -> None:
        catalog.release = release
        catalog.add_service("a")

        assert patch(bot, "a", {"op": "add", "value": "x"}).status_code == 500

    def test_a_soft_deleted_service_cannot_be_patched(self, bot: httpx.Client) -> None:
        service = bot.post("", json=mlflow("a")).json()
        bot.delete(f"/{service['id']}")

        assert bot.patch(f"/{service['id']}", json=[], headers=PATCH).status_code == 404
