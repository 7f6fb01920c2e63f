"""Which stored descriptions pass for a server's own form of what was declared."""

from __future__ import annotations

import pytest

from airflow_provider_collate.client.release import Release
from airflow_provider_collate.client.services import PatchOperation
from airflow_provider_collate.reconcile.changes import Action, Change
from airflow_provider_collate.reconcile.field_change import FieldChange
from airflow_provider_collate.reconcile.row import Row

UNCERTAIN = "one <svg>two</svg> three"
RELEASE = Release("2.0.7")


def described(shown: str, declared: str) -> Change:
    """What is still to be done about a service whose description is another than the declared one."""
    guard = (PatchOperation("test", "/description", shown),) if shown else ()
    operations = (*guard, PatchOperation("add", "/description", declared))
    return Change("a", Action.UPDATE, "Sklearn", fields=(FieldChange("description", "differs", operations),))


@pytest.mark.parametrize(
    "shown, declared, resembles",
    [
        ("<i>Bob</i>&#x27;s", "Bob's", True),
        ("Somebody's", "Bob's", False),
        ("", "Bob's", False),
        ("one three", UNCERTAIN, True),
        ("three one", UNCERTAIN, False),
        ("one four", UNCERTAIN, False),
    ],
)
def test_what_a_person_would_read_as_the_declared_text(shown: str, declared: str, resembles: bool) -> None:
    now = described(shown, declared)
    row = Row(now, now)
    row.answered(None)
    assert row.shows_unknown_form(now, RELEASE) is resembles
    row.read_again(now)
    assert row.is_worth_another_try(RELEASE) is resembles


def test_only_where_it_shows_the_same_after_it_was_written_again() -> None:
    before = described("Bob s", "Bob's")
    row = Row(before, before)
    row.answered(None)
    assert not row.shows_unknown_form(described("Bob  s", "Bob's"), RELEASE)
    assert not row.shows_unknown_form(before, Release("1.2.0"))
    row.read_again(before)
    assert not row.is_worth_another_try(Release("1.2.0"))
