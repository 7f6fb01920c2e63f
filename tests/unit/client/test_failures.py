"""Every way a request can end badly: its class, its text, and the advice."""

from __future__ import annotations

import json
import math
from datetime import datetime, timedelta, timezone
from pathlib import Path

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_collate.client import failures
from airflow_provider_collate.client.messages import ApiRequest
from airflow_provider_collate.exceptions import (
    AnswerError,
    AuthenticationError,
    BadRequestError,
    ChangedMeanwhileError,
    ConflictError,
    LimitExceededError,
    MissingEndpointError,
    NoAnswerError,
    NotFoundError,
    PermissionDeniedError,
    RedirectError,
    RequestError,
    ServerError,
    TooManyRequestsError,
)
from tests.unit.client.scripted import TOKEN, answer, said, sent_over

SECRET = "hunter2hunter2"
PATH = "/v1/services/mlmodelServices"
GET = ApiRequest("GET", PATH)
POST = ApiRequest("POST", PATH, body={"name": "a"}, secrets=(SECRET,))
BULK = ApiRequest("PUT", f"{PATH}/bulk", body=[])
PATCH = ApiRequest("PATCH", f"{PATH}/1", body=[])
NOW = datetime(2026, 6, 1, 12, tzinfo=timezone.utc)

HOST = "Check that the connection's host is a Collate or OpenMetadata server."
TRANSIENT = "The server failed; Airflow's retries will try again. If it persists, ask its operator."
NO_ENDPOINT = (
    "This release of the server does not offer the call; check that the host is a Collate or OpenMetadata server."
)
NAMES = "Check the names: what the request refers to (service, owner, tag or domain) does not exist."
LIMIT = "Send less at a time (in bulk, a smaller chunk_size), or ask for a higher limit of the server or the plan."
FINAL = "The server will refuse this request each time; report it with the request id."
PROXY_OR_LOGIN = "Such an answer comes from a proxy or a login page, not from the API: check the connection's host."
CUT_OFF = "Airflow's retries will try again; if it persists, look for a proxy or load balancer that cuts answers off."
REDIRECT = (
    "Put the address that serves the API itself into the connection's host: a redirect usually means a wrong host, "
    "http instead of https, or a login page."
)


def failure_of(step: httpx.Response | Exception, request: ApiRequest = GET) -> RequestError:
    with pytest.raises(RequestError) as caught:
        sent_over(step, max_retries=0).transport.send(request)
    return caught.value


def page(status: int, text: str) -> httpx.Response:
    return httpx.Response(status, headers={"Content-Type": "text/html"}, content=text.encode())


def recorded(message: str) -> httpx.Response:
    text = f"An exception with message [{message}] was thrown while processing request."
    return answer(500, {"responseMessage": text})


