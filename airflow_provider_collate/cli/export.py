"""`airflow-collate export`: what a catalog holds, as a declaration."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import click

from airflow_provider_collate.cli.files import KIND
from airflow_provider_collate.cli.logs import PACKAGE, log_to_stderr
from airflow_provider_collate.cli.server import connected, server_options
from airflow_provider_collate.exceptions import InvalidDeclarationError

if TYPE_CHECKING:
    from airflow_provider_collate.client.client import CollateClient
    from airflow_provider_collate.files.export import ExportedService
    from airflow_provider_collate.reconcile.scope import PruneScope


@click.command()
@server_options
@click.option(
    "--scope", metavar="KEY=VALUE", multiple=True,
    help="Only services with this tag, owner, domain or name_prefix; given several times, all must hold.",
)  # fmt: skip
def export(conn: str | None, host: str | None, token_env: str, scope: tuple[str, ...]) -> int:
    """Print what the catalog holds as YAML that declares it.

    No secret is printed: where a service has any, name an Airflow connection that has them in place of TODO.
    """
    from airflow_provider_collate.files.export import FIELDS, exported_model, to_yaml
    from airflow_provider_collate.kinds import find_kind
    from airflow_provider_collate.models.problems import counted

    kind = find_kind(KIND)
    wanted = scope_of(scope, "--scope")
    log_to_stderr(PACKAGE, "WARNING")
    with connected(conn, host, token_env) as client:
        wanted = _looked_up(wanted, client)
        pages = client.services(kind, exported_model(kind)).pages(FIELDS)
        shown = (cast("ExportedService", service) for page in pages for service in page.services)
        services = [service for service in shown if wanted is None or wanted.holds(service)]
    for part in to_yaml(services):
        click.echo(part, nl=False)
    to_do = sum(bool(service.shown.secrets) for service in services)
    rest = f"; {to_do:,} with secrets, which need the id of an Airflow connection in place of TODO" if to_do else ""
    click.echo(f"{counted(len(services), 'service')}{rest}", err=True)
    return 0


def _looked_up(scope: PruneScope | None, client: CollateClient) -> PruneScope | None:
    """Return a scope with its owner looked up, and say which of its names do not exist."""
    from airflow_provider_collate.reconcile.lookups import LookUps
    from airflow_provider_collate.reconcile.references import resolve_references
    from airflow_provider_collate.reconcile.workers import Workers

    if scope is None:
        return None
    found = resolve_references((), LookUps(client.directory, Workers(1, client)), client.release(), scope)
    for warning in found.warnings:
        click.echo(warning.replace("prune_scope", "--scope"), err=True)
    return found.scope


def scope_of(given: tuple[str, ...], option: str) -> PruneScope | None:
    """Return a scope of `KEY=VALUE` texts; None for none.

    :param given: the texts.
    :param option: the option that has them, for messages.
    """
    from airflow_provider_collate.reconcile.scope import PruneScope

    if not given:
        return None
    pairs = [text.partition("=") for text in given]
    if faulty := [text for text, mark, _ in pairs if not mark]:
        raise click.UsageError(f"A scope is KEY=VALUE, such as tag=Team.ml, not {faulty[0]}.")
    try:
        return PruneScope.parse({key: value for key, _, value in pairs})
    except InvalidDeclarationError as error:
        problems = [problem.replace("prune_scope", option, 1) for problem in error.problems]
    raise InvalidDeclarationError(problems)
