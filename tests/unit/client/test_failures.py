"""Every way a request can end badly: its class, whether a retry may help, and what a person needs to know."""

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
    BrokenReferenceError,
    ChangedMeanwhileError,
    ConflictError,
    LimitExceededError,
    LockedError,
    MissingEndpointError,
    NoAnswerError,
    NotFoundError,
    PermissionDeniedError,
    RedirectError,
    RequestError,
    ServerError,
    StatusError,
    TooManyRequestsError,
)
from tests.unit.client.scripted import TOKEN, answer, said, sent_over

SECRET = "hunter2hunter2"
PATH = "/v1/services/mlmodelServices"
GET = ApiRequest("GET", PATH)
POST = ApiRequest("POST", PATH, body={"name": "a"}, secrets=lambda: (SECRET,))
BULK = ApiRequest("PUT", f"{PATH}/bulk", body=[])
PATCH = ApiRequest("PATCH", f"{PATH}/1", body=[])
NOW = datetime(2026, 6, 1, 12, tzinfo=timezone.utc)


def failure_of(step: httpx.Response | Exception, request: ApiRequest = GET) -> RequestError:
    with pytest.raises(RequestError) as caught:
        sent_over(step, max_retries=0).transport.send(request)
    return caught.value


def page(status: int, text: str) -> httpx.Response:
    return httpx.Response(status, headers={"Content-Type": "text/html"}, content=text.encode())


def recorded(message: str) -> httpx.Response:
    text = f"An exception with message [{message}] was thrown while processing request."
    return answer(500, {"responseMessage": text})


def redirect(status: int, location: str) -> httpx.Response:
    return httpx.Response(status, headers={"Location": location})


