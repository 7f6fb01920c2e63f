"""`python -m airflow_provider_collate.sandbox`: serve an in-memory catalog."""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
from collections.abc import Sequence
from dataclasses import replace

from airflow_provider_collate.sandbox.catalog import DEFAULT_ADMIN_TOKEN, DEFAULT_BOT_TOKEN, Catalog
from airflow_provider_collate.sandbox.faults import PROFILES
from airflow_provider_collate.sandbox.releases import DEFAULT_RELEASE, RELEASES
from airflow_provider_collate.sandbox.server import address, listen, serve


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until SIGINT or SIGTERM, and return the exit code; the first line printed is the server's URL."""
    options = vars(_parser().parse_args(arguments))
    host, port, profile, milliseconds = map(options.pop, ("host", "port", "latency_profile", "latency_ms"))
    catalog = Catalog(**options, latency=replace(PROFILES[profile], per_request=milliseconds / 1000))
    try:
        listener = listen(host, port)
    except OSError as error:
        # Newer Pythons put the address in the error's own text.
        reason = os.strerror(error.errno) if error.errno and error.errno > 0 else str(error.strerror)
        sys.stderr.write(f"cannot listen on {host}:{port}: {reason}\n")
        return 1
    with listener, contextlib.suppress(KeyboardInterrupt):
        sys.stdout.write(f"{address(listener)}\n")
        sys.stdout.flush()
        serve(catalog, listener)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m airflow_provider_collate.sandbox",
        description="Serve an in-memory Collate catalog; the first line printed is its URL, the API is under /api.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    add = parser.add_argument
    add("--host", default="127.0.0.1", help="address to listen on")
    add("--port", type=int, default=8585, choices=range(65536), metavar="PORT", help="0 takes any free port")
    add("--release", choices=[*RELEASES], default=DEFAULT_RELEASE, help="whose behaviour")
    add("--bot-token", default=DEFAULT_BOT_TOKEN, metavar="TOKEN", help="of the user ingestion-bot")
    add("--admin-token", default=DEFAULT_ADMIN_TOKEN, metavar="TOKEN", help="of the user admin")
    add(
        "--bulk",
        dest="has_bulk",
        action="store_true",
        help="have the bulk endpoint, which is documented and was never seen",
    )
    add("--bulk-limit", type=int, metavar="ROWS", help="rows in a bulk request at most")
    add("--secrets-manager", action="store_true", help="keep secrets outside: not even the bot sees them")
    add("--narrow-role", action="store_true", help="let the bot lack the permission to edit all of a service")
    add("--denies-display-name", action="store_true", help="keep the display name, whatever the bot writes")
    add("--latency-ms", type=float, default=0.0, metavar="MS", help="milliseconds for each request")
    add("--latency-profile", choices=sorted(PROFILES), default="none", help="openmetadata: as measured on a server")
    return parser


if __name__ == "__main__":
    sys.exit(main())
