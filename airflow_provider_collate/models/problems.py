"""What is wrong with a declaration, as lines that name the field and never show what was in it."""

from __future__ import annotations

import difflib
import json
import math
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from pydantic import ValidationError
from pydantic.alias_generators import to_camel
from pydantic_core import ErrorDetails, PydanticCustomError

if TYPE_CHECKING:
    from airflow_provider_collate.models.declared import DeclaredModel

Path = tuple[str | int, ...]
Problem = tuple[Path, str]

# All are in the dialect of Rust, which has no look-around. PostgreSQL cannot store U+0000, and its message about one
# prints a neighbouring value. Java, which the server is written in, does not let its "." match any of these line
# breaks. A name with a quote gets a fully qualified name without quotes (server source).
NO_NUL_PATTERN = "^[^\x00]*$"
NAME_PATTERN = '^(?:[:]?[^:"\x00\n\r\u0085\u2028\u2029])*[:]?$'
UUID_PATTERN = r"^[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$"

_DECLARATION_ERROR = "declaration"
_UNRENDERED = "holds a template {{ … }} that was not rendered"
_NUL = "must not contain the character U+0000"
_TEMPLATE = re.compile(r"\{\{.*\}\}", re.DOTALL)
_NOT_UNICODE = "is not valid Unicode"
_HALF_PAIR = re.compile("[\ud800-\udfff]")
_PLAIN_KEY = re.compile(r"[\w .-]{1,64}")
_DEEPEST = 64
_LONGEST_QUOTE = 80
_ODD_NAMES = {"tag_fqn": "tagFQN", "end_point_url": "endPointURL", "token_url": "tokenURL", "icon_url": "iconURL"}
_KINDS: Sequence[tuple[type | tuple[type, ...], str]] = (
    (bool, "a boolean"),
    (str, "a string"),
    ((int, float), "a number"),
    (dict, "an object"),
)

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
    "string_unicode": _NOT_UNICODE,
}


def documented_name(name: str) -> str:
    """Return the documented camelCase name of a field."""
    return _ODD_NAMES.get(name) or to_camel(name)


def declaration_error(problems: Sequence[Problem]) -> PydanticCustomError:
    """Return the error that a validator raises to name problems deeper than its own field.

    :param problems: paths below the field that is validated, and what is wrong there, without any value.
    """
    text = "; ".join(text for _, text in problems)
    return PydanticCustomError(_DECLARATION_ERROR, "{text}", {"text": text, "problems": list(problems)})


def quoted(value: str) -> str:
    """Quote a name or a type for a message, bounded, on one line, and with half a surrogate pair escaped.

    :param value: a service's name, or the type of a service or connection.
    """
    bounded = value if len(value) <= _LONGEST_QUOTE else f"{value[:_LONGEST_QUOTE]}…"
    return json.dumps(bounded, ensure_ascii=False).encode("utf-8", "backslashreplace").decode()


