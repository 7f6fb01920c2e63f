"""Compare the description and the display name, and tell a person's text from our own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pydantic import JsonValue

from airflow_provider_collate.client.services import PatchOperation
from airflow_provider_collate.models.service import Service
from airflow_provider_collate.models.stored_text import is_stored_form, same_text
from airflow_provider_collate.reconcile.authorship import decided
from airflow_provider_collate.reconcile.facts import Authors, ServerFacts
from airflow_provider_collate.reconcile.field_change import FieldChange, quoted_pair

TEXTS = ("displayName", "description")


def text_changes(
    declared: Mapping[str, JsonValue], service: Service, facts: ServerFacts, authors: Authors | None
) -> Iterator[FieldChange]:
    """Yield the texts that are not as declared."""
    for name, shown in zip(TEXTS, (service.display_name or "", service.description or ""), strict=True):
        if name in declared:
            text = declared[name]
            wanted = text if isinstance(text, str) else ""
            if not is_shown(name, wanted, shown, facts):
                yield _change(name, wanted, shown, facts, authors)


def is_shown(name: str, wanted: str, shown: str, facts: ServerFacts) -> bool:
    """Return whether a text counts as stored, on servers that sanitise descriptions in their stored form too."""
    if same_text(wanted, shown):
        return True
    return name == "description" and facts.release.sanitises and is_stored_form(wanted, shown)


def _change(name: str, wanted: str, shown: str, facts: ServerFacts, authors: Authors | None) -> FieldChange:
    path = f"/{name}"
    guard = (PatchOperation("test", path, shown),) if shown else ()
    operation = PatchOperation("add", path, wanted) if wanted else PatchOperation("remove", path)
    old, new = quoted_pair(shown, wanted)
    change = FieldChange(name, f"{old} → {new}", (*guard, operation))
    return decided(change, shown, f"{old} ({{author}}) is kept, {new} was declared", facts, authors)
