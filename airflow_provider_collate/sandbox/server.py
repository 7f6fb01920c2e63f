"""The sandbox over a socket, by uvicorn."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread
from typing import cast

import uvicorn
from starlette.requests import Request as ServerRequest
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import RequestResponseCycle

from airflow_provider_collate.sandbox.catalog import Catalog
from airflow_provider_collate.sandbox.exchange import Answer, Ending, Request


def _application(catalog: Catalog) -> ASGIApp:
    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        answer = catalog.handle(await _read(ServerRequest(scope, receive)))
        if answer.delay:
            await asyncio.sleep(answer.delay)
        if answer.ending is Ending.WHOLE:
            await Response(answer.body, answer.status, dict(answer.headers))(scope, receive, send)
        else:
            await _break_off(answer, receive, send)

    return application


async def _read(request: ServerRequest) -> Request:
    path, query = (cast("bytes", request.scope[name]).decode("ascii") for name in ("raw_path", "query_string"))
    return Request(request.method, f"{path}?{query}" if query else path, dict(request.headers), await request.body())


async def _break_off(answer: Answer, receive: Receive, send: Send) -> None:
    """End the connection before the answer does."""
    # uvicorn hands out its own exchange, which alone knows the connection.
    transport = cast("RequestResponseCycle", receive.__self__).transport  # type: ignore[attr-defined]
    if answer.ending is Ending.CUT:
        headers = Response(answer.body, answer.status, dict(answer.headers)).raw_headers
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        await send({"type": "http.response.body", "body": answer.sent_body, "more_body": True})
    if answer.ending is Ending.RESET:
        # Linger for zero seconds: the peer gets a reset instead of an end.
        raw = transport.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()
    else:
        transport.close()
    while (await receive())["type"] != "http.disconnect":
        pass


class _Server(uvicorn.Server):
    """uvicorn, telling when it accepts requests."""

    def __init__(self, catalog: Catalog) -> None:
        super().__init__(
            uvicorn.Config(
                _application(catalog),
                http="h11",
                ws="none",
                lifespan="off",
                log_level="critical",
                access_log=False,
                proxy_headers=False,
                server_header=False,
                timeout_graceful_shutdown=1,
            )
        )
        self.is_up = Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.is_up.set()


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that accepts connections.

    :param port: 0 takes any that is free.
    :raises OSError: when the address is taken or unknown.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family, backlog=512)


def address(listener: socket.socket) -> str:
    """Return the URL of a listening socket."""
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
