"""Versions of a service: who wrote what, and when two changes are one version."""

from __future__ import annotations

import json
from itertools import count
from typing import Any

import httpx
import pytest

from airflow_provider_collate.sandbox import Catalog
from tests.unit.sandbox.declared import add, mlflow, patch

SECRET = {"config": {"awsConfig": {"awsRegion": "x", "awsSecretAccessKey": "canary"}}}


def versions(client: httpx.Client, service_id: object) -> list[dict[str, Any]]:
    return [json.loads(text) for text in client.get(f"/{service_id}/versions").json()["versions"]]


def change(client: httpx.Client, **fields: object) -> httpx.Response:
    return patch(client, "a", *(add(f"/{name}", value) for name, value in fields.items()))


def test_each_version_says_who_changed_what(bot: httpx.Client, admin: httpx.Client, catalog: Catalog) -> None:
    half_hours = count(1_700_000_000, 1800)
    catalog.state.clock = lambda: float(next(half_hours))
    service_id = bot.post("", json={"name": "a", "serviceType": "Mlflow", "description": "one"}).json()["id"]

    change(admin, description="two")
    change(bot, displayName="A")

    newest, middle, first = versions(bot, service_id)
    assert (newest["version"], newest["updatedBy"], newest["displayName"]) == (0.3, "ingestion-bot", "A")
    assert middle["updatedBy"] == "admin"
    assert middle["changeDescription"]["fieldsUpdated"] == [
        {"name": "description", "oldValue": "one", "newValue": "two"}
    ]
    assert (first["version"], first["description"], "changeDescription" in first) == (0.1, "one", False)
    assert bot.get(f"/{service_id}/versions/0.2").json() == middle
    assert bot.get(f"/{service_id}/versions/0.20").json() == middle
    missing, unreadable = (bot.get(f"/{service_id}/versions/{number}") for number in ("9", "x"))
    assert missing.json()["message"] == f"mlmodelService instance for {service_id} and version 9.0 not found"
    assert (unreadable.status_code, unreadable.json()["message"]) == (400, 'For input string: "x"')


@pytest.mark.parametrize("release", ["1.2"])
def test_a_domain_in_the_history_of_1_2_is_whole_where_it_was_stored(bot: httpx.Client, catalog: Catalog) -> None:
    domain = catalog.add_domain("Risk")
    given = {"id": domain.id, "type": "domain"}
    catalog.add_service("a", connection={"config": {}})

    change(bot, domain=given)
    change(bot, domain=None)

    removed, added, _ = versions(bot, catalog.services["a"]["id"])
    new = json.loads(added["changeDescription"]["fieldsAdded"][0]["newValue"])
    old = json.loads(removed["changeDescription"]["fieldsDeleted"][0]["oldValue"])
    assert (new, old) == (given, domain.reference())


def test_a_person_reads_masks_in_the_history(bot: httpx.Client, admin: httpx.Client, catalog: Catalog) -> None:
    catalog.add_service("a", "SageMaker", connection=SECRET)
    service_id = catalog.services["a"]["id"]

    assert "canary" in bot.get(f"/{service_id}/versions").text
    assert "canary" not in admin.get(f"/{service_id}/versions").text


class TestFolding:
    @pytest.fixture
    def service_id(self, bot: httpx.Client) -> object:
        return bot.post("", json=mlflow("a", description="one")).json()["id"]

    def test_one_users_changes_are_one_version(self, bot: httpx.Client, service_id: object) -> None:
        first = change(bot, description="two").json()
        second = change(bot, description="three", displayName="A").json()

        assert (first["version"], second["version"]) == (0.2, 0.2)
        assert second["updatedAt"] > first["updatedAt"]
        newest, oldest = versions(bot, service_id)
        assert newest["changeDescription"]["fieldsUpdated"][0]["oldValue"] == "one"
        assert (newest["description"], oldest["description"]) == ("three", "one")

    def test_a_change_taken_back_is_no_version(self, bot: httpx.Client, service_id: object) -> None:
        change(bot, description="two")
        back = change(bot, description="one")

        assert (back.json()["version"], back.headers["x-openmetadata-change"]) == (0.1, "entityUpdated")
        assert len(versions(bot, service_id)) == 1

    def test_somebody_elses_version_is_theirs_again_when_a_change_after_it_is_taken_back(
        self, bot: httpx.Client, admin: httpx.Client, service_id: object
    ) -> None:
        theirs = change(admin, description="two").json()
        change(bot, displayName="A")
        back = change(bot, displayName=None).json()

        assert [back[key] for key in ("version", "updatedBy", "updatedAt")] == [0.2, "admin", theirs["updatedAt"]]
        assert [version["updatedBy"] for version in versions(bot, service_id)] == ["admin", "ingestion-bot"]

    def test_somebody_elses_is_another_version(
        self, bot: httpx.Client, admin: httpx.Client, service_id: object
    ) -> None:
        change(bot, description="two")

        assert change(admin, description="three").json()["version"] == 0.3

    @pytest.mark.parametrize("release", ["1.2"])
    def test_not_on_1_2(self, bot: httpx.Client, service_id: object) -> None:
        change(bot, description="two")

        assert change(bot, description="three").json()["version"] == 0.3