@pytest.mark.parametrize(
    "step, request_, kind, message, advice",
    [
        (said(400, "[name must not be null]"), POST, BadRequestError,
         "Collate answered 400: [name must not be null]",
         "Correct the field that the server names; it knows only the fields of its own release."),
        (answer(400, {"code": 400, "message": "no", "errorType": "BAD_REQUEST"}), POST, BadRequestError,
         "Collate answered 400 BAD_REQUEST: no",
         "Correct the field that the server names; it knows only the fields of its own release."),
        (page(400, "Unexpected end-of-input\n at [Source: (Stream)]"), POST, BadRequestError,
         "Collate answered 400: Unexpected end-of-input",
         "Correct the field that the server names; it knows only the fields of its own release."),
        (said(401, "Not Authorized! Token not present"), GET, AuthenticationError,
         "Collate answered 401: Not Authorized! Token not present",
         "Renew the token (Settings > Bots, or your profile > Access Token) and put it into the connection's password."),  # noqa: E501
        (said(403, "Principal: ana is not allowed"), GET, PermissionDeniedError,
         "Collate answered 403: Principal: ana is not allowed",
         "Give the token's user a role that may edit ML model services, or use another token."),
        (said(404, "domain instance for Nope not found"), POST, NotFoundError,
         "Collate answered 404: domain instance for Nope not found", NAMES),
        (said(404, "HTTP 404 Not Found"), GET, MissingEndpointError,
         "Collate answered 404: HTTP 404 Not Found", NO_ENDPOINT),
        (page(404, "<h1>Not here</h1>"), GET, BadRequestError, "Collate answered 404: Not here", HOST),
        (answer(404, {"detail": "Not Found"}), GET, BadRequestError, "Collate answered 404: Not Found", HOST),
        (answer(404, []), GET, BadRequestError, "Collate answered 404: []", HOST),
        (said(404, "HTTP 404 Not Found"), BULK, MissingEndpointError,
         "Collate answered 404: HTTP 404 Not Found", NO_ENDPOINT),
        (page(404, '{"code": 404, "mess'), GET, AnswerError,
         "Collate answered 404 with the beginning of JSON, broken off", CUT_OFF),
        (said(503, "busy", Retry_After="3600"), GET, ServerError, "Collate answered 503: busy",
         f"{TRANSIENT} It asks to wait 3,600 s."),
        (said(400, "no", Retry_After="7"), GET, BadRequestError, "Collate answered 400: no",
         "Correct the field that the server names; it knows only the fields of its own release."),
        (page(404, ""), BULK, MissingEndpointError, "Collate answered 404: Not Found", NO_ENDPOINT),
        (said(405, "HTTP 405 Method Not Allowed"), BULK, MissingEndpointError,
         "Collate answered 405: HTTP 405 Method Not Allowed", NO_ENDPOINT),
        (recorded("HTTP 405 Method Not Allowed"), BULK, MissingEndpointError,
         ("Collate answered 500: An exception with message [HTTP 405 Method Not Allowed] was thrown while processing "
         "request."), NO_ENDPOINT),
        (page(501, ""), BULK, MissingEndpointError, "Collate answered 501: Not Implemented", NO_ENDPOINT),
        (page(407, ""), GET, BadRequestError, "Collate answered 407: Proxy Authentication Required",
         "A proxy wants credentials: put them into the proxy's URL, http://user:password@host."),
        (page(408, ""), GET, ServerError, "Collate answered 408: Request Timeout",
         "The request did not arrive in time; Airflow's retries will try again."),
        (said(409, "Entity already exists"), POST, ConflictError, "Collate answered 409: Entity already exists",
         'A service of this name exists, perhaps soft-deleted: use if_exists="update" or "ignore", or another name.'),
        (answer(413, {"message": "too many", "errorType": "BULK_LIMIT_EXCEPTION"}), BULK, LimitExceededError,
         "Collate answered 413 BULK_LIMIT_EXCEPTION: too many", LIMIT),
        (answer(429, {"message": "plan", "errorType": "LIMITS_EXCEPTION"}), BULK, LimitExceededError,
         "Collate answered 429 LIMITS_EXCEPTION: plan", LIMIT),
        (page(413, "<title>413 Request Entity Too Large</title>"), BULK, LimitExceededError,
         "Collate answered 413: 413 Request Entity Too Large", LIMIT),
        (said(422, "bad"), POST, BadRequestError, "Collate answered 422: bad",
         "Correct the field that the server names."),
        (page(429, ""), GET, TooManyRequestsError, "Collate answered 429: Too Many Requests",
         "Lower max_workers, or let Airflow's retry_delay give the server time."),
        (page(418, ""), GET, BadRequestError, "Collate answered 418: I'm a teapot", HOST),
        (answer(500, {"code": 500, "message": "NullPointerException"}), GET, ServerError,
         "Collate answered 500: NullPointerException", TRANSIENT),
        (page(502, "<html><title>502 Bad Gateway</title>"), GET, ServerError,
         "Collate answered 502: 502 Bad Gateway", TRANSIENT),
        (page(503, ""), GET, ServerError, "Collate answered 503: Service Unavailable", TRANSIENT),
        (page(599, ""), GET, ServerError, "Collate answered 599: ", TRANSIENT),
        (recorded("JsonPatch.Operation.TEST fails! Values are not equal"), PATCH, ChangedMeanwhileError,
         ("The service was changed by someone meanwhile, so the patch was not applied: Collate answered 500: An "
         "exception with message [JsonPatch.Operation.TEST fails! Values are not equal] was thrown while processing "
         "request."),
         "Nothing was overwritten. Look at the service in Collate, and run the task again to plan anew."),
        (recorded("Illegal value for the operationName of the JSON patch operation: nope"), PATCH, BadRequestError,
         ("Collate answered 500: An exception with message [Illegal value for the operationName of the JSON patch "
         "operation: nope] was thrown while processing request."), FINAL),
        (recorded("HTTP 415 Unsupported Media Type"), PATCH, BadRequestError,
         ("Collate answered 500: An exception with message [HTTP 415 Unsupported Media Type] was thrown while "
         "processing request."), FINAL),
        (recorded("'{\"name\":\"a\",\"registryUri\":\"mysql://u:stored-pw@db/ml\"}' contains no value for name 'x'"),
         PATCH, BadRequestError,
         ("Collate answered 500: An exception with message [{…} contains no value for name 'x'] was thrown while "
         "processing request."), FINAL),
        (httpx.Response(302, headers={"Location": "https://login.example/a/b?state=abcdefgh#c"}), POST, RedirectError,
         "Collate answered 302, pointing to https://login.example/a/b; nothing was sent there", REDIRECT),
        (httpx.Response(308, headers={"Location": "https://ana:pass-word@login.example:8443/"}), POST, RedirectError,
         "Collate answered 308, pointing to https://login.example:8443/; nothing was sent there", REDIRECT),
        (httpx.Response(301, headers={"Location": "/login"}), GET, RedirectError,
         "Collate answered 301, pointing to /login on the same host; nothing was sent there", REDIRECT),
        (httpx.Response(307, headers={"Location": f"https://x.example/{SECRET}"}), POST, RedirectError,
         "Collate answered 307, pointing to https://x.example/***; nothing was sent there", REDIRECT),
        (httpx.Response(303), GET, RedirectError,
         "Collate answered 303, pointing to no address; nothing was sent there", REDIRECT),
        (httpx.Response(304), GET, BadRequestError, "Collate answered 304: Not Modified", HOST),
        (page(200, "<title>Sign in</title>"), GET, AnswerError,
         "Collate answered 200 with something that is not JSON: Sign in", PROXY_OR_LOGIN),
        (page(200, "<p></p>"), GET, AnswerError,
         "Collate answered 200 with something that is not JSON: no readable text", PROXY_OR_LOGIN),
        (page(200, ""), GET, AnswerError, "Collate answered 200 with an empty body", PROXY_OR_LOGIN),
        (page(201, '{"name": "a'), POST, AnswerError,
         "Collate answered 201 with the beginning of JSON, broken off", CUT_OFF),
        (page(200, "[" * 200_000), GET, AnswerError,
         "Collate answered 200 with JSON that is nested too deeply", PROXY_OR_LOGIN),
        (page(200, '{"version": NaN}'), GET, AnswerError,
         "Collate answered 200 with NaN in it, which is not JSON", PROXY_OR_LOGIN),
        (httpx.Response(200, content=b"{}", headers={"Content-Encoding": "br"}), GET, AnswerError,
         "The answer's compression is broken, or of a kind that was not asked for",
         "Look for a proxy between this worker and Collate that changes answers."),
    ],
)  # fmt: skip
def test_an_answer_that_is_no_success(
    step: httpx.Response, request_: ApiRequest, kind: type[RequestError], message: str, advice: str
) -> None:
    error = failure_of(step, request_)

    assert type(error) is kind
    assert error.message == message
    assert error.advice == advice
    assert (error.method, error.path) == (request_.method, request_.path)


