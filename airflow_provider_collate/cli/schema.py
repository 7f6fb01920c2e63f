"""`airflow-collate schema`: what an editor needs to complete and check declaration files."""

from __future__ import annotations

import json

import click

from airflow_provider_collate.cli.files import KIND


@click.command()
def schema() -> int:
    """Print the JSON Schema of declaration files."""
    from airflow_provider_collate.files.schema import services_schema
    from airflow_provider_collate.kinds import find_kind

    click.echo(json.dumps(services_schema(find_kind(KIND)), indent=2, ensure_ascii=False))
    return 0
