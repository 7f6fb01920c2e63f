"""A plan as a person reads it."""

from __future__ import annotations

from collections.abc import Iterator

from airflow_provider_collate.reconcile.plan import Action, Plan, RowPlan

_SIGNS = {
    Action.CREATE: "+",
    Action.RESTORE: "+",
    Action.UPDATE: "~",
    Action.KEEP: "!",
    Action.PRUNE: "-",
    Action.CONFLICT: "x",
    Action.IGNORE: "=",
}
_NARROWEST_NAME = 18
_WIDEST_NAME = 40
_MOST_ROWS = 500
_MOST_DETAILS = 20


def render_plan(plan: Plan) -> str:
    """The plan as lines: a sign, the name, the action, and what changes; unchanged rows are only counted.

    :param plan: the plan.
    :return: the text, without any value of a connection.
    """
    rows = [row for row in plan.rows if row.action is not Action.UNCHANGED]
    shown = rows[:_MOST_ROWS]
    name_width = min(max([_NARROWEST_NAME, *(len(row.name) for row in shown)]), _WIDEST_NAME)
    action_width = max((len(row.action.value) for row in shown), default=0)
    lines = [line for row in shown for line in _row_lines(row, name_width, action_width)]
    if len(rows) > _MOST_ROWS:
        lines.append(f"… and {len(rows) - _MOST_ROWS:,} more rows that are not unchanged")
    unchanged = len(plan.rows) - len(rows)
    if unchanged or not rows:
        lines.append(f"= {unchanged:,} unchanged")
    return "\n".join([*lines, *plan.notes])


def _row_lines(row: RowPlan, name_width: int, action_width: int) -> Iterator[str]:
    details = list(_details(row)) or [""]
    if len(details) > _MOST_DETAILS:
        details[_MOST_DETAILS:] = [f"… and {len(details) - _MOST_DETAILS:,} more"]
    head = f"{_SIGNS[row.action]} {_printable(row.name):<{name_width}}  {row.action.value:<{action_width}}"
    for number, detail in enumerate(details):
        yield f"{head if number == 0 else ' ' * len(head)}   {detail}".rstrip()


def _details(row: RowPlan) -> Iterator[str]:
    if row.action is Action.CREATE:
        yield row.service_type
    elif row.reason:
        yield row.reason
    if row.action in (Action.RESTORE, Action.UPDATE):
        for change in row.difference.writable:
            yield f"{change}   (patch)" if change.only_patched else str(change)
    if row.action in (Action.RESTORE, Action.UPDATE, Action.KEEP):
        yield from (str(change) for change in row.kept)


def _printable(name: str) -> str:
    """A name on one line, whatever is in it."""
    return "".join(char if char.isprintable() else "?" for char in name)
