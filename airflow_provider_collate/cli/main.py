"""The commands, and what their exit codes mean: 0 nothing to do, 1 an error, 2 changes."""

from __future__ import annotations

from collections.abc import Sequence

import click

from airflow_provider_collate import __version__
from airflow_provider_collate.cli.check import check
from airflow_provider_collate.cli.export import export
from airflow_provider_collate.cli.parameters import as_options
from airflow_provider_collate.cli.plan import apply, plan
from airflow_provider_collate.cli.sandbox import sandbox
from airflow_provider_collate.cli.schema import schema
from airflow_provider_collate.exceptions import CollateError

ERROR = 1


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__)
def commands() -> None:
    """Keep the services of a Collate or OpenMetadata catalog as files declare them.

    Exit codes: 0 nothing to do, 1 an error, 2 changes.
    """


for command in (check, plan, apply, export, schema, sandbox):
    commands.add_command(command)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command.

    :param arguments: of the command line; those of the process if None.
    :return: the exit code.
    """
    try:
        code = commands.main(arguments, prog_name="airflow-collate", standalone_mode=False)
    except click.ClickException as error:
        # Not with click's own code, which is 2 for an option that is unknown: here that means changes.
        error.show()
        return ERROR
    except click.Abort:
        click.echo("Stopped.", err=True)
        return ERROR
    except CollateError as error:
        click.echo(f"{str(error).removesuffix(error.advice)}{as_options(error.advice)}", err=True)
        return ERROR
    return code if isinstance(code, int) else 0
