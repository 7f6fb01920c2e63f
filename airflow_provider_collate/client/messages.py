"""Hold requests and answers as the rest of the client sees them; neither shows its content in a `repr`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypedDict

from pydantic import JsonValue

from airflow_provider_collate.exceptions import AnswerError

JSON = "application/json"
JSON_PATCH = "application/json-patch+json"
_KINDS_OF_JSON = {type(None): "nothing", dict: "an object", list: "a list", str: "a text", bool: "true or false"}


Secrets = Callable[[], Sequence[str]]
"""Returns the values of a request that must not come back in a message: asked for when there is a message."""


class Details(TypedDict):
    """What every error says of its request."""

    method: str
    path: str
    request_id: str


@dataclass(frozen=True, slots=True)
class ApiRequest:
    """One call of the API.

    :param path: path under the API root, percent-encoded, e.g. `/v1/services/mlmodelServices`.
    :param secrets: returns values inside the body that must not come back in a message.
    :param authenticated: whether the token goes along.
    :param label: how messages call one of the things that it is about, such as `ML model service`.
    """

    method: str
    path: str
    params: Mapping[str, str | int] = field(default_factory=dict)
    body: JsonValue = field(default=None, repr=False)
    content_type: str = JSON
    secrets: Secrets = field(default=tuple, repr=False)
    authenticated: bool = True
    label: str = "service"

    @property
    def is_write(self) -> bool:
        """Return whether it may change the catalog."""
        return self.method != "GET"


@dataclass(frozen=True, slots=True)
class Attempt:
    """One time that a request is sent, with its `X-Request-Id`; the token is empty where none goes along."""

    request: ApiRequest
    request_id: str
    token: str = field(default="", repr=False)

    @property
    def secrets(self) -> tuple[str, ...]:
        """Return what must not come back in a message."""
        return (*self.request.secrets(), *([self.token] if self.token else []))

    def details(self) -> Details:
        """Return what every error says of the request."""
        return {"method": self.request.method, "path": self.request.path, "request_id": self.request_id}


@dataclass(frozen=True, slots=True)
class Answer:
    """A 2xx answer; the data is None where there was no body."""

    status: int
    request: ApiRequest = field(repr=False)
    data: JsonValue = field(default=None, repr=False)
    request_id: str = ""

    def mapping(self) -> dict[str, JsonValue]:
        """Return the answer as the JSON object it should be.

        :raises AnswerError: when it is something else.
        """
        if isinstance(self.data, dict):
            return self.data
        raise self.unexpected("a JSON object")

    def unexpected(self, wanted: str) -> AnswerError:
        """Return an error that says what was expected instead of what came."""
        came = _KINDS_OF_JSON.get(type(self.data), "a number")
        return AnswerError(
            f"Collate answered {self.status} with {came} where {wanted} was expected",
            **Attempt(self.request, self.request_id).details(),
            advice="Check that the connection's host is a Collate or OpenMetadata server and not another API.",
            maybe_applied=self.request.is_write,
        )
