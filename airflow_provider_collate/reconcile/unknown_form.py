"""Accept a description in a form that this version does not recognise, when the server stores our text so.

A server that sanitises descriptions may store one in a form that `models/stored_text.py` does not know. If it was set
by us, looks like our text, and shows the same after it was written again, it is that server's form of it.
"""

from __future__ import annotations

import html
import re

from airflow_provider_collate.models.stored_text import stored_form
from airflow_provider_collate.reconcile.changes import Change
from airflow_provider_collate.reconcile.field_change import Status

_ELEMENT = re.compile("<[^<>]*>")


def unknown_form(change: Change) -> str:
    """Return the description that the catalog shows if nothing else differs, and it reads as the declared one.

    Where the stored form is not certain, parts of the declared text may be missing.
    """
    fields = [one for one in change.fields if one.status is Status.WRITE]
    values = [str(operation.value) for field in fields for operation in field.operations]
    if [field.field for field in fields] != ["description"] or len(values) != 2:
        return ""
    shown, declared = values
    form = stored_form(declared)
    read, left = _letters(shown), iter(declared)
    is_alike = read == _letters(form.text) or (not form.certain and all(letter in left for letter in read))
    return shown if is_alike else ""


def _letters(text: str) -> list[str]:
    return [character for character in html.unescape(_ELEMENT.sub("", text)) if character.isalnum()]
