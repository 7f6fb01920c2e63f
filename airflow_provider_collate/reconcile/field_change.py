"""One field of a service that is not as declared, and what to do about it."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from pydantic import JsonValue

from airflow_provider_collate.client.services import PatchOperation

ABSENT = "is not in the catalog"

_LONGEST_TEXT = 60
_LONGEST_NAME = 200
_CONTEXT = 20
_MOST_NAMES = 10


class Status(Enum):
    """What to do about a field."""

    WRITE = "it differs and is written"
    UNDECIDED = "it differs; who set it must be read from the service's history"
    CONFLICT = "somebody else set it to another value, which is kept"
    REWRITE = "the catalog shows it masked, so it is written again"
    EXTERNAL = "it is kept in a secrets manager, so it counts as declared"
    LEFT = "it is in the catalog, is not declared, and stays"
    IGNORED = "it differs, and no write makes it as declared"


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field that is not as declared.

    :param field: its path, e.g. `connection.config.trackingUri`.
    :param shows: what the catalog shows and what was declared, in words without a secret.
    :param operations: the JSON Patch operations that make it as declared.
    :param status: what to do about it.
    """

    field: str
    shows: str
    operations: tuple[PatchOperation, ...] = dataclasses.field(default=(), repr=False)
    status: Status = Status.WRITE

    def __str__(self) -> str:
        return f"{self.field}: {self.shows}"


def excerpt(text: JsonValue) -> str:
    """Return a text in quotes on one line, bounded."""
    return f'"{one_line(str(text or ""), _LONGEST_TEXT)}"'


def excerpts(old: str, new: str) -> tuple[str, str]:
    """Return two texts that differ, in quotes, from shortly before the first difference if they begin alike."""
    if excerpt(old) != excerpt(new):
        return excerpt(old), excerpt(new)
    pairs = enumerate(zip(old, new, strict=False))
    alike = next((place for place, (one, other) in pairs if one != other), min(len(old), len(new)))
    start = max(0, alike - _CONTEXT)
    return excerpt(f"…{old[start:]}"), excerpt(f"…{new[start:]}")


def one_line(text: str, length: int = _LONGEST_NAME) -> str:
    """Return a text on one line without unprintable characters, cut to a length."""
    if not text.isprintable():
        text = "".join(char if char.isprintable() else " " for char in text)
    line = " ".join(text.split())
    return line if len(line) <= length else f"{line[: length - 1]}…"


def listing(names: Iterable[str]) -> str:
    """Return names in square brackets, sorted, the first ten of them."""
    ordered = sorted(names)
    more = len(ordered) - _MOST_NAMES
    shown = ", ".join(one_line(name) for name in ordered[:_MOST_NAMES])
    return f"[{shown}{f', and {more} more' if more > 0 else ''}]"
