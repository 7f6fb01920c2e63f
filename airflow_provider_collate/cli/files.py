"""The files that commands take, as arguments."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])

KIND = "mlmodelServices"


def files_argument(command: F) -> F:
    """Add the argument FILES… to a command, and the option by which remote files are read."""
    command = click.option("--files-conn", metavar="CONN_ID", help="Airflow connection for FILES with a scheme.")(
        command
    )
    return click.argument("files", nargs=-1, required=True, metavar="FILES…")(command)