def test_a_large_answer_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    error = failures.too_large(GET, "id", 64 * 2**20)

    assert str(error) == (f"The answer is larger than 64 MiB and was not read further [GET {PATH}, request id]\n{HOST}")
    assert not error.retryable


@pytest.mark.parametrize(
    "fault, message, advice, retryable, maybe_applied",
    [
        (httpx.ConnectError("[Errno 111] Connection refused"),
         "https://acme.example cannot be reached: [Errno 111] Connection refused",
         "Check the connection's host and port, and that this worker may reach it.", True, False),
        (httpx.ConnectError("[Errno -2] Name or service not known"),
         "https://acme.example cannot be reached: [Errno -2] Name or service not known",
         "Check the connection's host and port, and that this worker may reach it.", True, False),
        (httpx.ConnectTimeout("timed out"), "https://acme.example cannot be reached: timed out",
         "Check the connection's host and port, and that this worker may reach it.", True, False),
        (httpx.ReadTimeout("The read operation timed out"),
         "https://acme.example did not answer in time: The read operation timed out",
         "If the server is just slow, raise `timeout` (seconds) in the connection's extra.", True, True),
        (httpx.PoolTimeout(""), "https://acme.example did not answer in time: PoolTimeout",
         "If the server is just slow, raise `timeout` (seconds) in the connection's extra.", True, False),
        (httpx.ReadError("[Errno 104] Connection reset by peer"),
         "https://acme.example broke off before its answer was complete: [Errno 104] Connection reset by peer",
         "Airflow's retries will try again; if it persists, look for a proxy or load balancer that cuts connections.",
         True, True),
        (httpx.ReadError(""), "https://acme.example broke off before its answer was complete: ReadError",
         "Airflow's retries will try again; if it persists, look for a proxy or load balancer that cuts connections.",
         True, True),
        (httpx.ProxyError("407 Proxy Authentication Required"),
         "The way to https://acme.example was refused: 407 Proxy Authentication Required",
         "Check the proxy in the connection's extra, or in the worker's environment (HTTPS_PROXY, NO_PROXY).",
         False, False),
        (httpx.ProxyError("503 Service Unavailable"),
         "The way to https://acme.example was refused: 503 Service Unavailable",
         "Check the proxy in the connection's extra, or in the worker's environment (HTTPS_PROXY, NO_PROXY).",
         True, False),
        (httpx.ConnectError("[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: self-signed certificate"),
         ("The certificate of https://acme.example was not accepted: [SSL: CERTIFICATE_VERIFY_FAILED] certificate "
         "verify failed: self-signed certificate"),
         "Check the host, or set `verify` in the connection's extra to the path of your CA certificate.",
         False, False),
        (httpx.ReadError("[SSL: TLSV13_ALERT_CERTIFICATE_REQUIRED] tlsv13 alert certificate required (_ssl.c:2580)"),
         ("https://acme.example asks for a client certificate: [SSL: TLSV13_ALERT_CERTIFICATE_REQUIRED] tlsv13 alert "
         "certificate required"),
         "Set `client_cert` in the connection's extra to the path of the certificate and its key.", False, True),
        (httpx.ConnectError("[SSL: WRONG_VERSION_NUMBER] wrong version number (_ssl.c:1010)"),
         ("https://acme.example does not speak TLS as expected: [SSL: WRONG_VERSION_NUMBER] wrong version number"),
         "Check the connection's host and port: https:// may have to be http://, or the port another one.",
         False, False),
        (httpx.RemoteProtocolError("Invalid URL in location header: Invalid port: 'port'."),
         "https://acme.example answered with a redirect to an address that is not a URL", REDIRECT, False, True),
        (httpx.LocalProtocolError(f"Illegal header value b'Bearer {TOKEN}\\n'"),
         "The request could not be sent: Illegal header value b'Bearer ***\\n'",
         "Check the connection's host and password.", False, False),
    ],
)  # fmt: skip
def test_no_answer(fault: Exception, message: str, advice: str, retryable: bool, maybe_applied: bool) -> None:
    error = failure_of(fault, POST)

    assert type(error) is NoAnswerError
    assert error.message == message
    assert error.advice == advice
    assert (error.retryable, error.maybe_applied) == (retryable, maybe_applied)


