"""What a run would do: a change for each declared service and for each to delete."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from airflow_provider_collate.exceptions import PruneRefusedError
from airflow_provider_collate.reconcile.changes import Action, Change
from airflow_provider_collate.reconcile.field_change import Status

_SIGNS = {
    Action.CREATE: "+",
    Action.RESTORE: "+",
    Action.UPDATE: "~",
    Action.KEEP: "!",
    Action.DELETE: "-",
    Action.CONFLICT: "x",
    Action.IGNORE: "=",
    Action.NONE: "=",
}
# What a person should see though nothing is done about it.
_TOLD = (Status.LEFT, Status.IGNORED)
_NARROWEST_NAME = 18
_WIDEST_NAME = 40
_MOST_ROWS = 500
_MOST_DETAILS = 20


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run would do.

    :param changes: in the order of the declaration, then the deletions by name.
    :param in_scope: how many services of the catalog are in the prune scope.
    :param refusal: why it must not be carried out: it would delete more services than it may.
    :param notes: what a reader should know beside the changes, one sentence each.
    :param warnings: what is probably a mistake, or cannot become as declared.
    :param unreadable_secrets: declared secrets that the token cannot see, so that they cannot be compared.
    """

    changes: tuple[Change, ...]
    in_scope: int = 0
    refusal: PruneRefusedError | None = None
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    unreadable_secrets: int = 0

    def counts(self) -> dict[str, int]:
        """Return how many services each action has."""
        return dict(Counter(change.action.value for change in self.changes))

    def raise_if_refused(self) -> None:
        """Raise if more services would be deleted than may be.

        :raises PruneRefusedError: before anything is written.
        """
        if self.refusal is not None:
            raise self.refusal

    def text(self) -> str:
        """Return the plan as lines: a sign, the name, the action, and what changes; unchanged rows are counted."""
        told = [change for change in self.changes if _is_told(change)]
        shown = told[:_MOST_ROWS]
        name_width = min(max([_NARROWEST_NAME, *(len(change.name) for change in shown)]), _WIDEST_NAME)
        action_width = max((len(change.action.value) for change in shown), default=0)
        lines = [line for change in shown for line in _lines(change, name_width, action_width)]
        if len(told) > _MOST_ROWS:
            lines.append(f"… and {len(told) - _MOST_ROWS:,} more services that are not unchanged")
        unchanged = len(self.changes) - len(told)
        if unchanged or not told:
            lines.append(f"= {unchanged:,} unchanged")
        return "\n".join([*lines, *self.notes, *self.warnings])


def _is_told(change: Change) -> bool:
    return change.action is not Action.NONE or any(field.status in _TOLD for field in change.fields)


def _lines(change: Change, name_width: int, action_width: int) -> Iterator[str]:
    details = list(_details(change)) or [""]
    if len(details) > _MOST_DETAILS:
        details[_MOST_DETAILS:] = [f"… and {len(details) - _MOST_DETAILS:,} more"]
    name = "".join(char if char.isprintable() else "?" for char in change.name)
    head = f"{_SIGNS[change.action]} {name:<{name_width}}  {change.action.value:<{action_width}}"
    for number, detail in enumerate(details):
        yield f"{head if number == 0 else ' ' * len(head)}   {detail}".rstrip()


def _details(change: Change) -> Iterator[str]:
    if change.action is Action.CREATE:
        yield change.service_type
    elif change.reason:
        yield change.reason
    if change.action in (Action.CONFLICT, Action.IGNORE):
        return
    yield from map(str, change.writable)
    yield from map(str, change.conflicts)
    yield from (str(field) for field in change.fields if field.status in _TOLD)
