"""All that an error carries along: its text, its attributes, and every local variable of every frame."""

from __future__ import annotations

import traceback
from collections.abc import Iterator


def errors_behind(error: BaseException) -> Iterator[BaseException]:
    """The error and all that it came from."""
    todo, seen = [error], set()
    while todo:
        current = todo.pop()
        if id(current) not in seen:
            seen.add(id(current))
            yield current
            todo += [behind for behind in (current.__cause__, current.__context__) if behind is not None]


def everything_along(error: BaseException) -> str:
    """What a tool that reports errors would show of this one, with local variables."""
    lines = []
    for current in errors_behind(error):
        lines += [str(current), repr(current), repr(getattr(current, "__dict__", {})), repr(current.args)]
        lines += getattr(current, "__notes__", [])
        for frame, _ in traceback.walk_tb(current.__traceback__):
            for name, value in frame.f_locals.items():
                lines.append(f"{frame.f_code.co_qualname if hasattr(frame.f_code, 'co_qualname') else ''} {name}")
                lines.append(_shown(value))
    return "\n".join(lines)


def _shown(value: object) -> str:
    try:
        return repr(value)
    except Exception as fault:  # noqa: BLE001 - a frame may hold anything, half made or closed
        return f"<no repr: {type(fault).__name__}>"
