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
    def is_write(self) -> bool:
        """Whether the method asks for a change."""
        return self.method in _WRITES

    @property
    def root(self) -> str:
        """Address of the server as the client called it."""
        return f"http://{self.headers.get('host', 'localhost')}"


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

    def with_headers(self, headers: Mapping[str, str]) -> Answer:
        """The same answer with further headers, which win over those it has."""
        given = {name.lower() for name in headers}
        kept = {name: value for name, value in self.headers.items() if name.lower() not in given}
        return replace(self, headers={**kept, **headers})


def json_answer(status: int, document: object, *, change: str = "", rows: int = 0, writes: int = 0) -> Answer:
    """An answer with a JSON body.

    :param change: value of the header `X-OpenMetadata-Change`; none if empty.
    """
    headers = {"Content-Type": "application/json"}
    if change:
        headers["X-OpenMetadata-Change"] = change
    body = json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
    return Answer(status, body, headers, rows=rows, writes=writes)


class ApiError(Exception):
    """An error that the API answers with a JSON body of `code` and `message`.

    :param status: HTTP status, which is also the `code`.
    :param error_type: what newer servers name it; by the status if empty.
    """

    def __init__(self, status: int, message: str, error_type: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.error_type = error_type or _ERROR_TYPES.get(status, "")

    def answer(self, release: Release) -> Answer:
        """The answer as the release has it."""
        document: JsonObject = {"code": self.status, "message": self.message}
        if release.names_error_types and self.error_type:
            document["errorType"] = self.error_type
        answer = json_answer(self.status, document)
        if self.status in (401, 403, 404, 409):
            return answer.with_headers({"WWW-Authenticate": "om-auth"})
        return answer


class UnexpectedError(ApiError):
    """A failure that the server did not foresee and answers with 500 (recorded on OpenMetadata 1.2)."""

    def __init__(self, message: str) -> None:
        super().__init__(500, message)

    def answer(self, release: Release) -> Answer:
        """The answer, alike on all releases."""
        text = f"An exception with message [{self.message}] was thrown while processing request."
        return json_answer(500, {"responseMessage": text})


class ProtocolError(ApiError):
    """A method or media type that a path does not take; a 500 on 1.2 (recorded), itself on newer ones."""

    def answer(self, release: Release) -> Answer:
        """The answer as the release has it."""
        if release.protocol_errors_are_500:
            return UnexpectedError(self.message).answer(release)
        return super().answer(release)


class UnreadableError(ApiError):
    """A body that is no JSON, answered in plain text (recorded on OpenMetadata 1.2)."""

    def __init__(self, message: str) -> None:
        super().__init__(400, message)

    def answer(self, release: Release) -> Answer:
        """The answer, alike on all releases."""
        return Answer(400, self.message.encode(), {"Content-Type": "text/plain"})


_ERROR_TYPES = {
    400: "BAD_REQUEST",
    401: "UNAUTHORIZED",
    403: "FORBIDDEN",
    404: "ENTITY_NOT_FOUND",
    409: "ENTITY_ALREADY_EXISTS",
}


def bad_request(message: str) -> ApiError:
    """A 400."""
    return ApiError(400, message)


def not_found(kind: str, key: str) -> ApiError:
    """A 404 for something that a request names."""
    return ApiError(404, f"{kind} instance for {key} not found")
