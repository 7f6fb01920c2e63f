"""Faults of the way to the server: connections, broken answers, redirects, TLS, proxies."""

from __future__ import annotations

from airflow_provider_collate.sandbox.server import serve_in_thread
from tests.faults.behaviours import (
    answers,
    closes,
    closes_after_headers,
    closes_in_the_body,
    commits_then_closes,
    commits_then_resets,
    drips_body,
    drips_headers,
    never_answers,
    redirects,
    resets,
)
from tests.faults.certificates import server_tls
from tests.faults.fault import HTML, SHORT, Fault, Prepare, every_request, every_write, first_write, writes
from tests.faults.rig import Surroundings
from tests.faults.server import Accepting, Exchange, closed_port


def _nobody_listens(around: Surroundings) -> None:
    around.url = f"http://127.0.0.1:{closed_port()}"


def _unknown_host(around: Surroundings) -> None:
    around.url = "https://collate.acme.example"
    around.unknown_host()


def _accepting(how: Accepting, **extra: object) -> Prepare:
    def prepare(around: Surroundings) -> None:
        around.extra |= extra
        around.accepting = lambda number: how

    return prepare


def _commits_then_hangs(exchange: Exchange) -> None:
    exchange.truth()
    exchange.wait_for_hangup()


def _redirects(where: str, *, writes_only: bool = False) -> Prepare:
    def prepare(around: Surroundings) -> None:
        target = where if where.startswith("/") else around.other_server().url
        behaviour = redirects(target)
        around.behave = lambda received: None if writes_only and not writes(received, around) else behaviour

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
        around.behave = lambda received: answers(status, headers=HTML)
        around.proxied = True

    return prepare


NETWORK: dict[str, tuple[Fault, ...]] = {
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
        ),
        Fault(
            "The first write is carried out, then the connection is closed",
            first_write(commits_then_closes),
            "ok 1 | ok 1 | ok 1 | ok 1 | –",
        ),
        Fault(
            "The first write is carried out, then the connection is reset",
            first_write(commits_then_resets),
            "ok 1 | ok 1 | ok 1 | ok 1 | –",
        ),
        Fault(
            "All writes are carried out, then the connection is closed",
            every_write(commits_then_closes),
            "ok 2 | ok 2 | ok 6 | ok 6 | –",
        ),
        Fault(
            "The first write is not carried out, and the connection is closed",
            first_write(closes),
            "ok 1 | ok 1 | ok 1 | ok 1 | –",
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
        ),
        Fault(
            "Writes are carried out, the connection is closed in the middle of the body",
            every_write(closes_in_the_body),
            "ok 2 | ok 2 | ok 6 | ok 6 | –",
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
            "The connection to {url} (by the proxy …) was refused: 407 Proxy Authentication Required",
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
            "The connection to {url} (by the proxy …) was refused: 503 Service Unavailable",
        ),
    ),
}
