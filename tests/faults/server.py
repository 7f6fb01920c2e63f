"""An HTTP/1.1 server on raw sockets that misbehaves as it is told, and writes down what reached it.

A behaviour is what happens to one request; a script says which request gets which. Where the script has
none, the handler's truth is sent: the sandbox's `Catalog().handle`, for instance.
"""

from __future__ import annotations

import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from enum import Enum
from http import HTTPStatus
from typing import TYPE_CHECKING

from airflow_provider_collate.sandbox.exchange import Answer, Ending, Request

if TYPE_CHECKING:
    from typing_extensions import Self

Handler = Callable[[Request], Answer]
Behaviour = Callable[["Exchange"], None]
Script = Iterable["Behaviour | None"] | Callable[["Received"], "Behaviour | None"]

_CHUNK = 64 * 1024
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)
JSON = {"Content-Type": "application/json"}


class Accepting(Enum):
    """What happens to a connection before anything is read from it."""

    SERVE = "serve it"
    CLOSE = "close it at once"
    RESET = "reset it at once"
    HOLD = "keep it, and never read nor answer"


@dataclass(frozen=True)
class Received:
    """A request that arrived whole.

    :param connection: which connection it came by, counted from 0 in the order they were accepted.
    :param number: which request of the server's life it is, counted from 0.
    """

    connection: int
    number: int
    request: Request

    @property
    def method(self) -> str:
        return self.request.method

    @property
    def target(self) -> str:
        return self.request.target

    @property
    def headers(self) -> Mapping[str, str]:
        """Names in lower case."""
        return self.request.headers


class _HungUpError(OSError):
    """The other side is gone, or the server is to stop."""


@dataclass
class Exchange:
    """One request and the way back to whoever sent it; the connection closes after it unless kept open."""

    received: Received
    handle: Handler
    _line: _Line
    keep_open: bool = field(default=False, init=False)

    def truth(self) -> Answer:
        """Let the handler do what the request asks for, and give its answer."""
        return self.handle(self.received.request)

    def send(self, data: bytes) -> None:
        self._line.send(data)

    def drip(self, data: bytes, seconds: float) -> None:
        """Send one byte, and wait, and so on."""
        for index in range(len(data)):
            self.send(data[index : index + 1])
            self._line.wait(seconds)

    def wait(self, seconds: float) -> None:
        """Wait, but no longer than the server lives."""
        self._line.wait(seconds)

    def wait_for_hangup(self) -> None:
        """Wait until the other side closes the connection, or the server stops."""
        while self._line.receive():
            pass

    def reset(self) -> None:
        """Make the connection end by a reset."""
        self._line.reset()

    def answer(self, answer: Answer) -> None:
        """Send a whole answer, or as much of it as its `ending` lets through."""
        self.wait(answer.delay)
        if answer.ending is Ending.RESET:
            self.reset()
        elif answer.ending is not Ending.LOST:
            self.send(head(answer) + answer.sent_body)
            asked = self.received.headers.get("connection", "").lower()
            self.keep_open = answer.ending is Ending.WHOLE and asked != "close"


def head(answer: Answer, *, framing: str | None = None) -> bytes:
    """Give the status line and the headers of an answer.

    :param framing: the header that tells where the body ends; its length by default.
    """
    try:
        reason = HTTPStatus(answer.status).phrase
    except ValueError:
        reason = "Unknown"
    lines = [f"HTTP/1.1 {answer.status} {reason}"]
    lines += [f"{name}: {value}" for name, value in answer.headers.items()]
    lines += [framing or f"Content-Length: {len(answer.body)}", "", ""]
    return "\r\n".join(lines).encode("latin-1")


