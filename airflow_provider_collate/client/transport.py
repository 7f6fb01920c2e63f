"""Send requests: a JSON answer is returned, anything else raised, after retries of transient errors.

A body is read and unpacked piece by piece, without letting it fill the memory.
"""

from __future__ import annotations

import json
import logging
import math
import re
import secrets as random_source
import ssl
import threading
import zlib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from email.utils import parsedate_to_datetime

import httpx
import tenacity
from pydantic import JsonValue

from airflow_provider_collate.client import failures
from airflow_provider_collate.client.config import ClientConfig
from airflow_provider_collate.client.messages import Answer, ApiRequest, Attempt
from airflow_provider_collate.client.network import ACCEPTED_ENCODING, open_route
from airflow_provider_collate.exceptions import (
    AuthenticationError,
    InvalidDeclarationError,
    RequestError,
    ServerError,
    StoppedError,
)

log = logging.getLogger(__name__)

LONGEST_WAIT = 60.0
LONGEST_RETRY_AFTER = 120.0
MAX_BYTES = 64 * 2**20
_SLEEP_SLICE = 0.5
_BACKOFF = tenacity.wait_random_exponential(multiplier=0.5, max=LONGEST_WAIT)
_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")
_SAME_ADVICE = (
    "The server answered the same, word for word, to each attempt: it may be this very request that it cannot take. "
    "Airflow's retries will try again; if it persists, ask the server's operator, and look for what is special in it."
)


class BodyTooLargeError(Exception):
    """The body, unpacked, has more bytes than are read."""


class BodyEncodingError(Exception):
    """The body's compression is broken, or of a kind that was not asked for."""


class NotJsonError(Exception):
    """The body is not JSON that can be used.

    :param what: what it is instead, in words; empty if only its beginning could tell.
    :param cut_off: whether it looks like the beginning of JSON.
    """

    def __init__(self, what: str = "", *, cut_off: bool = False) -> None:
        super().__init__(what)
        self.what = what
        self.cut_off = cut_off


@dataclass(slots=True)
class _Call:
    """What is remembered from attempt to attempt of one request."""

    request: ApiRequest
    attempts: int = 0
    maybe_applied: bool = False
    messages: set[str] = field(default_factory=set)

    def noted(self, error: RequestError) -> RequestError:
        """Return the error of the latest attempt, with what the earlier ones add to it."""
        self.maybe_applied = error.maybe_applied = self.maybe_applied or error.maybe_applied
        self.messages.add(error.message)
        error.attempts = self.attempts
        if self.attempts > 1 and len(self.messages) == 1 and isinstance(error, ServerError) and error.status == 500:
            error.advice = _SAME_ADVICE
        return error


class _Token:
    """Hand out the token; read it again, once for all threads, when the server refuses it."""

    def __init__(self, read: Callable[[], str], token: str | None) -> None:
        self._read = read
        self._lock = threading.Lock()
        self._token = token
        self._refused: str | None = None

    def current(self) -> str:
        with self._lock:
            if self._token is None:
                self._token = self._read()
            return self._token

    def is_renewed(self, refused: str) -> bool:
        """Return whether there is another one to try, after reading it, once for each token that was refused."""
        with self._lock:
            if refused not in (self._refused, self._token):
                return True
            if refused != self._refused:
                self._refused = refused
                self._token = self._read()
            return self._token != refused


