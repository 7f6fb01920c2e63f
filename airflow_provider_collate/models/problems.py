"""Pydantic's errors as lines that name the field and never show what was in it."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TypeVar, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from airflow_provider_collate.models.declared import (
    DECLARATION_ERROR,
    NAME_PATTERN,
    NUL,
    UUID_PATTERN,
    DeclaredModel,
    Path,
    Problem,
    declaration_error,
    did_you_mean,
    documented_name,
    kind_of,
)

M = TypeVar("M", bound=BaseModel)

_PLAIN_KEY = re.compile(r"[\w .-]{1,64}")

MISSING = "must be given"

_TEXTS = {
    "missing": MISSING,
    "string_type": "must be a string, not {kind}",
    "bool_type": "must be true or false, not {kind}",
    "int_type": "must be a whole number, not {kind}",
    "int_from_float": "must be a whole number, not {kind}",
    "float_type": "must be a number, not {kind}",
    "list_type": "must be a list, not {kind}",
    "dict_type": "must be an object, not {kind}",
    "model_type": "must be an object, not {kind}",
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
    """Return the row, the path in it and the text of every fault.

    :param error: raised by validating all rows as one list.
    :param model: the model of each row.
    :param rows: the rows as they were given.
    """
    for details in error.errors(include_url=False):
        row, *location = details["loc"]
        index = int(row)
        for path, text in _problems(details, location, model, rows[index]):
            yield index, path, text


def validate_part(model: type[M], value: object, *, path: Path = (), context: object = None) -> M:
    """Validate a part of a declaration by a model that is known only when its values are.

    :param model: the model of the part.
    :param value: what was given.
    :param path: where the part is, below the field that is validated.
    :param context: the validation's context.
    :raises PydanticCustomError: names each fault by its path.
    """
    try:
        return model.model_validate(value, context=context)
    except ValidationError as error:
        found = [
            ((*path, *deeper), text)
            for details in error.errors(include_url=False)
            for deeper, text in _problems(details, details["loc"], model, value)
        ]
    # Raised out here, so that pydantic's error, which has the values, is no part of it.
    raise declaration_error(found)


def _problems(
    details: ErrorDetails, location: Sequence[str | int], model: type[BaseModel], given: object
) -> Iterator[Problem]:
    is_key = location[-1:] in (["[key]"], ("[key]",))
    if details["type"] == "invalid_key" or is_key:
        text = f"its keys {NUL}" if isinstance(details["input"], str) else ""
        text = text or f"its keys must be strings, one is {kind_of(details['input'])}"
        yield tuple(location[: -2 if is_key else -1]), text
    elif details["type"] == DECLARATION_ERROR:
        for deeper, text in details["ctx"]["problems"]:
            yield (*location, *deeper), text
    else:
        yield tuple(location), _text(details, tuple(location), _holder(model, location), given)


def _holder(model: type[BaseModel], location: Sequence[str | int]) -> type[BaseModel]:
    """Return the model that the last field of a location belongs to."""
    for item in location[:-1]:
        if isinstance(item, str) and (field := _field_name(model, item)):
            model = _model_in(model.model_fields[field].annotation) or model
    return model


def _field_name(model: type[BaseModel], key: str) -> str | None:
    return next((name for name in model.model_fields if key in (name, documented_name(name))), None)


def _model_in(annotation: object) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next(filter(None, map(_model_in, get_args(annotation))), None)


def _text(details: ErrorDetails, path: Path, holder: type[BaseModel], given: object) -> str:
    kind, value, context = details["type"], details["input"], details.get("ctx", {})
    if kind == "extra_forbidden":
        return _unknown_field(path, holder, given)
    if kind == "string_pattern_mismatch":
        return _pattern_text(str(context["pattern"]), str(value))
    if isinstance(value, float) and not math.isfinite(value):
        return f"must not be {kind_of(value)}"
    if kind == "literal_error" and not isinstance(value, str):
        kind = "string_type"
    length = len(value) if isinstance(value, str) else 0
    text = _TEXTS.get(kind, f"is not valid ({kind})").format(kind=kind_of(value), length=length, **context)
    if kind == "missing" and path == ("connection",):
        text += "; None sends none"
    json_text = isinstance(value, str) and value.lstrip().startswith(("{", "["))
    return f"{text}; JSON text has to be loaded first" if json_text and "not a string" in text else text


def _pattern_text(pattern: str, value: str) -> str:
    if pattern == UUID_PATTERN:
        return "must be a UUID"
    if pattern != NAME_PATTERN or "\0" in value:
        return NUL
    if '"' in value:
        return 'must not contain a quotation mark (")'
    return 'must not contain "::"' if "::" in value else "must not contain a line break"


def _unknown_field(path: Path, holder: type[BaseModel], given: object) -> str:
    key = str(path[-1])
    if path == ("domain",) and isinstance(given, Mapping):
        if "domains" in given:
            return "give domain or domains, not both"
        return f"must be a string, not {kind_of(given['domain'])}"
    if issubclass(holder, DeclaredModel) and holder.unknown_field_advice:
        return f"unknown field; {holder.unknown_field_advice}"
    if name := _field_name(holder, key):
        return f"given twice, as {documented_name(name)} and {name}"
    names = [name if "_" in key else documented_name(name) for name in holder.model_fields]
    return f"unknown field{did_you_mean(key, names)}"
