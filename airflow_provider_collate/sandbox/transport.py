"""The sandbox in process, as a transport for httpx clients."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import httpx

from airflow_provider_collate.sandbox.catalog import Catalog
from airflow_provider_collate.sandbox.exchange import Answer, Ending, Request


class InProcessTransport(httpx.BaseTransport):
    """Hand requests to a catalog without a network.

    Faults end as they do over a socket: a lost answer is a `httpx.RemoteProtocolError`, a reset a
    `httpx.ReadError`, an answer later than the client's read timeout a `httpx.ReadTimeout`.

    :param catalog: what answers.
    :param sleep: waits for seconds; called only where latency was ordered.
    """

    def __init__(self, catalog: Catalog, *, sleep: Callable[[float], object] = time.sleep) -> None:
        self._catalog = catalog
        self._sleep = sleep

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Answer one request."""
        headers = {name.lower(): value for name, value in request.headers.items()}
        target = request.url.raw_path.decode("ascii")
        answer = self._catalog.handle(Request(request.method, target, headers, request.read()))
        self._wait(answer, request)
        if answer.ending is Ending.LOST:
            raise httpx.RemoteProtocolError("Server disconnected without sending a response.", request=request)
        if answer.ending is Ending.RESET:
            raise httpx.ReadError("[Errno 104] Connection reset by peer", request=request)
        if answer.ending is Ending.CUT:
            whole = {**answer.headers, "Content-Length": str(len(answer.body))}
            return httpx.Response(answer.status, headers=whole, content=_cut(answer))
        return httpx.Response(answer.status, headers=dict(answer.headers), stream=httpx.ByteStream(answer.body))

    def _wait(self, answer: Answer, request: httpx.Request) -> None:
        limit = request.extensions.get("timeout", {}).get("read")
        is_late = limit is not None and answer.delay > limit
        if answer.delay:
            self._sleep(limit if is_late else answer.delay)
        if is_late:
            raise httpx.ReadTimeout("The read operation timed out", request=request)


def _cut(answer: Answer) -> Iterator[bytes]:
    yield answer.sent_body
    received = f"received {len(answer.sent_body)} bytes, expected {len(answer.body)}"
    raise httpx.RemoteProtocolError(f"peer closed connection without sending complete message body ({received})")
