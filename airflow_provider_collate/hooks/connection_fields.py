"""Read the fields of a connection, each by a function that refuses what cannot be used."""

from __future__ import annotations

import difflib
import ipaddress
import json
import math
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, urlsplit

import httpx

from airflow_provider_collate.client.config import DEFAULT_MAX_RETRIES, DEFAULT_TIMEOUT
from airflow_provider_collate.client.redaction import bounded
from airflow_provider_collate.hooks.connection_form import CONNECTION_TYPE, EXTRA_FIELDS

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Connection

LONGEST_TIMEOUT = 86_400.0
HIGHEST_PORT = 65_535
MOST_UNKNOWN_KEYS = 10
MAX_SHOWN = 60

EXAMPLE = "https://acme.getcollate.io"
_PORT_PROBLEM = f"port: must be a number from 1 to {HIGHEST_PORT}"
_SCHEMES = ("http", "https")
_API_PATHS = ("", "api", "api/v1")
_BLANK = re.compile(r"[\s\x00-\x20\x7f]")
_NOT_IN_A_HOST = re.compile(r"[\s\x00-\x20\x7f<>{}|\\^`\"'%]")
_NOT_IN_A_TOKEN = re.compile(r"[^\x21-\x7e]")


class FieldError(Exception):
    """A field cannot be used; `problems` has a line for each reason, with the field's name and without its value."""

    def __init__(self, *problems: str) -> None:
        super().__init__(*problems)
        self.problems = problems


def root_url(conn: Connection) -> str:
    """Return the server's address: scheme, host and port, nothing else.

    A connection URI such as `collate://https://acme.example:8585/api` reaches us with `https://acme.example` for
    the host and `api` for the schema; `https://acme.example` with `https` for the connection's type.
    """
    host = (conn.host or "").strip()
    if not host:
        raise FieldError(f"host: is missing; it must be the address of Collate, such as {EXAMPLE}")
    try:
        parts = urlsplit(host if "://" in host else f"//{_bracketed(host)}")
        name = parts.hostname or ""
    except ValueError:  # its text may hold the whole host, credentials too
        raise FieldError(f"host: is not an address; it must be one such as {EXAMPLE}") from None
    given = (conn.schema or "").strip().strip("/")
    scheme = parts.scheme or _scheme_of(conn, given)
    port, port_problem = _port_of(conn, parts)
    problems = [*_host_problems(host, parts, name), *_schema_problems(given, parts), *port_problem]
    url = f"{scheme}://{_bracketed(name)}" + ("" if port is None else f":{port}")
    if not problems and not _is_url(url):
        problems = ["host: is not an address that can be used"]
    if problems:
        raise FieldError(*problems)
    return url


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
        problems.append(f"host: has a query or a fragment; give the address alone, such as {EXAMPLE}")
    if parts.path.strip("/") not in _API_PATHS:
        problems.append(f"host: has a path other than /api; give the address alone, such as {EXAMPLE}")
    if not name or _NOT_IN_A_HOST.search(name) or _BLANK.search(host):
        problems.append(f"host: is not an address; it must be one such as {EXAMPLE}")
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


def token_of(conn: Connection) -> str:
    """Return the token, which must be able to stand in a header."""
    token = conn.password or ""
    if not token.strip():
        where = "the login; move it to the password" if conn.login else "Settings > Bots > ingestion-bot in Collate"
        raise FieldError(f"password: is missing; it must be the token (JWT) from {where}")
    if token.strip().lower().startswith("bearer "):
        raise FieldError('password: begins with "Bearer"; give the token alone')
    if token != token.strip():
        raise FieldError("password: begins or ends with a blank or a line break; give the token alone")
    if _NOT_IN_A_TOKEN.search(token):
        raise FieldError("password: has a blank, a line break or a character in it that no token has")
    return token


def extra_of(conn: Connection) -> dict[str, object]:
    """Return the extra's fields by their plain names, without those that the form left empty."""
    text = conn.extra or ""
    if not text.strip():
        return {}
    try:
        parsed = json.loads(text)
    except (ValueError, RecursionError):
        raise FieldError("extra: is not JSON") from None
    if not isinstance(parsed, dict):
        raise FieldError("extra: must be a JSON object")
    prefix = f"extra__{CONNECTION_TYPE}__"
    given = {key: value for key, value in parsed.items() if value is not None and str(value).strip()}
    plain = {key: value for key, value in given.items() if not key.startswith(prefix)}
    return {key.removeprefix(prefix): value for key, value in given.items() if key.startswith(prefix)} | plain


