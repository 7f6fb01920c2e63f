"""Say in options of the command line what messages say in parameters of a task."""

from __future__ import annotations

import re

_PARAMETER = re.compile(r'\b(on_conflict|max_prune|allow_empty|rewrite_secrets)=("?)(\w+)\2')


def as_options(text: str) -> str:
    """Return advice or a note with options in it, e.g. `--max-prune 2` for `max_prune=2`."""
    return _PARAMETER.sub(_option, text.replace("plan_only=True", "airflow-collate plan"))


def _option(found: re.Match[str]) -> str:
    option, value = found[1].replace("_", "-"), found[3]
    return {"True": f"--{option}", "False": f"--no-{option}"}.get(value, f"--{option} {value}")
