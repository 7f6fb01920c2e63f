"""Turn what went wrong on the wire, or an error answer, into this package's errors. The one place that does."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from typing import TypedDict

import httpx
from pydantic import JsonValue

from airflow_provider_collate.client.bodies import NotJsonError
from airflow_provider_collate.client.messages import ApiRequest
from airflow_provider_collate.client.redaction import clean_message, first_line
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
_NOT_THE_API_ADVICE = (
    "Such an answer comes from a proxy or a login page, not from the API: check the connection's host."
)
_CUT_OFF_ADVICE = (
    "Airflow's retries will try again; if it persists, look for a proxy or load balancer that cuts answers off."
)
_REDIRECT_ADVICE = (
    "Put the address that serves the API itself into the connection's host: a redirect usually means a wrong host, "
    "http instead of https, or a login page."
)
_REDIRECTS = (301, 302, 303, 307, 308)

# 500s of the real server that no retry can mend (recorded on OpenMetadata 1.2).
_TEST_FAILED = "JsonPatch.Operation.TEST fails"
_WRONG_METHOD = "[HTTP 405"
_NO_SUCH_PATH = "HTTP 404 Not Found"
# Documented: a plan's limit is a 429 too, and no waiting mends it.
_PLAN_LIMIT = "LIMITS_EXCEPTION"
_ASKS_FOR_CERTIFICATE = re.compile(r"(?i)alert certificate required|alert handshake failure|alert bad certificate")
_NOT_TLS = re.compile(r"WRONG_VERSION_NUMBER|HTTP_REQUEST|PACKET_LENGTH_TOO_LONG|RECORD_LAYER_FAILURE")
_SOURCE_OF_PYTHON = re.compile(r" \(_ssl\.c:\d+\)|_ssl\.c:\d+: ")
_FINAL_500 = re.compile(
    r"\[HTTP 4\d\d |Illegal value for the operationName|contains no value for name|JsonPatch\.|JSON [Pp]atch"
)


class _Details(TypedDict):
    method: str
    path: str
    request_id: str


def _details(request: ApiRequest, request_id: str) -> _Details:
    return {"method": request.method, "path": request.path, "request_id": request_id}


@dataclass(frozen=True, slots=True)
class _Kind:
    error: type[StatusError]
    advice: str
    what: str = ""


_LIMIT = _Kind(
    LimitExceededError,
    "Send less at a time (in bulk, a smaller chunk_size), or ask for a higher limit of the server or the plan.",
)
_KINDS = {
    400: _Kind(
        BadRequestError,
        "Correct the field that the server names; it knows only the fields of its own release.",
    ),
    401: _Kind(
        AuthenticationError,
        "Renew the token (Settings > Bots, or your profile > Access Token) and put it into the connection's password.",
    ),
    403: _Kind(
        PermissionDeniedError,
        "Give the token's user a role that may edit ML model services, or use another token.",
    ),
    404: _Kind(
        NotFoundError,
        "Check the names: what the request refers to (service, owner, tag or domain) does not exist.",
    ),
    407: _Kind(BadRequestError, "A proxy wants credentials: put them into the proxy's URL, http://user:password@host."),
    408: _Kind(ServerError, "The request did not arrive in time; Airflow's retries will try again."),
    409: _Kind(
        ConflictError,
        'A service of this name exists, perhaps soft-deleted: use if_exists="update" or "ignore", or another name.',
    ),
    413: _LIMIT,
    422: _Kind(BadRequestError, "Correct the field that the server names."),
    429: _Kind(TooManyRequestsError, "Lower max_workers, or let Airflow's retry_delay give the server time."),
}
_OTHER_4XX = _Kind(BadRequestError, "Check that the connection's host is a Collate or OpenMetadata server.")
_SERVER_FAILED = _Kind(
    ServerError, "The server failed; Airflow's retries will try again. If it persists, ask its operator."
)
_NO_ENDPOINT = _Kind(
    MissingEndpointError,
    "This release of the server does not offer the call; check that the host is a Collate or OpenMetadata server.",
)
_MEANWHILE = _Kind(
    ChangedMeanwhileError,
    "Nothing was overwritten. Look at the service in Collate, and run the task again to plan anew.",
    what="The service was changed by someone meanwhile, so the patch was not applied: ",
)
_FINAL = _Kind(BadRequestError, "The server will refuse this request each time; report it with the request id.")


def no_answer(
    error: Exception, request: ApiRequest, request_id: str, *, where: str, secrets: Sequence[str] = ()
) -> NoAnswerError:
    """The error for a request that got no answer.

    :param error: what httpx, or the operating system below it, raised.
    :param request: what was asked.
    :param request_id: its `X-Request-Id`.
    :param where: the server, and the proxy on the way, as the message calls them.
    :param secrets: what was sent and must not be shown: httpx prints a header that it refuses.
    """
    text = _SOURCE_OF_PYTHON.sub("", str(error))
    reason = clean_message(text, (*request.secrets, *secrets)) or type(error).__name__
    what, advice, retryable = _describe(error, reason, where)
    return NoAnswerError(
        what,
        **_details(request, request_id),
        advice=advice,
        retryable=retryable,
        maybe_applied=request.is_write and not isinstance(error, _NEVER_SENT),
    )


def _describe(error: Exception, reason: str, where: str) -> tuple[str, str, bool]:
    if _ASKS_FOR_CERTIFICATE.search(reason):
        return (
            f"{where} asks for a client certificate: {reason}",
            "Set `client_cert` in the connection's extra to the path of the certificate and its key.",
            False,
        )
    if "CERTIFICATE_VERIFY_FAILED" in reason:
        return (
            f"The certificate of {where} was not accepted: {reason}",
            "Check the host, or set `verify` in the connection's extra to the path of your CA certificate.",
            False,
        )
    if _NOT_TLS.search(reason):
        return (
            f"{where} does not speak TLS as expected: {reason}",
            "Check the connection's host and port: https:// may have to be http://, or the port another one.",
            False,
        )
    if "in location header" in reason:  # httpx looks at a redirect even when it is not to follow it
        return f"{where} answered with a redirect to an address that is not a URL", _REDIRECT_ADVICE, False
    if isinstance(error, httpx.ProxyError):
        return (
            f"The way to {where} was refused: {reason}",
            "Check the proxy in the connection's extra, or in the worker's environment (HTTPS_PROXY, NO_PROXY).",
            reason.startswith("5"),
        )
    if isinstance(error, httpx.LocalProtocolError | httpx.UnsupportedProtocol | httpx.InvalidURL | UnicodeError):
        return f"The request could not be sent: {reason}", "Check the connection's host and password.", False
    if isinstance(error, httpx.ConnectTimeout | httpx.ConnectError):
        return (
            f"{where} cannot be reached: {reason}",
            "Check the connection's host and port, and that this worker may reach it.",
            True,
        )
    if isinstance(error, httpx.TimeoutException):
        return (
            f"{where} did not answer in time: {reason}",
            "If the server is just slow, raise `timeout` (seconds) in the connection's extra.",
            True,
        )
    return (
        f"{where} broke off before its answer was complete: {reason}",
        "Airflow's retries will try again; if it persists, look for a proxy or load balancer that cuts connections.",
        True,
    )


def too_large(request: ApiRequest, request_id: str, limit: int) -> AnswerError:
    """The error for an answer of more bytes than this client takes."""
    return AnswerError(
        f"The answer is larger than {limit // 2**20} MiB and was not read further",
        **_details(request, request_id),
        advice="Check that the connection's host is a Collate or OpenMetadata server.",
        maybe_applied=request.is_write,
    )


def undecodable(request: ApiRequest, request_id: str) -> AnswerError:
    """The error for an answer whose compression is broken or was not asked for."""
    return AnswerError(
        "The answer's compression is broken, or of a kind that was not asked for",
        **_details(request, request_id),
        advice="Look for a proxy between this worker and Collate that changes answers.",
        maybe_applied=request.is_write,
    )


def not_json(
    status: int, error: NotJsonError | None, text: str, request: ApiRequest, request_id: str, token: str
) -> AnswerError:
    """The error for an answer that should be JSON and is not, whole or cut off; it shows the first line.

    :param status: HTTP status.
    :param error: what is wrong with the body; None where there is none.
    :param text: the body as text.
    :param request: what was asked.
    :param request_id: its `X-Request-Id`.
    :param token: the token that was sent, never to be shown.
    """
    if error is None:
        what = "an empty body"
    elif error.what:
        what = error.what
    elif error.cut_off:
        what = "the beginning of JSON, broken off"
    else:
        what = f"something that is not JSON: {first_line(text, (*request.secrets, token)) or 'no readable text'}"
    cut_off = error is not None and error.cut_off
    return AnswerError(
        f"Collate answered {status} with {what}",
        **_details(request, request_id),
        advice=_CUT_OFF_ADVICE if cut_off else _NOT_THE_API_ADVICE,
        retryable=cut_off,
        maybe_applied=request.is_write,
    )


def error_answer(
    response: httpx.Response,
    text: str,
    data: JsonValue,
    request: ApiRequest,
    *,
    request_id: str,
    token: str,
    now: datetime,
) -> AnswerError | StatusError:
    """The error for an answer that is not 2xx.

    :param response: status and headers.
    :param text: the body as text.
    :param data: the body as JSON, or None.
    :param request: what was asked.
    :param request_id: its `X-Request-Id`.
    :param token: the token that was sent, never to be shown.
    :param now: the time, to judge a `Retry-After` that is a date.
    """
    details = _details(request, request_id)
    secrets = (*request.secrets, token)
    if response.status_code in _REDIRECTS:
        return _redirect(response, details, secrets)
    said, code = _server_message(text, data)
    message = clean_message(said, secrets) if data is not None else first_line(text, secrets)
    status = response.status_code
    kind = _kind(status, said, code, request, is_json=isinstance(data, dict))
    wait = retry_after(response.headers.get("Retry-After"), now)
    return kind.error(
        f"{kind.what}Collate answered {status}{f' {code}' if code else ''}: {message or response.reason_phrase}",
        status=status,
        code=code,
        server_message=message,
        advice=f"{kind.advice} It asks to wait {wait:,.0f} s." if wait and kind.error.retryable else kind.advice,
        retry_after=wait,
        maybe_applied=request.is_write and kind.error is ServerError,
        **details,
    )


def refused_row(status: int, said: str, path: str, secrets: Sequence[str]) -> StatusError:
    """The error for a row that a bulk request refused, though the request itself was answered with 200.

    :param status: the row's own status.
    :param said: the row's own message, which can echo the row (documented).
    :param path: path of the bulk endpoint.
    :param secrets: values of the request that must not be shown.
    """
    kind = _SERVER_FAILED if status >= 500 else _KINDS.get(status, _OTHER_4XX)
    message = clean_message(said, secrets)
    return kind.error(
        f"refused with {status}: {message}",
        status=status,
        method="PUT",
        path=path,
        server_message=message,
        advice=kind.advice,
    )


def _kind(status: int, said: str, code: str, request: ApiRequest, *, is_json: bool) -> _Kind:
    if _TEST_FAILED in said:
        # A 500 (recorded); whatever another release makes of it, its text tells.
        return _MEANWHILE
    if status == 500:
        return _kind_of_500(said)
    if status in (405, 501) or (status == 404 and (request.path.endswith("/bulk") or said == _NO_SUCH_PATH)):
        return _NO_ENDPOINT
    if status > 500:
        return _SERVER_FAILED
    if status == 404 and not (is_json and (said or code)):
        # A wrong host answers so; taking it for "no such service" would call a deletion done.
        return _OTHER_4XX
    if status == 429 and code.endswith(_PLAN_LIMIT):
        return _LIMIT
    return _KINDS.get(status, _OTHER_4XX)


def _kind_of_500(said: str) -> _Kind:
    """What the real server answers with 500 although it is final, told apart by its text (recorded)."""
    if _WRONG_METHOD in said:
        return _NO_ENDPOINT
    return _FINAL if _FINAL_500.search(said) else _SERVER_FAILED


def _server_message(text: str, data: JsonValue) -> tuple[str, str]:
    """What the server said, and its own error type; see the contract's error shapes (recorded and documented)."""
    if not isinstance(data, dict):
        return text, ""
    said = data.get("message") or data.get("responseMessage") or ""
    code = data.get("errorType") or ""
    return (said if isinstance(said, str) else ""), (code if isinstance(code, str) and code.isidentifier() else "")


