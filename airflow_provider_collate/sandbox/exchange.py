"""A request to the sandbox, its answer, and the errors that become answers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from urllib.parse import parse_qsl, unquote

from airflow_provider_collate.sandbox.releases import Release

JsonObject = dict[str, object]

_WRITES = frozenset({"DELETE", "PATCH", "POST", "PUT"})


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
    """

    method: str
    target: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def path(self) -> str:
        """The path as sent, without the query."""
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
        return self.headers.get("content-type", "").partition(";")[0]

    @property
    def is_write(self) -> bool:
        """Whether the method asks for a change."""
        return self.method in _WRITES

    @property
    def root(self) -> str:
        """The API's address as the client called it."""
        return f"http://{self.headers.get('host', 'localhost')}/api"


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
        given = {name.lower() for name in headers}
        kept = {name: value for name, value in self.headers.items() if name.lower() not in given}
        return replace(self, headers={**kept, **headers})


def json_answer(status: int, document: object, *, change: str = "", rows: int = 0, writes: int = 0) -> Answer:
    """Return an answer with a JSON body.

    :param change: value of the header `X-OpenMetadata-Change`; none if empty.
    """
    headers = {"Content-Type": "application/json"}
    if change:
        headers["X-OpenMetadata-Change"] = change
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
        answer = json_answer(self.status, {"code": self.status, "message": self.message, **named})
        is_named = self.status in (401, 403, 404, 409)
        return answer.with_headers({"WWW-Authenticate": "om-auth"}) if is_named else answer


class UnexpectedError(ApiError):
    """A failure that the server did not foresee (recorded on OpenMetadata 1.2)."""

    def __init__(self, message: str) -> None:
        super().__init__(500, message, "INTERNAL_SERVER_ERROR")

    def answer(self, release: Release) -> Answer:
        """Return the answer as the release has it."""
        text = f"An exception with message [{self.message}] was thrown while processing request."
        named = {} if release.is_old else {"errorType": self.error_type}
        return json_answer(500, {"responseMessage": text, **named})


class ProtocolError(ApiError):
    """A path, method or media type that is not taken; unexpected on 1.2 (recorded)."""

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


def no_such_path() -> ApiError:
    """Return a 404 for a path that is not there."""
    return ProtocolError(404, "HTTP 404 Not Found")


def wrong_method() -> ApiError:
    """Return a 405."""
    return ProtocolError(405, "HTTP 405 Method Not Allowed")


def wrong_media_type() -> ApiError:
    """Return a 415."""
    return ProtocolError(415, "HTTP 415 Unsupported Media Type")


def not_found(kind: str, key: str) -> ApiError:
    """Return a 404 for something that a request names."""
    return ApiError(404, f"{kind} instance for {key} not found")


def quoted(name: str) -> str:
    """Return a name as a part of a fully qualified name: in quotes if it has a dot; quotes in it go (server source)."""
    bare = name.replace('"', "")
    return f'"{bare}"' if "." in bare else bare
