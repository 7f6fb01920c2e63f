"""A request to the sandbox, its answer, pages of a list, and the errors that become answers."""

from __future__ import annotations

import base64
import json
import re
from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import parse_qsl, unquote

from starlette.datastructures import MutableHeaders

from airflow_provider_collate.sandbox.releases import Release

JsonObject = dict[str, Any]

_WRITES = frozenset({"DELETE", "PATCH", "POST", "PUT"})
_UNRECORDED = frozenset({"authorization", "cookie", "proxy-authorization"})
_BASE64 = re.compile(r"[A-Za-z0-9+/]")
_INTEGER = re.compile(r"[+-]?0*\d{1,10}")
_MAX_LIMIT: Final = 1_000_000


class Ending(Enum):
    """How the connection ends after an answer was made."""

    WHOLE = "the answer arrives"
    CUT = "the answer breaks off in the middle of its body"
    LOST = "the connection closes before the answer"
    RESET = "the connection is reset before the request takes effect"


@dataclass(frozen=True)
class Request:
    """An HTTP request as it arrives.

    :param method: upper case.
    :param target: path and query as sent, percent-encoded.
    :param headers: names in lower case.
    :param content: the body as sent.
    """

    method: str
    target: str
    headers: Mapping[str, str] = field(default_factory=dict)
    content: bytes = b""

    @property
    def path(self) -> str:
        """The path as sent, without the query, e.g. `/api/v1/services/mlmodelServices`."""
        return self.target.partition("?")[0]

    @property
    def segments(self) -> tuple[str, ...]:
        """The path's parts, each decoded."""
        return tuple(unquote(part) for part in self.path.split("/") if part)

    @property
    def params(self) -> dict[str, str]:
        """The query's parameters, decoded."""
        return dict(parse_qsl(self.target.partition("?")[2], keep_blank_values=True))

    @property
    def media_type(self) -> str:
        """What the body is said to be."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    @property
    def is_write(self) -> bool:
        """Whether the method asks for a change."""
        return self.method in _WRITES

    @property
    def root(self) -> str:
        """The API's address as the client called it."""
        return f"http://{self.headers.get('host', 'localhost')}/api"


@dataclass(frozen=True)
class RecordedRequest(Request):
    """A request that the catalog saw, without the headers that authorize.

    :param status: of the answer that was made, whether or not it arrived.
    :param user: name of who asked; empty if unknown.
    """

    status: int = 0
    user: str = ""

    @classmethod
    def of(cls, request: Request, status: int, user: str) -> RecordedRequest:
        """Return a request as it is remembered."""
        headers = {name: value for name, value in request.headers.items() if name not in _UNRECORDED}
        return cls(request.method, request.target, headers, request.content, status, user)

    @property
    def body(self) -> object:
        """The body as JSON; as text if it is none; None if empty."""
        try:
            return json.loads(self.content) if self.content else None
        except ValueError:
            return self.content.decode(errors="replace")


