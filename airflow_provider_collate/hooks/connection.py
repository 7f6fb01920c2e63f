"""Read an Airflow connection into what the client needs; all problems are named at once."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import unquote

import httpx

from airflow_provider_collate.client.config import DEFAULT_MAX_RETRIES, DEFAULT_TIMEOUT, ClientConfig
from airflow_provider_collate.client.token_claims import check_token
from airflow_provider_collate.exceptions import InvalidConnectionError, InvalidDeclarationError
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
from airflow_provider_collate.hooks.lookup import find_connection
from airflow_provider_collate.hooks.masking import mask_secrets

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Connection

_OF_THE_TASK = "task parameter "
_TASK_ADVICE = "Correct the task's parameters in the DAG."

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
        """Return the address of the user interface, without a slash at its end."""
        return self.config.url.removesuffix("/api")


def read_connection(
    conn_id: str, get_connection: Callable[[str], Connection], *, now: datetime | None = None, **instead: object
) -> CollateConnection:
    """Look up a connection, mask its secrets, and turn it into a client's configuration.

    :param conn_id: its id.
    :param get_connection: gives the Airflow connection of an id.
    :param now: as for `parse_connection`.
    :param instead: `request_timeout` and `request_retries`, as for `parse_connection`.
    :raises InvalidConnectionError: when there is none of that id, and as `parse_connection`.
    """
    conn = find_connection(conn_id, get_connection)
    if conn is None:
        raise InvalidConnectionError(
            [f'there is no Airflow connection "{conn_id}"'],
            advice="Add it under Admin > Connections, type Collate, or name another by collate_conn_id.",
        )
    mask_secrets(connection_secrets(conn))
    return parse_connection(conn, now=now, **instead)


def parse_connection(
    conn: Connection, *, request_timeout: object = None, request_retries: object = None, now: datetime | None = None
) -> CollateConnection:
    """Check a connection and turn it into a client's configuration.

    :param conn: the Airflow connection.
    :param request_timeout: seconds for one attempt of a request, instead of the connection's own.
    :param request_retries: how often a request is tried again, instead of the connection's own.
    :param now: the time, with its time zone, to refuse a token that has expired; None to let it be.
    :raises InvalidConnectionError: naming every problem, and no value.
    :raises InvalidDeclarationError: when nothing but `request_timeout` or `request_retries` is wrong.
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
    seconds = _first_given(request_timeout, f"{_OF_THE_TASK}request_timeout", extra, "timeout")
    retries = _first_given(request_retries, f"{_OF_THE_TASK}request_retries", extra, "max_retries")
    config = ClientConfig(
        url=f"{url}/api",
        verify=read(verify_of, extra.get("verify"), instead=True),
        timeout=read(seconds_of, *seconds, instead=DEFAULT_TIMEOUT),
        max_retries=read(retries_of, *retries, instead=DEFAULT_MAX_RETRIES),
        client_cert=read(client_cert_of, extra.get("client_cert"), instead=None),
        proxy=read(proxy_of, extra.get("proxy"), instead=None),
    )
    problems += unknown_keys(extra)
    warnings: list[str] = []
    expired = ""
    if token and now is not None:
        try:
            warnings = check_token(token, now)
        except InvalidConnectionError as error:
            problems += error.problems
            expired = error.advice
    if problems:
        raise _refusal(problems, expired)
    return CollateConnection(config, token, tuple(connection_secrets(conn)), (*_warnings(config), *warnings))


def _first_given(of_task: object, name: str, extra: Mapping[str, object], key: str) -> tuple[str, object]:
    """Return the task's own setting with its name, or else the connection's."""
    return (f"extra.{key}", extra.get(key)) if of_task in (None, "") else (name, of_task)


def _refusal(problems: list[str], expired: str) -> InvalidConnectionError | InvalidDeclarationError:
    """Return the error that names all problems, with what to do about each kind of them."""
    of_task = sum(problem.startswith(_OF_THE_TASK) for problem in problems)
    if of_task == len(problems):
        return InvalidDeclarationError(problems, advice=_TASK_ADVICE)
    edit = f"Edit {'the rest' if expired else 'it'} under Admin > Connections, or where it is kept."
    has_more = len(problems) > of_task + bool(expired)
    parts = (expired, edit if has_more else "", _TASK_ADVICE if of_task else "")
    return InvalidConnectionError(problems, advice=" ".join(part for part in parts if part))


def connection_secrets(conn: Connection) -> list[str]:
    """Return what of a connection must be masked, whether or not the connection can be used.

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
    """Return the password of a URL, as written and decoded; all before the `@` when there is no colon."""
    if not isinstance(url, str) or "@" not in url:
        return []
    userinfo = url.partition("://")[2] if "://" in url else url
    userinfo = userinfo.rpartition("@")[0]
    password = userinfo.partition(":")[2] or userinfo
    return [password, unquote(password)]


def _warnings(config: ClientConfig) -> list[str]:
    url = httpx.URL(config.url)
    plain = f"The token goes to {url.host} by plain http, where others can read it; use an https:// address."
    unchecked = f"The certificate of {url.host} is not checked (verify is false); anyone can pose as it."
    is_plain = url.scheme == "http" and not _is_local(url.host)
    return [plain] * is_plain + [unchecked] * (config.verify is False)


def _is_local(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