@pytest.mark.parametrize(
    "step, request_, kind, told",
    [
        (said(400, "[name must not be null]"), POST, BadRequestError, "answered 400: [name must not be null]"),
        (answer(400, {"code": 400, "message": "no", "errorType": "BAD_REQUEST"}), POST, BadRequestError,
         "answered 400 BAD_REQUEST: no"),
        (page(400, "Unexpected end-of-input\n at [Source: (Stream)]"), POST, BadRequestError,
         "answered 400: Unexpected end-of-input"),
        (said(401, "Expired token!"), GET, AuthenticationError, "Settings > Bots"),
        (said(404, "domain instance for Nope not found"), POST, NotFoundError, "domain instance for Nope not found"),
        (said(404, "domain instance for Nope not found"), PATCH, BrokenReferenceError, "domain instance for Nope"),
        (said(404, "mlmodelService instance for a not found"), PATCH, NotFoundError, "mlmodelService instance for a"),
        (said(404, "HTTP 404 Not Found"), GET, MissingEndpointError, "HTTP 404 Not Found"),
        (said(404, "HTTP 404 Not Found"), BULK, MissingEndpointError, "does not offer the call"),
        (page(404, "<h1>Not here</h1>"), GET, BadRequestError, "answered 404: Not here"),
        (answer(404, {"detail": "Not Found"}), GET, BadRequestError, "Check that the connection's host"),
        (answer(404, []), GET, BadRequestError, "Check that the connection's host"),
        (page(404, '{"code": 404, "mess'), GET, AnswerError, "answered 404 with the beginning of JSON, broken off"),
        (page(404, ""), BULK, MissingEndpointError, "answered 404: Not Found"),
        (said(405, "HTTP 405 Method Not Allowed"), BULK, MissingEndpointError, "HTTP 405"),
        (recorded("HTTP 405 Method Not Allowed"), BULK, MissingEndpointError, "HTTP 405"),
        (page(501, ""), BULK, MissingEndpointError, "answered 501: Not Implemented"),
        (page(407, ""), GET, BadRequestError, "http://user:password@host"),
        (page(408, ""), GET, ServerError, "answered 408"),
        (said(409, "Entity already exists"), POST, ConflictError, "use another name"),
        (said(409, "Cannot modify mlmodelService prod: it is locked"), PATCH, LockedError, "Cannot modify"),
        (said(409, "mlmodelService prod is being deleted"), POST, LockedError, "is being deleted"),
        (answer(413, {"message": "too many", "errorType": "BULK_LIMIT_EXCEPTION"}), BULK, LimitExceededError,
         "smaller chunk_size"),
        (page(413, "<title>413 Request Entity Too Large</title>"), BULK, LimitExceededError, "smaller chunk_size"),
        (answer(429, {"message": "plan", "errorType": "LIMITS_EXCEPTION"}), BULK, LimitExceededError,
         "answered 429 LIMITS_EXCEPTION: plan"),
        (page(429, ""), GET, TooManyRequestsError, "Lower max_workers"),
        (said(422, "bad"), POST, BadRequestError, "answered 422: bad"),
        (page(418, ""), GET, BadRequestError, "answered 418: I'm a teapot"),
        (answer(500, {"code": 500, "message": "NullPointerException"}), GET, ServerError, "NullPointerException"),
        (page(502, "<html><title>502 Bad Gateway</title>"), GET, ServerError, "answered 502: 502 Bad Gateway"),
        (page(503, ""), GET, ServerError, "answered 503: Service Unavailable"),
        (page(599, ""), GET, ServerError, "answered 599"),
        (said(503, "busy", Retry_After="3600"), GET, ServerError, "It asks to wait 3,600 s."),
        (httpx.Response(304), GET, BadRequestError, "answered 304: Not Modified"),
        (redirect(302, "https://login.example/a/b?state=abcdefgh#c"), POST, RedirectError,
         "pointing to https://login.example/a/b; nothing was sent there"),
        (redirect(308, "https://ana:pass-word@login.example:8443/"), POST, RedirectError,
         "pointing to https://login.example:8443/;"),
        (redirect(301, "/login"), GET, RedirectError, "pointing to /login on the same host"),
        (redirect(307, f"https://x.example/{SECRET}"), POST, RedirectError, "pointing to https://x.example/***;"),
        (redirect(303, ""), GET, RedirectError, "pointing to no address"),
        (page(200, "<title>Sign in</title>"), GET, AnswerError, "something that is not JSON: Sign in"),
        (page(200, "<p></p>"), GET, AnswerError, "something that is not JSON: no readable text"),
        (page(200, ""), GET, AnswerError, "answered 200 with an empty body"),
        (page(201, '{"name": "a'), POST, AnswerError, "answered 201 with the beginning of JSON, broken off"),
        (page(200, "[" * 200_000), GET, AnswerError, "JSON that is nested too deeply"),
        (page(200, '{"version": NaN}'), GET, AnswerError, "NaN in it, which is not JSON"),
        (httpx.Response(200, content=b"{}", headers={"Content-Encoding": "br"}), GET, AnswerError, "compression"),
    ],
)  # fmt: skip
def test_an_answer_that_is_no_success(
    step: httpx.Response, request_: ApiRequest, kind: type[RequestError], told: str
) -> None:
    error = failure_of(step, request_)

    assert type(error) is kind
    assert told in str(error)
    assert error.advice
    assert error.retryable is (kind.retryable or "broken off" in error.message)
    assert (error.method, error.path) == (request_.method, request_.path)


@pytest.mark.parametrize(
    "text",
    ["JsonPatch.Operation.TEST fails! Values are not equal",
     "The JSON Patch operation 'test' failed for path '/version' and value '0.2'"],
)  # fmt: skip
def test_a_failed_test_of_a_patch_is_a_change_by_someone_else(text: str) -> None:
    error = failure_of(recorded(text), PATCH)

    assert (type(error), error.retryable) == (ChangedMeanwhileError, False)
    assert "changed by someone else" in error.message


@pytest.mark.parametrize(
    "text",
    [
        "Illegal value for the operationName of the JSON patch operation: nope",
        "HTTP 415 Unsupported Media Type",
        '\'{"name":"a","registryUri":"mysql://u:stored-pw@db/ml"}\' contains no value for name \'x\'',
        "Non-existing name/value pair in the object for key displayName",
        "contains no mapping for the name 'displayName'",
        "Index 0 out of bounds for length 0",
        'Cannot invoke "org.openmetadata.schema.ServiceConnectionEntityInterface.getConfig()" because "x" is null',
    ],
)
def test_a_500_that_is_the_same_each_time_is_final(text: str) -> None:
    error = failure_of(recorded(text), PATCH)

    assert (type(error), error.retryable) == (BadRequestError, False)
    assert "stored-pw" not in str(error)
    assert ("declare it with one" in error.advice) is ("getConfig" in text)


