"""The door of a server, which can be killed as a server is: `python -m tests.kills.front PORT SERVER_PORT`.

It passes connections on to a server that keeps what was written, as a database does. Port 0 takes any free one; the
first line printed is the port.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import Sequence

HOST = "127.0.0.1"


async def _pass_on(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):
        while part := await source.read(65536):
            target.write(part)
            await target.drain()
    target.close()


async def main(arguments: Sequence[str]) -> None:
    """Serve until killed."""
    port, server_port = map(int, arguments)

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        answers, requests = await asyncio.open_connection(HOST, server_port)
        await asyncio.gather(_pass_on(reader, requests), _pass_on(answers, writer))

    server = await asyncio.start_server(connected, HOST, port, backlog=512)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
