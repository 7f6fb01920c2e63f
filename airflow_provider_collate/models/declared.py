"""What all declared models have in common: how fields are named, which are secret, and what a text may be."""

from __future__ import annotations

import difflib
import json
import math
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Annotated, ClassVar, Final, get_args

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    JsonValue,
    SerializerFunctionWrapHandler,
    StringConstraints,
    ValidationInfo,
    model_serializer,
    model_validator,
)
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError

if TYPE_CHECKING:
    from typing_extensions import Self

Path = tuple[str | int, ...]
Problem = tuple[Path, str]

# All are in the dialect of Rust, which has no look-around. PostgreSQL cannot store U+0000, and its message about one
# prints a neighbouring value. Java, which the server is written in, does not let its "." match any of these line
# breaks. A name with a quote gets a fully qualified name without quotes (server source).
NO_NUL_PATTERN = "^[^\x00]*$"
NAME_PATTERN = '^(?:[:]?[^:"\x00\n\r\u0085\u2028\u2029])*[:]?$'
UUID_PATTERN = r"^[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$"

UNRENDERED = "holds a template {{ … }} that was not rendered"
NUL = "must not contain the character U+0000"
DECLARATION_ERROR = "declaration"
LITERAL: Final = "literal"
"""Validation context in which braces are no template: the values were read from an Airflow connection."""

_ODD_NAMES = {
    "tag_fqn": "tagFQN",
    "end_point_url": "endPointURL",
    "token_url": "tokenURL",
    "icon_url": "iconURL",
}
_TEMPLATE = re.compile(r"\{\{.*\}\}", re.DOTALL)
_HALF_PAIR = re.compile("[\ud800-\udfff]")
_DEEPEST = 64
_LONGEST_QUOTE = 80


def documented_name(name: str) -> str:
    """Return the documented camelCase name of a field.

    :param name: the field as Python writes it.
    """
    return _ODD_NAMES.get(name) or to_camel(name)


def declaration_error(problems: Sequence[Problem]) -> PydanticCustomError:
    """Return the error that a validator raises to name problems deeper than its own field.

    :param problems: paths below the field that is validated, and what is wrong there, without any value.
    """
    text = "; ".join(text for _, text in problems)
    return PydanticCustomError(DECLARATION_ERROR, "{text}", {"text": text, "problems": list(problems)})


def quoted(value: str) -> str:
    """Quote a name or a type for a message, bounded and on one line.

    :param value: a service's name, or the type of a service or connection.
    """
    bounded = value if len(value) <= _LONGEST_QUOTE else f"{value[:_LONGEST_QUOTE]}…"
    return json.dumps(bounded, ensure_ascii=False)


def did_you_mean(given: str, known: Iterable[str]) -> str:
    """Return `, did you mean X?` for the known word that is nearest, or nothing.

    :param given: a word that is not known; upper and lower case do not count.
    :param known: the words that are.
    """
    lowered = {word.lower(): word for word in known}
    close = difflib.get_close_matches(given.lower(), lowered, n=1)
    return f", did you mean {lowered[close[0]]}?" if close else ""


def kind_of(value: object) -> str:
    """Name the kind of a value, as JSON calls it where it can, and never the value.

    :param value: anything.
    """
    if value is None:
        return "None"
    if isinstance(value, bool):
        return "a boolean"
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "infinity"
    for types, kind in (
        (str, "a string"),
        ((int, float), "a number"),
        (list, "a list"),
        (dict, "an object"),
    ):
        if isinstance(value, types):
            return kind
    return f"a {type(value).__name__}"


def json_problems(value: object, path: Path = (), *, literal: bool = False) -> Iterator[Problem]:
    """Find what cannot be sent as JSON, or is a template that was not rendered.

    :param value: a part of a connection whose shape is not documented.
    :param path: where it is.
    :param literal: whether braces are no template.
    """
    if len(path) > _DEEPEST:
        yield path[:3], f"is nested more than {_DEEPEST} deep"
    elif isinstance(value, dict):
        for key, item in value.items():
            if isinstance(key, str) and "\0" not in key:
                yield from json_problems(item, (*path, key), literal=literal)
            else:
                yield (
                    path,
                    f"its keys {NUL}" if isinstance(key, str) else f"its keys must be strings, one is {kind_of(key)}",
                )
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from json_problems(item, (*path, index), literal=literal)
    elif problem := scalar_problem(value, literal=literal):
        yield path, problem


def scalar_problem(value: object, *, literal: bool = False) -> str:
    """Return why a value that is no list and no object cannot be sent, or nothing.

    :param value: the value.
    :param literal: whether braces are no template.
    """
    if isinstance(value, str):
        if not literal and _TEMPLATE.search(value):
            return UNRENDERED
        return NUL if "\0" in value else "is not valid Unicode" if _HALF_PAIR.search(value) else ""
    if isinstance(value, float):
        return "" if math.isfinite(value) else f"must not be {kind_of(value)}"
    return "" if value is None or isinstance(value, int) else f"must be what JSON can carry, not {kind_of(value)}"


def _rendered(value: str, info: ValidationInfo) -> str:
    if "{{" in value and info.context != LITERAL and _TEMPLATE.search(value):
        raise declaration_error([((), UNRENDERED)])
    return value


