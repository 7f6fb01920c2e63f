"""Read JSON into plain data, without duplicate keys, and find the line of a value when an error needs it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from itertools import islice

from airflow_provider_collate.files.problem import FileError, given_twice
from airflow_provider_collate.models.problems import Path, documented_name

_DECODE = json.JSONDecoder().raw_decode
_BLANK = re.compile(r"[ \t\n\r]*")


class _DuplicateError(Exception):
    """An object has a key twice."""


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    built = dict(pairs)
    if len(built) != len(pairs):
        raise _DuplicateError
    return built


_DECODE_UNIQUE = json.JSONDecoder(object_pairs_hook=_unique).decode


def read_json(text: str, first_line: int = 1) -> object:
    """Return the value that a text holds.

    :param first_line: the number of its first line, for messages.
    :raises FileError: when it is not JSON, or an object in it has a key twice.
    """
    line: int | None = None
    try:
        return _DECODE_UNIQUE(text)
    except json.JSONDecodeError as error:
        said, line = f"is not JSON: {error.msg}", first_line + error.lineno - 1
    except _DuplicateError:
        key, at = next(_duplicates(text, _after_blanks(text, 0)))
        said, line = given_twice(key), first_line + text.count("\n", 0, at)
    except ValueError:
        said = "is not JSON: it has a number with too many digits"
    except RecursionError:
        said = "is nested too deep"
    # Raised out here, so that the decoder's error, which holds the text, is no part of it.
    raise FileError(said, line)


class JsonPlaces:
    """Tells the lines of values.

    :param text: a text that `read_json` has read.
    """

    def __init__(self, text: str) -> None:
        self._text = text
        self._items: dict[int, tuple[list[int], Iterator[tuple[str | int, int]]]] = {}

    def line(self, path: Path) -> int:
        """Return the line of a value, or of what is nearest above it.

        :param path: 0 for the one document, and the keys and indexes below it.
        """
        _, *steps = path
        at = _after_blanks(self._text, 0)
        for step in steps:
            found = self._item(at, step) if isinstance(step, int) else self._value(at, step)
            if found is None:
                break
            at = found
        return self._text.count("\n", 0, at) + 1

    def _value(self, at: int, step: str) -> int | None:
        entries = _entries(self._text, at)
        return next((start for key, start in entries if step in (key, documented_name(str(key)))), None)

    def _item(self, at: int, index: int) -> int | None:
        # A list is read on from the item that was asked for last: there may be a fault in each of many.
        starts, rest = self._items.setdefault(at, ([], _entries(self._text, at)))
        starts += (start for _, start in islice(rest, max(0, index + 1 - len(starts))))
        return starts[index] if index < len(starts) else None


def _duplicates(text: str, at: int) -> Iterator[tuple[str | int, int]]:
    """Yield keys that their object has already, and where their values stand."""
    seen: set[str | int] = set()
    for key, start in _entries(text, at):
        if key in seen:
            yield key, start
        seen.add(key)
        yield from _duplicates(text, start)


def _entries(text: str, at: int) -> Iterator[tuple[str | int, int]]:
    """Yield the key or index of each entry of an object or array, and where its value begins; nothing else has any."""
    opening = text[at]
    if opening not in "{[":
        return
    at, index = _after_blanks(text, at + 1), 0
    while text[at] not in "]}":
        key: str | int = index
        if opening == "{":
            key, at = _DECODE(text, at)
            at = _after_blanks(text, _after_blanks(text, at) + 1)
        yield key, at
        _, at = _DECODE(text, at)
        at = _after_blanks(text, at)
        if text[at] == ",":
            at = _after_blanks(text, at + 1)
        index += 1


def _after_blanks(text: str, at: int) -> int:
    found = _BLANK.match(text, at)
    return at if found is None else found.end()
