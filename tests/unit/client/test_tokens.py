"""Tokens: which one goes along, and when the connection is read again."""

from __future__ import annotations

import threading

import httpx
import pytest

from airflow_provider_collate.client.messages import ApiRequest
from airflow_provider_collate.exceptions import AuthenticationError, InvalidConnectionError
from tests.unit.client.scripted import GET, answer, failure_of, said, sent_over

POST = ApiRequest("POST", "/v1/services/mlmodelServices", body={"name": "a"})
OK = answer(200, {"data": []})


def test_what_needs_no_token_goes_without() -> None:
    sent = sent_over(OK, tokens=iter(()))

    sent.transport.send(ApiRequest("GET", "/v1/system/version", authenticated=False))

    assert "Authorization" not in sent.network.requests[0].headers
    assert "Content-Type" not in sent.network.requests[0].headers


def test_a_rotated_token_is_read_again_once_and_the_request_goes_on() -> None:
    sent = sent_over(said(401, "Expired token!"), OK, tokens=iter(["old", "new"]))

    assert sent.transport.send(POST).status == 200
    assert sent.network.tokens == ["old", "new"]


def test_the_same_token_fails_at_once_and_is_not_read_a_third_time() -> None:
    sent = sent_over(said(401, "Expired token!"), tokens=iter(["old", "old"]))

    for _ in range(3):
        assert isinstance(failure_of(sent), AuthenticationError)

    assert sent.network.tokens == ["old"] * 3


def test_a_new_token_that_is_refused_too_ends_it() -> None:
    sent = sent_over(said(401, "Invalid token"), tokens=iter(["old", "new"]))

    error = failure_of(sent)

    assert (sent.network.tokens, error.attempts, sent.waits) == (["old", "new"], 2, [])


def test_a_token_can_be_rotated_twice() -> None:
    valid = ["1"]

    def by_token(request: httpx.Request) -> httpx.Response:
        return OK if request.headers["Authorization"] == f"Bearer {valid[-1]}" else said(401, "Expired token!")

    sent = sent_over(by_token, tokens=iter(["1", "2", "3"]))
    for token in ("1", "2", "3"):
        valid.append(token)
        assert sent.transport.send(GET).status == 200

    assert sent.network.tokens == ["1", "1", "2", "2", "3"]


@pytest.mark.parametrize("second, reads", [("new", 2), ("old", 2)])
def test_many_threads_read_the_connection_again_once(second: str, reads: int) -> None:
    """All of them are refused at the same time: the first one reads, the others wait for it."""
    held = ["old", second]
    together = threading.Barrier(16)
    read: list[str] = []

    def read_connection() -> str:
        read.append(held[min(len(read), 1)])
        return read[-1]

    def refuse_old(request: httpx.Request) -> httpx.Response:
        if request.headers["Authorization"] == "Bearer old":
            together.wait(10)
            return said(401, "Expired token!")
        return OK

    sent = sent_over(refuse_old, tokens=iter(read_connection, None))
    ended: list[str] = []

    def work() -> None:
        try:
            ended.append(str(sent.transport.send(GET).status))
        except AuthenticationError:
            ended.append("refused")

    threads = [threading.Thread(target=work) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)

    assert ended == ["200" if second == "new" else "refused"] * 16
    assert len(read) == reads
    assert sent.network.tokens.count("old") == 16


def test_a_connection_that_became_faulty_is_named() -> None:
    def read() -> str:
        if sent.network.requests:
            raise InvalidConnectionError(["password: is missing"])
        return "old"

    sent = sent_over(said(401, "Expired token!"), tokens=iter(read, None))

    with pytest.raises(InvalidConnectionError, match="password: is missing"):
        sent.transport.send(GET)
