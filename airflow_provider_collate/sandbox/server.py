"""The sandbox over a socket, by uvicorn."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread
from typing import Any, cast

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


def _server(catalog: Catalog) -> uvicorn.Server:
    options: dict[str, Any] = {"http": "h11", "ws": "none", "lifespan": "off", "log_level": "critical"}
    options |= {"access_log": False, "proxy_headers": False, "server_header": False, "timeout_graceful_shutdown": 1}
    return uvicorn.Server(uvicorn.Config(_application(catalog), **options))


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that accepts connections; port 0 takes any that is free."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family, backlog=512)


def address(listener: socket.socket) -> str:
    """Return the URL of a listening socket."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def serve(catalog: Catalog, listener: socket.socket) -> None:
    """Serve until SIGINT or SIGTERM."""
    _server(catalog).run([listener])


@contextmanager
def serve_in_thread(catalog: Catalog, host: str = "127.0.0.1", port: int = 0) -> Iterator[str]:
    """Serve for the length of a `with` block, which gets the server's URL; port 0 takes any that is free."""
    listener = listen(host, port)
    server = _server(catalog)
    thread = Thread(target=server.run, args=([listener],), name="collate-sandbox", daemon=True)
    thread.start()
    try:
        # What connects before uvicorn accepts waits in the socket's queue.
        yield address(listener)
    finally:
        server.should_exit = True
        thread.join()
        listener.close()
