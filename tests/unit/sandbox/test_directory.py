"""Users, teams, domains, tags and terms: made by an admin, read by a bot."""

from __future__ import annotations

import httpx
import pytest

from airflow_provider_collate.sandbox import Catalog

API = "http://sandbox.example/api/v1"


@pytest.mark.parametrize(
    "collection, request_body, fqn",
    [
        ("users", {"name": "asked.for", "email": "Eve@acme.example"}, "eve"),
        ("teams", {"name": "risk", "teamType": "Group"}, "risk"),
        ("domains", {"name": "Risk", "domainType": "Aggregate", "description": "d"}, "Risk"),
        ("domains", {"name": "Cards", "domainType": "Aggregate", "description": "d", "parent": "Fraud"}, "Fraud.Cards"),
        ("dataProducts", {"name": "Scores", "description": "d", "domain": "Fraud"}, "Scores"),
        ("classifications", {"name": "Team", "description": "d", "mutuallyExclusive": True}, "Team"),
        ("tags", {"name": "Gone", "description": "d", "classification": "PII"}, "PII.Gone"),
        ("glossaries", {"name": "Business", "description": "d"}, "Business"),
    ],
)
def test_an_admin_creates_and_a_bot_reads(
    admin: httpx.Client, bot: httpx.Client, collection: str, request_body: dict[str, object], fqn: str
) -> None:
    refused = bot.post(f"{API}/{collection}", json=request_body)
    created = admin.post(f"{API}/{collection}", json=request_body)
    again = admin.post(f"{API}/{collection}", json=request_body)
    put = admin.put(f"{API}/{collection}", json=request_body)

    assert [answer.status_code for answer in (refused, created, again, put)] == [403, 201, 409, 200]
    assert put.headers["x-openmetadata-change"] == "entityNoChange"
    read = bot.get(f"{API}/{collection}/name/{fqn}").json()
    assert (read["fullyQualifiedName"], read["href"]) == (fqn, created.json()["href"])
    assert bot.get(read["href"]).json() == read


def test_the_classifications_that_the_server_starts_with_allow_one_tag(bot: httpx.Client) -> None:
    tags = {tag["fullyQualifiedName"]: tag for tag in bot.get(f"{API}/tags", params={"limit": 100}).json()["data"]}
    classifications = bot.get(f"{API}/classifications").json()["data"]

    assert {"PII.NonSensitive", "PersonalData.Personal", "PersonalData.SpecialCategory"} < tags.keys()
    assert all(tag["description"] for tag in tags.values())
    assert all(classification["mutuallyExclusive"] for classification in classifications)


def test_the_tags_of_a_parent(bot: httpx.Client, catalog: Catalog) -> None:
    catalog.add_tag("Tier.Tier1.Gold")
    catalog.add_tag("Tiers.One")

    shown = {
        parent: [tag["fullyQualifiedName"] for tag in bot.get(f"{API}/tags", params={"parent": parent}).json()["data"]]
        for parent in ("PersonalData", "Tier.Tier1", "Nope")
    }

    personal = ["PersonalData.Personal", "PersonalData.SpecialCategory"]
    assert shown == {"PersonalData": personal, "Tier.Tier1": ["Tier.Tier1.Gold"], "Nope": []}


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_an_id_that_is_none_is_no_path(admin: httpx.Client, catalog: Catalog, method: str) -> None:
    today = admin.request(method, f"{API}/users/not-an-id")
    catalog.release = "1.2"
    old = admin.request(method, f"{API}/users/not-an-id")

    assert (today.status_code, today.json()["message"], old.status_code) == (404, "HTTP 404 Not Found", 500)


def test_a_glossary_term_needs_its_glossary(admin: httpx.Client, bot: httpx.Client) -> None:
    term = {"name": "Churn", "description": "d", "glossary": "Business"}

    assert admin.post(f"{API}/glossaryTerms", json=term).status_code == 404
    admin.put(f"{API}/glossaries", json={"name": "Business", "description": "d"})
    assert admin.post(f"{API}/glossaryTerms", json=term).status_code == 201
    assert bot.get(f"{API}/glossaryTerms/name/Business.Churn").status_code == 200
    assert bot.get(f"{API}/glossaryTerms/name/business.churn").status_code == 404
    missing = admin.post(f"{API}/glossaryTerms", json={"name": "x"})
    assert missing.json()["message"] == "[description must not be null, glossary must not be null]"


def test_a_deleted_user_is_no_owner_any_more(admin: httpx.Client, bot: httpx.Client, catalog: Catalog) -> None:
    ana = bot.get(f"{API}/users/name/ANA").json()
    catalog.add_service("a", owners=[{"id": ana["id"], "type": "user"}])

    assert bot.delete(f"{API}/users/{ana['id']}").status_code == 403
    assert admin.delete(f"{API}/users/{ana['id']}").headers["x-openmetadata-change"] == "entitySoftDeleted"
    assert bot.get(f"{API}/users/name/ana").status_code == 404
    assert bot.get(f"{API}/users/name/ana", params={"include": "all"}).json()["deleted"] is True
    assert bot.get("/name/a", params={"fields": "owners"}).json()["owners"][0]["deleted"] is True
    admin.delete(f"{API}/users/{ana['id']}", params={"hardDelete": "true"})
    assert bot.get("/name/a", params={"fields": "owners"}).json()["owners"] == []


def test_what_is_made_again_has_another_id(catalog: Catalog) -> None:
    first = catalog.add_domain("Risk")
    catalog.remove_entry(first)

    assert catalog.add_domain("Risk").id != first.id
