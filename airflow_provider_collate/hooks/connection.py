"""Read an Airflow connection into what the client needs, with all its faults named at once."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import unquote

import httpx

from airflow_provider_collate.client.config import DEFAULT_MAX_RETRIES, DEFAULT_TIMEOUT, ClientConfig
from airflow_provider_collate.exceptions import InvalidConnectionError
from airflow_provider_collate.hooks.connection_fields import (
    FieldError,
    client_cert_of,
    extra_of,
    proxy_of,
    retries_of,
    root_url,
    seconds_of,
    token_of,
    unknown_keys,
    verify_of,
)

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Connection

R = TypeVar("R")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class CollateConnection:
    """A connection that can be used.

    :param config: what the client needs.
    :param token: the JWT, or whatever was given for one.
    :param secrets: what must be masked wherever it could be printed.
    :param warnings: what its owner should know, one sentence each.
    """

    config: ClientConfig
    token: str = field(repr=False)
    secrets: tuple[str, ...] = field(repr=False)
    warnings: tuple[str, ...] = ()

    @property
    def ui_url(self) -> str:
        """The address of the user interface, without a slash at its end."""
        return self.config.url.removesuffix("/api")


def parse_connection(conn: Connection, *, timeout: object = None, max_retries: object = None) -> CollateConnection:
    """Check a connection and turn it into a client's configuration.

    :param conn: the Airflow connection.
    :param timeout: seconds for one attempt of a request, instead of the connection's own.
    :param max_retries: how often a request is tried again, instead of the connection's own.
    :raises InvalidConnectionError: naming every fault; no value but the host is ever shown.
    """
    problems: list[str] = []

    def read(reader: Callable[..., R], *given: object, instead: T) -> R | T:
        try:
            return reader(*given)
        except FieldError as error:
            problems.extend(error.problems)
            return instead

    url = read(root_url, conn, instead="")
    token = read(token_of, conn, instead="")
    extra: dict[str, object] = read(extra_of, conn, instead={})
    verify = read(verify_of, extra.get("verify"), instead=True)
    seconds = ("extra.timeout", extra.get("timeout")) if timeout in (None, "") else ("timeout", timeout)
    retries = ("extra.max_retries", extra.get("max_retries"))
    if max_retries not in (None, ""):
        retries = ("max_retries", max_retries)
    config = ClientConfig(
        url=f"{url}/api",
        timeout=read(seconds_of, *seconds, instead=DEFAULT_TIMEOUT),
        max_retries=read(retries_of, *retries, instead=DEFAULT_MAX_RETRIES),
        verify=verify,
        client_cert=read(client_cert_of, extra.get("client_cert"), instead=None),
        proxy=read(proxy_of, extra.get("proxy"), instead=None),
    )
    problems += unknown_keys(extra)
    if problems:
        raise InvalidConnectionError(problems, advice="Edit it under Admin > Connections, or where it is kept.")
    return CollateConnection(config, token, tuple(connection_secrets(conn)), tuple(_warnings(config)))


def connection_secrets(conn: Connection) -> list[str]:
    """What of a connection must be masked, whether or not the connection can be used.

    :param conn: the Airflow connection.
    :return: the token, passwords in the proxy's and the host's URL as written and decoded, and the extra as a
        whole when it holds a password or cannot be read.
    """
    secrets = [conn.password or "", (conn.password or "").strip()]
    secrets += _passwords_in(conn.host)
    try:
        proxy = extra_of(conn).get("proxy")
    except FieldError:
        secrets.append(conn.extra or "")
    else:
        if in_proxy := _passwords_in(proxy):
            secrets += [*in_proxy, conn.extra or ""]
    return [secret for secret in dict.fromkeys(secrets) if secret]


def _passwords_in(url: object) -> list[str]:
    """The password of a URL, as written and decoded; all before the `@` when there is no colon."""
    if not isinstance(url, str) or "@" not in url:
        return []
    userinfo = url.partition("://")[2] if "://" in url else url
    userinfo = userinfo.rpartition("@")[0]
    password = userinfo.partition(":")[2] or userinfo
    return [password, unquote(password)]


def _warnings(config: ClientConfig) -> list[str]:
    warnings = []
    url = httpx.URL(config.url)
    if url.scheme == "http" and not _is_local(url.host):
        warnings.append(
            f"The token goes to {url.host} by plain http, where others can read it; use an https:// address."
        )
    if config.verify is False:
        warnings.append(f"The certificate of {url.host} is not checked (verify is false); anyone can pose as it.")
    return warnings


def _is_local(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
