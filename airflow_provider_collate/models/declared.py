"""What all declared models have in common: how fields are named, which are secret, and what a text may be."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Annotated, ClassVar, Final, TypeVar, Union, get_args, get_origin

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    GetCoreSchemaHandler,
    JsonValue,
    SerializerFunctionWrapHandler,
    StringConstraints,
    ValidationError,
    ValidationInfo,
    model_serializer,
    model_validator,
)
from pydantic_core import CoreSchema, core_schema

from airflow_provider_collate.models.digests import digest
from airflow_provider_collate.models.problems import (
    NAME_PATTERN,
    NO_NUL_PATTERN,
    Path,
    Problem,
    declaration_error,
    documented_name,
    json_problems,
    problems_of,
    scalar_problem,
)

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo
    from typing_extensions import Self

LITERAL: Final = "literal"
"""Validation context in which braces are no template: the values were read from an Airflow connection."""


def _rendered(value: str, info: ValidationInfo) -> str:
    if "{{" in value and (problem := scalar_problem(value, literal=info.context == LITERAL)):
        raise declaration_error([((), problem)])
    return value


def _entity_name(value: str, info: ValidationInfo) -> str:
    if not value.strip():
        raise declaration_error([((), "must not be blank")])
    return _rendered(value, info)


# The constraint also makes pydantic refuse half a surrogate pair, which no request can carry.
Text = Annotated[str, StringConstraints(pattern=NO_NUL_PATTERN)]
FullyQualifiedName = Annotated[str, StringConstraints(min_length=1, max_length=3072, pattern=NO_NUL_PATTERN)]
ConnectionText = Annotated[Text, AfterValidator(_rendered)]
TypeName = Annotated[str, StringConstraints(min_length=1, pattern=NO_NUL_PATTERN), AfterValidator(_rendered)]
EntityName = Annotated[
    str, StringConstraints(min_length=1, max_length=256, pattern=NAME_PATTERN), AfterValidator(_entity_name)
]


class Plain:
    """Mark a field of a connection whose value is no secret; a field without this mark is secret."""


PLAIN: Final = Plain()
PlainText = Annotated[ConnectionText | None, PLAIN]


@dataclass(frozen=True)
class ServerDefault:
    """Mark a field that the server fills in by itself where it was not declared.

    :param value: what it fills in, as its schema documents.
    """

    value: JsonValue


@dataclass(frozen=True)
class OneOf:
    """Mark a field that holds one of several parts, and validate it by the one that is chosen.

    :param choose: returns the part's model for what was given, an object or an instance of one of them.
    :param types: the words that its `type` may be.
    """

    choose: Callable[[object], type[ConnectionPart]]
    types: tuple[str, ...]

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.with_info_plain_validator_function(self._validate)

    def _validate(self, value: object, info: ValidationInfo) -> ConnectionPart:
        if isinstance(value, dict) and value.get("type", self.types[0]) not in self.types:
            raise declaration_error([(("type",), f"must be one of {', '.join(map(repr, self.types))}")])
        return validate_part(self.choose(value), value, context=info.context)


@dataclass(frozen=True, slots=True)
class FieldFacts:
    """What a model says about one of its fields.

    :param model: the model of what it holds, or of what is in the list or union that it holds.
    :param choice: how to choose among several.
    :param plain: whether its value is no secret; one that is not known is.
    :param server_default: what the server fills in where nothing was declared.
    :param default_digest: the digest of that.
    """

    name: str
    documented: str
    model: type[DeclaredModel] | None = None
    choice: OneOf | None = None
    plain: bool = False
    server_default: JsonValue = None
    default_digest: bytes | None = None

    @classmethod
    def of(cls, name: str, field: FieldInfo) -> FieldFacts:
        """Return the facts of a field of a model.

        :raises TypeError: when it holds parts of a connection in a list, a mapping or a union.
        """
        marks = {type(mark): mark for mark in field.metadata}
        default, model, choice = marks.get(ServerDefault), _model_in(field.annotation), marks.get(OneOf)
        if not choice and model and issubclass(model, ConnectionPart) and not _is_one(field.annotation):
            raise TypeError(f"{name}: a part of a connection stands alone; choose one of several parts by OneOf")
        return cls(
            name,
            field.alias or name,
            model,
            choice,
            Plain in marks,
            default.value if default else None,
            digest(default.value) if default else None,
        )

    def part_of(self, value: object) -> type[ConnectionPart] | None:
        """Return the model of the part of a connection that the field holds, or None where it holds none."""
        model = self.choice.choose(value) if self.choice else self.model
        return model if model is not None and issubclass(model, ConnectionPart) else None


def _model_in(annotation: object) -> type[DeclaredModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, DeclaredModel):
        return annotation
    return next(filter(None, map(_model_in, get_args(annotation))), None)


def _is_one(annotation: object) -> bool:
    """Return whether an annotation means one object, or None."""
    origin = get_origin(annotation)
    if origin is Annotated:
        return _is_one(get_args(annotation)[0])
    if origin in (Union, UnionType):
        given = [one for one in get_args(annotation) if one is not NoneType]
        return len(given) == 1 and _is_one(given[0])
    return origin is None


class _FieldsByKey(dict[str, FieldFacts]):
    def __missing__(self, key: str) -> FieldFacts:
        return FieldFacts(key, key)


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

    fields_by_key: ClassVar[_FieldsByKey]
    """What is known of each field, under its documented and its Python name; for another key, a secret's facts."""

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: object) -> None:
        facts = [FieldFacts.of(name, field) for name, field in cls.model_fields.items()]
        cls.fields_by_key = _FieldsByKey({key: fact for fact in facts for key in (fact.name, fact.documented)})


D = TypeVar("D", bound=DeclaredModel)


def validate_part(model: type[D], value: object, *, path: Path = (), context: object = None) -> D:
    """Validate a part of a declaration by a model that is known only when its values are.

    :param path: where the part is, below the field that is validated.
    :raises PydanticCustomError: names each fault by its path.
    """
    try:
        return model.model_validate(value, context=context)
    except ValidationError as error:
        found = [((*path, *deeper), text) for deeper, text in problems_of(error, model)]
    # Raised out here, so that pydantic's error, which has the values, is no part of it.
    raise declaration_error(found)


class _Hidden:
    def __repr__(self) -> str:
        return "***"


class ConnectionPart(DeclaredModel):
    """A part of a connection; printed, it shows its type and which fields were given, and no value.

    A field is secret unless it is marked `PLAIN`.
    """

    def model_post_init(self, context: object, /) -> None:
        """Count a type as given: it is always sent, and without it the server cannot tell the parts apart."""
        if self.__dict__.get("type") is not None:  # not getattr: pydantic takes long to say that there is no such field
            self.model_fields_set.add("type")

    def __repr_args__(self) -> Iterator[tuple[str | None, object]]:
        for name in sorted(self.model_fields_set):
            value = getattr(self, name)
            yield name, value if name == "type" or isinstance(value, ConnectionPart) else _Hidden()


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
