"""Accept a description in a form that this version does not recognise, when the server stores our text so.

A server that sanitises descriptions may store one in a form that `models/stored_text.py` does not know. If it was set
by us, looks like our text, and shows the same after it was written again, it is that server's form of it.
"""

from __future__ import annotations

import html
import re

from airflow_provider_collate.client.release import Release
from airflow_provider_collate.models.stored_text import stored_form
from airflow_provider_collate.reconcile.changes import Change
from airflow_provider_collate.reconcile.field_change import Status
from airflow_provider_collate.reconcile.row import Row, RowState

_ELEMENT = re.compile("<[^<>]*>")


def is_in_unknown_form(row: Row, now: Change, release: Release) -> bool:
    """Return whether nothing differs but a description that the server stores in a form of its own."""
    return (
        release.sanitises
        and row.state is RowState.SENT
        and _description(now) is not None
        and _description(now) == _description(row.change)
        and _resembles(now)
    )


def may_be_in_unknown_form(row: Row, release: Release) -> bool:
    """Return whether to write a description once more, to see whether it then shows the same."""
    return (
        row.states.count(RowState.UNAPPLIED) == 1
        and row.state is RowState.UNAPPLIED
        and release.sanitises
        and _resembles(row.change)
    )


def _description(change: Change) -> tuple[str, str] | None:
    """Return the shown and the declared description if nothing else differs."""
    fields = change.having(Status.WRITE)
    if [field.field for field in fields] != ["description"]:
        return None
    values = [operation.value for operation in fields[0].operations]
    return (str(values[0]), str(values[1])) if len(values) == 2 else None


def _resembles(change: Change) -> bool:
    """Return whether a person would read the declared text in the shown one.

    Where the stored form is not certain, parts of the declared text may be missing.
    """
    texts = _description(change)
    if texts is None:
        return False
    shown, declared = texts
    form = stored_form(declared)
    read = _letters(shown)
    left = iter(declared)
    return read == _letters(form.text) or (not form.certain and all(letter in left for letter in read))


def _letters(text: str) -> list[str]:
    return [character for character in html.unescape(_ELEMENT.sub("", text)) if character.isalnum()]
