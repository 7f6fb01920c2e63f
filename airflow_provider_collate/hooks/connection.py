"""Read an Airflow connection into what the client needs; all problems are named at once."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING
from urllib.parse import unquote

import httpx

from airflow_provider_collate.client.config import ClientConfig
from airflow_provider_collate.client.redaction import bounded
from airflow_provider_collate.client.token_claims import check_token, token_problems
from airflow_provider_collate.exceptions import InvalidConnectionError, InvalidDeclarationError
from airflow_provider_collate.hooks.connection_address import read_address
from airflow_provider_collate.hooks.connection_extra import MAX_SHOWN, OF_THE_TASK, given_fields, read_extra
from airflow_provider_collate.hooks.lookup import find_connection
from airflow_provider_collate.hooks.masking import mask_secrets

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Connection

_TASK_ADVICE = "Correct the task's parameters in the DAG."
_WHERE_IT_IS = "the login; move it to the password"
# An address alone may be kept as a connection of the web; without this package, Airflow stores ours as generic.
_TYPES = ("collate", "openmetadata", "generic", "http", "https")


@dataclass(frozen=True, slots=True)
class CollateConnection:
    """A connection that can be used.

    :param config: what the client needs.
    :param token: the JWT, or whatever was given for one.
    :param warnings: what its owner should know, one sentence each.
    """

    config: ClientConfig
    token: str = field(repr=False)
    warnings: tuple[str, ...] = ()


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
            advice="Add it under Admin > Connections, type Collate, or name another by collate_conn_id; one in the "
            "environment or a secrets backend is not found either if its JSON or URI is faulty.",
        )
    mask_secrets(connection_secrets(conn))
    return parse_connection(conn, now=now, **instead)


def parse_connection(conn: Connection, *, now: datetime | None = None, **instead: object) -> CollateConnection:
    """Check a connection and turn it into a client's configuration.

    :param conn: the Airflow connection.
    :param now: the time, with its time zone, to refuse a token that has expired; None not to check that.
    :param instead: `request_timeout` (seconds for one attempt of a request) and `request_retries` (how often it is
        sent again), instead of the connection's own.
    :raises InvalidConnectionError: naming every problem, and no value.
    :raises InvalidDeclarationError: when nothing but `request_timeout` or `request_retries` is wrong.
    """
    url, of_address = read_address(conn)
    extra, of_extra = read_extra(conn.extra, instead)
    token = conn.password or ""
    of_token = token_problems(token, _WHERE_IT_IS if conn.login else "")
    warnings: list[str] = []
    expired = ""
    if now is not None and not of_token:
        try:
            warnings = check_token(token, now)
        except InvalidConnectionError as error:
            of_token, expired = list(error.problems), error.advice
    if problems := [*_type_problems(conn), *of_address, *of_token, *of_extra]:
        raise _refusal(problems, expired)
    config = ClientConfig(f"{url}/api", **dict(extra))
    return CollateConnection(config, token, (*_warnings(config), *warnings))


def _type_problems(conn: Connection) -> list[str]:
    """Refuse the connection of something else: its password would go out as the token."""
    conn_type = (conn.conn_type or "").lower()
    if conn_type in ("", *_TYPES):
        return []
    return [
        f'type: the connection "{conn.conn_id}" is of type {bounded(conn_type, MAX_SHOWN)!r}; give one of type collate'
    ]


def _refusal(problems: list[str], expired: str) -> InvalidConnectionError | InvalidDeclarationError:
    """Return the error that names all problems, with what to do about each kind of them."""
    of_task = sum(problem.startswith(OF_THE_TASK) for problem in problems)
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
    fields = given_fields(conn.extra)
    in_proxy = [] if fields is None else _passwords_in(fields.get("proxy"))
    if in_proxy or fields is None:
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
