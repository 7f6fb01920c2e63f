"""`airflow-collate plan` and `apply`: what would change, and to make it so."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

import click

from airflow_provider_collate.cli.export import scope_of
from airflow_provider_collate.cli.files import KIND, files_argument
from airflow_provider_collate.cli.logs import PACKAGE, log_to_stderr
from airflow_provider_collate.cli.parameters import as_options
from airflow_provider_collate.cli.server import connected, server_options
from airflow_provider_collate.exceptions import InvalidDeclarationError

if TYPE_CHECKING:
    from airflow_provider_collate.files.services import FileServices
    from airflow_provider_collate.kinds import ServiceKind
    from airflow_provider_collate.reconcile.options import RunOptions
    from airflow_provider_collate.reconcile.plan import Plan

F = TypeVar("F", bound=Callable[..., Any])

NOTHING_TO_DO, ERROR, CHANGES = 0, 1, 2

_OPTIONS = (
    click.option("--on-conflict", type=click.Choice(["fail", "keep", "overwrite"]), default="fail", show_default=True,
                 help="What to do about a field that somebody else set to another value."),
    click.option("--rewrite-secrets/--no-rewrite-secrets", default=None,
                 help="Write secrets that the token cannot see again, also those in a secrets manager; or never. "
                 "By default those that it sees masked are written."),
    click.option("--prune", type=click.Choice(["soft", "hard"]),
                 help="Delete services in scope that are not in FILES."),
    click.option("--prune-scope", metavar="KEY=VALUE", multiple=True,
                 help="Which services FILES cover: tag, owner, domain, name_prefix; all given ones must hold."),
    click.option("--max-prune", metavar="N", default="10%", show_default=True,
                 help="How many services may be deleted: a number, or a percentage of those in scope."),
    click.option("--allow-empty", is_flag=True, help="Allow FILES that declare nothing to prune."),
)  # fmt: skip


def _run_options(command: F) -> F:
    for option in reversed(_OPTIONS):
        command = option(command)
    return files_argument(server_options(command))


@click.command()
@_run_options
@click.option(
    "--format", "form", type=click.Choice(["text", "markdown", "json"]), default="text", show_default=True,
    help="markdown: for a comment on a pull request.",
)  # fmt: skip
def plan(
    files: tuple[str, ...], files_conn: str | None, conn: str | None, host: str | None, token_env: str, form: str,
    **options: Any,
) -> int:  # fmt: skip
    """Print what applying FILES would change; nothing is written.

    Exit codes: 0 the catalog is as declared, 1 an error or a conflict, 2 it would be changed.
    """
    from airflow_provider_collate.kinds import find_kind
    from airflow_provider_collate.reconcile.engine import Reconciler

    kind, checked = find_kind(KIND), _checked(options)
    services = _declared(files, files_conn, kind)
    log_to_stderr(PACKAGE, "ERROR")  # a plan has its warnings in its text
    with connected(conn, host, token_env) as client:
        made = Reconciler(client, kind, checked).plan(services, _unfinished(services))
        click.echo(_written(made, form, client.list_page(kind)))
    return _code_of(made, checked.on_conflict)


@click.command()
@_run_options
@click.option("--approved", metavar="FINGERPRINT", help="Of the plan that was approved; apply nothing else.")
@click.option("--yes", is_flag=True, help="Apply without an approved plan.")
def apply(
    files: tuple[str, ...], files_conn: str | None, conn: str | None, host: str | None, token_env: str,
    approved: str | None, yes: bool, **options: Any,
) -> int:  # fmt: skip
    """Make the catalog as FILES declare.

    Exit codes: 0 the catalog is as declared, 1 an error.
    """
    from airflow_provider_collate.cli.progress import ProgressBar
    from airflow_provider_collate.kinds import find_kind
    from airflow_provider_collate.reconcile.engine import Reconciler

    if yes is (approved is not None):
        raise click.UsageError("Give either --approved or --yes.")
    kind, checked = find_kind(KIND), _checked({**options, "approved_plan": approved})
    services = _declared(files, files_conn, kind)
    log_to_stderr(PACKAGE, "WARNING")
    with connected(conn, host, token_env) as client, ProgressBar(sys.stderr) as progress:
        report = Reconciler(client, kind, checked, watcher=progress).run(services, _unfinished(services))
    for line in (*report.log_lines(), *map(as_options, report.notes)):
        click.echo(line)
    if len(report.rows) != 1:
        click.echo(report.summary())
    if error := report.error():
        raise error
    return NOTHING_TO_DO


def _checked(options: dict[str, Any]) -> RunOptions:
    from airflow_provider_collate.reconcile.options import RunOptions

    scope = scope_of(options["prune_scope"], "--prune-scope")
    try:
        return RunOptions.parse({**options, "prune_scope": scope})
    except InvalidDeclarationError as error:
        problems = [_of_option(problem) for problem in error.problems]
    raise InvalidDeclarationError(problems)


def _of_option(problem: str) -> str:
    name, mark, text = problem.partition(":")
    return f"--{name.removesuffix('_plan').replace('_', '-')}{mark}{text}"


def _declared(files: tuple[str, ...], files_conn: str | None, kind: ServiceKind) -> FileServices:
    from airflow_provider_collate.cli.connections import AirflowConnections
    from airflow_provider_collate.files.path import ServicesPath
    from airflow_provider_collate.files.services import read_files

    services = read_files([ServicesPath(path, files_conn) for path in files], kind, AirflowConnections(kind))
    services.raise_if_faulty()
    for warning in services.warnings:
        click.echo(str(warning), err=True)
    return services


def _unfinished(services: FileServices) -> dict[int, str]:
    return {number: str(problem) for number, problem in services.unfinished.items()}


def _written(made: Plan, form: str, url: str) -> str:
    notes, warnings = (tuple(map(as_options, texts)) for texts in (made.notes, made.warnings))
    made = replace(made, notes=notes, warnings=warnings)
    if form == "json":
        return json.dumps(made.to_json(url), indent=2, ensure_ascii=False)
    if form == "markdown":
        return f"{made.markdown()}\n\nFingerprint: `{made.fingerprint}`"
    return f"{made.text()}\n\nfingerprint: {made.fingerprint}"


def _code_of(made: Plan, on_conflict: str) -> int:
    """Return 1 where applying would fail, as it does for a field that somebody else set."""
    from airflow_provider_collate.reconcile.changes import Action

    is_kept = on_conflict == "keep"
    if made.refusal or any(one.action is Action.CONFLICT or (one.conflicts and not is_kept) for one in made.changes):
        return ERROR
    return CHANGES if made.has_changes else NOTHING_TO_DO
