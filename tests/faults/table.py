"""The faults that are survived, as data: the tests run it, and docs/faults.md shows it.

A cell says what comes of an operation under a fault, and how many requests met the fault: `ok 2` is a success after
two of them, `retry 2` a failure that Airflow tries again, `fail 1` one that it does not. The cells of a row are those
of `Operation`, in order; `–` is an operation that cannot meet the fault.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime

from airflow_provider_collate.sandbox.exchange import Answer
from airflow_provider_collate.sandbox.server import serve_in_thread
from tests.faults.behaviours import (
    answers,
    closes,
    closes_after_headers,
    closes_in_the_body,
    commits_then_closes,
    commits_then_resets,
    deeply_nested,
    drips_body,
    drips_headers,
    gzip_bomb,
    long_body,
    never_answers,
    redirects,
    resets,
)
from tests.faults.certificates import server_tls
from tests.faults.rig import Operation, Surroundings
from tests.faults.server import JSON, Accepting, Behaviour, Exchange, Received

SHORT = 0.4
_HTML = {"Content-Type": "text/html"}
_LARGE = 100 * 2**20
_READS = ("GET",)

Prepare = Callable[[Surroundings], None]


@dataclass(frozen=True)
class Fault:
    """One row of the table.

    :param what: what happens, as the documentation says it.
    :param prepare: lets it happen.
    :param cells: outcome and requests that met the fault, for each operation.
    :param message: what a task that fails says; `{url}` is the server's address, `…` stands for anything.
    :param waits: the least and most seconds that a create waits, where the server asks for some.
    :param of_rows: what a report of many rows says instead.
    """

    what: str
    prepare: Prepare
    cells: str
    message: str
    waits: tuple[float, float] | None = None
    of_rows: str = ""

    def cell(self, operation: Operation) -> str:
        """The cell of an operation; empty if it cannot meet the fault."""
        return self._cells[operation].strip("– ")

    @property
    def _cells(self) -> dict[Operation, str]:
        return dict(zip(Operation, self.cells.split("|"), strict=True))


def every_request(behaviour: Behaviour, **extra: object) -> Prepare:
    """Each request meets it."""

    def prepare(around: Surroundings) -> None:
        around.extra |= extra
        around.behave = lambda received: behaviour

    return prepare


def every_write(behaviour: Behaviour, **extra: object) -> Prepare:
    """Each request that writes meets it, bulk requests too where the server takes them."""

    def prepare(around: Surroundings) -> None:
        around.extra |= extra
        around.behave = lambda received: behaviour if _writes(received, around) else None

    return prepare


def first_write(*behaviours: Behaviour) -> Prepare:
    """The first requests that write meet one each."""

    def prepare(around: Surroundings) -> None:
        left = list(behaviours)
        around.behave = lambda received: left.pop(0) if left and _writes(received, around) else None

    return prepare


def _writes(received: Received, around: Surroundings) -> bool:
    is_missing = received.target.endswith("/bulk") and not around.catalog.state.has_bulk
    return received.method not in _READS and not is_missing


def error(status: int, message: str, **headers: str) -> Behaviour:
    """Answer with an error as the API makes them; `Retry_After` is the header `Retry-After`."""
    document = json.dumps({"code": status, "message": message}).encode()
    return answers(status, document, {**JSON, **{name.replace("_", "-"): value for name, value in headers.items()}})


def _in_seconds(seconds: int) -> Behaviour:
    def behaviour(exchange: Exchange) -> None:
        date = format_datetime(datetime.now(timezone.utc) + timedelta(seconds=seconds), usegmt=True)
        error(503, "Under maintenance", Retry_After=date)(exchange)

    return behaviour


def _page(status: int, title: str) -> Behaviour:
    return answers(status, f"<html><head><title>{title}</title></head></html>".encode(), _HTML)


def _unframed(exchange: Exchange) -> None:
    """Do what was asked, and answer with half of the JSON, well framed, as a broken proxy does."""
    answer = exchange.truth()
    exchange.answer(Answer(answer.status, answer.body[: len(answer.body) // 2], answer.headers))


def _commits_then_hangs(exchange: Exchange) -> None:
    exchange.truth()
    exchange.wait_for_hangup()


def _nobody_listens(around: Surroundings) -> None:
    around.url = around.nobody_listens()


def _unknown_host(around: Surroundings) -> None:
    around.url = "https://collate.acme.example"
    around.unknown_host()


def _accepting(how: Accepting, **extra: object) -> Prepare:
    def prepare(around: Surroundings) -> None:
        around.extra |= extra
        around.accepting = lambda number: how

    return prepare


def _redirects(where: str, *, writes_only: bool = False) -> Prepare:
    def prepare(around: Surroundings) -> None:
        target = where if where.startswith("/") else around.other_server().url
        behaviour = redirects(target)
        around.behave = lambda received: None if writes_only and not _writes(received, around) else behaviour

    return prepare


def _redirects_from_tls_to_http(around: Surroundings) -> None:
    authority = around.authority
    around.tls = server_tls(authority.issue())
    around.extra["verify"] = str(authority.cert_file)
    behaviour = redirects(around.other_server().url)
    around.behave = lambda received: behaviour


def _tls(*, host: str = "127.0.0.1", expired: bool = False, known: bool = True, self_signed: bool = False) -> Prepare:
    def prepare(around: Surroundings) -> None:
        authority = around.authority
        around.tls = server_tls(authority.issue(host, expired=expired, self_signed=self_signed))
        if known:
            around.extra["verify"] = str(authority.cert_file)

    return prepare


def _asks_for_a_certificate(around: Surroundings) -> None:
    authority = around.authority
    around.tls = server_tls(authority.issue(), clients_of=authority)
    around.extra["verify"] = str(authority.cert_file)


def _speaks_no_tls(around: Surroundings) -> None:
    url = around.stack.enter_context(serve_in_thread(around.catalog))
    around.url = url.replace("http://", "https://")


def _proxy_answers(status: int, *, to_tls: bool) -> Prepare:
    """The fault server is the proxy."""

    def prepare(around: Surroundings) -> None:
        around.url = "https://collate.acme.example" if to_tls else "http://collate.acme.example"
        around.behave = lambda received: answers(status, headers=_HTML)
        around.proxied = True

    return prepare


def _token_is_revoked(around: Surroundings) -> None:
    around.catalog.revoke_token(around.catalog.bot_token, expired=True)
    around.behave = lambda received: _truth if "authorization" in received.headers else None


def _truth(exchange: Exchange) -> None:
    exchange.answer(exchange.truth())


def _rotated(*, known: bool) -> Prepare:
    """The token changes before the first write arrives."""

    def prepare(around: Surroundings) -> None:
        done: list[bool] = []

        def rotate(exchange: Exchange) -> None:
            if not done:
                done.append(True)
                around.rotate(known=known)
            _truth(exchange)

        first = first_write(rotate)
        first(around)

    return prepare


def _forbidden_rows(around: Surroundings) -> None:
    around.catalog.forbid(name="fraud_a")
    around.behave = lambda received: _truth if _writes(received, around) else None


def _somebody_is_first(around: Surroundings) -> None:
    def race(exchange: Exchange) -> None:
        around.catalog.add_service("fraud_a", description="of somebody else")
        _truth(exchange)

    first_write(race)(around)


def _limit(status: int, code: str) -> Behaviour:
    document = {"code": status, "message": "The plan allows 2 services", "errorType": code}
    return answers(status, json.dumps(document).encode())


FAULTS: dict[str, tuple[Fault, ...]] = {
    "No connection": (
        Fault(
            "Connection refused",
            _nobody_listens,
            "retry 0 | retry 0 | retry 0 | retry 0 | fail 0",
            "{url} cannot be reached: [Errno 111] Connection refused",
        ),
        Fault(
            "The host's name is not known",
            _unknown_host,
            "retry 0 | retry 0 | retry 0 | retry 0 | fail 0",
            "{url} cannot be reached: [Errno -2] Name or service not known",
        ),
        Fault(
            "Connections are accepted and never answered",
            _accepting(Accepting.HOLD, timeout=SHORT),
            "retry 2 | retry 2 | retry 2 | retry 2 | fail 1",
            "{url} did not answer in time: timed out",
        ),
        Fault(
            "Connections are closed at once",
            _accepting(Accepting.CLOSE),
            "retry 2 | retry 2 | retry 2 | retry 2 | fail 1",
            "{url} …",
        ),
        Fault(
            "Connections are reset at once",
            _accepting(Accepting.RESET),
            "retry 2 | retry 2 | retry 2 | retry 2 | fail 1",
            "{url} …",
        ),
    ),
    "No answer, or only a part of it": (
        Fault(
            "Requests are read and never answered",
            every_request(never_answers, timeout=SHORT),
            "retry 2 | retry 2 | retry 2 | retry 2 | fail 1",
            "{url} did not answer in time: timed out",
        ),
        Fault(
            "Answers come byte by byte, headers too",
            every_request(drips_headers(0.05), timeout=SHORT),
            "retry 2 | retry 2 | retry 2 | retry 2 | fail 1",
            "{url} did not answer in time: timed out",
        ),
        Fault(
            "Bodies come byte by byte",
            every_request(drips_body(0.05), timeout=SHORT),
            "retry 2 | retry 2 | retry 2 | retry 2 | fail 1",
            "{url} did not answer in time: timed out",
        ),
        Fault(
            "Closed without an answer",
            every_request(closes),
            "retry 2 | retry 2 | retry 2 | retry 2 | fail 1",
            "{url} broke off before its answer was complete: Server disconnected without sending a response.",
        ),
        Fault(
            "Reset without an answer",
            every_request(resets),
            "retry 2 | retry 2 | retry 2 | retry 2 | fail 1",
            "{url} broke off before its answer was complete: [Errno 104] Connection reset by peer",
        ),
        Fault(
            "Closed after the headers",
            every_request(closes_after_headers),
            "retry 2 | retry 2 | retry 2 | retry 2 | fail 1",
            "{url} broke off before its answer was complete: peer closed connection …",
        ),
        Fault(
            "Closed in the middle of the body",
            every_request(closes_in_the_body),
            "retry 2 | retry 2 | retry 2 | retry 2 | fail 1",
            "{url} broke off before its answer was complete: peer closed connection …",
        ),
        Fault(
            "Writes are carried out and never answered",
            every_write(_commits_then_hangs, timeout=SHORT),
            "ok 2 | ok 2 | ok 6 | ok 6 | –",
            "",
        ),
        Fault(
            "The first write is carried out, then the connection is closed",
            first_write(commits_then_closes),
            "ok 1 | ok 1 | ok 1 | ok 1 | –",
            "",
        ),
        Fault(
            "The first write is carried out, then the connection is reset",
            first_write(commits_then_resets),
            "ok 1 | ok 1 | ok 1 | ok 1 | –",
            "",
        ),
        Fault(
            "All writes are carried out, then the connection is closed",
            every_write(commits_then_closes),
            "ok 2 | ok 2 | ok 6 | ok 6 | –",
            "",
        ),
        Fault(
            "The first write is not carried out, and the connection is closed",
            first_write(closes),
            "ok 1 | ok 1 | ok 1 | ok 1 | –",
            "",
        ),
        Fault(
            "No write is carried out, and the connection is closed",
            every_write(closes),
            "retry 4 | retry 4 | retry 12 | retry 8 | –",
            "{url} broke off before its answer was complete: Server disconnected without sending a response.",
        ),
        Fault(
            "Writes are carried out, the connection is closed after the headers",
            every_write(closes_after_headers),
            "ok 2 | ok 2 | ok 6 | ok 6 | –",
            "",
        ),
        Fault(
            "Writes are carried out, the connection is closed in the middle of the body",
            every_write(closes_in_the_body),
            "ok 2 | ok 2 | ok 6 | ok 6 | –",
            "",
        ),
    ),
    "Transient errors": (
        Fault(
            "500, always",
            every_request(error(500, "NullPointerException")),
            "retry 2 | retry 2 | retry 2 | retry 2 | fail 1",
            "Collate answered 500: NullPointerException",
        ),
        Fault(
            "500 to writes, always",
            every_write(error(500, "NullPointerException")),
            "retry 4 | retry 4 | retry 12 | retry 8 | –",
            "Collate answered 500: NullPointerException",
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
            "",
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
            "",
            waits=(7, 7),
        ),
        Fault(
            "503 with Retry-After as a date, to the first write",
            first_write(_in_seconds(90)),
            "ok 1 | ok 1 | ok 1 | ok 1 | –",
            "",
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
            "",
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
            "",
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
        Fault(
            "JSON that breaks off, well framed, to writes", every_write(_unframed), "ok 2 | ok 2 | ok 6 | ok 6 | –", ""
        ),
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
    "Redirects, none of which is followed": (
        Fault(
            "To the same origin",
            _redirects("/login"),
            "fail 1 | fail 1 | fail 1 | fail 1 | fail 1",
            "Collate answered 307, pointing to /login on the same host; nothing was sent there",
        ),
        Fault(
            "To another origin",
            _redirects("another origin"),
            "fail 1 | fail 1 | fail 1 | fail 1 | fail 1",
            "Collate answered 307, pointing to …; nothing was sent there",
        ),
        Fault(
            "To another origin, writes only",
            _redirects("another origin", writes_only=True),
            "fail 1 | fail 1 | fail 1 | fail 1 | –",
            "Collate answered 307, pointing to …; nothing was sent there",
        ),
        Fault(
            "From https to http",
            _redirects_from_tls_to_http,
            "fail 1 | fail 1 | fail 1 | fail 1 | fail 1",
            "Collate answered 307, pointing to …; nothing was sent there",
        ),
    ),
    "TLS and proxies": (
        Fault(
            "A self-signed certificate",
            _tls(self_signed=True, known=False),
            "fail 1 | fail 1 | fail 1 | fail 1 | fail 1",
            "The certificate of {url} was not accepted: [SSL: CERTIFICATE_VERIFY_FAILED] certificate verify "
            "failed: self-signed certificate",
        ),
        Fault(
            "A certificate of an unknown authority",
            _tls(known=False),
            "fail 1 | fail 1 | fail 1 | fail 1 | fail 1",
            "The certificate of {url} was not accepted: [SSL: CERTIFICATE_VERIFY_FAILED] certificate verify "
            "failed: unable to get local issuer certificate",
        ),
        Fault(
            "A certificate that has expired",
            _tls(expired=True),
            "fail 1 | fail 1 | fail 1 | fail 1 | fail 1",
            "The certificate of {url} was not accepted: [SSL: CERTIFICATE_VERIFY_FAILED] certificate verify "
            "failed: certificate has expired",
        ),
        Fault(
            "A certificate of another host",
            _tls(host="collate.acme.example"),
            "fail 1 | fail 1 | fail 1 | fail 1 | fail 1",
            "The certificate of {url} was not accepted: [SSL: CERTIFICATE_VERIFY_FAILED] certificate verify "
            "failed: IP address mismatch, certificate is not valid for '127.0.0.1'.",
        ),
        Fault(
            "A client certificate is asked for",
            _asks_for_a_certificate,
            "fail 1 | fail 1 | fail 1 | fail 1 | fail 1",
            "{url} asks for a client certificate: [SSL: TLSV13_ALERT_CERTIFICATE_REQUIRED] tlsv13 alert "
            "certificate required",
        ),
        Fault(
            "A server without TLS at an https address",
            _speaks_no_tls,
            "fail 0 | fail 0 | fail 0 | fail 0 | fail 0",
            "{url} does not speak TLS as expected: [SSL: WRONG_VERSION_NUMBER] wrong version number",
        ),
        Fault(
            "A proxy refuses the way to an https server (407)",
            _proxy_answers(407, to_tls=True),
            "fail 1 | fail 1 | fail 1 | fail 1 | fail 1",
            "The way to {url} (by the proxy …) was refused: 407 Proxy Authentication Required",
        ),
        Fault(
            "A proxy refuses the way to an http server (407)",
            _proxy_answers(407, to_tls=False),
            "fail 1 | fail 1 | fail 1 | fail 1 | fail 1",
            "Collate answered 407: Proxy Authentication Required",
        ),
        Fault(
            "A proxy cannot reach the server (503)",
            _proxy_answers(503, to_tls=True),
            "retry 2 | retry 2 | retry 2 | retry 2 | fail 1",
            "The way to {url} (by the proxy …) was refused: 503 Service Unavailable",
        ),
    ),
}
