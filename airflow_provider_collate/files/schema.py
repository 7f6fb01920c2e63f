"""The JSON Schema of declaration files, made of the models, so that an editor completes and checks them."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from airflow_provider_collate.kinds import ServiceKind
from airflow_provider_collate.models.declared import OneOf
from airflow_provider_collate.models.metadata import EntityReference
from airflow_provider_collate.models.problems import NAME_PATTERN, NO_NUL_PATTERN, documented_name

_Schema = dict[str, Any]

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_REFERENCE = "#/$defs/{model}"
# The characters that these leave out can hardly be typed.
_UNTOLD_PATTERNS = (NO_NUL_PATTERN, NAME_PATTERN)
_TEXT: _Schema = {"type": "string"}
_CONN_ID: _Schema = {
    "type": "string",
    "minLength": 1,
    "description": "The id of an Airflow connection, which is read when the declaration is applied.",
}


class _Generator(GenerateJsonSchema):
    """Pydantic's own, which cannot know what our validators take."""

    def function_plain_schema(self, schema: core_schema.PlainValidatorFunctionSchema) -> JsonSchemaValue:
        """Return the schema of a field that one of several parts may be in, or of an owner."""
        choice = getattr(schema["function"]["function"], "__self__", None)
        if not isinstance(choice, OneOf):
            return {"anyOf": [_TEXT, self.generate_inner(EntityReference.__pydantic_core_schema__)]}
        parts = dict.fromkeys(choice.choose({"type": name}) for name in choice.types)
        return {"anyOf": [self.generate_inner(part.__pydantic_core_schema__) for part in parts]}

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        """Leave defaults out: a field that is absent is left alone, so it has none."""
        return self.generate_inner(schema["schema"])


def services_schema(kind: ServiceKind) -> _Schema:
    """Return the schema of a document that declares services."""
    definitions: _Schema = {}
    service = _schema_of(kind.request_model, definitions)
    definitions["Service"] = service
    label = definitions.pop("TagLabel")
    definitions["TagLabel"] = {"anyOf": [_TEXT, label]}
    fields = service["properties"]
    for name, text in _field_texts(kind.request_model):
        fields[name] = {"description": text, **fields[name]}
    types = kind.request_model.connection_types
    fields["serviceType"]["anyOf"] = [{"enum": [*types]}, {"type": "string", "minLength": 1}]
    fields["connection"] = {"description": fields["connection"]["description"]}
    fields["domain"] = {"description": "A single domain; not together with domains.", "type": ["string", "null"]}
    service["allOf"] = [_typed(name, kind, definitions) for name in types]
    for name in ("ConnectionPart", "ServiceConnection"):
        definitions.pop(name, None)
    rows = {"type": "array", "items": {"$ref": _REFERENCE.format(model="Service")}}
    mapping = {
        "type": "object",
        "properties": {"services": rows, "$schema": {"type": "string"}},
        "required": ["services"],
        "additionalProperties": False,
    }
    title = f"Declared {kind.label}s"
    return {"$schema": DIALECT, "title": title, "anyOf": [rows, mapping], "$defs": _plain(definitions)}


def _typed(service_type: str, kind: ServiceKind, definitions: _Schema) -> _Schema:
    """Return what the connection of a service of some type must be."""
    model = kind.request_model.connection_types[service_type]
    config = _schema_of(model, definitions)
    name = model.__name__
    definitions[name] = config
    reference = {"$ref": _REFERENCE.format(model=name)}
    ids = kind.conn_id_keys(service_type)
    forms: list[_Schema] = [
        {"type": "null"},
        {"type": "object", "properties": {"config": reference}, "required": ["config"], "additionalProperties": False},
    ]
    if ids:
        # What is beside the ids belongs to the config, and needs not be all of it.
        beside = {key: value for key, value in config["properties"].items() if key != "type"}
        given = {**dict.fromkeys(ids, _CONN_ID), **beside, "config": {"type": "object"}}
        some = [{"required": [key]} for key in ids]
        forms.append({"type": "object", "properties": given, "anyOf": some})
    of_type = {"properties": {"serviceType": {"const": service_type}}, "required": ["serviceType"]}
    return {"if": of_type, "then": {"properties": {"connection": {"anyOf": forms}}}}


def _schema_of(model: type[BaseModel], definitions: _Schema) -> _Schema:
    """Return the schema of a model; what it refers to goes to the definitions."""
    schema = model.model_json_schema(schema_generator=_Generator)
    definitions.update(schema.pop("$defs", {}))
    return schema


def _field_texts(model: type[BaseModel]) -> Iterator[tuple[str, str]]:
    """Yield the documented name of each field that the docstrings of a model and its bases describe, and the text."""
    for base in reversed(model.__mro__):
        for part in (base.__doc__ or "").split(":param ")[1:] if issubclass(base, BaseModel) else ():
            name, _, text = part.partition(":")
            if name in model.model_fields:
                yield documented_name(name), " ".join(text.split())


def _plain(value: object, *, is_named: bool = False) -> object:
    """Return a part of a schema without the titles and patterns that tell an editor nothing.

    :param is_named: whether its keys are names that were given, of fields or definitions.
    """
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if not isinstance(value, Mapping):
        return value
    kept = value.items() if is_named else ((key, item) for key, item in value.items() if not _tells_nothing(key, item))
    named = ("properties", "$defs", "patternProperties")
    plain = {key: _plain(item, is_named=key in named and not is_named) for key, item in kept}
    if not is_named and isinstance(description := plain.get("description"), str):
        plain["description"] = inspect.cleandoc(description).partition("\n\n")[0].replace("\n", " ")
    return plain


def _tells_nothing(key: str, value: object) -> bool:
    return key == "title" or (key == "pattern" and value in _UNTOLD_PATTERNS)