class FaultServer:
    """The server; used as a context manager, it listens on a free port of 127.0.0.1.

    :param script: behaviours of the first requests in order, or a function that chooses one for each
        request; `None`, or none left, is the handler's truth.
    :param handle: what does and answers requests; a 404 by default.
    :param accepting: chooses by the connection's number what happens to it.
    :param tls: makes it speak TLS.
    """

    def __init__(
        self,
        script: Script = (),
        *,
        handle: Handler = lambda request: Answer(404, b'{"code":404,"message":"nothing here"}', JSON),
        accepting: Callable[[int], Accepting] = lambda number: Accepting.SERVE,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.received: list[Received] = []
        self.connections = 0
        self.captured = bytearray()
        self._next: Iterator[Behaviour | None] = iter(()) if callable(script) else iter(script)
        self._choose = script if callable(script) else lambda received: next(self._next, None)
        self._handle = handle
        self._accepting = accepting
        self._tls = tls
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._lines: set[_Line] = set()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._threads = [threading.Thread(target=self._listen, name="fault-server", daemon=True)]

    @property
    def port(self) -> int:
        return int(self._listener.getsockname()[1])

    @property
    def url(self) -> str:
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}"

    def count(self, method: str = "", path: str = "") -> int:
        """Count the requests of a method whose path begins so."""
        return sum(one.method == (method or one.method) and one.target.startswith(path) for one in list(self.received))

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Hang up on everyone, and wait until all threads have ended.

        :raises RuntimeError: if one did not.
        """
        if self._stopping.is_set():
            return
        with self._lock:
            self._stopping.set()
            for line in self._lines:
                line.hang_up()
        socket.create_connection(("127.0.0.1", self.port)).close()  # wakes the listening thread
        for thread in self._threads:
            thread.join(5)
        self._listener.close()
        if left := [thread.name for thread in self._threads if thread.is_alive()]:
            raise RuntimeError(f"threads of the fault server are still running: {left}")

    def _listen(self) -> None:
        while True:
            raw, _ = self._listener.accept()
            with self._lock:
                if self._stopping.is_set():
                    raw.close()
                    return
                number = self.connections
                self.connections += 1
                line = _Line(raw, self._stopping, self.captured)
                self._lines.add(line)
                thread = threading.Thread(
                    target=self._serve, args=(number, line), name=f"fault-server-{number}", daemon=True
                )
                self._threads.append(thread)
                thread.start()

    def _serve(self, number: int, line: _Line) -> None:
        try:
            accepting = self._accepting(number)
            if accepting is Accepting.RESET:
                line.reset()
            elif accepting is Accepting.HOLD:
                line.wait_until_stopped()
            elif accepting is Accepting.SERVE:
                if self._tls:
                    line.start_tls(self._tls)
                while self._exchange(number, line):
                    pass
        except OSError:
            pass  # the other side hung up, or refused our certificate: it is the client under test
        finally:
            with self._lock:
                self._lines.discard(line)
                line.close()

    def _exchange(self, number: int, line: _Line) -> bool:
        request = line.read_request()
        with self._lock:
            received = Received(number, len(self.received), request)
            self.received.append(received)
            behaviour = self._choose(received)
        exchange = Exchange(received, self._handle, line)
        if behaviour is None:
            exchange.answer(exchange.truth())
        else:
            behaviour(exchange)
        return exchange.keep_open


class _Line:
    """A connection's socket."""

    def __init__(self, raw: socket.socket, stopping: threading.Event, captured: bytearray) -> None:
        self._raw = raw
        self._socket = raw
        self._stopping = stopping
        self._captured = captured
        self._buffer = b""

    def start_tls(self, context: ssl.SSLContext) -> None:
        # A wrapped socket takes the descriptor away; the copy is what another thread can hang up by.
        self._raw = self._socket.dup()
        self._socket = context.wrap_socket(self._socket, server_side=True)

    def send(self, data: bytes) -> None:
        self._socket.sendall(data)

    def receive(self) -> bytes:
        data = self._socket.recv(_CHUNK)
        self._captured += data
        return data

    def read_request(self) -> Request:
        while b"\r\n\r\n" not in self._buffer:
            self._fill()
        raw_head, _, self._buffer = self._buffer.partition(b"\r\n\r\n")
        first, *lines = raw_head.decode("latin-1").split("\r\n")
        method, target, _ = first.split(" ", 2)
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        length = int(headers.get("content-length", 0))
        while len(self._buffer) < length:
            self._fill()
        body, self._buffer = self._buffer[:length], self._buffer[length:]
        return Request(method, target, headers, body)

    def _fill(self) -> None:
        data = self.receive()
        if not data:
            raise _HungUpError
        self._buffer += data

    def wait(self, seconds: float) -> None:
        if self._stopping.wait(seconds):
            raise _HungUpError

    def wait_until_stopped(self) -> None:
        self._stopping.wait()

    def reset(self) -> None:
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)

    def hang_up(self) -> None:
        with suppress(OSError):  # it is closed already
            self._raw.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self._socket.close()
        self._raw.close()


def closed_port() -> int:
    """Give a port of 127.0.0.1 where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])
