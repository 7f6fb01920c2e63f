"""`airflow-collate sandbox`: an in-memory catalog on a port."""

from __future__ import annotations

import contextlib
import os
from dataclasses import replace
from typing import Any

import click

_BULK = "Have the bulk endpoint, which is documented and was never seen."


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), default=8585, show_default=True, help="0 takes any free port.")
@click.option("--release", help="Whose behaviour, such as 1.2; that of the newest known server if not given.")
@click.option("--bot-token", metavar="TOKEN", help="Of the user ingestion-bot, in place of DEFAULT_BOT_TOKEN.")
@click.option("--admin-token", metavar="TOKEN", help="Of the user admin, in place of DEFAULT_ADMIN_TOKEN.")
@click.option("--bulk", "has_bulk", is_flag=True, help=_BULK)
@click.option("--bulk-limit", type=int, metavar="ROWS", help="Rows in a bulk request at most.")
@click.option("--secrets-manager", is_flag=True, help="Keep secrets outside: not even the bot sees them.")
@click.option("--narrow-role", is_flag=True, help="Let the bot lack the permission to edit all of a service.")
@click.option("--denies-display-name", is_flag=True, help="Keep the display name, whatever the bot writes.")
@click.option("--latency-ms", type=float, default=0.0, metavar="MS", help="Milliseconds for each request.")
@click.option(
    "--latency-profile", type=click.Choice(("none", "openmetadata")), default="none", help="As measured on a server.",
)  # fmt: skip
def sandbox(host: str, port: int, latency_ms: float, latency_profile: str, **options: str | int | None) -> None:
    """Serve an in-memory catalog; the first line printed is its URL, the API is under /api."""
    try:
        from airflow_provider_collate.sandbox import PROFILES, Catalog
        from airflow_provider_collate.sandbox.server import address, listen, serve
    except ImportError as error:
        raise click.ClickException(str(error)) from None
    given: dict[str, Any] = {name: value for name, value in options.items() if value is not None}
    latency = replace(PROFILES[latency_profile], per_request=latency_ms / 1000)
    try:
        catalog, listener = Catalog(**given, latency=latency), listen(host, port)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None
    except OSError as error:
        # Newer Pythons put the address in the error's own text.
        reason = os.strerror(error.errno) if error.errno and error.errno > 0 else str(error.strerror)
        raise click.ClickException(f"Cannot listen on {host}:{port}: {reason}.") from None
    with listener, contextlib.suppress(KeyboardInterrupt):
        click.echo(address(listener))
        serve(catalog, listener)
