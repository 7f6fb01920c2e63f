"""Turn a failed connection, or an answer that is not a success, into this package's errors."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime

import httpx
from pydantic import JsonValue

from airflow_provider_collate.client.messages import ApiRequest, Attempt
from airflow_provider_collate.client.redaction import clean_message, first_line
from airflow_provider_collate.exceptions import (
    AnswerError,
    AnswerTooLargeError,
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
    ServerError,
    StatusError,
    TooManyRequestsError,
)

_NEVER_SENT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.LocalProtocolError,
    httpx.UnsupportedProtocol,
    httpx.InvalidURL,
)
_REDIRECTS = (301, 302, 303, 307, 308)
_CUT_OFF_ADVICE = (
    "Airflow's retries will try again; if it persists, look for a proxy or load balancer that cuts answers off."
)
_LOGIN_PAGE_ADVICE = "Such an answer comes from a proxy or a login page, not from the API: check the connection's host."
_NOT_THIS_API = "Check that the connection's host is a Collate or OpenMetadata server."
_SOURCE_OF_PYTHON = re.compile(r" \(_ssl\.c:\d+\)|_ssl\.c:\d+: ")


@dataclass(frozen=True, slots=True)
class _Reason:
    """Why there was no answer: the message with places for `where` and `reason`, and what to do."""

    message: str
    advice: str
    retryable: bool = False


_REASONS_BY_TEXT = {
    re.compile(r"(?i)alert certificate required|alert handshake failure|alert bad certificate"): _Reason(
        "{where} asks for a client certificate: {reason}",
        "Set `client_cert` in the connection's extra to the path of the certificate and its key.",
    ),
    re.compile("CERTIFICATE_VERIFY_FAILED"): _Reason(
        "The certificate of {where} was not accepted: {reason}",
        "Check the host, or set `verify` in the connection's extra to the path of your CA certificate.",
    ),
    re.compile("WRONG_VERSION_NUMBER|HTTP_REQUEST|PACKET_LENGTH_TOO_LONG|RECORD_LAYER_FAILURE"): _Reason(
        "{where} does not speak TLS as expected: {reason}",
        "Check the connection's host and port: https:// may have to be http://, or the port another one.",
    ),
    # httpx reads the address of a redirect even when it does not follow it.
    re.compile("in location header"): _Reason(
        "{where} answered with a redirect to an address that is not a URL", RedirectError.advice
    ),
}
_REASONS_BY_TYPE: dict[type[Exception] | tuple[type[Exception], ...], _Reason] = {
    httpx.ProxyError: _Reason(
        "The connection to {where} was refused: {reason}",
        "Check the proxy in the connection's extra, or in the worker's environment (HTTPS_PROXY, NO_PROXY).",
    ),
    (httpx.LocalProtocolError, httpx.UnsupportedProtocol, httpx.InvalidURL, UnicodeError): _Reason(
        "The request could not be sent: {reason}", "Check the connection's host and password."
    ),
    (httpx.ConnectTimeout, httpx.ConnectError): _Reason(
        "{where} cannot be reached: {reason}",
        "Check the connection's host and port, and that this worker may reach it.",
        retryable=True,
    ),
    httpx.TimeoutException: _Reason(
        "{where} did not answer in time: {reason}",
        "If the server is just slow, raise `timeout` (seconds) in the connection's extra.",
        retryable=True,
    ),
    Exception: _Reason(
        "{where} broke off before its answer was complete: {reason}",
        "Airflow's retries will try again; if it persists, look for a proxy or load balancer that cuts connections.",
        retryable=True,
    ),
}

_ERRORS: dict[int, type[StatusError]] = {
    400: BadRequestError,
    401: AuthenticationError,
    404: NotFoundError,
    408: ServerError,
    409: ConflictError,
    413: LimitExceededError,
    422: BadRequestError,
    429: TooManyRequestsError,
}
_ADVICE = {
    407: "A proxy wants credentials: put them into the proxy's URL, http://user:password@host.",
    408: "The request did not arrive in time; Airflow's retries will try again.",
}
_RULE_ADVICE = (
    "The catalog's own rules forbid this: usually, owners are several users or one team, a service has one domain, "
    "and its data products belong to that domain. Correct the declaration, or have an admin change the rule."
)

# Texts of servers, recorded on 1.2 or from the source of 1.12; a 500 with one of the last is the same each time.
_TEST_FAILED = re.compile(r"JsonPatch\.Operation\.TEST fails|JSON Patch operation 'test' failed for path")
_WRONG_METHOD = "[HTTP 405"
_FINAL_500 = re.compile(
    r"\[HTTP 4\d\d |Illegal value for the operationName|contains no value for name|Non-existing name/value pair|"
    r"contains no mapping for the name|JsonPatch\.|JSON [Pp]atch|out of bounds for length"
)
_NO_SUCH_PATH = "HTTP 404 Not Found"
_NO_CONNECTION = "ServiceConnectionEntityInterface.getConfig()"
_NO_CONNECTION_ADVICE = (
    "This release changes no service that was created without a connection: delete it for good, and declare it with "
    'one, which may be empty: {"config": {}}.'
)
_MISSING = re.compile(r"(\w+) instance for ")
_LOCK = re.compile(r"Cannot modify |being deleted")
_RULE = re.compile(r"Rule \[.*\] validation failed")
# Documented: a plan's limit is a 429 too, which waiting does not change.
_PLAN_LIMIT = "LIMITS_EXCEPTION"
_OPERATIONS = {"GET": "ViewAll", "POST": "Create", "PUT": "Create and EditAll", "PATCH": "EditAll", "DELETE": "Delete"}


def no_answer(error: Exception, attempt: Attempt, *, where: str) -> NoAnswerError:
    """Return the error for a request that got no answer.

    :param error: what httpx, or the operating system below it, raised.
    :param attempt: what was sent; httpx prints a header that it refuses, the token included.
    :param where: the server, and the proxy on the way, as the message calls them.
    """
    text = clean_message(_SOURCE_OF_PYTHON.sub("", str(error)), attempt.secrets) or type(error).__name__
    by_text = (reason for pattern, reason in _REASONS_BY_TEXT.items() if pattern.search(text))
    by_type = (reason for kinds, reason in _REASONS_BY_TYPE.items() if isinstance(error, kinds))
    reason = next(by_text, None) or next(by_type)
    return NoAnswerError(
        reason.message.format(where=where, reason=text),
        **attempt.details(),
        advice=reason.advice,
        retryable=reason.retryable or (isinstance(error, httpx.ProxyError) and text.startswith("5")),
        maybe_applied=attempt.request.is_write and not isinstance(error, _NEVER_SENT),
    )


def too_large(attempt: Attempt, limit: int) -> AnswerTooLargeError:
    """Return the error for an answer of more than `limit` bytes."""
    message = f"The answer is larger than {limit // 2**20} MiB and was not read further"
    return AnswerTooLargeError(message, **attempt.details(), maybe_applied=attempt.request.is_write)


def undecodable(attempt: Attempt) -> AnswerError:
    """Return the error for an answer whose compression is broken or was not asked for."""
    return AnswerError(
        "The answer's compression is broken, or of a kind that was not asked for",
        **attempt.details(),
        advice="Look for a proxy between this worker and Collate that changes answers.",
        maybe_applied=attempt.request.is_write,
    )


def not_json(status: int, what: str, text: str, attempt: Attempt, *, cut_off: bool) -> AnswerError:
    """Return the error for an answer that should be JSON and is not.

    :param what: what came instead, in words; if empty, the message shows the first line.
    :param cut_off: whether it looks like the beginning of JSON.
    """
    if cut_off:
        what = "the beginning of JSON, broken off"
    elif not what:
        what = f"something that is not JSON: {first_line(text, attempt.secrets) or 'no readable text'}"
    return AnswerError(
        f"Collate answered {status} with {what}",
        **attempt.details(),
        advice=_CUT_OFF_ADVICE if cut_off else _LOGIN_PAGE_ADVICE,
        retryable=cut_off,
        maybe_applied=attempt.request.is_write,
    )


def error_answer(
    response: httpx.Response, text: str, data: JsonValue, attempt: Attempt, *, now: datetime
) -> AnswerError | StatusError:
    """Return the error for an answer that is not 2xx, by its body as text and, where it is that, as JSON.

    :param now: the time, to judge a `Retry-After` that is a date.
    """
    status, request = response.status_code, attempt.request
    if status in _REDIRECTS:
        where = _target(response.headers.get("Location", ""), attempt.secrets)
        message = f"Collate answered {status}, pointing to {where}; nothing was sent there"
        return RedirectError(message, **attempt.details())
    said, code = _server_message(text, data)
    error, advice = _judge(status, said, code, request)
    if status in (405, 501) or (status == 404 and (request.path.endswith("/bulk") or said == _NO_SUCH_PATH)):
        error, advice = MissingEndpointError, ""
    elif status == 404 and not (isinstance(data, dict) and (said or code)):
        # A wrong host answers so; as "no such service" it would make a deletion look done.
        error, advice = BadRequestError, _NOT_THIS_API
    message = clean_message(said, attempt.secrets) if data is not None else first_line(text, attempt.secrets)
    wait = retry_after(response.headers.get("Retry-After"), now)
    asks = f" It asks to wait {wait:,.0f} s." if wait and error.retryable else ""
    return error(
        _told(error, f"Collate answered {status}{f' {code}' if code else ''}: {message or response.reason_phrase}"),
        status=status,
        code=code,
        server_message=message,
        advice=f"{advice or error.advice}{asks}",
        retry_after=wait,
        maybe_applied=request.is_write and error is ServerError,
        **attempt.details(),
    )


def refused_row(status: int, said: str, path: str, secrets: Iterable[str], label: str) -> StatusError:
    """Return the error for a row that a bulk request refused, though the request itself was answered with 200.

    :param status: the row's own status.
    :param said: the row's own message, which can echo the row (documented).
    """
    message = clean_message(said, secrets)
    error, advice = _judge(status, said, "", ApiRequest("PUT", path, label=label))
    return error(
        _told(error, f"refused with {status}: {message}"),
        status=status,
        method="PUT",
        path=path,
        server_message=message,
        advice=advice,
    )


def _judge(status: int, said: str, code: str, request: ApiRequest) -> tuple[type[StatusError], str]:
    """Return the error that an answer means, and what to do where its class says something else."""
    if _TEST_FAILED.search(said):
        return ChangedMeanwhileError, ""  # a 500 on the servers that were seen
    if status >= 500:
        return _judge_500(said) if status == 500 else (ServerError, "")
    if status == 409 and _LOCK.search(said):
        return LockedError, ""
    if status == 429 and code.endswith(_PLAN_LIMIT):
        return LimitExceededError, ""
    if status == 403:
        return PermissionDeniedError, _needed_role(request)
    if status == 404 and request.method in ("GET", "PATCH") and _is_about_something_else(said, request.path):
        return BrokenReferenceError, ""
    if status == 400 and _RULE.search(said):
        return BadRequestError, _RULE_ADVICE
    return _ERRORS.get(status, BadRequestError), _ADVICE.get(status, "" if status in _ERRORS else _NOT_THIS_API)


def _judge_500(said: str) -> tuple[type[StatusError], str]:
    """Tell the 500s that are the same however often the request is sent from those that may pass."""
    if _WRONG_METHOD in said:
        return MissingEndpointError, ""
    if _NO_CONNECTION in said:
        return BadRequestError, _NO_CONNECTION_ADVICE
    if _FINAL_500.search(said):
        return BadRequestError, "The server refuses this request each time; report it with the request id."
    return ServerError, ""


def _is_about_something_else(said: str, path: str) -> bool:
    """Return whether a 404 of a service says that something else than the service itself is missing (recorded)."""
    missing, service = _MISSING.match(said), re.match(r"/v1/services/(\w+?)s?(?:/|$)", path)
    return missing is not None and service is not None and missing[1].lower() != service[1].lower()


def _told(error: type[StatusError], what: str) -> str:
    if error is ChangedMeanwhileError:
        return f"The service was changed by someone else meanwhile, so the patch was not applied: {what}"
    return what


def _needed_role(request: ApiRequest) -> str:
    """Return what the token's user must be allowed to do, in the words of the catalog's roles."""
    why = " (a patch that is guarded by the version needs it)" if request.method == "PATCH" else ""
    what = f"{_OPERATIONS.get(request.method, 'All')} on {request.label}s{why}"
    return f"Give the token's user a role that allows {what}, or use another token."


def _server_message(text: str, data: JsonValue) -> tuple[str, str]:
    """Return what the server said, and its own error type (shapes recorded and documented)."""
    if not isinstance(data, dict):
        return text, ""
    said = data.get("message") or data.get("responseMessage") or ""
    code = data.get("errorType") or ""
    return (said if isinstance(said, str) else ""), (code if isinstance(code, str) and code.isidentifier() else "")


def _target(location: str, secrets: tuple[str, ...]) -> str:
    """Return where a redirect points, without the parts of a URL that carry secrets."""
    if not location:
        return "no address"
    try:
        url = httpx.URL(location)
        host = f"{url.scheme}://{url.netloc.decode('ascii', 'replace')}" if url.host else ""
    except (httpx.InvalidURL, ValueError):
        return "an address that is not a URL"
    return clean_message(f"{host}{url.path}" if host else f"{url.path} on the same host", secrets)


def retry_after(value: str | None, now: datetime) -> float | None:
    """Return the seconds in a `Retry-After` header, given as seconds or as a date; None when absent or unreadable."""
    if seconds := re.fullmatch(r"\s*([+-]?[0-9]+)\s*", value or ""):
        return max(0.0, float(seconds[1]))
    try:
        when = parsedate_to_datetime(value or "")
    except (TypeError, ValueError, IndexError, OverflowError):
        return None
    when = when if when.tzinfo else when.replace(tzinfo=timezone.utc)
    return max(0.0, (when - now).total_seconds())
