"""Tokens, bans, the directory, and what a test can see and order."""

from __future__ import annotations

import httpx
import pytest

from airflow_provider_collate.sandbox import Catalog, InProcessTransport, LatencyProfile, User, make_token
from airflow_provider_collate.sandbox.faults import Latency

SKLEARN = {"name": "a", "serviceType": "Sklearn"}
API = "http://sandbox.example/api/v1"


class TestTokens:
    @pytest.mark.parametrize(
        "header, message",
        [
            ("", "Not Authorized! Token not present"),
            ("Basic YTpi", "Not Authorized! Token not present"),
            ("Bearer nope", "Invalid token"),
        ],
    )
    def test_a_wrong_one_is_refused(self, bot: httpx.Client, header: str, message: str) -> None:
        answer = bot.post("", json=SKLEARN, headers={"Authorization": header})

        assert answer.json() == {"code": 401, "message": message}
        assert answer.headers["www-authenticate"] == "om-auth"

    def test_a_rotated_one_is_refused_at_once(self, bot: httpx.Client, catalog: Catalog) -> None:
        catalog.rotate_bot_token("new")

        assert "does not match the current bot's token!" in bot.get("").json()["message"]
        assert bot.get("", headers={"Authorization": "Bearer new"}).status_code == 200

    def test_an_expired_one(self, bot: httpx.Client, catalog: Catalog) -> None:
        catalog.revoke_token(catalog.bot_token, expired=True)

        assert bot.get("").json()["message"] == "Expired token!"

    def test_further_ones_act_as_their_users(self, bot: httpx.Client, catalog: Catalog) -> None:
        maya = User("maya", "maya@acme.example")
        catalog.add_user(maya)
        catalog.tokens["t"] = maya

        answer = bot.get(f"{API}/users/loggedInUser", headers={"Authorization": "Bearer t"}).json()

        assert (answer["name"], answer["email"], answer["isBot"]) == ("maya", "maya@acme.example", False)

    def test_two_of_a_user_differ_by_their_serial(self) -> None:
        assert make_token(User("x")) != make_token(User("x"), serial=2)
        assert make_token(User("x")) == make_token(User("x"))

    def test_none_is_needed_for_the_version(self, bot: httpx.Client, catalog: Catalog) -> None:
        assert bot.get(f"{API}/system/version", headers={"Authorization": ""}).json()["version"] == "2.0.6"
        catalog.release = "1.2"
        assert bot.get(f"{API}/system/version").json()["version"] == "1.2.0"


class TestBans:
    def test_of_a_user_for_some_names(self, bot: httpx.Client, admin: httpx.Client, catalog: Catalog) -> None:
        catalog.forbid("ingestion-bot", "^prod", ["Create"])

        answer = bot.post("", json={**SKLEARN, "name": "prod_1"})

        assert answer.status_code == 403
        assert "name='ingestion-bot'} operations [Create] not allowed" in answer.json()["message"]
        assert admin.post("", json={**SKLEARN, "name": "prod_1"}).status_code == 201
        assert bot.post("", json=SKLEARN).status_code == 201
        assert bot.get("/name/prod_1").status_code == 200

    def test_of_everything(self, bot: httpx.Client, catalog: Catalog) -> None:
        catalog.forbid()

        assert {bot.get("").status_code, bot.post("", json=SKLEARN).status_code} == {403}


def test_users_can_be_listed(bot: httpx.Client) -> None:
    users = bot.get(f"{API}/users", params={"limit": 100}).json()["data"]

    assert [user["email"].partition("@")[0] for user in users] == ["admin", "ana", "ingestion-bot"]


@pytest.mark.parametrize(
    "method, path, status",
    [
        ("GET", "http://sandbox.example/api/v2/x", 404),
        ("GET", f"{API}/tables", 404),
        ("PATCH", f"{API}/users", 405),
        ("DELETE", f"{API}/services/mlmodelServices", 405),
        ("PATCH", f"{API}/services/mlmodelServices/name/a", 405),
        ("GET", f"{API}/services/mlmodelServices/no-uuid", 404),
        ("GET", f"{API}/services/mlmodelServices/a/b/c", 404),
    ],
)
def test_paths_and_methods_that_are_not_there(bot: httpx.Client, method: str, path: str, status: int) -> None:
    assert bot.request(method, path).status_code == status


