"""A network that answers as it is told, and a transport on it whose waits are written down instead of waited."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import httpx

from airflow_provider_collate.client.config import ClientConfig
from airflow_provider_collate.client.transport import Transport

URL = "https://acme.example/api"
TOKEN = "first-token-of-this-test"

Step = httpx.Response | Exception | Callable[[httpx.Request], httpx.Response]


class Network(httpx.BaseTransport):
    """Takes one step for each request; the last one again and again.

    :param steps: an answer, an error to raise, or a function of the request.
    :param release: what the server says to be its release, aside from the script; the script tells if empty.
    """

    def __init__(self, *steps: Step, release: str = "") -> None:
        self.requests: list[httpx.Request] = []
        self._steps = steps
        self._release = release

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if self._release and request.url.path.endswith("/system/version"):
            return _again(answer(200, {"version": self._release}))
        request.read()
        self.requests.append(request)
        step = self._steps[min(len(self.requests), len(self._steps)) - 1]
        if isinstance(step, Exception):
            raise step
        return _again(step(request) if callable(step) else step)

    @property
    def tokens(self) -> list[str]:
        """The token of each request."""
        return [request.headers.get("Authorization", "").removeprefix("Bearer ") for request in self.requests]


@dataclass
class Sent:
    """A transport, and what can be seen of it.

    :param waits: seconds it wanted to wait, slice by slice.
    """

    transport: Transport
    network: Network
    waits: list[float] = field(default_factory=list)


def sent_over(*steps: Step, max_retries: int = 3, tokens: Iterator[str] | None = None) -> Sent:
    """A transport over scripted answers.

    :param tokens: what the connection holds, each time it is read; always the same by default.
    """
    waits: list[float] = []
    network = Network(*steps)
    config = ClientConfig(URL, max_retries=max_retries, user_agent="airflow-provider-collate/test")
    held = tokens or itertools.repeat(TOKEN)
    return Sent(Transport(config, lambda: next(held), http=network, sleep=waits.append), network, waits)


def answer(status: int, document: object = None, **headers: str) -> httpx.Response:
    """A JSON answer; a keyword `Retry_After` is the header `Retry-After`."""
    content = b"" if document is None else json.dumps(document).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.Response(status, headers={"Content-Type": "application/json", **named}, content=content)


def said(status: int, message: str, **headers: str) -> httpx.Response:
    """An error answer as the API makes them."""
    return answer(status, {"code": status, "message": message}, **headers)


def _again(response: httpx.Response) -> httpx.Response:
    """The same answer, unread."""
    return httpx.Response(response.status_code, headers=response.headers, stream=httpx.ByteStream(response.content))
