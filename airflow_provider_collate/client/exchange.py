"""Send a request once over HTTP, and judge what comes back, without letting it fill the memory."""

from __future__ import annotations

import json
import math
import re
import ssl
import time
import zlib
from collections.abc import Callable
from contextlib import closing, suppress
from datetime import datetime, timedelta, timezone
from email.utils import parsedate_to_datetime

import httpx
from pydantic import JsonValue

from airflow_provider_collate.client import failures
from airflow_provider_collate.client.config import ClientConfig
from airflow_provider_collate.client.messages import Answer, ApiRequest, Attempt
from airflow_provider_collate.client.network import ACCEPTED_ENCODING, open_route
from airflow_provider_collate.exceptions import InvalidDeclarationError, RequestError

MAX_BYTES = 64 * 2**20
_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")


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


class Exchange:
    """Send attempts of requests to one server, and nothing to anywhere else.

    :param config: where the server is, and the limits of a request.
    :param http: the network, or what stands in for it.
    :param clock: a monotonic clock in seconds.
    """

    def __init__(
        self, config: ClientConfig, http: httpx.BaseTransport | None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._config = config
        self._clock = clock
        self._route = open_route(config, clock, http)
        self.close = self._route.http.close
        self.clock_ahead = timedelta(0)
        """How far the server's clock is ahead of this machine's, by the `Date` of the latest answer that has one."""

    def send(self, attempt: Attempt) -> Answer | RequestError:
        """Send an attempt.

        :return: the 2xx answer, or the error that came instead. It is not raised here: the frames of httpx, and its
            errors, hold the body and the token.
        :raises InvalidDeclarationError: when a value in the body cannot be sent.
        """
        self._route.deadline.ends_at = self._clock() + self._config.timeout
        try:
            with closing(self._open(attempt)) as response:
                body = read_body(response)
        except BodyTooLargeError:
            return failures.too_large(attempt, MAX_BYTES)
        except BodyEncodingError:
            return failures.undecodable(attempt)
        except (httpx.HTTPError, httpx.InvalidURL, ssl.SSLError, UnicodeError) as error:
            return failures.no_answer(error, attempt, where=self._route.where)
        now = datetime.now(timezone.utc)
        with suppress(ValueError, TypeError, OverflowError):
            self.clock_ahead = parsedate_to_datetime(response.headers.get("Date", "")) - now
        return _judge(response, body, attempt, now)

    def _open(self, attempt: Attempt) -> httpx.Response:
        request = attempt.request
        headers = {"X-Request-Id": attempt.request_id}
        if attempt.token:
            headers["Authorization"] = f"Bearer {attempt.token}"
        content = _content(request)
        if content is not None:
            headers["Content-Type"] = request.content_type
        http, url = self._route.http, self._config.url + request.path
        prepared = http.build_request(
            request.method, url, params=dict(request.params) or None, content=content, headers=headers
        )
        return http.send(prepared, stream=True)


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

    :param response: an answer whose body is not read yet.
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