@pytest.mark.parametrize("status", [400, 403, 409, 500, 503])
@pytest.mark.parametrize(
    "shape",
    [
        lambda text: json.dumps({"code": 1, "message": text}),
        lambda text: json.dumps({"responseMessage": text}),
        lambda text: text,
        lambda text: f"<html><body>{text}</body></html>",
        lambda text: json.dumps([text]),
        json.dumps,
    ],
)
def test_what_was_sent_does_not_come_back(status: int, shape: object) -> None:
    assert callable(shape)
    body = shape(f"refused {SECRET} by Bearer {TOKEN}").encode()

    error = failure_of(httpx.Response(status, content=body), POST)

    assert SECRET not in repr(error) + str(error)
    assert TOKEN not in repr(error) + str(error)
    assert "refused *** by" in error.message


def test_the_recorded_leak_of_a_stored_service_is_hidden(shared: Path) -> None:
    """A 500 of the real server that prints the whole service, its connection with secrets in clear."""
    recordings = (shared / "conformance/openmetadata-1.2/mlmodel_services.jsonl").read_text().splitlines()
    [body] = [
        response["body"]
        for line in recordings
        if "contains no value for name" in json.dumps(response := json.loads(line)["response"])
    ]
    assert SECRET in json.dumps(body)

    error = failure_of(answer(500, body), PATCH)

    assert SECRET not in str(error)
    assert (type(error), error.retryable) == (BadRequestError, False)


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"message": 7},
        {"message": None, "responseMessage": {"a": "b"}},
        {"message": ""},
        "",
        0,
        None,
        [],
        {"code": "x"},
    ],
)
@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 413, 422, 429, 500, 502, 503])
def test_an_error_of_any_shape_is_one(status: int, document: object) -> None:
    error = failure_of(httpx.Response(status, content=json.dumps(document).encode()))

    assert error.message.startswith(f"Collate answered {status}: ")


