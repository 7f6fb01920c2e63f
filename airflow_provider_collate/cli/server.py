"""The server that commands talk to: by an Airflow connection, or by its address and a token."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime, timezone
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, TypeVar

import click

from airflow_provider_collate.cli.connections import find_connection
from airflow_provider_collate.cli.logs import quieten_airflow, quieten_http
from airflow_provider_collate.exceptions import CollateError, InvalidConnectionError

if TYPE_CHECKING:
    from airflow_provider_collate.client.client import CollateClient

F = TypeVar("F", bound=Callable[..., Any])

TOKEN_VARIABLE = "COLLATE_TOKEN"  # noqa: S105 - the name of one


def server_options(command: F) -> F:
    """Add the options that say which server it is to a command."""
    options = (
        click.option("--conn", metavar="CONN_ID", help="Airflow connection of type collate."),
        click.option("--host", metavar="URL", help="The server's address, instead of --conn; Airflow is not asked."),
        click.option(
            "--token-env", metavar="NAME", default=TOKEN_VARIABLE, show_default=True,
            help="Environment variable that has the token, for --host.",
        ),
    )  # fmt: skip
    for option in reversed(options):
        command = option(command)
    return command


def connected(conn: str | None, host: str | None, token_env: str) -> AbstractContextManager[CollateClient]:
    """Return the client of a server, for a `with` block.

    :param conn: id of an Airflow connection.
    :param host: the server's address instead.
    :param token_env: the environment variable that has the token.
    :raises InvalidConnectionError: when the server cannot be known.
    """
    if bool(conn) is bool(host):
        raise click.UsageError("Give either --conn or --host.")
    quieten_http()
    return _client_at(host, token_env) if host else _client_of(str(conn))


def _client_at(host: str, token_env: str) -> CollateClient:
    from airflow_provider_collate.client.client import CollateClient
    from airflow_provider_collate.client.config import ClientConfig
    from airflow_provider_collate.client.token_claims import check_token, token_problems
    from airflow_provider_collate.hooks.connection_address import read_address

    given: Any = SimpleNamespace(
        host=host, schema=None, conn_type="collate", port=None, login=None, password=os.environ.get(token_env, "")
    )
    url, problems = read_address(given)
    problems += token_problems(given.password)
    if problems:
        renamed = [problem.replace("password:", f"{token_env}:").replace("host:", "--host:") for problem in problems]
        raise InvalidConnectionError(renamed, advice=f"Correct --host, or the variable {token_env}.")
    for warning in check_token(given.password, datetime.now(timezone.utc)):
        click.echo(warning, err=True)
    return CollateClient(ClientConfig(f"{url}/api"), lambda: str(given.password))


@contextmanager
def _client_of(conn_id: str) -> Iterator[CollateClient]:
    from airflow.providers.common.compat.sdk import AirflowFailException

    from airflow_provider_collate.hooks.collate import CollateHook

    class CommandHook(CollateHook):
        get_connection = staticmethod(find_connection)

    quieten_airflow()
    with CommandHook(conn_id) as hook:
        try:
            client = hook.get_conn()
        except AirflowFailException as failure:
            error = failure.__cause__
        else:
            yield client
            return
        raise error if isinstance(error, CollateError) else CollateError("The connection cannot be read")
