"""The tree of errors is drawn as it is, and every error in it is exported."""

from __future__ import annotations

import re

from airflow_provider_collate import exceptions


def test_the_drawing_is_the_tree() -> None:
    drawn: dict[str, str] = {}
    path: list[str] = []
    for indent, name in re.findall(r"^( *)\* (\w+)", exceptions.__doc__ or "", re.MULTILINE):
        path = [*path[: len(indent) // 2], name]
        drawn[name] = path[-2] if len(path) > 1 else "Exception"

    public = {name: getattr(exceptions, name) for name in exceptions.__all__}
    parents = {
        name: next(base.__name__ for base in error.__mro__[1:] if not base.__name__.startswith("_"))
        for name, error in public.items()
    }

    assert drawn == parents
    assert {name for name in vars(exceptions) if name.endswith("Error") and name[0] != "_"} == public.keys()