@pytest.mark.parametrize("code", ["a b", "<b>", "x" * 3 + "\n", 7, None])
def test_an_error_type_that_is_none_is_left_out(code: object) -> None:
    assert failure_of(answer(400, {"message": "no", "errorType": code})).message == "Collate answered 400: no"


@given(st.binary(max_size=400), st.sampled_from([200, 201, 204, 301, 400, 401, 403, 404, 409, 413, 429, 500, 502, 503]))
def test_any_answer_is_an_answer_or_an_error_of_ours(body: bytes, status: int) -> None:
    try:
        got = sent_over(httpx.Response(status, content=body), max_retries=0).transport.send(POST)
    except RequestError as error:
        shown = str(error)
    else:
        shown = f"{got.status}\n"
    assert shown.count("\n") == 1


@pytest.mark.parametrize(
    "header, seconds",
    [
        (None, None),
        ("", None),
        ("3", 3.0),
        (" 3 ", 3.0),
        ("-3", 0.0),
        ("3.5", None),
        ("soon", None),
        ("9" * 5000, None),
        ("9" * 400, math.inf),
        ("Mon, 01 Jun 2026 12:00:30 GMT", 30.0),
        ("Mon, 01 Jun 2026 11:00:00 GMT", 0.0),
        ("Mon, 01 Jun 2026 14:00:30 +0200", 30.0),
        ("Mon, 01 Jun 2026 12:00:30 -0000", 30.0),
        ("Mon, 99 Jun 2026 12:00:30 GMT", None),
        ("Mon, 01 Jun 99999 12:00:30 GMT", None),
    ],
)
def test_retry_after(header: str | None, seconds: float | None) -> None:
    assert failures.retry_after(header, NOW) == seconds


@given(st.text() | st.from_regex(r"[A-Z][a-z]{2}, \d{1,3} [A-Z][a-z]{2} \d{1,6} \d\d:\d\d:\d\d [-+]?\w{0,9}"))
def test_any_retry_after_is_a_time_or_none(header: str) -> None:
    seconds = failures.retry_after(header, NOW + timedelta(days=1))

    assert seconds is None or seconds >= 0
