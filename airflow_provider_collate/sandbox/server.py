"""The sandbox over a socket, by Starlette and uvicorn (the extra `sandbox`)."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread
from typing import cast

from airflow_provider_collate.sandbox.catalog import Catalog
from airflow_provider_collate.sandbox.exchange import Answer, Ending, Request

try:
    import uvicorn
    from starlette.applications import Starlette
    from starlette.requests import Request as ServerRequest
    from starlette.responses import Response
    from starlette.routing import Route
    from starlette.types import Receive, Scope, Send
    from uvicorn.protocols.http.h11_impl import H11Protocol
except ImportError as error:
    raise ImportError(
        f"the sandbox's server needs {error.name}: pip install 'airflow-provider-collate[sandbox]'",
        name=error.name,
    ) from error

_METHODS = ["DELETE", "GET", "HEAD", "PATCH", "POST", "PUT"]
_SHUTDOWN_SECONDS = 1


class _Connections:
    """The open connections, so that one can be closed in the middle of an exchange."""

    def __init__(self) -> None:
        self.by_peer: dict[tuple[str, int], asyncio.Transport] = {}

    def close(self, peer: tuple[str, int], *, abruptly: bool) -> None:
        transport = self.by_peer.get(peer)
        if transport is None:
            return
        if abruptly:
            # Linger for zero seconds: the peer gets a reset instead of an end.
            raw = transport.get_extra_info("socket")
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            transport.abort()
        else:
            transport.close()

    def protocol(self) -> type[H11Protocol]:
        """The protocol of uvicorn, keeping note of its connections here."""
        connections = self.by_peer

        class NotedProtocol(H11Protocol):
            def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
                super().connection_made(transport)
                if self.client is not None:
                    connections[self.client] = transport

            def connection_lost(self, exc: Exception | None) -> None:
                if self.client is not None:
                    connections.pop(self.client, None)
                super().connection_lost(exc)

        return NotedProtocol


class _BrokenResponse(Response):
    """An answer whose connection ends before the answer does."""

    def __init__(self, answer: Answer, connections: _Connections) -> None:
        super().__init__(answer.body, answer.status, dict(answer.headers))
        self._ending = answer.ending
        self._connections = connections

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._ending is Ending.CUT:
            body = bytes(self.body)
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            await send({"type": "http.response.body", "body": body[: len(body) // 2], "more_body": True})
        self._connections.close(tuple(scope["client"]), abruptly=self._ending is Ending.RESET)
        while (await receive())["type"] != "http.disconnect":
            pass


class _Server(uvicorn.Server):
    """uvicorn, telling when it accepts requests."""

    def __init__(self, catalog: Catalog) -> None:
        connections = _Connections()
        super().__init__(
            uvicorn.Config(
                _application(catalog, connections),
                http=connections.protocol(),
                ws="none",
                lifespan="off",
                log_level="critical",
                access_log=False,
                proxy_headers=False,
                server_header=False,
                timeout_graceful_shutdown=_SHUTDOWN_SECONDS,
            )
        )
        self.is_up = Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.is_up.set()


def listen(host: str, port: int) -> socket.socket:
    """A socket that accepts connections.

    :param port: 0 takes any that is free.
    :raises OSError: when the address is taken or unknown.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family, backlog=512)


def address(listener: socket.socket) -> str:
    """The URL of a listening socket."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def serve(catalog: Catalog, listener: socket.socket) -> None:
    """Serve until SIGINT or SIGTERM."""
    _Server(catalog).run([listener])


@contextmanager
def serve_in_thread(catalog: Catalog, host: str = "127.0.0.1", port: int = 0) -> Iterator[str]:
    """Serve for the length of a `with` block.

    :param port: 0 takes any that is free.
    :returns: the server's URL, without `/api`.
    """
    listener = listen(host, port)
    server = _Server(catalog)
    thread = Thread(target=server.run, args=([listener],), name="collate-sandbox", daemon=True)
    thread.start()
    try:
        if not server.is_up.wait(timeout=30):
            raise RuntimeError("the sandbox's server did not start")
        yield address(listener)
    finally:
        server.should_exit = True
        thread.join()
        listener.close()


def _application(catalog: Catalog, connections: _Connections) -> Starlette:
    async def endpoint(request: ServerRequest) -> Response:
        answer = catalog.handle(await _read(request))
        if answer.delay:
            await asyncio.sleep(answer.delay)
        if answer.ending is not Ending.WHOLE:
            return _BrokenResponse(answer, connections)
        return Response(answer.body, answer.status, dict(answer.headers))

    return Starlette(routes=[Route("/{path:path}", endpoint, methods=_METHODS)])


async def _read(request: ServerRequest) -> Request:
    path = cast("bytes", request.scope["raw_path"]).decode("ascii")
    query = cast("bytes", request.scope["query_string"]).decode("ascii")
    target = f"{path}?{query}" if query else path
    return Request(request.method, target, dict(request.headers), await request.body())
