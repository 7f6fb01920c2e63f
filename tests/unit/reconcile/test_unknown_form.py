"""Which stored descriptions pass for a server's own form of what was declared."""

from __future__ import annotations

import pytest

from airflow_provider_collate.client.release import Release
from airflow_provider_collate.client.services import PatchOperation
from airflow_provider_collate.exceptions import BadRequestError
from airflow_provider_collate.reconcile.changes import Action, Change
from airflow_provider_collate.reconcile.field_change import FieldChange
from airflow_provider_collate.reconcile.row import Row

UNCERTAIN = "one <svg>two</svg> three"
RELEASE = Release("2.0.7")


def described(shown: str, declared: str, field: str = "description") -> Change:
    """What is still to be done about a service whose description is another than the declared one."""
    guard = (PatchOperation("test", f"/{field}", shown),) if shown else ()
    operations = (*guard, PatchOperation("add", f"/{field}", declared))
    return Change("a", Action.UPDATE, "Sklearn", fields=(FieldChange(field, shown, operations),))


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
    now, before = described(shown, declared), described("Before", declared)
    for there, is_taken in ((before, False), (now, resembles)):
        row = Row(there, there)
        row.answered(None)
        assert row.read_again(now, RELEASE) is is_taken
        assert row.is_worth_another_try(RELEASE) is (resembles and not is_taken)


@pytest.mark.parametrize(
    "now, release, error",
    [
        (described("Bob  s", "Bob's"), RELEASE, None),
        (described("Bob s", "Bob's", "displayName"), RELEASE, None),
        (described("Bob s", "Bob's"), Release("1.2.0"), None),
        (described("Bob s", "Bob's"), RELEASE, BadRequestError("no", status=400, method="PATCH", path="/")),
    ],
    ids=["another", "a display name", "a release that sanitises nothing", "a refused write"],
)
def test_only_a_description_that_shows_the_same_after_it_was_written_again(
    now: Change, release: Release, error: BadRequestError | None
) -> None:
    before = described("Bob s", "Bob's", now.fields[0].field)
    row = Row(before, before)
    row.answered(error)
    assert not row.read_again(now, release)
    assert row.is_worth_another_try(release) is (now.fields[0].shows == "Bob  s")
