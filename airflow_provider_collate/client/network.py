"""Set up the way to the server: proxy, certificates, and a bounded pool of connections."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from contextlib import suppress
from urllib.request import getproxies, proxy_bypass

import httpx

from airflow_provider_collate.client.config import ClientConfig
from airflow_provider_collate.client.deadline import Deadline, DeadlineTransport
from airflow_provider_collate.exceptions import InvalidConnectionError

MAX_CONNECTIONS = 32
_EXAMPLE_PROXY = "http://proxy.acme.example:3128"


def network(config: ClientConfig, proxy: str | None, deadline: Deadline) -> httpx.BaseTransport:
    """Return the transport of httpx to one server.

    :param config: certificates to check and to show.
    :param proxy: URL of the proxy on the way; None for none.
    :param deadline: bounds every attempt.
    :raises InvalidConnectionError: when a certificate file or the proxy cannot be used.
    """
    limits = httpx.Limits(max_connections=MAX_CONNECTIONS, max_keepalive_connections=MAX_CONNECTIONS)
    context = _ssl_context(config)
    # An address that cannot be used; ImportError is how httpx says that it lacks what socks5:// needs.
    with suppress(httpx.InvalidURL, ValueError, ImportError):
        return DeadlineTransport(deadline, verify=context, proxy=httpx.Proxy(proxy) if proxy else None, limits=limits)
    of = "extra.proxy" if config.proxy else "the environment's proxy (HTTP_PROXY, HTTPS_PROXY or ALL_PROXY)"
    raise InvalidConnectionError([f"{of}: is not a proxy URL that can be used, such as {_EXAMPLE_PROXY}"])


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


def _ssl_context(config: ClientConfig) -> ssl.SSLContext:
    contexts: list[ssl.SSLContext] = []
    _read_files(
        "the environment's SSL_CERT_FILE or SSL_CERT_DIR",
        lambda: contexts.append(httpx.create_ssl_context(verify=config.verify is not False)),
    )
    context = contexts[0]
    if isinstance(config.verify, str):
        _read_files("extra.verify", lambda: _trust(context, str(config.verify)))
    if config.client_cert is not None:
        paths = (config.client_cert,) if isinstance(config.client_cert, str) else config.client_cert
        _read_files("extra.client_cert", lambda: context.load_cert_chain(*paths))
    return context


def _trust(context: ssl.SSLContext, path: str) -> None:
    try:
        context.load_verify_locations(cafile=path)
    except IsADirectoryError:
        context.load_verify_locations(capath=path)


def _read_files(what: str, read: Callable[[], None]) -> None:
    """Read certificates; the error says no more, or the form's Test button would tell what files there are."""
    with suppress(OSError, ValueError):
        read()
        return
    # Word for word as for a file that is not there (`hooks.connection`).
    advice = "Edit it under Admin > Connections, or where it is kept." if what.startswith("extra.") else ""
    raise InvalidConnectionError([f"{what}: cannot be read"], advice=advice)