@pytest.mark.parametrize(
    "method, operation", [("PATCH", "EditAll"), ("POST", "Create"), ("DELETE", "Delete"), ("GET", "ViewAll")]
)
def test_a_403_names_the_operation_that_the_role_lacks(method: str, operation: str) -> None:
    error = failure_of(said(403, "operation not allowed"), ApiRequest(method, PATH, label="dashboard service"))

    assert (type(error), error.retryable) == (PermissionDeniedError, False)
    assert f"{operation} on dashboard services" in error.advice


def test_a_rule_of_the_catalog_is_explained() -> None:
    rule = "Rule [Multiple Users or Single Team Ownership] validation failed: Entity does not satisfy the rule."

    error = failure_of(answer(400, {"message": rule, "errorType": "RULE_VALIDATION"}), POST)

    assert type(error) is BadRequestError
    assert rule in error.message
    assert "several users or one team" in error.advice


@pytest.mark.parametrize(
    "status, text, kind",
    [
        (400, "name is missing", BadRequestError),
        (403, "not allowed", PermissionDeniedError),
        (404, "domain instance for Nope not found", NotFoundError),
        (409, "mlmodelService a is being deleted", LockedError),
        (500, "Non-existing name/value pair", BadRequestError),
        (500, "out of connections", ServerError),
    ],
)
def test_a_row_that_bulk_refused_is_judged_like_an_answer(status: int, text: str, kind: type[StatusError]) -> None:
    error = failures.refused_row(status, f"{text} {SECRET}", f"{PATH}/bulk", [SECRET], "ML model service")

    assert type(error) is kind
    assert error.message == f"refused with {status}: {text} ***"
    assert (error.status, error.retryable) == (status, kind.retryable)


@pytest.mark.parametrize(
    "fault, told, advice, retryable, maybe_applied",
    [
        (httpx.ConnectError("[Errno 111] Connection refused"),
         "https://acme.example cannot be reached: [Errno 111] Connection refused", "host and port",
         True, False),
        (httpx.ConnectTimeout("timed out"), "cannot be reached", "this worker may reach it", True, False),
        (httpx.ReadTimeout("The read operation timed out"), "did not answer in time", "raise `timeout`", True, True),
        (httpx.PoolTimeout(""), "did not answer in time: PoolTimeout", "raise `timeout`", True, False),
        (httpx.ReadError("[Errno 104] Connection reset by peer"), "broke off", "load balancer", True, True),
        (httpx.ReadError(""), "broke off before its answer was complete: ReadError", "load balancer", True, True),
        (httpx.ProxyError("407 Proxy Authentication Required"), "was refused: 407", "HTTPS_PROXY", False, False),
        (httpx.ProxyError("503 Service Unavailable"), "was refused: 503", "HTTPS_PROXY", True, False),
        (httpx.ConnectError("[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: self-signed certificate"),
         "was not accepted", "`verify`", False, False),
        (httpx.ReadError("[SSL: TLSV13_ALERT_CERTIFICATE_REQUIRED] tlsv13 alert certificate required (_ssl.c:2580)"),
         "asks for a client certificate: [SSL: TLSV13_ALERT_CERTIFICATE_REQUIRED] tlsv13",
         "`client_cert`", False, True),
        (httpx.ConnectError("[SSL: WRONG_VERSION_NUMBER] wrong version number (_ssl.c:1010)"),
         "does not speak TLS", "https:// may have to be http://", False, False),
        (httpx.RemoteProtocolError("Invalid URL in location header: Invalid port: 'port'."),
         "a redirect to an address that is not a URL", "login page", False, True),
        (httpx.LocalProtocolError(f"Illegal header value b'Bearer {TOKEN}\\n'"),
         "could not be sent: Illegal header value b'Bearer ***", "host and password", False, False),
    ],
)  # fmt: skip
def test_no_answer(fault: Exception, told: str, advice: str, retryable: bool, maybe_applied: bool) -> None:
    error = failure_of(fault, POST)

    assert type(error) is NoAnswerError
    assert told in str(error)
    assert advice in error.advice
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


@pytest.mark.parametrize("code", ["a b", "<b>", "x\n", 7, None])
def test_an_error_type_that_is_no_name_is_left_out(code: object) -> None:
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
        ("7\x1f", 7.0),
        ("9" * 5000, math.inf),
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