@dataclass(frozen=True)
class Answer:
    """An HTTP answer, and how it travels.

    :param delay: seconds until it is sent.
    :param rows: how many services it lists; what the latency profile counts.
    :param writes: how many services it wrote or tried to write.
    """

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    delay: float = 0.0
    ending: Ending = Ending.WHOLE
    rows: int = 0
    writes: int = 0

    @property
    def sent_body(self) -> bytes:
        """As much of the body as its ending lets through."""
        return self.body[: len(self.body) // 2] if self.ending is Ending.CUT else self.body

    def with_headers(self, headers: Mapping[str, str]) -> Answer:
        """Return the same answer with further headers, which win over those it has."""
        merged = MutableHeaders(dict(self.headers))
        merged.update(headers)
        return replace(self, headers=merged)


def json_answer(status: int, document: object, *, change: str = "", rows: int = 0, writes: int = 0) -> Answer:
    """Return an answer with a JSON body, and `change` in the header `X-OpenMetadata-Change`."""
    headers = {"Content-Type": "application/json", **({"X-OpenMetadata-Change": change} if change else {})}
    return Answer(status, compact(document).encode(), headers, rows=rows, writes=writes)


def compact(document: object) -> str:
    """Return JSON as the server writes it: without spaces."""
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"))


def same_json(one: object, other: object) -> bool:
    """Return whether two JSON values are the same; unlike in Python, `true` is not 1."""
    return one == other and json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


class ApiError(Exception):
    """An error that the API answers with a JSON body of `code` and `message`.

    :param status: HTTP status, which is also the `code`.
    :param error_type: what newer servers name it, for the few that they name (server source).
    """

    def __init__(self, status: int, message: str, error_type: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.error_type = error_type

    def answer(self, release: Release) -> Answer:
        """Return the answer as the release has it."""
        named = {"errorType": self.error_type} if self.error_type and not release.is_old else {}
        answer = json_answer(self.status, {**self._document(), **named})
        return answer.with_headers({"WWW-Authenticate": "om-auth"}) if self.status in (401, 403, 404, 409) else answer

    def _document(self) -> JsonObject:
        return {"code": self.status, "message": self.message}


class UnexpectedError(ApiError):
    """A failure that the server did not foresee (recorded on OpenMetadata 1.2)."""

    def __init__(self, message: str) -> None:
        super().__init__(500, message, "INTERNAL_SERVER_ERROR")

    def _document(self) -> JsonObject:
        return {"responseMessage": f"An exception with message [{self.message}] was thrown while processing request."}


class ProtocolError(ApiError):
    """A path (404), method (405) or media type (415) that is not supported; unexpected on 1.2 (recorded)."""

    def __init__(self, status: int) -> None:
        super().__init__(status, f"HTTP {status} {HTTPStatus(status).phrase}")

    def answer(self, release: Release) -> Answer:
        """Return the answer as the release has it."""
        return UnexpectedError(self.message).answer(release) if release.is_old else super().answer(release)


class UnreadableError(ApiError):
    """A body that is no JSON: a 400 in plain text (recorded on OpenMetadata 1.2)."""

    def answer(self, release: Release) -> Answer:
        """Return the answer, alike on all releases."""
        return Answer(self.status, self.message.encode(), {"Content-Type": "text/plain"})


def bad_request(message: str) -> ApiError:
    """Return a 400."""
    return ApiError(400, message)


def not_found(kind: str, key: str) -> ApiError:
    """Return a 404 for something that a request names."""
    return ApiError(404, f"{kind} instance for {key} not found")


def quoted(name: str) -> str:
    """Return a name as a part of a fully qualified name: in quotes if it has a dot; quotes in it go (server source)."""
    bare = name.replace('"', "")
    return f'"{bare}"' if "." in bare else bare


def read_page(
    keys: Sequence[tuple[str, str]], params: Mapping[str, str], *, by_id: bool
) -> tuple[list[str], JsonObject]:
    """Return the names on the page that a list request asks for, and what the answer says about paging.

    :param keys: name and id of all that is listed, in order.
    :param by_id: whether cursors hold both (server source); else they hold names (recorded).
    :raises ApiError: 400 for a bad limit or cursor.
    """
    limit = _read_limit(params.get("limit", "10"))
    after, before = (_read_cursor(params.get(side, ""), by_id=by_id) for side in ("after", "before"))
    if after and before:
        raise bad_request("Only one of before or after query parameter allowed")
    if before:
        end = bisect_left(keys, before, key=lambda key: key[: len(before)])
        start = max(0, end - limit)
    else:
        start = bisect_right(keys, after, key=lambda key: key[: len(after)]) if after else 0
        end = min(len(keys), start + limit)
    paging: JsonObject = {}
    if start > 0 and end > start:
        paging["before"] = _cursor(*keys[start], by_id=by_id)
    if start < end < len(keys):
        paging["after"] = _cursor(*keys[end - 1], by_id=by_id)
    return [name for name, _ in keys[start:end]], {**paging, "total": len(keys)}


def _read_limit(text: str) -> int:
    if not _INTEGER.fullmatch(text) or not -(2**31) <= (limit := int(text)) < 2**31:
        raise ProtocolError(404)  # recorded
    if limit < 0:
        raise bad_request("[query param limit must be greater than or equal to 0]")
    if limit > _MAX_LIMIT:
        raise bad_request(f"[query param limit must be less than or equal to {_MAX_LIMIT}]")
    return limit


def _cursor(name: str, key_id: str, *, by_id: bool) -> str:
    text = json.dumps({"name": name, "id": key_id}, ensure_ascii=False) if by_id else name
    return base64.b64encode(text.encode()).decode()


def _read_cursor(cursor: str, *, by_id: bool) -> tuple[str, ...]:
    try:
        text = base64.b64decode(cursor, validate=True).decode()
    except ValueError:
        wrong = next((letter for letter in cursor if not _BASE64.match(letter)), "=")
        raise bad_request(f"Illegal base64 character {ord(wrong):x}") from None
    if not (text and by_id):
        return (text,) if text else ()
    try:
        key = json.loads(text)
        return str(key["name"]), str(key["id"])
    except (ValueError, TypeError, KeyError):
        raise bad_request("Unrecognized token in the cursor") from None
