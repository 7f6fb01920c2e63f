"""`airflow-collate sandbox`: an in-memory catalog on a port."""

from __future__ import annotations

import click


@click.command(context_settings={"ignore_unknown_options": True, "help_option_names": []}, add_help_option=False)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def sandbox(arguments: tuple[str, ...]) -> int:
    """Serve an in-memory catalog; `sandbox --help` has its options."""
    try:
        from airflow_provider_collate.sandbox.__main__ import main
    except ImportError as error:
        raise click.ClickException(str(error)) from None
    try:
        return main(arguments)
    except SystemExit as ended:
        return 1 if ended.code else 0