class Transport:
    """Send requests to one server, one token on each, and nothing to anywhere else; `CollateClient` says with what."""

    def __init__(
        self,
        config: ClientConfig,
        read_token: Callable[[], str],
        token: str | None,
        http: httpx.BaseTransport | None,
        clock: Callable[[], float],
        sleep: Callable[[float], None],
    ) -> None:
        self.config = config
        self._token = _Token(read_token, token)
        self._clock, self._sleep = clock, sleep
        self._route = open_route(config, clock, http)
        self._retrying = tenacity.Retrying(
            stop=tenacity.stop_after_attempt(config.max_retries + 1),
            retry=tenacity.retry_if_exception(self._is_worth_another_attempt),
            wait=_wait,
            sleep=self.pause,
            before_sleep=_log_retry,
            reraise=True,
        )
        self.close = self._route.http.close
        """Close all connections."""
        self.stopped = False
        """Whether `stop` was called."""
        self.clock_ahead = timedelta(0)
        """How far the server's clock is ahead of this machine's, by the `Date` of the latest answer that has one."""

    def stop(self) -> None:
        """Send nothing more; safe to call from a signal handler."""
        self.stopped = True

    def pause(self, seconds: float) -> None:
        """Wait, unless the task is told to stop."""
        # In slices, because a signal handler that sets the flag does not end a sleep.
        while seconds > 0 and not self.stopped:
            self._sleep(min(seconds, _SLEEP_SLICE))
            seconds -= _SLEEP_SLICE

    def send(self, request: ApiRequest) -> Answer:
        """Send a request, and again after transient errors.

        :return: the 2xx answer.
        :raises RequestError: one of its kinds, as in `exceptions`, when the last attempt failed.
        :raises InvalidDeclarationError: when a value in the body cannot be sent.
        :raises StoppedError: after `stop`.
        """
        return self._retrying(self._attempt, _Call(request))

    def _attempt(self, call: _Call) -> Answer:
        token = self._token.current() if call.request.authenticated else ""
        try:
            return self._once(call, token)
        except AuthenticationError:
            # A token may be rotated in the middle of a run; the old one stops working at once (documented).
            if not token or not self._token.is_renewed(token):
                raise
        log.info("Collate refused the token; the connection has a newer one, which is used from now on.")
        return self._once(call, self._token.current())

    def _once(self, call: _Call, token: str) -> Answer:
        if self.stopped:
            raise StoppedError
        call.attempts += 1
        answer = self._exchange(Attempt(call.request, random_source.token_hex(8), token))
        if isinstance(answer, RequestError):
            raise call.noted(answer)
        return answer

    def _exchange(self, attempt: Attempt) -> Answer | RequestError:
        """Return the 2xx answer, or the error that came instead.

        It is not raised here: the frames of httpx, and its errors, hold the body and the token.
        """
        request, content = attempt.request, _content(attempt.request)
        headers = {"X-Request-Id": attempt.request_id}
        if attempt.token:
            headers["Authorization"] = f"Bearer {attempt.token}"
        if content is not None:
            headers["Content-Type"] = request.content_type
        route, url = self._route, self.config.url + request.path
        params = dict(request.params) or None
        route.deadline.ends_at = self._clock() + self.config.timeout
        try:
            with route.http.stream(request.method, url, params=params, content=content, headers=headers) as response:
                body = read_body(response)
        except BodyTooLargeError:
            return failures.too_large(attempt, MAX_BYTES)
        except BodyEncodingError:
            return failures.undecodable(attempt)
        except (httpx.HTTPError, httpx.InvalidURL, ssl.SSLError, UnicodeError) as error:
            return failures.no_answer(error, attempt, where=route.where)
        now = datetime.now(timezone.utc)
        with suppress(ValueError, TypeError, OverflowError):
            self.clock_ahead = parsedate_to_datetime(response.headers.get("Date", "")) - now
        return _judge(response, body, attempt, now)

    def _is_worth_another_attempt(self, error: BaseException) -> bool:
        if self.stopped or not isinstance(error, RequestError) or not error.retryable:
            return False
        return error.retry_after is None or error.retry_after <= LONGEST_RETRY_AFTER


def _wait(state: tenacity.RetryCallState) -> float:
    asked = error.retry_after if (error := _error_of(state)) else None
    return asked if asked is not None else _BACKOFF(state)


def _log_retry(state: tenacity.RetryCallState) -> None:
    wait = state.next_action.sleep if state.next_action else 0.0
    if error := _error_of(state):
        log.warning("%s [trying again in %.1f s, attempt %d]", error.message, wait, state.attempt_number + 1)


