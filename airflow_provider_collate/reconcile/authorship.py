"""Decide about a field by who set it last: our own value is updated, somebody else's is a conflict."""

from __future__ import annotations

from dataclasses import replace

from airflow_provider_collate.models.history import Edit
from airflow_provider_collate.reconcile.facts import Authors, ServerFacts
from airflow_provider_collate.reconcile.field_change import FieldChange, Status


def decided(
    change: FieldChange, shown: object, conflict: str, facts: ServerFacts, authors: Authors | None
) -> FieldChange:
    """Return the change with its status.

    :param change: a field that differs from its declaration.
    :param shown: what the catalog shows, as the history is asked for it; empty where it shows nothing.
    :param conflict: the text of a conflict, with `{author}` in it.
    :param facts: whose token it is.
    :param authors: who set what; None while the history is not read yet.
    """
    if facts.on_conflict == "overwrite":
        return change
    if authors is None:
        return replace(change, status=Status.UNDECIDED)
    if not shown and authors.history.was_never_set(change.field):
        return change
    return settled(change, authors.history.last_edit(change.field, shown), conflict, facts, authors)


def settled(change: FieldChange, edit: Edit | None, conflict: str, facts: ServerFacts, authors: Authors) -> FieldChange:
    """Return the change as it is if the token's user set the field, else as a conflict.

    :param edit: who set the field; None where the history does not show it.
    """
    if edit is not None and edit.user == facts.user:
        return change
    return replace(
        change, shows=conflict.replace("{author}", authors.name(edit)), operations=(), status=Status.CONFLICT
    )
