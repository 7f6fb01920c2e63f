"""Pydantic's errors as lines that name the field and never show what was in it."""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from airflow_provider_collate.models.credentials import GCP_TYPES
from airflow_provider_collate.models.declared import (
    DECLARATION_ERROR,
    NAME_PATTERN,
    NO_TEMPLATE_PATTERN,
    UNRENDERED,
    Path,
    documented_name,
    kind_of,
)
from airflow_provider_collate.models.mlmodel_connections import ServiceConnection

_PLAIN_KEY = re.compile(r"[\w .-]{1,64}")

_TEXTS = {
    "missing": "must be given",
    "string_type": "must be a string, not {kind}",
    "bool_type": "must be true or false, not {kind}",
    "int_type": "must be a whole number, not {kind}",
    "int_from_float": "must be a whole number, not {kind}",
    "float_type": "must be a number, not {kind}",
    "list_type": "must be a list, not {kind}",
    "dict_type": "must be an object, not {kind}",
    "model_type": "must be an object, not {kind}",
    "union_tag_not_found": "must be an object, not {kind}",
    "union_tag_invalid": "must be an object, not {kind}",
    "finite_number": "must be a finite number, not {kind}",
    "literal_error": "must be {expected}",
    "greater_than_equal": "must be at least {ge:g}",
    "less_than_equal": "must be at most {le:g}",
    "string_too_short": "must not be empty",
    "string_too_long": "must have at most {max_length} characters, has {length}",
    "string_unicode": "is not valid Unicode",
}


def path_text(path: Path) -> str:
    """Write a path as a person reads it: `connection.config.trackingUri`, `tags[0].state`.

    :param path: keys and indexes; a key that is no plain word is not shown.
    """
    parts = []
    for item in path:
        if isinstance(item, int):
            parts.append(f"[{item}]")
        else:
            parts.append(f".{item}" if _PLAIN_KEY.fullmatch(item) else ".(a key that is no plain word)")
    return "".join(parts).removeprefix(".")


def problems_of(
    error: ValidationError, model: type[BaseModel], rows: Sequence[object]
) -> Iterator[tuple[int, Path, str]]:
    """Give the row, the path in it and the text of every fault.

    :param error: raised by validating all rows as one list.
    :param model: what each row was to be.
    :param rows: the rows as they were given.
    """
    for details in error.errors(include_url=False):
        row, *location = details["loc"]
        index = int(row)
        if details["type"] == "invalid_key" or location[-1:] == ["[key]"]:
            path, _ = _locate(model, location[: -1 if details["type"] == "invalid_key" else -2])
            yield index, path, f"its keys must be strings, one is {kind_of(details['input'])}"
            continue
        path, holder = _locate(model, location)
        if details["type"] == DECLARATION_ERROR:
            for deeper, text in details["ctx"]["problems"]:
                yield index, (*path, *deeper), text
        else:
            yield index, path, _text(details, path, holder, rows[index])


def _locate(model: type[BaseModel], location: Sequence[str | int]) -> tuple[Path, type[BaseModel]]:
    """Take the tags of unions out of a location, and find the model that its last field belongs to."""
    path: list[str | int] = []
    choices: dict[str, type[BaseModel]] = {}
    holder = model
    for item in location:
        if isinstance(item, str) and item in choices:
            holder, choices = choices[item], {}
        else:
            path.append(item)
            if isinstance(item, str) and (field := _field_name(holder, item)):
                choices = dict(_models_in(holder.model_fields[field].annotation))
                if len(choices) == 1:
                    (holder,) = choices.values()
    return tuple(path), holder


def _field_name(model: type[BaseModel], key: str) -> str | None:
    return next((name for name in model.model_fields if key in (name, documented_name(name))), None)


def _models_in(annotation: object) -> Iterator[tuple[str, type[BaseModel]]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation.__name__, annotation
    for argument in get_args(annotation):
        yield from _models_in(argument)


def _text(details: ErrorDetails, path: Path, holder: type[BaseModel], row: object) -> str:
    kind, value, context = details["type"], details["input"], details.get("ctx", {})
    if kind == "extra_forbidden":
        return _unknown_field(path, holder, row)
    if kind == "string_pattern_mismatch":
        return _pattern_text(str(context["pattern"]), value)
    if kind == "literal_error" and holder.__name__ in GCP_TYPES.values():
        return f"must be one of {', '.join(map(repr, GCP_TYPES))}"
    if isinstance(value, float) and not math.isfinite(value):
        return f"must not be {kind_of(value)}"
    length = len(value) if isinstance(value, str) else 0
    text = _TEXTS.get(kind, f"is not valid ({kind})").format(kind=kind_of(value), length=length, **context)
    if kind == "missing" and path == ("connection",):
        text += "; None sends none"
    json_text = isinstance(value, str) and value.lstrip().startswith(("{", "["))
    return f"{text}; JSON text has to be loaded first" if json_text and "not a string" in text else text


def _pattern_text(pattern: str, value: object) -> str:
    if pattern == NAME_PATTERN:
        return 'must not contain "::"' if "::" in str(value) else "must not contain a line break"
    return UNRENDERED if pattern == NO_TEMPLATE_PATTERN else "must be a UUID"


def _unknown_field(path: Path, holder: type[BaseModel], row: object) -> str:
    key = str(path[-1])
    if path == ("domain",) and isinstance(row, Mapping):
        if "domains" in row:
            return "give domain or domains, not both"
        return f"must be a string, not {kind_of(row['domain'])}"
    if holder is ServiceConnection:
        return "unknown field; the fields of a connection go under connection.config"
    if name := _field_name(holder, key):
        return f"given twice, as {documented_name(name)} and {name}"
    names = [name if "_" in key else documented_name(name) for name in holder.model_fields]
    lowered = {name.lower(): name for name in names}
    close = difflib.get_close_matches(key.lower(), lowered, n=1)
    return f"unknown field, did you mean {lowered[close[0]]}?" if close else "unknown field"
