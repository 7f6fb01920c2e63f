"""What a run would do: a change for each declared service and for each to delete."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from pydantic import JsonValue

from airflow_provider_collate.exceptions import OutcomeError, PruneRefusedError
from airflow_provider_collate.reconcile.changes import WRITING, Action, Change
from airflow_provider_collate.reconcile.field_change import Status, one_line

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
_MOST_ROWS_IN_ERROR = 50
_DRIFT_ADVICE = "Run the task without plan_only and fail_on_changes to make it so, or change the declaration."
# GitHub takes a comment of 65,536 characters.
_MOST_MARKDOWN = 50_000
_MOST_ROWS_IN_MARKDOWN = 100
_MOST_NOTES = 10
_LONGEST_NOTE = 400
_LONGEST_DETAIL = 300


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run would do.

    :param changes: in the order of the declaration, then the deletions by name.
    :param in_scope: how many services of the catalog are in the prune scope.
    :param refusal: why it must not be carried out: it would delete more services than it may.
    :param notes: what a reader should know beside the changes, one sentence each.
    :param warnings: what is probably a mistake, or cannot become as declared.
    :param unreadable_secrets: declared secrets that the token cannot see, so that they cannot be compared.
    :param is_as_declared: whether a run would change nothing and succeed.
    :param fingerprint: what `approved_plan` takes; empty where it was not asked for.
    """

    changes: tuple[Change, ...]
    in_scope: int = 0
    refusal: PruneRefusedError | None = None
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    unreadable_secrets: int = 0
    is_as_declared: bool = False
    fingerprint: str = ""

    @property
    def has_changes(self) -> bool:
        """Whether a run would change the catalog; to write again a secret that cannot be compared does not count."""
        return any(change.action in WRITING for change in self.changes)

    @property
    def counts(self) -> dict[str, int]:
        """How many services each action has."""
        return dict(Counter(change.action.value for change in self.changes))

    def raise_if_refused(self) -> None:
        """Raise if more services would be deleted than may be.

        :raises PruneRefusedError: before anything is written.
        """
        if self.refusal is not None:
            raise self.refusal

    def drift(self) -> OutcomeError | None:
        """Return the error of a drift alarm, with the plan as its message, or None if the catalog is as declared."""
        if self.is_as_declared:
            return None
        return OutcomeError(f"The catalog is not as declared:\n{self.text(_MOST_ROWS_IN_ERROR)}", advice=_DRIFT_ADVICE)

    def to_json(self, url: str) -> dict[str, JsonValue]:
        """Return the plan as an XCom, or for another program.

        :param url: the UI's page of all services of the kind.
        """
        return {
            "has_changes": self.has_changes,
            "refused": self.refusal is not None,
            "counts": dict(self.counts),
            "text": self.text(),
            "markdown": self.markdown(),
            "fingerprint": self.fingerprint,
            "url": url,
        }

    def markdown(self) -> str:
        """Return the plan as a table, for a page or a pull request: at most 100 services and 65,536 characters.

        What comes from the catalog or a declaration stands as code, where neither HTML nor a link or a mention counts.
        """
        told = [change for change in self.changes if _is_told(change)]
        counts = ", ".join(f"{count:,} {name}" for name, count in self.counts.items())
        lines = [f"**Plan:** {counts or 'no services declared'}", ""]
        if told:
            lines += ["| | Service | Action | Details |", "| --- | --- | --- | --- |"]
        left = _MOST_MARKDOWN - sum(map(len, lines))
        for number, change in enumerate(told):
            rows = list(_table_rows(change))
            left -= sum(len(row) + 1 for row in rows)
            if number >= _MOST_ROWS_IN_MARKDOWN or left < 0:
                lines += ["", f"… and {len(told) - number:,} more services that are not unchanged"]
                break
            lines += rows
        said = [f"- {_code(note, _LONGEST_NOTE)}" for note in (*self.notes, *self.warnings)]
        return "\n".join([*lines, *([""] if said else []), *said[:_MOST_NOTES]])

    def text(self, most_rows: int = _MOST_ROWS) -> str:
        """Return the plan as lines: a sign, the name, the action, and what changes; unchanged rows are counted."""
        told = [change for change in self.changes if _is_told(change)]
        shown = told[:most_rows]
        name_width = min(max([_NARROWEST_NAME, *(len(change.name) for change in shown)]), _WIDEST_NAME)
        action_width = max((len(change.action.value) for change in shown), default=0)
        lines = [line for change in shown for line in _lines(change, name_width, action_width)]
        if len(told) > most_rows:
            lines.append(f"… and {len(told) - most_rows:,} more services that are not unchanged")
        unchanged = len(self.changes) - len(told)
        if unchanged or not told:
            lines.append(f"= {unchanged:,} unchanged")
        return "\n".join([*lines, *self.notes, *self.warnings])


def _is_told(change: Change) -> bool:
    return change.action is not Action.NONE or any(field.status in _TOLD for field in change.fields)


def _lines(change: Change, name_width: int, action_width: int) -> Iterator[str]:
    details = _bounded_details(change)
    name = "".join(char if char.isprintable() else "?" for char in change.name)
    head = f"{_SIGNS[change.action]} {name:<{name_width}}  {change.action.value:<{action_width}}"
    for number, detail in enumerate(details):
        yield f"{head if number == 0 else ' ' * len(head)}   {detail}".rstrip()


def _table_rows(change: Change) -> Iterator[str]:
    head = f"| {_SIGNS[change.action]} | {_code(change.name)} | {change.action.value}"
    for number, detail in enumerate(_bounded_details(change)):
        yield f"{head if number == 0 else '| | |'} | {_code(detail)} |"


def _code(text: str, longest: int = _LONGEST_DETAIL) -> str:
    """Return a text as code in a cell of a table of GitHub's Markdown, on one line."""
    line = one_line(text, longest)
    # A pipe ends a cell, in code too, unless a single backslash stands before it; readers differ about two of them.
    line = line.replace("\\|", "\\\u200b|").replace("|", "\\|")
    longest_run = max(map(len, re.findall("`+", line)), default=0)
    fence = "`" * (longest_run + 1)
    pad = " " if longest_run else ""
    return f"{fence}{pad}{line}{pad}{fence}" if line else ""


def _bounded_details(change: Change) -> list[str]:
    details = list(_details(change)) or [""]
    if len(details) > _MOST_DETAILS:
        details[_MOST_DETAILS:] = [f"… and {len(details) - _MOST_DETAILS:,} more"]
    return details


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
