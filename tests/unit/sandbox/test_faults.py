from __future__ import annotations

from typing import Any

import httpx
import pytest

from airflow_provider_collate.sandbox import Catalog, InProcessTransport

SKLEARN = {"name": "a", "serviceType": "Sklearn"}


def test_a_status_for_the_next_requests(bot: httpx.Client, catalog: Catalog) -> None:
    fault = catalog.fail(2, status=503, headers={"Retry-After": "7"}, body={"message": "busy"}, method="post")

    assert bot.get("").status_code == 200
    answers = [bot.post("", json=SKLEARN) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [503, 503, 201]
    assert (answers[0].headers["retry-after"], answers[0].json()) == ("7", {"message": "busy"})
    assert fault.hits == 2
    assert [request.status for request in catalog.requests] == [200, 503, 503, 201]


def test_for_a_path_after_some_and_without_end(bot: httpx.Client, catalog: Catalog) -> None:
    catalog.fail(None, status=502, body="<html>bad gateway</html>", path=r"/name/a$", skip=1)

    statuses = [bot.get("/name/a").status_code for _ in range(4)]

    assert statuses == [404, 502, 502, 502]
    assert bot.get("/name/a").headers["content-type"] == "text/html"
    assert bot.get("/name/ab").status_code == 404
    catalog.stop_failing()
    assert bot.get("/name/a").status_code == 404


@pytest.mark.parametrize("way", ["bot", "online"])
@pytest.mark.parametrize(
    "fault, error, message, is_committed",
    [
        ({"lose_answer": True}, httpx.RemoteProtocolError, "Server disconnected", True),
        ({"reset": True}, httpx.ReadError, "reset by peer", False),
        ({"break_body": True}, httpx.RemoteProtocolError, "without sending complete message body", True),
    ],
)
def test_a_connection_ends_in_process_as_over_a_socket(
    request: pytest.FixtureRequest,
    catalog: Catalog,
    way: str,
    fault: dict[str, Any],
    error: type[Exception],
    message: str,
    is_committed: bool,
) -> None:
    client: httpx.Client = request.getfixturevalue(way)
    catalog.fail(**fault)

    with pytest.raises(error, match=message):
        client.post("", json=SKLEARN)

    assert list(catalog.services) == ["a"] * is_committed
    assert client.get("").status_code == 200


def test_another_body_than_the_catalogs(bot: httpx.Client, catalog: Catalog) -> None:
    catalog.fail(body=b"\x1f\x8b", headers={"content-type": "application/json"})

    answer = bot.post("", json=SKLEARN)

    assert (answer.status_code, answer.content, answer.headers["content-type"]) == (
        201,
        b"\x1f\x8b",
        "application/json",
    )


def test_latency_beyond_the_clients_timeout(catalog: Catalog) -> None:
    slept: list[float] = []
    catalog.fail(latency=60)
    transport = InProcessTransport(catalog, sleep=slept.append)
    headers = {"Authorization": f"Bearer {catalog.bot_token}"}
    with httpx.Client(transport=transport, timeout=5, headers=headers) as client, pytest.raises(httpx.ReadTimeout):
        client.post("http://sandbox.example/api/v1/services/mlmodelServices", json=SKLEARN)

    assert slept == [5]
    assert list(catalog.services) == ["a"]


def test_one_ending_at_most(catalog: Catalog) -> None:
    with pytest.raises(ValueError, match="one ending"):
        catalog.fail(lose_answer=True, reset=True)


class TestRandomFaults:
    def run(self, client: httpx.Client, requests: int) -> list[object]:
        return [self.put(client, f"s{number}") for number in range(requests)]

    def put(self, client: httpx.Client, name: str) -> object:
        try:
            return client.put("", json={**SKLEARN, "name": name}).status_code
        except httpx.TransportError as error:
            return type(error).__name__

    def test_are_counted_and_repeat_by_their_seed(self, bot: httpx.Client, catalog: Catalog) -> None:
        faults = catalog.fail_randomly(0.3, seed=1)
        first = self.run(bot, 200)
        catalog.clear()
        counts = faults.counts.copy()
        catalog.stop_failing()
        catalog.fail_randomly(0.3, seed=1)

        assert self.run(bot, 200) == first
        assert counts["429"] == first.count(429)
        assert counts["503"] == first.count(503)
        assert counts["reset"] == first.count("ReadError")
        assert counts["lost_answer"] + counts["broken_body"] == first.count("RemoteProtocolError")
        assert 40 <= counts.total() <= 80
        committed = 200 - counts["429"] - counts["503"] - counts["reset"]
        assert len(catalog.services) == committed

    def test_of_some_kinds_and_requests(self, bot: httpx.Client, catalog: Catalog) -> None:
        faults = catalog.fail_randomly(1.0, kinds=["503"], method="PUT")

        assert bot.get("").status_code == 200
        assert self.run(bot, 3) == [503, 503, 503]
        assert faults.counts == {"503": 3}

    def test_unknown_kinds(self, catalog: Catalog) -> None:
        with pytest.raises(ValueError, match="lost_answer"):
            catalog.fail_randomly(0.1, kinds=["fire"])
