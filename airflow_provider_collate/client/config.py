"""Hold what a client needs to know about its server."""

from __future__ import annotations

import platform
from dataclasses import dataclass, field

from airflow_provider_collate import __version__

DEFAULT_TIMEOUT = 30.0
DEFAULT_MAX_RETRIES = 3


def user_agent(airflow_version: str = "") -> str:
    """Return the names and releases of this package, of Airflow (if the caller knows it) and of Python."""
    airflow = f" airflow/{airflow_version}" if airflow_version else ""
    return f"airflow-provider-collate/{__version__}{airflow} python/{platform.python_version()}"


_USER_AGENT = user_agent()


@dataclass(frozen=True, slots=True)
class ClientConfig:
    """Where the server is, and the limits of a request.

    :param url: the API root, e.g. `https://acme.getcollate.io/api`, without a slash at its end.
    :param timeout: seconds for one attempt of a request, from connecting to the last byte.
    :param max_retries: how often a request is sent again after a transient error.
    :param verify: check the server's certificate; or the path of a CA file or folder to check against.
    :param client_cert: path of a PEM file with certificate and key, or the two paths.
    :param proxy: URL of a proxy; without it the environment's proxies are used.
    :param user_agent: value of the `User-Agent` header.
    """

    url: str
    timeout: float = DEFAULT_TIMEOUT
    max_retries: int = DEFAULT_MAX_RETRIES
    verify: bool | str = True
    client_cert: str | tuple[str, str] | None = None
    proxy: str | None = field(default=None, repr=False)
    user_agent: str = _USER_AGENT