def counted(count: int, noun: str) -> str:
    """Return a count in words, e.g. `1 service` or `2,000 services`."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def did_you_mean(given: str, known: Iterable[str]) -> str:
    """Return `, did you mean X?` for the known word that is nearest, or nothing.

    :param given: a word that is not known; upper and lower case do not count.
    """
    lowered = {word.lower(): word for word in known}
    close = difflib.get_close_matches(given.lower(), lowered, n=1)
    return f", did you mean {lowered[close[0]]}?" if close else ""


def kind_of(value: object) -> str:
    """Name the kind of a value, as JSON calls it where it can, and never the value."""
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "infinity"
    if value is None:
        return "None"
    return next((kind for types, kind in _KINDS if isinstance(value, types)), f"a {type(value).__name__}")


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


def json_problems(value: object, path: Path = (), *, literal: bool = False) -> Iterator[Problem]:
    """Find what cannot be sent as JSON, or is a template that was not rendered.

    :param value: a part of a connection whose shape is not documented.
    :param literal: as for `scalar_problem`.
    """
    if len(path) > _DEEPEST:
        yield path[:3], f"is nested more than {_DEEPEST} deep"
    elif isinstance(value, dict):
        for key, item in value.items():
            if problem := _key_problem(key):
                yield path, problem
            else:
                yield from json_problems(item, (*path, key), literal=literal)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from json_problems(item, (*path, index), literal=literal)
    elif problem := scalar_problem(value, literal=literal):
        yield path, problem


def _key_problem(key: object) -> str:
    if not isinstance(key, str):
        return f"its keys must be strings, one is {kind_of(key)}"
    return f"its keys {_NUL}" if "\0" in key else f"one of its keys {_NOT_UNICODE}" if _HALF_PAIR.search(key) else ""


def scalar_problem(value: object, *, literal: bool = False) -> str:
    """Return why a value that is no list and no object cannot be sent, or nothing.

    :param literal: whether braces are no template.
    """
    if isinstance(value, str):
        if not literal and "{{" in value and _TEMPLATE.search(value):
            return _UNRENDERED
        return _NUL if "\0" in value else _NOT_UNICODE if _HALF_PAIR.search(value) else ""
    if isinstance(value, float):
        return "" if math.isfinite(value) else f"must not be {kind_of(value)}"
    return "" if value is None or isinstance(value, int) else f"must be what JSON can carry, not {kind_of(value)}"


def problems_of(error: ValidationError, model: type[DeclaredModel]) -> Iterator[Problem]:
    """Return the path and the text of every fault.

    :param error: raised by validating an object, or a list of objects, whose paths begin with their index.
    """
    for details in error.errors(include_url=False):
        path = details["loc"]
        if details["type"] == "invalid_key" or path[-1:] == ("[key]",):
            yield path[: -2 if path[-1] == "[key]" else -1], _key_problem(details["input"])
        elif details["type"] == _DECLARATION_ERROR:
            for deeper, text in details["ctx"]["problems"]:
                yield (*path, *deeper), text
        else:
            yield path, _text(details, model)


def _text(details: ErrorDetails, model: type[DeclaredModel]) -> str:
    kind, value, context = details["type"], details["input"], details.get("ctx", {})
    if kind == "extra_forbidden":
        return _unknown_field(details, model)
    if kind == "string_pattern_mismatch":
        return _pattern_text(str(context["pattern"]), str(value))
    if isinstance(value, float) and not math.isfinite(value):
        return f"must not be {kind_of(value)}"
    if kind == "literal_error" and not isinstance(value, str):
        kind = "string_type"
    length = len(value) if isinstance(value, str) else 0
    text = _TEXTS.get(kind, f"is not valid ({kind})").format(kind=kind_of(value), length=length, **context)
    if kind == "missing" and details["loc"][-1] == "connection":
        text += "; None sends none"
    json_text = isinstance(value, str) and value.lstrip().startswith(("{", "["))
    return f"{text}; JSON text has to be loaded first" if json_text and "not a string" in text else text


def _pattern_text(pattern: str, value: str) -> str:
    if pattern == UUID_PATTERN:
        return "must be a UUID"
    if pattern != NAME_PATTERN or "\0" in value:
        return _NUL
    if '"' in value:
        return 'must not contain a quotation mark (")'
    return 'must not contain "::"' if "::" in value else "must not contain a line break"


def _unknown_field(details: ErrorDetails, model: type[DeclaredModel]) -> str:
    *parents, last = details["loc"]
    for item in parents:
        model = (isinstance(item, str) and model.fields_by_key[item].model) or model
    key, value = str(last), details["input"]
    if key == "domain" and "domains" in model.model_fields:
        # What can be a domain was folded into `domains` if these were not given too.
        either = value is None or isinstance(value, str)
        return "give domain or domains, not both" if either else f"must be a string, not {kind_of(value)}"
    if model.unknown_field_advice:
        return f"unknown field; {model.unknown_field_advice}"
    if key in model.fields_by_key:
        field = model.fields_by_key[key]
        return f"given twice, as {field.documented} and {field.name}"
    names = [name if "_" in key else documented_name(name) for name in model.model_fields]
    return f"unknown field{did_you_mean(key, names)}"
