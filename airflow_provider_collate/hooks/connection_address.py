"""Read a server's address from the fields of a connection."""

from __future__ import annotations

import ipaddress
import re
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, urlsplit

import httpx

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Connection

HIGHEST_PORT = 65_535

_EXAMPLE = "https://acme.getcollate.io"
_PORT_PROBLEM = f"port: must be a number from 1 to {HIGHEST_PORT}"
_SCHEMES = ("http", "https")
_API_PATHS = ("", "api", "api/v1")
_BLANK = re.compile(r"[\s\x00-\x20\x7f]")
_NOT_IN_A_HOST = re.compile(r"[\s\x00-\x20\x7f<>{}|\\^`\"'%]")


def read_address(conn: Connection) -> tuple[str, list[str]]:
    """Return the server's address (scheme, host and port, nothing else), and what is wrong with it.

    A connection URI such as `collate://https://acme.example:8585/api` reaches us with `https://acme.example` for
    the host and `api` for the schema; `https://acme.example` with `https` for the connection's type.

    :param conn: the Airflow connection.
    """
    host = (conn.host or "").strip()
    if not host:
        return "", [f"host: is missing; it must be the address of Collate, such as {_EXAMPLE}"]
    try:
        parts = urlsplit(host if "://" in host else f"//{_bracketed(host)}")
        name = parts.hostname or ""
    except ValueError:  # its text may hold the whole host, credentials too
        return "", [f"host: is not an address; it must be one such as {_EXAMPLE}"]
    given = (conn.schema or "").strip().strip("/")
    port, port_problems = _port_of(conn, parts)
    problems = [*_host_problems(host, parts, name), *_schema_problems(given, parts), *port_problems]
    url = f"{parts.scheme or _scheme_of(conn, given)}://{_bracketed(name)}" + ("" if port is None else f":{port}")
    if not problems and not _is_url(url):
        problems = ["host: is not an address that can be used"]
    return url, problems


def is_proxy(value: object) -> bool:
    """Return whether a value is the URL of an HTTP proxy; credentials are allowed in it.

    :param value: what was given.
    """
    if not isinstance(value, str):
        return False
    try:
        parts = urlsplit(value.strip())
        name, has_port = parts.hostname or "", parts.port != 0
    except ValueError:
        return False
    has_more = parts.path not in ("", "/") or parts.query or parts.fragment
    is_named = bool(name) and not _NOT_IN_A_HOST.search(name)
    return parts.scheme in _SCHEMES and is_named and has_port and not has_more and _is_url(value.strip())


def _scheme_of(conn: Connection, given: str) -> str:
    """Return the scheme of a host without one: https, unless the connection says http."""
    named = given.lower() if given.lower() in _SCHEMES else conn.conn_type
    return named if named in _SCHEMES else "https"


def _host_problems(host: str, parts: SplitResult, name: str) -> list[str]:
    problems = []
    if parts.scheme and parts.scheme not in _SCHEMES:
        problems.append("host: must begin with https:// or http://")
    if "@" in parts.netloc:
        problems.append("host: has credentials in it; the token goes into the password, and nothing into the host")
    if "?" in host or "#" in host:
        problems.append(f"host: has a query or a fragment; give the address alone, such as {_EXAMPLE}")
    if parts.path.strip("/") not in _API_PATHS:
        problems.append(f"host: has a path other than /api; give the address alone, such as {_EXAMPLE}")
    if not name or _NOT_IN_A_HOST.search(name) or _BLANK.search(host):
        problems.append(f"host: is not an address; it must be one such as {_EXAMPLE}")
    return problems


def _schema_problems(given: str, parts: SplitResult) -> list[str]:
    """Check `schema`, where Airflow also puts the path of a connection URI, such as `api`."""
    if given.lower() in _SCHEMES:
        differs = parts.scheme in _SCHEMES and parts.scheme != given.lower()
        return ["schema: is not the scheme that the host begins with; leave it empty"] if differs else []
    return [] if given in _API_PATHS else ["schema: must be http, https or empty"]


def _port_of(conn: Connection, parts: SplitResult) -> tuple[int | None, list[str]]:
    # Airflow's form sends 0 for a port that was left empty (apache/airflow#73298).
    given = str(conn.port or "").strip()
    try:
        in_host, beside = parts.port, int(given) if given else None
    except ValueError:
        return None, [_PORT_PROBLEM]
    port = beside if in_host is None else in_host
    if beside not in (None, port):
        return None, ["port: is not the one in the host; leave it empty"]
    if port is not None and not 1 <= port <= HIGHEST_PORT:
        return None, [_PORT_PROBLEM]
    return port, []


def _is_url(url: str) -> bool:
    try:
        return bool(httpx.URL(url).host)
    except (httpx.InvalidURL, ValueError):
        return False


def _bracketed(host: str) -> str:
    """Return an IPv6 address as a URL has it; anything else as it is."""
    try:
        return f"[{host}]" if ipaddress.ip_address(host).version == 6 else host
    except ValueError:
        return host