def _redirect(response: httpx.Response, details: _Details, secrets: Sequence[str]) -> RedirectError:
    where = _target(response.headers.get("Location", ""), secrets)
    return RedirectError(
        f"Collate answered {response.status_code}, pointing to {where}; nothing was sent there",
        advice=_REDIRECT_ADVICE,
        **details,
    )


def _target(location: str, secrets: Sequence[str]) -> str:
    """Where a redirect points, without the parts of a URL that carry secrets."""
    if not location:
        return "no address"
    try:
        url = httpx.URL(location)
        host = f"{url.scheme}://{url.netloc.decode('ascii', 'replace')}" if url.host else ""
    except (httpx.InvalidURL, ValueError):
        return "an address that is not a URL"
    return clean_message(f"{host}{url.path}" if host else f"{url.path} on the same host", secrets)


def retry_after(value: str | None, now: datetime) -> float | None:
    """Seconds from a `Retry-After` header, given as seconds or as a date; None when absent or unreadable."""
    if not value:
        return None
    try:
        return max(0.0, float(int(value)))
    except OverflowError:  # more than a float holds
        return math.inf
    except ValueError:
        pass
    try:
        when = parsedate_to_datetime(value)
    except (TypeError, ValueError, IndexError, OverflowError):
        return None
    if when.tzinfo is None:
        when = when.replace(tzinfo=timezone.utc)
    return max(0.0, (when - now).total_seconds())