def _error_of(state: tenacity.RetryCallState) -> RequestError | None:
    error = state.outcome.exception() if state.outcome else None
    return error if isinstance(error, RequestError) else None


def _content(request: ApiRequest) -> bytes | None:
    """Return the body as it is sent.

    :raises InvalidDeclarationError: when a value in it cannot be sent: NaN is not JSON, and U+0000 makes PostgreSQL
        print a stored value that stands near it.
    """
    if request.body is None:
        return None
    what = "a value that JSON does not have, such as NaN"
    with suppress(TypeError, ValueError, RecursionError):
        content = json.dumps(request.body, separators=(",", ":"), allow_nan=False).encode()
        if b"\\u0000" not in content or not _NUL.search(content):
            return content
        what = "the character U+0000, which no database takes"
    raise InvalidDeclarationError([f"the request's body: holds {what}"])


def _judge(response: httpx.Response, body: bytes, attempt: Attempt, now: datetime) -> Answer | RequestError:
    """Return the answer, or the error that it is."""
    status = response.status_code
    data: JsonValue = None
    fault: NotJsonError | None = None
    try:
        data = parse_json(body) if body else None
    except NotJsonError as error:
        fault = error
    if 200 <= status < 300 and fault is None and (body or status in (202, 204)):
        return Answer(status, attempt.request, data, attempt.request_id)
    text = body.decode("utf-8", "replace")
    # A 404 that broke off does not tell whether the service or the whole API is not there.
    if 200 <= status < 300 or (status == 404 and fault is not None and fault.cut_off):
        what, cut_off = (fault.what, fault.cut_off) if fault else ("an empty body", False)
        return failures.not_json(status, what, text, attempt, cut_off=cut_off)
    return failures.error_answer(response, text, data, attempt, now=now)


def read_body(response: httpx.Response, limit: int = MAX_BYTES) -> bytes:
    """Read a streamed answer, unpacking gzip piece by piece, so that a small bomb stays small.

    :param limit: bytes that are read at most, after unpacking.
    :raises BodyTooLargeError: when there are more.
    :raises BodyEncodingError: when the compression is broken or unknown.
    """
    encoding = response.headers.get("Content-Encoding", "").strip().lower()
    if encoding not in ("", "identity", ACCEPTED_ENCODING):
        raise BodyEncodingError
    unpacker = zlib.decompressobj(wbits=31) if encoding == ACCEPTED_ENCODING else None
    body = bytearray()
    try:
        for chunk in response.iter_raw():
            body += unpacker.decompress(chunk, limit + 1 - len(body)) if unpacker else chunk
            if len(body) > limit or (unpacker and unpacker.unconsumed_tail):
                raise BodyTooLargeError
            if unpacker and unpacker.unused_data:  # zlib would keep all that comes after the end
                raise BodyEncodingError
    except zlib.error:
        raise BodyEncodingError from None
    if unpacker and not unpacker.eof:
        raise BodyEncodingError
    return bytes(body)


def parse_json(body: bytes) -> JsonValue:
    """Return the JSON in a body.

    :raises NotJsonError: when it is not JSON, not UTF-8, has NaN or an infinite number in it, or is nested too deeply.
    """
    try:
        data: JsonValue = json.loads(body, parse_constant=_refuse_constant, parse_float=_finite)
    except RecursionError:
        error = NotJsonError("JSON that is nested too deeply")
    except UnicodeDecodeError:
        error = NotJsonError("text that is not UTF-8")
    except json.JSONDecodeError:
        error = NotJsonError(cut_off=body.lstrip()[:1] in (b"{", b"["))
    except ValueError:  # more digits than Python converts
        error = NotJsonError("JSON with a number too long to be one")
    else:
        return data
    raise error


def _refuse_constant(name: str) -> None:
    raise NotJsonError(f"{name} in it, which is not JSON")


def _finite(digits: str) -> float:
    number = float(digits)
    if math.isinf(number):
        raise NotJsonError("JSON with a number too large to be one")
    return number
