"""Say what a plan does not show: secrets that cannot be compared, and descriptions that lose parts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from airflow_provider_collate.models.stored_text import lost
from airflow_provider_collate.reconcile.changes import MASKED, Action, Change
from airflow_provider_collate.reconcile.field_change import Status, listing, with_status


def secret_notes(changes: Iterable[Change]) -> Iterator[str]:
    """Yield how many declared secrets are written although they cannot be compared."""
    if count := sum(len(change.rewrites) for change in changes):
        yield f"{_secrets(count)} cannot be compared, because this token does not see the value; a run writes it again"


def secret_warnings(changes: Sequence[Change]) -> Iterator[str]:
    """Yield how many declared secrets cannot be compared and are not written either."""
    left = (field for change in changes for field in with_status(change.fields, Status.LEFT))
    if masked := sum(field.shows == MASKED for field in left):
        yield (
            f"{_secrets(masked)} cannot be compared, because this token does not see the value, and is not written, "
            "because of rewrite_secrets=False"
        )
    if external := sum(len(with_status(change.fields, Status.EXTERNAL)) for change in changes):
        yield (
            f"{_secrets(external)} is kept in a secrets manager and cannot be compared, so it counts as declared; "
            "rewrite_secrets=True writes it again"
        )


def description_warnings(changes: Iterable[Change]) -> Iterator[str]:
    """Yield which descriptions lose parts when they are written to a server that sanitises them."""
    losses = {change.name: parts for change in changes if (parts := lost(_written_description(change)))}
    if losses:
        named = listing(f"{name}: {' '.join(parts)}" for name, parts in losses.items())
        yield f"The server drops HTML that it does not allow from descriptions: {named}; write &lt; for a plain <"


def _written_description(change: Change) -> str:
    if change.desired is None or not change.writes:
        return ""
    fields = {field.field for field in change.writable}
    text = change.desired.request.description if change.action is Action.CREATE or "description" in fields else None
    return text or ""


def _secrets(count: int) -> str:
    return "1 declared secret" if count == 1 else f"Each of {count:,} declared secrets"
