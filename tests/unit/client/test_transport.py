"""Requests and retries, counted where they would arrive."""

from __future__ import annotations

import itertools
import logging
import re
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime

import httpx
import pytest

from airflow_provider_collate.client.messages import JSON_PATCH, ApiRequest
from airflow_provider_collate.exceptions import (
    BadRequestError,
    ChangedMeanwhileError,
    ConflictError,
    InvalidDeclarationError,
    LimitExceededError,
    RequestError,
    ServerError,
    StoppedError,
)
from tests.unit.client.scripted import GET, TOKEN, URL, answer, failure_of, said, sent_over

POST = ApiRequest("POST", "/v1/services/mlmodelServices", body={"name": "a"})
OK = answer(200, {"data": []})
LOST = httpx.RemoteProtocolError("Server disconnected without sending a response.")


def test_a_request_carries_who_asks_and_what_for() -> None:
    sent = sent_over(OK)

    got = sent.transport.send(ApiRequest("PATCH", "/v1/a/b%2Fc", {"x": "ü&"}, [{"op": "remove"}], JSON_PATCH))

    [request] = sent.network.requests
    assert str(request.url) == f"{URL}/v1/a/b%2Fc?x=%C3%BC%26"
    assert request.content == b'[{"op":"remove"}]'
    assert request.headers["Content-Type"] == "application/json-patch+json"
    assert request.headers["Authorization"] == f"Bearer {TOKEN}"
    assert request.headers["User-Agent"] == "airflow-provider-collate/test"
    assert request.headers["Accept"] == "application/json"
    assert request.headers["Accept-Encoding"] == "gzip"
    assert re.fullmatch("[0-9a-f]{16}", request.headers["X-Request-Id"])
    assert got.request_id == request.headers["X-Request-Id"]
    assert got.data == {"data": []}


@pytest.mark.parametrize(
    "fault",
    [said(503, "busy"), said(500, "oops"), answer(502), said(429, "slow"), said(409, "prod is being deleted"), LOST],
)
def test_a_transient_error_is_retried_until_it_has_passed(fault: httpx.Response | Exception) -> None:
    sent = sent_over(fault, fault, OK)

    assert sent.transport.send(GET).status == 200
    assert len(sent.network.requests) == 3


@pytest.mark.parametrize("max_retries", [0, 1, 3])
def test_retries_end(max_retries: int) -> None:
    sent = sent_over(said(503, "busy"), max_retries=max_retries)

    error = failure_of(sent)

    assert isinstance(error, ServerError)
    assert len(sent.network.requests) == error.attempts == max_retries + 1


@pytest.mark.parametrize(
    "final, kind",
    [
        (said(400, "no"), BadRequestError),
        (said(409, "Entity already exists"), ConflictError),
        (answer(500, {"responseMessage": "JsonPatch.Operation.TEST fails! Not equal"}), ChangedMeanwhileError),
        (answer(429, {"message": "plan", "errorType": "LIMITS_EXCEPTION"}), LimitExceededError),
    ],
)
def test_a_final_error_is_sent_once(final: httpx.Response, kind: type[RequestError]) -> None:
    sent = sent_over(final)

    error = failure_of(sent)

    assert isinstance(error, kind)
    assert not error.retryable
    assert (len(sent.network.requests), sent.waits) == (1, [])


@pytest.mark.parametrize(
    "header, low, high",
    [("7", 7.0, 7.0), ("0", 0.0, 0.0), (timedelta(seconds=100), 80.0, 100.0), (timedelta(seconds=-60), 0.0, 0.0)],
)
@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_is_waited_for(status: int, header: str | timedelta, low: float, high: float) -> None:
    asked = header if isinstance(header, str) else format_datetime(datetime.now(timezone.utc) + header)
    sent = sent_over(said(status, "later", Retry_After=asked), OK)

    sent.transport.send(GET)

    assert low <= sum(sent.waits) <= high


@pytest.mark.parametrize(
    "header",
    ["121", "9" * 400, format_datetime(datetime.now(timezone.utc) + timedelta(hours=1))],
    ids=["seconds", "digits", "date"],
)
def test_who_asks_for_more_than_two_minutes_is_left_to_airflow(header: str) -> None:
    sent = sent_over(said(503, "maintenance", Retry_After=header))

    error = failure_of(sent)

    assert error.retryable
    assert error.retry_after is not None
    assert error.retry_after > 120
    assert (len(sent.network.requests), sent.waits) == (1, [])


def test_without_retry_after_the_waits_grow_and_are_random() -> None:
    totals: list[float] = []

    def attempt_begins(request: httpx.Request) -> httpx.Response:
        totals.append(sum(sent.waits))
        return said(503, "busy")

    sent = sent_over(attempt_begins, max_retries=12)
    failure_of(sent)

    waits = [after - before for before, after in itertools.pairwise(totals)]
    assert len(waits) == 12
    assert all(0 <= wait <= min(60, 0.5 * 2**number) for number, wait in enumerate(waits))
    assert len(set(waits)) == 12
    assert sum(waits[6:]) > sum(waits[:6])