def unknown_keys(extra: Mapping[str, object]) -> list[str]:
    """Return a line for each field of the extra that is unknown."""
    known = [extra_field.name for extra_field in EXTRA_FIELDS]
    unknown = [key for key in extra if key not in known]
    problems = []
    for key in unknown[:MOST_UNKNOWN_KEYS]:
        close = difflib.get_close_matches(key[:MAX_SHOWN].lower(), known, n=1)
        hint = f"did you mean {close[0]}?" if close else f"there are {', '.join(known)}"
        problems.append(f"extra.{_shown(key)}: unknown field, {hint}")
    if len(unknown) > MOST_UNKNOWN_KEYS:
        problems.append(f"extra: {len(unknown) - MOST_UNKNOWN_KEYS} more unknown fields")
    return problems


def _shown(key: str) -> str:
    """Return a key as a message shows it: on one line, bounded."""
    return bounded("".join(character if character.isprintable() else "?" for character in key), MAX_SHOWN)


def verify_of(value: object) -> bool | str:
    """Return whether to check certificates, or the path of what to check them against."""
    if value is None or isinstance(value, bool):
        return value is not False
    if isinstance(value, str):
        word = value.strip().lower()
        if word in ("true", "false"):
            return word == "true"
        return _readable("extra.verify", value.strip(), folder=True)
    raise FieldError("extra.verify: must be true, false or the path of a CA file or folder")


def client_cert_of(value: object) -> str | tuple[str, str] | None:
    """Return the path of a client certificate, or the two of certificate and key."""
    if value is None:
        return None
    paths: object = [value] if isinstance(value, str) else value
    if isinstance(value, str) and "," in value and not _is_readable(value.strip()):
        paths = value.split(",")
    match paths:
        case [str(both)] if both.strip():
            return _readable("extra.client_cert", both.strip())
        case [str(certificate), str(key)] if certificate.strip() and key.strip():
            certificate = _readable("extra.client_cert", certificate.strip())
            return certificate, _readable("extra.client_cert", key.strip())
    raise FieldError("extra.client_cert: must be a path, or the paths of certificate and key")


def _readable(name: str, path: str, *, folder: bool = False) -> str:
    """Return a path that can be read; the problem says no more, or the form's Test button would tell of files."""
    if not _is_readable(path, folder=folder):
        raise FieldError(f"{name}: cannot be read")
    return path


def _is_readable(path: str, *, folder: bool = False) -> bool:
    try:
        return (Path(path).is_file() or (folder and Path(path).is_dir())) and os.access(path, os.R_OK)
    except (OSError, ValueError):  # too long a name, or a character that no path has
        return False


def seconds_of(name: str, value: object) -> float:
    """Return seconds, 30 when nothing is given; the form of Airflow 2.11 gives a string."""
    if value is None:
        return DEFAULT_TIMEOUT
    try:
        seconds = math.nan if isinstance(value, bool) else float(value)  # type: ignore[arg-type] # refused below
    except (TypeError, ValueError, OverflowError):
        seconds = math.nan
    if not 0 < seconds <= LONGEST_TIMEOUT:
        raise FieldError(f"{name}: must be a number of seconds above 0, at most {LONGEST_TIMEOUT:.0f}")
    return seconds


def retries_of(name: str, value: object) -> int:
    """Return a number of retries, 3 when nothing is given; the form of Airflow 2.11 may give a string."""
    if value is None:
        return DEFAULT_MAX_RETRIES
    if isinstance(value, str) and re.fullmatch(r"\s*[0-9]{1,9}\s*", value):
        return int(value)
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    raise FieldError(f"{name}: must be a whole number, 0 or more")


def proxy_of(value: object) -> str | None:
    """Return the URL of a proxy; credentials are allowed in it."""
    if value is None:
        return None
    fault = FieldError("extra.proxy: must be a URL such as http://proxy.acme.example:3128")
    if not isinstance(value, str):
        raise fault
    try:
        parts = urlsplit(value.strip())
        name = parts.hostname or ""
        usable = parts.scheme in _SCHEMES and bool(name) and parts.port != 0
        httpx.URL(value.strip())
    except (ValueError, httpx.InvalidURL):
        raise fault from None
    if not usable or _NOT_IN_A_HOST.search(name) or parts.path not in ("", "/") or parts.query or parts.fragment:
        raise fault
    return value.strip()
