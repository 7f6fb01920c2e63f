"""Set up the way to the server: proxy, certificates, a bounded pool of connections, and a deadline for each attempt.

httpx bounds each read and write on its own, so a server that sends a byte a second holds a request for ever. Here
every operation on the socket gets only what is left of the attempt's time. What is not bounded is the look-up of a
host's name, which the operating system does.

httpcore's network backend is public, but httpx has no argument for it. Setting it on httpx's pool is one private
line, and a transport of our own over httpcore would repeat what httpx does for proxies and errors. Tests over real
sockets, with headers that trickle and requests that are not read, fail when that line no longer works.
"""

from __future__ import annotations

import math
import ssl
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import getproxies, proxy_bypass

import httpcore
import httpx

from airflow_provider_collate.client.config import ClientConfig
from airflow_provider_collate.exceptions import InvalidConnectionError

MAX_CONNECTIONS = 32
ACCEPTED_ENCODING = "gzip"
_EXAMPLE_PROXY = "http://proxy.acme.example:3128"
_PIECE = 16 * 1024


class Deadline(threading.local):
    """The time at which the current thread's attempt ends."""

    ends_at = math.inf


@dataclass(frozen=True, slots=True)
class Route:
    """The way to the server.

    :param deadline: bounds every operation on the socket.
    :param where: the server, and the proxy on the way, as messages call them: without credentials.
    """

    http: httpx.Client
    deadline: Deadline
    where: str


def open_route(config: ClientConfig, clock: Callable[[], float], transport: httpx.BaseTransport | None) -> Route:
    """Set up the way to one server; nothing is sent yet.

    :param transport: what stands in for the network.
    :raises InvalidConnectionError: when a certificate file or the proxy cannot be used.
    """
    proxy, deadline = proxy_url(config), Deadline()
    http = httpx.Client(
        transport=transport or _network(config, proxy, _BoundedBackend(deadline, clock)),
        timeout=config.timeout,
        trust_env=False,
        headers={"User-Agent": config.user_agent, "Accept": "application/json", "Accept-Encoding": ACCEPTED_ENCODING},
    )
    return Route(http, deadline, name_of_server(config, proxy))


def proxy_url(config: ClientConfig) -> str | None:
    """Return the proxy of the connection, or the one that the environment names (`HTTPS_PROXY`, `NO_PROXY`, …)."""
    if config.proxy:
        return config.proxy
    target = httpx.URL(config.url)
    if proxy_bypass(target.host) or proxy_bypass(target.netloc.decode()):
        return None
    proxies = getproxies()
    proxy = proxies.get(target.scheme) or proxies.get("all")
    return f"http://{proxy}" if proxy and "://" not in proxy else proxy


def name_of_server(config: ClientConfig, proxy: str | None) -> str:
    """Return the server, and the proxy on the way, as messages call them: without credentials."""
    server = config.url.removesuffix("/api")
    if proxy is None:
        return server
    with suppress(httpx.InvalidURL, ValueError):
        url = httpx.URL(proxy)
        return f"{server} (by the proxy {url.scheme}://{url.netloc.decode()})"
    return f"{server} (by a proxy)"


def _network(config: ClientConfig, proxy: str | None, backend: httpcore.NetworkBackend) -> httpx.BaseTransport:
    limits = httpx.Limits(max_connections=MAX_CONNECTIONS, max_keepalive_connections=MAX_CONNECTIONS)
    context = _ssl_context(config)
    # An address that cannot be used; ImportError is how httpx says that it lacks what socks5:// needs.
    with suppress(httpx.InvalidURL, ValueError, ImportError):
        network = httpx.HTTPTransport(
            verify=context, proxy=httpx.Proxy(proxy) if proxy else None, limits=limits, trust_env=False
        )
        network._pool._network_backend = backend  # noqa: SLF001
        return network
    of = "extra.proxy" if config.proxy else "the environment's proxy (HTTP_PROXY, HTTPS_PROXY or ALL_PROXY)"
    raise InvalidConnectionError([f"{of}: is not a proxy URL that can be used, such as {_EXAMPLE_PROXY}"])


class _BoundedBackend(httpcore.SyncBackend):
    def __init__(self, deadline: Deadline, clock: Callable[[], float]) -> None:
        self._deadline = deadline
        self._clock = clock

    def left(self, timeout: float | None) -> float:
        """Return the seconds that the next operation may take.

        :raises httpcore.ReadTimeout: when the attempt's time is used up.
        """
        left = self._deadline.ends_at - self._clock()
        if left <= 0:
            # The words of a socket whose time ends while it waits: which of the two comes first is chance.
            raise httpcore.ReadTimeout("timed out")
        return left if timeout is None else min(timeout, left)

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        stream = super().connect_tcp(host, port, self.left(timeout), local_address, socket_options)
        return _BoundedStream(stream, self)


class _BoundedStream(httpcore.NetworkStream):
    def __init__(self, stream: httpcore.NetworkStream, backend: _BoundedBackend) -> None:
        self._stream = stream
        self._backend = backend

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, self._backend.left(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        # In pieces, because httpcore gives the whole timeout again for each part that the socket takes.
        for start in range(0, len(buffer), _PIECE):
            self._stream.write(buffer[start : start + _PIECE], self._backend.left(timeout))

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        stream = self._stream.start_tls(ssl_context, server_hostname, self._backend.left(timeout))
        return _BoundedStream(stream, self._backend)

    def close(self) -> None:
        self._stream.close()

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


def _ssl_context(config: ClientConfig) -> ssl.SSLContext:
    if isinstance(config.verify, str):
        # Instead of all other authorities, as `verify` is understood by httpx and requests.
        with _certificates("extra.verify"):
            file, folder = (None, config.verify) if Path(config.verify).is_dir() else (config.verify, None)
            context = ssl.create_default_context(cafile=file, capath=folder)
    else:
        with _certificates("the environment's SSL_CERT_FILE or SSL_CERT_DIR"):
            context = httpx.create_ssl_context(verify=config.verify)
    if config.client_cert is not None:
        paths = (config.client_cert,) if isinstance(config.client_cert, str) else config.client_cert
        with _certificates("extra.client_cert"):
            context.load_cert_chain(*paths)
    return context


@contextmanager
def _certificates(what: str) -> Iterator[None]:
    """Say no more of files that cannot be read, or the form's Test button would tell what files there are."""
    try:
        yield
    except (OSError, ValueError):
        # Word for word as for a file that is not there (`hooks.connection`).
        advice = "Edit it under Admin > Connections, or where it is kept." if what.startswith("extra.") else ""
        raise InvalidConnectionError([f"{what}: cannot be read"], advice=advice) from None
