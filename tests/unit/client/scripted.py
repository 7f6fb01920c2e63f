"""A network that answers as it is told, and a transport on it whose waits are written down instead of waited."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import httpx
import pytest

from airflow_provider_collate.client.client import CollateClient
from airflow_provider_collate.client.config import ClientConfig
from airflow_provider_collate.client.messages import ApiRequest
from airflow_provider_collate.client.services import Services
from airflow_provider_collate.client.transport import Transport
from airflow_provider_collate.exceptions import RequestError
from airflow_provider_collate.kinds.mlmodel import ML_MODEL

URL = "https://acme.example/api"
TOKEN = "first-token-of-this-test"
COLLECTION = "/api/v1/services/mlmodelServices"
GET = ApiRequest("GET", "/v1/services/mlmodelServices")
SERVICE = {"id": "1", "name": "a", "serviceType": "Mlflow", "version": 0.1}

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
    return Sent(CollateClient(config, lambda: next(held), http=network, sleep=waits.append), network, waits)


def scripted_services(*steps: Step, release: str = "1.12.3", max_retries: int = 1) -> tuple[Services, Network]:
    """Services over a network that tells its release and then follows the script."""
    network = Network(*steps, release=release)
    return services_over(network, TOKEN, max_retries), network


def services_over(http: httpx.BaseTransport, token: str, max_retries: int = 1) -> Services:
    """Services over a network."""
    config = ClientConfig(URL, max_retries=max_retries)
    return CollateClient(config, lambda: token, http=http, sleep=lambda _: None).services(ML_MODEL)


def listed(*names: str, after: str = "", total: int | None = None) -> httpx.Response:
    """A page of the list."""
    rows = [{**SERVICE, "id": name, "name": name, "tags": []} for name in names]
    paging = {**({} if total is None else {"total": total}), **({"after": after} if after else {})}
    return answer(200, {"data": rows, "paging": paging})


def failure_of(sent: Sent, request: ApiRequest = GET) -> RequestError:
    """How a request ends that fails."""
    with pytest.raises(RequestError) as caught:
        sent.transport.send(request)
    return caught.value


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