@pytest.mark.parametrize(
    "body, text",
    [
        (b"", "must not be null"),
        (b"null", "Cannot deserialize"),
        (b'{"name": NaN}', "Non-standard token 'NaN'"),
        (b'{"name" "x"}', "Unexpected character"),
        (b"[" * 100_000, "recursion depth"),
        (b'"\xff"', "utf-8"),
        (b'{"name": ["x"]}', "Cannot deserialize value of type `java.lang.String`"),
        (b'{"tags": "x"}', "Cannot deserialize value of type `java.util.ArrayList"),
    ],
)
def test_bodies_that_cannot_be_read(bot: httpx.Client, body: bytes, text: str) -> None:
    answer = bot.post("", content=body, headers={"Content-Type": "application/json"})

    assert answer.status_code == 400
    assert text in answer.text


def test_a_body_must_say_that_it_is_json(bot: httpx.Client) -> None:
    assert bot.post("", content=b"{}", headers={"Content-Type": "Application/JSON ; charset=utf-8"}).status_code == 400
    assert bot.post("", content=b"{}", headers={"Content-Type": "text/plain"}).status_code == 415


def test_requests_are_recorded_without_the_token(bot: httpx.Client, catalog: Catalog) -> None:
    bot.post("", json=SKLEARN, headers={"X-Request-Id": "r1"})
    bot.get("/name/a", params={"fields": "tags"})

    first, second = catalog.requests
    assert (first.method, first.status, first.user, first.body) == ("POST", 201, "ingestion-bot", SKLEARN)
    assert (first.headers["x-request-id"], "authorization" in first.headers) == ("r1", False)
    assert (second.path, second.params, second.body) == (
        "/api/v1/services/mlmodelServices/name/a",
        {"fields": "tags"},
        None,
    )
    assert catalog.writes == 1
    catalog.clear()
    assert (catalog.requests, len(catalog.services)) == ([], 0)


def test_a_person_edits_and_removes(catalog: Catalog, bot: httpx.Client) -> None:
    catalog.add_service("a", description="x", tags=["Tier.Tier1"])
    assert catalog.services["a"]["version"] == 0.1

    catalog.edit_service("a", description=None, owners=[catalog.add_team("t")])
    catalog.edit_service("a", displayName="A")

    edited = bot.get("/name/a", params={"fields": "owners"}).json()
    assert (edited["version"], edited["updatedBy"], edited["displayName"]) == (0.3, "admin", "A")
    assert "description" not in edited
    catalog.remove_service("a")
    assert list(catalog.deleted) == ["a"]
    catalog.remove_service("a", hard=True)
    assert not catalog.deleted
    with pytest.raises(KeyError):
        catalog.edit_service("a", description="x")


def test_what_a_test_may_not_add(catalog: Catalog) -> None:
    catalog.add_service("a")

    with pytest.raises(ValueError, match="there is a service a already"):
        catalog.add_service("a")
    with pytest.raises(ValueError, match=r"release must be one of 2\.x, 1\.13, 1\.12, 1\.2"):
        catalog.release = "2.0"


def test_a_seen_service_is_a_copy(catalog: Catalog) -> None:
    catalog.add_service("a", tags=["Tier.Tier1"])

    catalog.services["a"]["tags"] = []

    assert catalog.services["a"]["tags"] != []


class TestLatency:
    def test_of_the_openmetadata_profile(self) -> None:
        latency = Latency(LatencyProfile(per_write=0.03, per_row=0.001, writes_per_second=100), clock=lambda: 5.0)

        assert latency.delay(is_write=False, writes=0, rows=2000) == pytest.approx(2.0)
        writes = [latency.delay(is_write=True, writes=1, rows=0) for _ in range(10)]
        assert writes == pytest.approx([0.03, 0.03, 0.03, 0.04, 0.05, 0.06, 0.07, 0.08, 0.09, 0.1])
        assert latency.delay(is_write=True, writes=100, rows=0) == pytest.approx(1.1)

    def test_the_rate_recovers_when_idle(self) -> None:
        times = iter([0.0, 60.0])
        latency = Latency(LatencyProfile(writes_per_second=10), clock=lambda: next(times))

        assert latency.delay(is_write=True, writes=50, rows=0) == pytest.approx(5.0)
        assert latency.delay(is_write=True, writes=1, rows=0) == pytest.approx(0.1)

    def test_is_slept_in_process(self) -> None:
        slept: list[float] = []
        catalog = Catalog(latency=LatencyProfile(per_request=0.25))
        with httpx.Client(transport=InProcessTransport(catalog, sleep=slept.append)) as client:
            client.get(f"{API}/system/version")

        assert slept == [0.25]
