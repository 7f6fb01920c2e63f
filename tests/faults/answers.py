"""Faults that the server says: errors, and answers that are not the API's."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime

from airflow_provider_collate.sandbox.exchange import Answer
from tests.faults.behaviours import answers, deeply_nested, gzip_bomb, long_body
from tests.faults.fault import HTML, Fault, Prepare, error, every_request, every_write, first_write, truth, writes
from tests.faults.rig import SECRET, Surroundings
from tests.faults.server import Behaviour, Exchange

_LARGE = 100 * 2**20
_SAME = "The server answered the same, word for word, to each attempt"
_POSTGRES = (
    "ERROR: unsupported Unicode escape sequence Detail: \\u0000 cannot be converted to text. "
    f'Where: JSON data, line 1: {{"registryUri":"mysql://ml:{SECRET}@db'
)


def _in_seconds(seconds: int) -> Behaviour:
    def behaviour(exchange: Exchange) -> None:
        date = format_datetime(datetime.now(timezone.utc) + timedelta(seconds=seconds), usegmt=True)
        error(503, "Under maintenance", Retry_After=date)(exchange)

    return behaviour


def _page(status: int, title: str) -> Behaviour:
    return answers(status, f"<html><head><title>{title}</title></head></html>".encode(), HTML)


def _unframed(exchange: Exchange) -> None:
    """Do what was asked, and answer with half of the JSON, well framed, as a broken proxy does."""
    answer = exchange.truth()
    exchange.answer(Answer(answer.status, answer.body[: len(answer.body) // 2], answer.headers))


def _token_is_revoked(around: Surroundings) -> None:
    around.catalog.revoke_token(around.catalog.bot_token, expired=True)
    around.behave = lambda received: truth if "authorization" in received.headers else None


def _rotated(*, known: bool) -> Prepare:
    """The token changes before the first write arrives."""

    def prepare(around: Surroundings) -> None:
        done: list[bool] = []

        def rotate(exchange: Exchange) -> None:
            if not done:
                done.append(True)
                around.rotate(known=known)
            truth(exchange)

        first = first_write(rotate)
        first(around)

    return prepare


def _forbidden_rows(around: Surroundings) -> None:
    around.catalog.forbid(name="fraud_a")
    around.behave = lambda received: truth if writes(received, around) else None


def _somebody_is_first(around: Surroundings) -> None:
    def race(exchange: Exchange) -> None:
        around.catalog.add_service("fraud_a", description="of somebody else")
        truth(exchange)

    first_write(race)(around)


def _limit(status: int, code: str) -> Behaviour:
    document = {"code": status, "message": "The plan allows 2 services", "errorType": code}
    return answers(status, json.dumps(document).encode())


ANSWERS: dict[str, tuple[Fault, ...]] = {
    "Transient errors": (
        Fault(
            "500, always",
            every_request(error(500, "NullPointerException")),
            "retry 2 | retry 2 | retry 2 | retry 2 | fail 1",
            "Collate answered 500: NullPointerException",
            advice=_SAME,
        ),
        Fault(
            "500 to writes, always",
            every_write(error(500, "NullPointerException")),
            "retry 4 | retry 4 | retry 12 | retry 8 | –",
            "Collate answered 500: NullPointerException",
            advice=_SAME,
        ),
        Fault(
            "500 of PostgreSQL with a stored value in its text, always",
            every_request(error(500, _POSTGRES)),
            "retry 2 | retry 2 | retry 2 | retry 2 | fail 1",
            "Collate answered 500: ERROR: unsupported Unicode escape sequence",
            advice=_SAME,
        ),
        Fault(
            "500 of PostgreSQL with a stored value in its text, to writes",
            every_write(error(500, _POSTGRES)),
            "retry 4 | retry 4 | retry 12 | retry 8 | –",
            "Collate answered 500: ERROR: unsupported Unicode escape sequence",
            advice=_SAME,
        ),
        Fault(
            "502 with a page of HTML, always",
            every_request(_page(502, "502 Bad Gateway")),
            "retry 2 | retry 2 | retry 2 | retry 2 | fail 1",
            "Collate answered 502: 502 Bad Gateway",
        ),
        Fault(
            "502 with a page of HTML, to the first write",
            first_write(_page(502, "502 Bad Gateway")),
            "ok 1 | ok 1 | ok 1 | ok 1 | –",
        ),
        Fault(
            "503 with Retry-After in seconds, always",
            every_request(error(503, "Under maintenance", Retry_After="7")),
            "retry 2 | retry 2 | retry 2 | retry 2 | fail 1",
            "Collate answered 503: Under maintenance",
            waits=(7, 7),
        ),
        Fault(
            "503 with Retry-After in seconds, to the first write",
            first_write(error(503, "Under maintenance", Retry_After="7")),
            "ok 1 | ok 1 | ok 1 | ok 1 | –",
            waits=(7, 7),
        ),
        Fault(
            "503 with Retry-After as a date, to the first write",
            first_write(_in_seconds(90)),
            "ok 1 | ok 1 | ok 1 | ok 1 | –",
            waits=(70, 90),
        ),
        Fault(
            "503 with Retry-After beyond two minutes, always",
            every_request(error(503, "Under maintenance", Retry_After="3600")),
            "retry 1 | retry 1 | retry 1 | retry 1 | fail 1",
            "Collate answered 503: Under maintenance",
            waits=(0, 0),
        ),
        Fault(
            "429, always",
            every_request(error(429, "Too many requests")),
            "retry 2 | retry 2 | retry 2 | retry 2 | fail 1",
            "Collate answered 429: Too many requests",
        ),
        Fault(
            "429 with Retry-After, to the first write",
            first_write(error(429, "Too many requests", Retry_After="3")),
            "ok 1 | ok 1 | ok 1 | ok 1 | –",
            waits=(3, 3),
        ),
    ),
    "Non-retryable errors": (
        Fault(
            "401, the token has expired",
            _token_is_revoked,
            "fail 1 | fail 1 | fail 1 | fail 1 | fail 1",
            "Collate answered 401: Expired token!",
        ),
        Fault(
            "401 in the middle of a run, and the connection has a new token",
            _rotated(known=True),
            "ok 1 | ok 1 | ok 1 | ok 1 | –",
        ),
        Fault(
            "401 in the middle of a run, and the connection has the same token",
            _rotated(known=False),
            "fail 1 | fail 1 | fail 1 | fail 1 | –",
            "Collate answered 401: Not Authorized! The given token does not match the current bot's token!",
        ),
        Fault(
            "403 on some rows",
            _forbidden_rows,
            "fail 1 | fail 1 | fail 3 | fail 2 | –",
            "Collate answered 403: Principal: CatalogPrincipal{name='ingestion-bot'} operations [Create] not allowed",
            of_rows="fraud_a: failed: … operations [Create] not allowed",
        ),
        Fault(
            "409, somebody else was faster",
            _somebody_is_first,
            "fail 1 | fail 1 | fail 1 | ok 1 | –",
            "'fraud_a' exists already",
            of_rows='fraud_a: conflict: description: "of somebody else" (admin, …) is kept',
        ),
        Fault(
            "413 to writes, a limit of the plan",
            every_write(_limit(413, "BULK_LIMIT_EXCEPTION")),
            "fail 1 | fail 1 | fail 1 | fail 1 | –",
            "Collate answered 413 BULK_LIMIT_EXCEPTION: The plan allows 2 services",
        ),
        Fault(
            "429 to writes, a limit of the plan",
            every_write(_limit(429, "LIMITS_EXCEPTION")),
            "fail 1 | fail 1 | fail 1 | fail 1 | –",
            "Collate answered 429 LIMITS_EXCEPTION: The plan allows 2 services",
        ),
    ),
    "Answers that are not the API's": (
        Fault(
            "JSON that breaks off, well framed, always",
            every_request(_unframed),
            "retry 2 | retry 2 | retry 2 | retry 2 | fail 1",
            "Collate answered … with the beginning of JSON, broken off",
        ),
        Fault("JSON that breaks off, well framed, to writes", every_write(_unframed), "ok 2 | ok 2 | ok 6 | ok 6 | –"),
        Fault(
            "Empty answers, always",
            every_request(answers(200)),
            "fail 1 | fail 1 | fail 1 | fail 1 | fail 1",
            "Collate answered 200 with an empty body",
        ),
        Fault(
            "Empty answers to writes, which are not carried out",
            every_write(answers(200)),
            "fail 1 | fail 1 | fail 3 | fail 2 | –",
            "Collate answered 200 with an empty body",
        ),
        Fault(
            "A login page with 200, always",
            every_request(_page(200, "Sign in")),
            "fail 1 | fail 1 | fail 1 | fail 1 | fail 1",
            "Collate answered 200 with something that is not JSON: Sign in",
        ),
        Fault(
            "A login page with 200 to writes",
            every_write(_page(200, "Sign in")),
            "fail 1 | fail 1 | fail 3 | fail 2 | –",
            "Collate answered 200 with something that is not JSON: Sign in",
        ),
        Fault(
            "JSON of another shape, always",
            every_request(answers(200, b"[]")),
            "fail 1 | fail 1 | fail 1 | fail 1 | fail 1",
            "Collate answered 200 with a list where … was expected",
        ),
        Fault(
            "JSON of another shape to writes",
            every_write(answers(200, b"{}")),
            "retry 2 | retry 2 | retry 6 | retry 3 | –",
            "'fraud_a' is not in the catalog, though the server answered the write with success",
        ),
        Fault(
            "A page with 404, from another server",
            every_request(_page(404, "Not found")),
            "fail 1 | fail 1 | fail 1 | fail 1 | fail 1",
            "Collate answered 404: Not found",
        ),
        Fault(
            "JSON with 404, from another API",
            every_request(answers(404, b'{"detail":"Not Found"}')),
            "fail 1 | fail 1 | fail 1 | fail 1 | fail 1",
            "Collate answered 404: Not Found",
        ),
        Fault(
            "100 MB, announced",
            every_request(long_body(_LARGE)),
            "fail 1 | fail 1 | fail 1 | fail 1 | fail 1",
            "The answer is larger than 64 MiB and was not read further",
        ),
        Fault(
            "100 MB in chunks",
            every_request(long_body(_LARGE, announced=False)),
            "fail 1 | fail 1 | fail 1 | fail 1 | fail 1",
            "The answer is larger than 64 MiB and was not read further",
        ),
        Fault(
            "100 MB to writes",
            every_write(long_body(_LARGE)),
            "fail 1 | fail 1 | fail 3 | fail 2 | –",
            "The answer is larger than 64 MiB and was not read further",
        ),
        Fault(
            "JSON nested 100,000 deep",
            every_request(deeply_nested()),
            "fail 1 | fail 1 | fail 1 | fail 1 | fail 1",
            "Collate answered 200 with JSON that is nested too deeply",
        ),
        Fault(
            "A gzip bomb of 100 MB",
            every_request(gzip_bomb(_LARGE)),
            "fail 1 | fail 1 | fail 1 | fail 1 | fail 1",
            "The answer is larger than 64 MiB and was not read further",
        ),
        Fault(
            "A gzip bomb of 100 MB, to writes",
            every_write(gzip_bomb(_LARGE)),
            "fail 1 | fail 1 | fail 3 | fail 2 | –",
            "The answer is larger than 64 MiB and was not read further",
        ),
        Fault(
            "Gzip that is broken",
            every_request(answers(200, b"\x1f\x8b\x08 no", {"Content-Encoding": "gzip"})),
            "fail 1 | fail 1 | fail 1 | fail 1 | fail 1",
            "The answer's compression is broken, or of a kind that was not asked for",
        ),
    ),
}
