"""Bound a whole attempt of a request by one deadline.

httpx bounds each read and write on its own, so a server that sends a byte a second holds a request for ever. Here
every operation on the socket gets only what is left of the attempt's time. What is not bounded is the look-up of a
host's name, which the operating system does.

httpcore's network backend is public, but httpx has no argument for it. Setting it on httpx's pool is one private
line, and a transport of our own over httpcore would repeat what httpx does for proxies and errors. Tests over real
sockets, with headers that trickle and requests that are not read, fail when that line no longer works.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from ssl import SSLContext
from typing import Any

import httpcore
import httpx

_PIECE = 16 * 1024


class Deadline:
    """Hold the time at which the current thread's attempt ends.

    :param clock: a monotonic clock in seconds.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._local = threading.local()

    @contextmanager
    def within(self, seconds: float) -> Iterator[None]:
        """Bound everything that this thread does inside."""
        self._local.ends_at = self._clock() + seconds
        try:
            yield
        finally:
            self._local.ends_at = None

    def left(self, timeout: float | None) -> float | None:
        """Return the seconds that the next operation may take.

        :raises httpcore.ReadTimeout: when the attempt's time is used up.
        """
        ends_at: float | None = getattr(self._local, "ends_at", None)
        if ends_at is None:
            return timeout
        left = ends_at - self._clock()
        if left <= 0:
            # The words of a socket whose time ends while it waits: which of the two comes first is chance.
            raise httpcore.ReadTimeout("timed out")
        return left if timeout is None else min(timeout, left)


class _BoundedStream(httpcore.NetworkStream):
    def __init__(self, stream: httpcore.NetworkStream, deadline: Deadline) -> None:
        self._stream = stream
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, self._deadline.left(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        # In pieces, because httpcore gives the whole timeout again for each part that the socket takes.
        for start in range(0, len(buffer), _PIECE):
            self._stream.write(buffer[start : start + _PIECE], self._deadline.left(timeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        stream = self._stream.start_tls(ssl_context, server_hostname, self._deadline.left(timeout))
        return _BoundedStream(stream, self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


class _BoundedBackend(httpcore.NetworkBackend):
    def __init__(self, backend: httpcore.NetworkBackend, deadline: Deadline) -> None:
        self._backend = backend
        self._deadline = deadline

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        stream = self._backend.connect_tcp(host, port, self._deadline.left(timeout), local_address, socket_options)
        return _BoundedStream(stream, self._deadline)


class DeadlineTransport(httpx.HTTPTransport):
    """Send as httpx does, each operation on the socket bounded by the attempt's deadline.

    :param deadline: the deadline to obey.
    """

    def __init__(
        self, deadline: Deadline, *, verify: SSLContext, proxy: httpx.Proxy | None, limits: httpx.Limits
    ) -> None:
        super().__init__(verify=verify, proxy=proxy, limits=limits, trust_env=False)
        self._pool._network_backend = _BoundedBackend(httpcore.SyncBackend(), deadline)  # noqa: SLF001
