"""The law: what was applied once is unchanged ever after, on every release of the server."""

from __future__ import annotations

import json
import os
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_provider_collate.reconcile.report import Report
from airflow_provider_collate.sandbox import ANA, RELEASES, Catalog
from tests.property.declarations import ENTRIES, Declared, contents, declarations, named_declarations
from tests.unit.reconcile.workbench import Workbench

FLAGS = ("has_bulk", "secrets_manager", "narrow_role", "denies_display_name")
SECRET = "/connection/config/"

profiles = st.builds(
    lambda release, flags: (release, flags),
    st.sampled_from(sorted(RELEASES)),
    st.fixed_dictionaries({flag: st.booleans() for flag in FLAGS}),
)
choices = st.sampled_from(["fail", "keep", "overwrite"])


def prepared(release: str, flags: dict[str, bool]) -> Catalog:
    catalog = Catalog(release, **flags)  # type: ignore[arg-type]
    for entry in ENTRIES:
        catalog.state.directory.add(entry)
    catalog.add_tag("Business.Churn", glossary=True)
    catalog.add_data_product("Scores")
    return catalog


def stored(bench: Workbench) -> str:
    """Return all that a catalog holds, versions and times included.

    Not where a person's token cannot tell that a masked secret is kept in a secrets manager: there each write of it
    makes a new version (server source), and nobody can know beforehand.
    """
    if bench.catalog.state.secrets_manager and not bench.is_bot:
        return json.dumps(contents(bench.catalog), sort_keys=True)
    services = {**bench.catalog.services, **{f"{name} (deleted)": gone for name, gone in bench.catalog.deleted.items()}}
    return json.dumps(services, sort_keys=True)


def ends(report: Report) -> list[tuple[str, str]]:
    return [(row.name, row.outcome.value) for row in report.rows if row.is_failure]


def writes_beside_masked_secrets(bench: Workbench, first: int) -> list[str]:
    """Return the writes since the first ones, but for those of secrets that a person's token sees only masked."""
    found = []
    for seen in bench.writes()[first:]:
        operations: list[dict[str, Any]] = json.loads(seen.content) if seen.method == "PATCH" else [{}]
        paths = [step.get("path", "") for step in operations if step.get("op") != "test"]
        if bench.is_bot or not paths or not all(path.startswith(SECRET) for path in paths):
            found.append(f"{seen.method} {seen.path} {paths}")
    return found


def check(profile: tuple[str, dict[str, bool]], is_bot: bool, choice: str, both: tuple[list[Declared], ...]) -> None:
    release, flags = profile
    bench = Workbench(prepared(release, flags), is_bot=is_bot)
    for number, rows in enumerate(both):
        first = bench.run(rows, on_conflict=choice)
        before, sent = stored(bench), len(bench.writes())
        second = bench.run(rows, on_conflict=choice)
        assert stored(bench) == before
        assert ends(second) == ends(first)
        if first.error() is None:
            assert second.error() is None
            assert writes_beside_masked_secrets(bench, sent) == []
        if number == 0:
            for name in bench.catalog.services:
                bench.catalog.edit_service(name, user=ANA, description="By hand")


@settings(max_examples=100, deadline=None, database=None)
@given(profiles, st.booleans(), choices, declarations() | named_declarations())
def test_a_second_run_changes_nothing_and_ends_the_same_way(
    profile: tuple[str, dict[str, bool]], is_bot: bool, choice: str, both: tuple[list[Declared], ...]
) -> None:
    check(profile, is_bot, choice, both)


@pytest.mark.soak
@settings(max_examples=int(os.environ.get("COLLATE_LAW_EXAMPLES", "2000")), deadline=None, database=None)
@given(profiles, st.booleans(), choices, declarations() | named_declarations())
def test_the_same_for_thousands(
    profile: tuple[str, dict[str, bool]], is_bot: bool, choice: str, both: tuple[list[Declared], ...]
) -> None:
    check(profile, is_bot, choice, both)