def _not_blank(name: str) -> str:
    if not name.strip():
        raise declaration_error([((), "must not be blank")])
    return name


# The constraint also makes pydantic refuse half a surrogate pair, which no request can carry.
Text = Annotated[str, StringConstraints(pattern=NO_NUL_PATTERN)]
FullyQualifiedName = Annotated[str, StringConstraints(min_length=1, max_length=3072, pattern=NO_NUL_PATTERN)]
ConnectionText = Annotated[Text, AfterValidator(_rendered)]
TypeName = Annotated[str, StringConstraints(min_length=1, pattern=NO_NUL_PATTERN), AfterValidator(_rendered)]
EntityName = Annotated[
    str,
    StringConstraints(min_length=1, max_length=256, pattern=NAME_PATTERN),
    AfterValidator(_rendered),
    AfterValidator(_not_blank),
]


class DeclaredModel(BaseModel):
    """Something that may be declared: strict, closed, named as documented or as Python writes it."""

    model_config = ConfigDict(
        alias_generator=documented_name,
        populate_by_name=True,
        extra="forbid",
        strict=True,
        frozen=True,
        allow_inf_nan=False,
        hide_input_in_errors=True,
    )

    unknown_field_advice: ClassVar[str] = ""
    """What to say of a field that the model does not have, in place of a similar name."""


class Plain:
    """Marks a field of a connection whose value is no secret; a field without this mark is one."""


@dataclass(frozen=True)
class ServerDefault:
    """Marks a field that the server fills in by itself where it was not declared.

    :param value: what it fills in, as its schema documents.
    """

    value: JsonValue


@dataclass(frozen=True)
class PartChoice:
    """Marks a field that holds one of several parts.

    :param choose: returns the part's model for what was given, an object or an instance of one of them.
    """

    choose: Callable[[object], type[ConnectionPart]]


PLAIN: Final = Plain()
PlainText = Annotated[ConnectionText | None, PLAIN]


@dataclass(frozen=True, slots=True)
class FieldFacts:
    """What the model of a connection says about one of its fields.

    :param known: whether the model has the field.
    :param name: its Python name.
    :param documented: its documented name.
    :param plain: whether its value is no secret; one that is not known is.
    :param server_default: what the server fills in where nothing was declared.
    """

    known: bool
    name: str
    documented: str
    plain: bool = False
    server_default: JsonValue | None = None
    _part: type[ConnectionPart] | PartChoice | None = None

    def part_of(self, value: object) -> type[ConnectionPart] | None:
        """Return the model of the part that the field holds, or None where it holds none.

        :param value: what was given for the field.
        """
        return self._part.choose(value) if isinstance(self._part, PartChoice) else self._part


class _Hidden:
    def __repr__(self) -> str:
        return "***"


class ConnectionPart(DeclaredModel):
    """A part of a connection; printed, it shows its type and which fields were given, and no value.

    A field is secret unless it is marked `PLAIN`.
    """

    @classmethod
    def field_facts(cls, key: str) -> FieldFacts:
        """Return what is known of a field.

        :param key: its documented or its Python name.
        """
        return _facts(cls, key)

    def model_post_init(self, context: object, /) -> None:
        """Count a type as given: it is always sent, and without it the server cannot tell the parts apart."""
        if getattr(self, "type", None) is not None:
            self.model_fields_set.add("type")

    def __repr_args__(self) -> Iterator[tuple[str | None, object]]:
        for name in sorted(self.model_fields_set):
            value = getattr(self, name)
            yield name, value if name == "type" or isinstance(value, ConnectionPart) else _Hidden()


@lru_cache(maxsize=1024)
def _facts(part: type[ConnectionPart], key: str) -> FieldFacts:
    for name, field in part.model_fields.items():
        if key in (name, field.alias):
            default = next((mark.value for mark in field.metadata if isinstance(mark, ServerDefault)), None)
            choice = next((mark for mark in field.metadata if isinstance(mark, PartChoice)), None)
            plain = PLAIN in field.metadata
            return FieldFacts(True, name, field.alias or name, plain, default, choice or _part_in(field.annotation))
    return FieldFacts(known=False, name=key, documented=key)


def _part_in(annotation: object) -> type[ConnectionPart] | None:
    if isinstance(annotation, type) and issubclass(annotation, ConnectionPart):
        return annotation
    return next(filter(None, map(_part_in, get_args(annotation))), None)


class OpenConnectionPart(ConnectionPart):
    """A part of a connection that may hold fields of the user's own, whose names are never changed."""

    model_config = ConfigDict(extra="allow")

    @model_validator(mode="after")
    def _check_own_fields(self, info: ValidationInfo) -> Self:
        own = self.__pydantic_extra__ or {}
        twice = [name for name in type(self).model_fields if name in own]
        problems: list[Problem] = [((name,), f"given twice, as {documented_name(name)} and {name}") for name in twice]
        problems.extend(json_problems(own, literal=info.context == LITERAL))
        if problems:
            raise declaration_error(problems)
        return self

    @model_serializer(mode="wrap")
    def _keep_own_nulls(self, serialise: SerializerFunctionWrapHandler) -> dict[str, object]:
        documented: dict[str, object] = serialise(self)
        own = self.__pydantic_extra__ or {}
        return {**documented, **{name: None for name, value in own.items() if value is None}}
