"""`python -m airflow_provider_collate.sandbox`: serve an in-memory catalog."""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
from collections.abc import Sequence
from dataclasses import replace

from airflow_provider_collate.sandbox.catalog import DEFAULT_ADMIN_TOKEN, DEFAULT_BOT_TOKEN, Catalog
from airflow_provider_collate.sandbox.latency import PROFILES
from airflow_provider_collate.sandbox.releases import RELEASES


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until SIGINT or SIGTERM; the first line printed is the server's URL.

    :param arguments: of the command line; those of the process if None.
    :returns: the exit code.
    """
    options = _parser().parse_args(arguments)
    try:
        from airflow_provider_collate.sandbox.server import address, listen, serve
    except ImportError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    profile = replace(PROFILES[options.latency_profile], per_request=options.latency_ms / 1000)
    catalog = Catalog(
        options.release,
        bot_token=options.bot_token,
        admin_token=options.admin_token,
        bulk_limit=options.bulk_limit,
        latency=profile,
    )
    try:
        listener = listen(options.host, options.port)
    except OSError as error:
        sys.stderr.write(f"cannot listen on {options.host}:{options.port}: {_reason(error)}\n")
        return 1
    with listener, contextlib.suppress(KeyboardInterrupt):
        sys.stdout.write(f"{address(listener)}\n")
        sys.stdout.flush()
        serve(catalog, listener)
    return 0


def _reason(error: OSError) -> str:
    """Why an address cannot be taken; newer Pythons put the address in the error's own text."""
    return os.strerror(error.errno) if error.errno and error.errno > 0 else str(error.strerror)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m airflow_provider_collate.sandbox",
        description="Serve an in-memory Collate catalog; the first line printed is its URL, the API is under /api.",
    )
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument(
        "--port",
        type=int,
        default=8585,
        choices=range(65536),
        metavar="PORT",
        help="0 takes any free port (default: 8585)",
    )
    parser.add_argument("--release", choices=sorted(RELEASES), default="today", help="whose behaviour (default: today)")
    parser.add_argument("--bot-token", default=DEFAULT_BOT_TOKEN, help="token of the user ingestion-bot")
    parser.add_argument("--admin-token", default=DEFAULT_ADMIN_TOKEN, help="token of the user admin")
    parser.add_argument("--bulk-limit", type=int, help="rows in a bulk request at most (default: no limit)")
    parser.add_argument("--latency-ms", type=float, default=0.0, help="milliseconds for each request (default: 0)")
    parser.add_argument(
        "--latency-profile",
        choices=sorted(PROFILES),
        default="none",
        help="openmetadata: as measured on a real server (default: none)",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
