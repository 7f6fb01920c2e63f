"""Ways to mistreat a request; each says whether the request took effect before."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import replace

from airflow_provider_collate.sandbox.exchange import Answer, Ending
from tests.faults.server import JSON, Behaviour, Exchange, head

_CHUNK = 64 * 1024


def never_answers(exchange: Exchange) -> None:
    """Read the request, and say nothing."""
    exchange.wait_for_hangup()


def _ends(ending: Ending, *, commits: bool) -> Behaviour:
    """End the connection in a way that the sandbox knows too."""
    nothing = Answer(500)
    return lambda exchange: exchange.answer(replace(exchange.truth() if commits else nothing, ending=ending))


closes = _ends(Ending.LOST, commits=False)
resets = _ends(Ending.RESET, commits=False)
commits_then_closes = _ends(Ending.LOST, commits=True)
commits_then_resets = _ends(Ending.RESET, commits=True)
closes_in_the_body = _ends(Ending.CUT, commits=True)


def closes_after_headers(exchange: Exchange) -> None:
    """Do what was asked, send the answer's headers, and close."""
    exchange.send(head(exchange.truth()))


def answers(status: int, body: bytes = b"", headers: Mapping[str, str] | None = None) -> Behaviour:
    """Answer this, and do nothing that was asked; to CONNECT, it is a proxy's refusal."""
    answer = Answer(status, body, headers if headers is not None else JSON)
    return lambda exchange: exchange.answer(answer)


def redirects(location: str, status: int = 307) -> Behaviour:
    """Point elsewhere."""
    return answers(status, headers={"Location": location})


def drips_headers(seconds: float) -> Behaviour:
    """Do what was asked, and answer one byte at a time, from the status line on.

    :param seconds: between two bytes.
    """

    def behaviour(exchange: Exchange) -> None:
        answer = exchange.truth()
        exchange.drip(head(answer) + answer.body, seconds)

    return behaviour


def drips_body(seconds: float) -> Behaviour:
    """Do what was asked, send the headers at once, and the body one byte at a time.

    :param seconds: between two bytes.
    """

    def behaviour(exchange: Exchange) -> None:
        answer = exchange.truth()
        exchange.send(head(answer))
        exchange.drip(answer.body, seconds)

    return behaviour


def deeply_nested(depth: int = 100_000) -> Behaviour:
    """Answer 200 with lists in lists."""
    return answers(200, b"[" * depth + b"]" * depth)


def gzip_bomb(size: int) -> Behaviour:
    """Answer 200 with a small body that unpacks to a large one.

    :param size: bytes it unpacks to, in whole chunks of 64 KiB.
    """
    packer = zlib.compressobj(wbits=zlib.MAX_WBITS | 16)
    packed = b"".join(packer.compress(b" " * _CHUNK) for _ in range(size // _CHUNK)) + packer.flush()
    return answers(200, packed, {**JSON, "Content-Encoding": "gzip"})


def long_body(size: int, *, announced: bool = True) -> Behaviour:
    """Answer 200 with a large body that is never held in memory.

    :param size: bytes; only whole chunks of 64 KiB are sent.
    :param announced: whether `Content-Length` tells it; it comes in chunks otherwise.
    """
    chunks = max(1, size // _CHUNK)
    framing = f"Content-Length: {chunks * _CHUNK}" if announced else "Transfer-Encoding: chunked"

    def behaviour(exchange: Exchange) -> None:
        exchange.send(head(Answer(200, headers=JSON), framing=framing))
        for _ in range(chunks):
            exchange.send(b" " * _CHUNK if announced else b"%x\r\n" % _CHUNK + b" " * _CHUNK + b"\r\n")
        if not announced:
            exchange.send(b"0\r\n\r\n")

    return behaviour
