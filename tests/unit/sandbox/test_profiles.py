"""What refused writes leave behind, and what the newer releases and their options do."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_collate.sandbox import Catalog
from airflow_provider_collate.sandbox.rules import sanitized
from tests.unit.sandbox.declared import CHANGE, add, label, mlflow, patch

NEWER = ["1.12", "1.13", "2.x"]
ALL = ["1.2", *NEWER]
SAGEMAKER = {"config": {"awsConfig": {"awsRegion": "x", "awsSecretAccessKey": "s3cret"}}}


def tags(catalog: Catalog) -> list[str]:
    stored: Any = catalog.services["a"]
    return [tag["tagFQN"] for tag in stored["tags"]]


@pytest.mark.parametrize("release", ALL)
class TestDamage:
    @pytest.fixture(autouse=True)
    def _service(self, catalog: Catalog) -> None:
        catalog.add_service("a", tags=["Tier.Tier1"], connection={"config": {"trackingUri": "x"}})

    def test_an_unknown_tag_takes_the_others_away(self, bot: httpx.Client, catalog: Catalog) -> None:
        refused = patch(bot, "a", add("/tags/-", label("PII.Nope")), add("/description", "x"))

        assert refused.status_code == 404
        assert tags(catalog) == []
        assert (catalog.services["a"]["version"], "description" in catalog.services["a"]) == (0.1, False)

    def test_tags_that_exclude_each_other_or_are_disabled_take_nothing(
        self, bot: httpx.Client, catalog: Catalog
    ) -> None:
        catalog.add_tag("Old.One", disabled=True)

        for other in ("Tier.Tier2", "Old.One"):
            assert patch(bot, "a", add("/tags/-", label(other))).status_code == 400
        assert tags(catalog) == ["Tier.Tier1"]

    def test_an_unknown_domain_breaks_the_service(self, bot: httpx.Client, catalog: Catalog, release: str) -> None:
        field = "domain" if release == "1.2" else "domains"
        reference: object = {"id": "11111111-1111-4111-8111-111111111111", "type": "domain"}
        service_id = catalog.services["a"]["id"]

        answer = patch(bot, "a", add(f"/{field}", reference if release == "1.2" else [reference]))

        assert (answer.status_code, answer.headers[CHANGE]) == (200, "entityUpdated")
        assert bot.get("/name/a").status_code == 200
        assert bot.get("/name/a", params={"fields": field}).status_code == 404
        assert bot.get("", params={"fields": field}).status_code == 404
        assert patch(bot, "a", add("/description", "x")).status_code == 404
        assert bot.delete(f"/{service_id}").status_code == 404

    def test_a_state_alone_is_no_change(self, bot: httpx.Client) -> None:
        answer = patch(bot, "a", add("/tags", [label("Tier.Tier1", state="Suggested")]))

        assert (answer.status_code, answer.headers[CHANGE]) == (200, "entityNoChange")

    def test_a_connection_cannot_be_removed(self, bot: httpx.Client) -> None:
        assert patch(bot, "a", {"op": "remove", "path": "/connection"}).status_code == 500

    def test_a_lock_is_a_409(self, bot: httpx.Client, catalog: Catalog) -> None:
        catalog.lock("a")

        locked = patch(bot, "a", add("/description", "x"))

        assert (locked.status_code, set(locked.json())) == (409, {"code", "message"})
        assert locked.json()["message"].startswith("Cannot modify")
        assert patch(bot, "a", add("/description", "x")).status_code == 200


class TestDescriptions:
    @pytest.mark.parametrize(
        "release, by_post, by_patch",
        [("1.2", "a's", "b's"), ("1.12", "a's", "b's"), ("1.13", "a&#39;s", "b's"), ("2.x", "a&#39;s", "b&#39;s")],
    )
    def test_are_sanitised_by_the_release(self, bot: httpx.Client, by_post: str, by_patch: str) -> None:
        created = bot.post("", json=mlflow("a", description="a's")).json()

        assert created["description"] == by_post
        assert patch(bot, "a", add("/description", "b's")).json()["description"] == by_patch
        assert patch(bot, "a", add("/description", by_patch)).headers[CHANGE] == "entityNoChange"

    @given(st.text() | st.text("<>/ab'\"=&;#{} ip!-", max_size=30))
    def test_what_is_sanitised_stays(self, text: str) -> None:
        assert sanitized(sanitized(text)) == sanitized(text)


@pytest.mark.parametrize("release", NEWER)
class TestNewer:
    @pytest.fixture(autouse=True)
    def _service(self, catalog: Catalog) -> None:
        catalog.add_service("a", connection={"config": {"trackingUri": "x"}})

    def test_a_certification_is_dropped_and_counts(self, bot: httpx.Client, catalog: Catalog) -> None:
        first = patch(bot, "a", add("/tags", [label("Certification.Gold")]))
        second = patch(bot, "a", add("/tags", [label("Certification.Gold")]))

        assert [answer.headers[CHANGE] for answer in (first, second)] == ["entityUpdated"] * 2
        assert second.json()["updatedAt"] > first.json()["updatedAt"]
        assert tags(catalog) == []

    def test_a_tag_says_who_applied_it(self, bot: httpx.Client, admin: httpx.Client) -> None:
        patch(admin, "a", add("/tags", [label("PII.None")]))
        patch(bot, "a", add("/tags/-", label("Tier.Tier1")))

        shown = bot.get("/name/a", params={"fields": "tags"}).json()["tags"]
        assert [tag["appliedBy"] for tag in shown] == ["admin", "ingestion-bot"]

    def test_filter_patterns_show_their_lists(self, bot: httpx.Client) -> None:
        patch(bot, "a", add("/connection/config/mlModelFilterPattern", {"includes": ["x"]}))

        config = bot.get("/name/a").json()["connection"]["config"]
        assert config["mlModelFilterPattern"] == {"includes": ["x"], "excludes": []}

    def test_rules_of_entities(self, bot: httpx.Client, catalog: Catalog) -> None:
        team, ana = catalog.add_team("risk"), catalog.state.directory.by_name("user", "ana")
        domains = [catalog.add_domain("Risk"), catalog.add_domain("Cards")]
        product = catalog.add_data_product("Scores", domain="Cards")

        refused = [
            patch(bot, "a", add("/owners", [team.reference(), ana.reference()])),
            patch(bot, "a", add("/domains", [domain.reference() for domain in domains])),
            patch(bot, "a", add("/domains", [domains[0].reference()]), add("/dataProducts", [product.reference()])),
        ]

        assert [(answer.status_code, "errorType" in answer.json()) for answer in refused] == [(400, True)] * 3
        assert patch(
            bot, "a", add("/domains", [domains[1].reference()]), add("/dataProducts", [product.reference()])
        ).is_success

    def test_a_quote_is_no_part_of_the_full_name(self, bot: httpx.Client) -> None:
        answer = bot.post("", json={"name": 'a"b', "serviceType": "Sklearn"})

        assert answer.json()["fullyQualifiedName"] == "ab"

    def test_a_replace_of_what_is_absent(self, bot: httpx.Client) -> None:
        answer = patch(bot, "a", {"op": "replace", "path": "/description", "value": "x"})

        assert (answer.status_code, answer.json()["errorType"]) == (500, "INTERNAL_SERVER_ERROR")
        assert "Non-existing name/value pair" in answer.json()["responseMessage"]


@pytest.mark.parametrize("release", ALL)
class TestOptions:
    def test_a_secrets_manager_shows_nobody_the_secret(
        self, bot: httpx.Client, admin: httpx.Client, catalog: Catalog
    ) -> None:
        catalog.state.secrets_manager = True
        catalog.add_service("a", "SageMaker", connection=SAGEMAKER)
        path = "/connection/config/awsConfig/awsSecretAccessKey"
        shown = bot.get("/name/a").json()["connection"]["config"]["awsConfig"]["awsSecretAccessKey"]

        assert shown == "secret:/cluster/mlmodel/a/awsconfig/awssecretaccesskey"
        assert "s3cret" not in bot.get("").text + admin.get("").text
        assert patch(bot, "a", add(path, shown)).headers[CHANGE] == "entityNoChange"
        before = catalog.services["a"]["updatedAt"]
        assert patch(bot, "a", add(path, "s3cret")).headers[CHANGE] == "entityUpdated"
        assert patch(bot, "a", add(path, "s3cret")).headers[CHANGE] == "entityUpdated"
        assert catalog.services["a"]["updatedAt"] != before
        assert catalog.services["a"]["connection"]["config"]["awsConfig"]["awsSecretAccessKey"] == "s3cret"  # type: ignore[index]

    def test_a_narrow_role(self, bot: httpx.Client, admin: httpx.Client, catalog: Catalog) -> None:
        catalog.state.narrow_role = True
        bot.post("", json=mlflow("a"))
        guard = {"op": "test", "path": "/version", "value": 0.1}

        refused = patch(bot, "a", guard, add("/description", "x"))

        assert refused.status_code == 403
        assert "operations [EditAll] not allowed" in refused.json()["message"]
        assert patch(admin, "a", guard).status_code == 200
        assert patch(bot, "a", add("/description", "x")).status_code == 200

    def test_a_role_that_denies_a_display_name(self, bot: httpx.Client, catalog: Catalog) -> None:
        catalog.state.denies_display_name = True
        bot.post("", json=mlflow("a", displayName="A"))

        answer = patch(bot, "a", add("/displayName", "B"), add("/description", "x"))

        assert (answer.status_code, catalog.services["a"]["displayName"]) == (200, "A")
        assert catalog.services["a"]["description"] == "x"
