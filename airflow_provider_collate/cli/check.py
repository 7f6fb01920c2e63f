"""`airflow-collate check`: what is wrong with files, without Airflow and without a server."""

from __future__ import annotations

import gc
import os

import click

from airflow_provider_collate.cli.files import KIND, files_argument


@click.command()
@files_argument
@click.option(
    "--format", "form", type=click.Choice(["text", "github"]), default="text", show_default=True,
    help="github: annotations in a pull request.",
)  # fmt: skip
def check(files: tuple[str, ...], files_conn: str | None, form: str) -> int:
    """Check FILES: YAML, JSON or JSON Lines by suffix, or globs of them.

    `plan` also checks what depends on an Airflow connection or on the catalog.
    """
    # Looking for plugins of pydantic among all that is installed takes a fifth of the time that this command takes.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    gc.disable()  # what is loaded stays: looking through it for garbage takes a tenth
    from airflow_provider_collate.files.conn_ids import UnresolvedConnections
    from airflow_provider_collate.files.path import ServicesPath
    from airflow_provider_collate.files.services import read_files
    from airflow_provider_collate.kinds import find_kind
    from airflow_provider_collate.models.problems import counted

    gc.freeze()
    gc.enable()
    kind = find_kind(KIND)
    services = read_files([ServicesPath(path, files_conn) for path in files], kind, UnresolvedConnections(kind))
    problems = sorted([*services.problems, *services.unfinished.values()], key=lambda problem: problem.position)
    for level, found in (("warning", services.warnings if not problems else []), ("error", problems)):
        for problem in found:
            click.echo(problem.annotation(level) if form == "github" else str(problem))
    count = counted(len(problems), "problem") if problems else "no problem"
    click.echo(f"{counted(len(services), 'service')} in {counted(services.file_count, 'file')}: {count}", err=True)
    return 1 if problems else 0
