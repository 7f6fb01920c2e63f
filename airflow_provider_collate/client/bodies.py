"""Read an answer's body without letting it fill the memory."""

from __future__ import annotations

import json
import math
import zlib

import httpx
from pydantic import JsonValue

MAX_BYTES = 64 * 2**20
ACCEPTED_ENCODING = "gzip"


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
