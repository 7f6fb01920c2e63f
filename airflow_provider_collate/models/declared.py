"""What every declared model has in common: how its fields are named, and what a text in it may be."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    SerializerFunctionWrapHandler,
    StringConstraints,
    model_serializer,
    model_validator,
)
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError

if TYPE_CHECKING:
    from typing_extensions import Self

Path = tuple[str | int, ...]
Problem = tuple[Path, str]

# Both are in the dialect of Rust, which has no look-around.
# Java, which the server is written in, does not let its "." match any of these line breaks.
NAME_PATTERN = "^(?:[:]?[^:\n\r\u0085\u2028\u2029])*[:]?$"
NO_TEMPLATE_PATTERN = r"^(?:\{?[^{])*\{?(?:\{\{(?:\}?[^}])*\}?)?$"
UUID_PATTERN = r"^[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$"

UNRENDERED = "holds a template {{ … }} that was not rendered"
DECLARATION_ERROR = "declaration"

# The constraint that always holds makes pydantic refuse half a surrogate pair, which no request can carry.
Text = Annotated[str, StringConstraints(min_length=0)]
FullyQualifiedName = Annotated[str, StringConstraints(min_length=1, max_length=3072)]
ConnectionText = Annotated[str, StringConstraints(pattern=NO_TEMPLATE_PATTERN)]

_ODD_NAMES = {
    "tag_fqn": "tagFQN",
    "end_point_url": "endPointURL",
    "token_url": "tokenURL",
    "icon_url": "iconURL",
}
_TEMPLATE = re.compile(r"\{\{.*\}\}", re.DOTALL)
_HALF_PAIR = re.compile("[\ud800-\udfff]")
_DEEPEST = 64


def _not_blank_nor_template(name: str) -> str:
    problem = UNRENDERED if _TEMPLATE.search(name) else "" if name.strip() else "must not be blank"
    if problem:
        raise declaration_error([((), problem)])
    return name


EntityName = Annotated[
    str,
    StringConstraints(min_length=1, max_length=256, pattern=NAME_PATTERN),
    AfterValidator(_not_blank_nor_template),
]


def documented_name(name: str) -> str:
    """Give the documented camelCase name of a field.

    :param name: the field as Python writes it.
    """
    return _ODD_NAMES.get(name) or to_camel(name)


def declaration_error(problems: Sequence[Problem]) -> PydanticCustomError:
    """Give the error that a validator raises to name problems deeper than its own field.

    :param problems: paths below the field that is validated, and what is wrong there, without any value.
    """
    text = "; ".join(text for _, text in problems)
    return PydanticCustomError(DECLARATION_ERROR, "{text}", {"text": text, "problems": list(problems)})


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


def json_problems(value: object, path: Path = ()) -> Iterator[Problem]:
    """Find what cannot be sent as JSON, or is a template that was not rendered.

    :param value: a part of a connection whose shape is not documented.
    :param path: where it is.
    """
    if len(path) > _DEEPEST:
        yield path[:3], f"is nested more than {_DEEPEST} deep"
    elif isinstance(value, dict):
        for key, item in value.items():
            if isinstance(key, str):
                yield from json_problems(item, (*path, key))
            else:
                yield path, f"its keys must be strings, one is {kind_of(key)}"
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from json_problems(item, (*path, index))
    elif problem := _scalar_problem(value):
        yield path, problem


def _scalar_problem(value: object) -> str:
    if isinstance(value, str):
        if _TEMPLATE.search(value):
            return UNRENDERED
        return "is not valid Unicode" if _HALF_PAIR.search(value) else ""
    if isinstance(value, float):
        return "" if math.isfinite(value) else f"must not be {kind_of(value)}"
    return "" if value is None or isinstance(value, int) else f"must be what JSON can carry, not {kind_of(value)}"


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


class _Hidden:
    def __repr__(self) -> str:
        return "***"


class ConnectionPart(DeclaredModel):
    """A part of a connection; printed, it shows its type and which fields were given, and no value."""

    def __repr_args__(self) -> Iterator[tuple[str | None, object]]:
        for name in sorted(self.model_fields_set):
            value = getattr(self, name)
            yield name, value if name == "type" or isinstance(value, ConnectionPart) else _Hidden()


class OpenConnectionPart(ConnectionPart):
    """A part of a connection that may hold fields of the user's own, whose names are never changed."""

    model_config = ConfigDict(extra="allow")

    @model_validator(mode="after")
    def _check_own_fields(self) -> Self:
        own = self.__pydantic_extra__ or {}
        twice = [name for name in type(self).model_fields if name in own]
        problems: list[Problem] = [((name,), f"given twice, as {documented_name(name)} and {name}") for name in twice]
        problems.extend(json_problems(own))
        if problems:
            raise declaration_error(problems)
        return self

    @model_serializer(mode="wrap")
    def _keep_own_nulls(self, serialise: SerializerFunctionWrapHandler) -> dict[str, object]:
        documented: dict[str, object] = serialise(self)
        own = self.__pydantic_extra__ or {}
        return {**documented, **{name: None for name, value in own.items() if value is None}}