def test_a_wait_ends_when_the_task_is_told_to_stop() -> None:
    sent = sent_over(said(503, "later", Retry_After="100"), OK)
    waits: list[float] = []

    def sleep(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == 3:
            sent.transport.stop()

    sent.transport._sleep = sleep
    with pytest.raises(StoppedError, match=r"^The task was told to stop; no further request was sent$"):
        sent.transport.send(GET)

    assert waits == [0.5, 0.5, 0.5]
    assert len(sent.network.requests) == 1


def test_what_fails_while_the_task_is_told_to_stop_is_not_tried_again(caplog: pytest.LogCaptureFixture) -> None:
    def stop(request: httpx.Request) -> httpx.Response:
        sent.transport.stop()
        return said(503, "busy")

    sent = sent_over(stop)

    assert isinstance(failure_of(sent), ServerError)
    assert (len(sent.network.requests), sent.waits) == (1, [])
    assert not [record for record in caplog.records if record.name.startswith("airflow_provider_collate")]


@pytest.mark.parametrize(
    "lost, maybe",
    [
        (LOST, True),
        (httpx.ReadTimeout("timed out"), True),
        (httpx.ReadError("[Errno 104] Connection reset by peer"), True),
        (said(503, "busy"), True),
        (httpx.Response(200, content=b'{"name": "a'), True),
        (httpx.ConnectError("[Errno 111] Connection refused"), False),
        (httpx.ConnectTimeout("timed out"), False),
        (said(429, "slow"), False),
    ],
)
def test_a_write_remembers_that_an_earlier_attempt_may_have_taken_effect(
    lost: httpx.Response | Exception, maybe: bool
) -> None:
    error = failure_of(sent_over(lost, said(409, "Entity already exists")), POST)

    assert isinstance(error, ConflictError)
    assert (error.maybe_applied, error.attempts) == (maybe, 2)


def test_a_read_never_takes_effect() -> None:
    assert not failure_of(sent_over(LOST, said(404, "gone"))).maybe_applied


def test_the_error_names_the_last_of_its_attempts() -> None:
    sent = sent_over(LOST, max_retries=2)

    error = failure_of(sent, POST)

    last = sent.network.requests[-1].headers["X-Request-Id"]
    assert len({request.headers["X-Request-Id"] for request in sent.network.requests}) == 3
    assert f"[POST /v1/services/mlmodelServices, 3 attempts, request {last}]\n" in str(error)


def test_a_retry_is_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, logger="airflow_provider_collate"):
        sent_over(said(503, "busy", Retry_After="2"), OK).transport.send(GET)

    assert caplog.messages == ["Collate answered 503: busy [trying again in 2.0 s, attempt 2]"]


def test_no_httpx_error_travels_along() -> None:
    """Its frames would hold the body and the token."""
    error = failure_of(sent_over(LOST, max_retries=0), POST)

    assert (error.__cause__, error.__context__) == (None, None)


@pytest.mark.parametrize(
    "make",
    [
        lambda: ApiRequest("POST", "/v1/a", body={"password": "hunter2hunter2"}, secrets=lambda: ("hunter2hunter2",)),
        lambda: sent_over(answer(200, {"password": "hunter2hunter2"})).transport.send(GET),
    ],
)
def test_neither_request_nor_answer_shows_its_content(make: Callable[[], object]) -> None:
    assert "hunter2" not in repr(make())


@pytest.mark.parametrize(
    "steps, is_told",
    [
        ([said(500, "a")] * 3, True),
        ([said(500, "a"), said(500, "b")], False),
        ([said(503, "a")] * 2, False),
        ([LOST, said(500, "a")], False),
        ([said(500, "a")], False),
    ],
    ids=["the same 500", "two", "503", "lost", "one"],
)
def test_a_500_that_is_the_same_on_each_attempt_is_told_as_such(
    steps: list[httpx.Response | Exception], is_told: bool
) -> None:
    error = failure_of(sent_over(*steps, max_retries=len(steps) - 1))

    assert ("the same, word for word, to each attempt" in error.advice) is is_told
    assert error.retryable


@pytest.mark.parametrize(
    "value, told",
    [
        *((value, "a value that JSON does not have") for value in (float("nan"), float("inf"), object(), b"bytes")),
        *((text, r"the character U\+0000") for text in ("a\0b", "\\\0")),  # PostgreSQL prints what is stored near it
    ],
)
def test_what_cannot_be_sent_is_refused_before(value: object, told: str) -> None:
    sent = sent_over(OK)

    with pytest.raises(InvalidDeclarationError, match=f"holds {told}, "):
        sent.transport.send(ApiRequest("POST", "/v1/a", body=[{"a": value}]))  # type: ignore[dict-item]

    assert sent.network.requests == []


@pytest.mark.parametrize("text", [r"a\u0000b", "0", "\x01"])
def test_what_only_looks_like_it_is_sent(text: str) -> None:
    assert sent_over(OK).transport.send(ApiRequest("POST", "/v1/a", body=text)).status == 200


@pytest.mark.parametrize("status", [200, 503])
def test_the_servers_clock_is_read_from_any_answer(status: int) -> None:
    later = datetime.now(timezone.utc) + timedelta(hours=2)
    sent = sent_over(answer(status, {}, Date=format_datetime(later)), answer(200, {}, Date="yesterday"))
    sent.transport.send(ApiRequest("GET", "/v1/anything"))
    sent.transport.send(ApiRequest("GET", "/v1/anything"))
    assert abs(sent.transport.clock_ahead - timedelta(hours=2)) < timedelta(seconds=10)
