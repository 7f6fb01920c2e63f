"""The models against the vendor's JSON schemas: what they accept is accepted, what they refuse is refused."""

from __future__ import annotations

import copy
import json
import posixpath
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft7Validator
from pydantic import JsonValue

from airflow_provider_collate.exceptions import InvalidDeclarationError
from airflow_provider_collate.kinds.aws import AwsCredentials
from airflow_provider_collate.kinds.gcp import GcpCredentialsValues, GcpImpersonation
from airflow_provider_collate.kinds.mlmodel import CreateMlModelServiceRequest
from airflow_provider_collate.models import ConnectionPart
from tests.unit.models.declaring import LOOSER, validate

CONTRACT = Path(__file__).parents[4] / "shared" / "contract"
REQUEST = "api/services/createMlModelService.json"
CONFIGS = {
    "Mlflow": "entity/services/connections/mlmodel/mlflowConnection.json",
    "Sklearn": "entity/services/connections/mlmodel/sklearnConnection.json",
    "CustomMlModel": "entity/services/connections/mlmodel/customMlModelConnection.json",
    "SageMaker": "entity/services/connections/mlmodel/sageMakerConnection.json",
    "VertexAI": "entity/services/connections/mlmodel/vertexaiConnection.json",
}
# The dialect of JSON schema (ECMA 262) and Java let "." match no line break; Python's lets it match most.
# A name that is blank, has a quote, or is a template that was not rendered is refused here and not by the schema.
NAME = r"^(?=.*\S)(?!.*\{\{.*\}\})((?!::)[^\"\n\r\u0085\u2028\u2029])*\Z"
UUID = r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\Z"
Json = dict[str, JsonValue]

pytestmark = pytest.mark.skipif(not CONTRACT.is_dir(), reason="the vendor's schemas are not beside the checkout")
thorough = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
)


def _definition(file: str, reference: str) -> tuple[str, str]:
    target, _, fragment = reference.partition("#")
    return (posixpath.normpath(posixpath.join(posixpath.dirname(file), target)) if target else file), fragment


def _inlined(node: JsonValue, file: str, found: Json) -> JsonValue:
    """Point every reference into one set of definitions, and collect them there."""
    if isinstance(node, list):
        return [_inlined(item, file, found) for item in node]
    if not isinstance(node, dict):
        return node
    if isinstance(reference := node.get("$ref"), str):
        target, fragment = _definition(file, reference)
        name = (target + fragment).replace("/", "~")
        if name not in found:
            found[name] = {}
            schema = json.loads((CONTRACT / target).read_text())
            for key in filter(None, fragment.split("/")):
                schema = schema[key]
            found[name] = _inlined(schema, target, found)
        return {"$ref": f"#/definitions/{name.replace('~', '~0')}"}
    kept = {key: value for key, value in node.items() if key not in ("$id", "$schema", "definitions", "default")}
    return {key: _inlined(value, file, found) for key, value in kept.items()}


@cache
def schema_of(service_type: str) -> Json:
    """The whole request's schema, narrowed to one service type and its own connection."""
    found: Json = {}
    schema = _inlined(json.loads((CONTRACT / REQUEST).read_text()), REQUEST, found)
    config = _inlined({"$ref": CONFIGS[service_type]}, ".", found)
    assert isinstance(schema, dict)
    assert isinstance(schema["properties"], dict)
    # "format" is a note only, to validators; a UUID is one to the server.
    for name, pattern in (("entityName", NAME), ("uuid", UUID)):
        definition = found[f"type~basic.json~definitions~{name}"]
        assert isinstance(definition, dict)
        definition["pattern"] = pattern
    schema["properties"]["serviceType"] = {"const": service_type}
    schema["properties"]["connection"] = {
        "type": "object",
        "properties": {"config": config},
        "additionalProperties": False,
    }
    return {**schema, "definitions": found}


@cache
def looser_schema_of(service_type: str) -> Json:
    """What is left of the schema where the server, or this package, accepts more on purpose."""
    schema = copy.deepcopy(schema_of(service_type))
    definitions = schema["definitions"]
    assert isinstance(definitions, dict)
    for definition in definitions.values():
        assert isinstance(definition, dict)
        if definition.get("title") in ("MlflowConnection", "SageMakerConnection", "VertexAIConnection"):
            del definition["required"]
        elif definition.get("title") == "CustomMlModelConnection":
            definition["required"] = []
        elif definition.get("title") == "TagLabel":
            definition["required"] = ["tagFQN"]
            # A bare string stands for a tag.
            definition["type"] = ["object", "string"]
        elif definition.get("title") == "Entity Reference":
            # A bare string stands for an owner, or is no UUID of one.
            definition["type"] = ["object", "string"]
        elif definition.get("title") == "GCPCredentials":
            properties = definition["properties"]
            assert isinstance(properties, dict)
            assert isinstance(properties["gcpConfig"], dict)
            properties["gcpConfig"]["anyOf"] = properties["gcpConfig"].pop("oneOf")
    schema["required"] = ["name", "serviceType", "connection"]
    return schema


def instances(  # noqa: C901  # one case for each kind of schema
    schema: Json, definitions: Json
) -> st.SearchStrategy[JsonValue]:
    """Generate what a schema accepts, for the keywords that the vendor's schemas use.

    hypothesis-jsonschema 0.23.1 would, but uses internals that newer versions of Hypothesis do not have.
    """
    if isinstance(reference := schema.get("$ref"), str):
        target = definitions[reference.removeprefix("#/definitions/").replace("~0", "~")]
        assert isinstance(target, dict)
        return instances(target, definitions)
    if "const" in schema:
        return st.just(schema["const"])
    if isinstance(choices := schema.get("enum"), list):
        return st.sampled_from(choices)
    if isinstance(options := schema.get("oneOf"), list):
        one_of = {**schema, "definitions": definitions}
        each = [instances(option, definitions) for option in options if isinstance(option, dict)]
        return st.one_of(each).filter(lambda value: is_valid(one_of, value))
    match schema.get("type"):
        case "object":
            return objects(schema, definitions)
        case "array":
            items = schema["items"]
            assert isinstance(items, dict)
            return st.lists(instances(items, definitions), max_size=3, unique_by=_identity)
        case "string":
            return texts(schema)
        case "integer":
            return st.integers(-(2**63), 2**63 - 1)
        case "number":
            return st.floats(schema.get("minimum"), schema.get("maximum"), allow_nan=False)  # type: ignore[arg-type]
        case "boolean":
            return st.booleans()
    raise NotImplementedError(f"a schema with {sorted(schema)}")


def _identity(item: JsonValue) -> object:
    """What an owner or a domain is the same by: given twice, it counts once."""
    return item["id"] if isinstance(item, dict) and "id" in item else json.dumps(item)


# PostgreSQL has no U+0000, so it is refused everywhere.
CHARACTERS = st.characters(codec="utf-8", exclude_characters="\0")


def texts(schema: Json) -> st.SearchStrategy[JsonValue]:
    if schema.get("pattern") == UUID:
        return st.uuids().map(str)
    low, high = schema.get("minLength", 0), schema.get("maxLength", 40)
    assert isinstance(low, int)
    assert isinstance(high, int)
    text = st.text(CHARACTERS, min_size=low, max_size=high)
    return text.filter(lambda value: is_valid(schema, value))


def objects(schema: Json, definitions: Json) -> st.SearchStrategy[JsonValue]:
    properties = schema.get("properties", {})
    required = schema.get("required", [])
    assert isinstance(properties, dict)
    assert isinstance(required, list)
    parts = {name: instances(part, definitions) for name, part in properties.items() if isinstance(part, dict)}
    documented = st.fixed_dictionaries(
        {name: part for name, part in parts.items() if name in required},
        optional={name: part for name, part in parts.items() if name not in required},
    )
    additional = schema.get("additionalProperties", True)
    if additional is False:
        return documented.map(dict)
    values = instances(additional, definitions) if isinstance(additional, dict) else ANY_JSON
    # A Python spelling of a documented field is that field to us, and a stranger to the schema.
    names = st.text(st.characters(codec="utf-8", exclude_characters="_\0"), max_size=12)
    more = st.dictionaries(names.filter(lambda name: name not in parts), values, max_size=3)
    return st.builds(lambda given, own: {**own, **given}, documented, more)


ANY_JSON: st.SearchStrategy[JsonValue] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(CHARACTERS, max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(CHARACTERS, max_size=8), inner, max_size=3),
    max_leaves=6,
)


@cache
def requests(service_type: str) -> st.SearchStrategy[Json]:
    schema = schema_of(service_type)
    definitions = schema["definitions"]
    assert isinstance(definitions, dict)
    required: list[JsonValue] = ["name", "serviceType", "connection"]
    strategy = instances({**schema, "required": required}, definitions)
    return strategy.map(lambda value: value if isinstance(value, dict) else {})


def is_valid(schema: Json, instance: JsonValue) -> bool:
    return bool(Draft7Validator(schema).is_valid(instance))


def is_accepted(instance: Json) -> bool:
    try:
        validate([instance])
    except InvalidDeclarationError:
        return False
    return True


OTHER_VALUES: list[JsonValue] = ["text", 5, 1.5, True, [], [1], {}, {"a": 1}]


def places(node: JsonValue, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    items = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, item in items:
        yield (*path, key)
        yield from places(item, (*path, key))


def at(node: JsonValue, path: tuple[str | int, ...]) -> JsonValue:
    for key in path:
        node = node[key]  # type: ignore[index]  # the path is from places()
    return node


@st.composite
def mutations(draw: st.DrawFn, service_type: str) -> Json:
    """A valid request with one thing changed that often makes it invalid."""
    instance = copy.deepcopy(draw(requests(service_type)))
    path = draw(st.sampled_from([place for place in places(instance) if place != ("serviceType",)]))
    parent = at(instance, path[:-1])
    value = at(instance, path)
    ways = ["drop", "retype", "lengthen", "colons", "enum"]
    way = draw(st.sampled_from([*ways, "unknown"] if isinstance(value, dict) else ways))
    if way == "unknown":
        assert isinstance(value, dict)
        value["zzUnknown"] = draw(st.sampled_from(["x", 5]))
        return instance
    if way == "drop":
        del parent[path[-1]]  # type: ignore[union-attr,arg-type]  # as above
        return instance
    new: Json = {
        "retype": draw(st.sampled_from(OTHER_VALUES)),
        "lengthen": "n" * draw(st.sampled_from([256, 257, 3072, 3073])),
        "colons": "a::b",
        "enum": "NoSuchChoice",
    }
    parent[path[-1]] = new[way]  # type: ignore[index]  # as above
    return instance


@pytest.mark.parametrize("service_type", CONFIGS)
@thorough
@given(data=st.data())
def test_what_the_schema_accepts_is_accepted_and_serialised_to_it(data: st.DataObject, service_type: str) -> None:
    instance = data.draw(requests(service_type))
    (service,) = validate([instance]).services
    payload = json.loads(json.dumps(service.payload()))
    model = CreateMlModelServiceRequest.model_validate(instance)
    assert payload == model.model_dump(by_alias=True, exclude_unset=True, exclude_none=True, warnings=False)
    Draft7Validator(schema_of(service_type)).validate(payload)
    assert without_types(payload) == without_types(instance)


def without_types(node: JsonValue) -> JsonValue:
    """Leave out what is filled in: the type of a connection and of GCP credentials."""
    node = copy.deepcopy(node)
    for path in (("connection", "config"), ("connection", "config", "credentials", "gcpConfig")):
        try:
            part = at(node, path)
        except KeyError:
            break
        assert isinstance(part, dict)
        part.pop("type", None)
    return node


@pytest.mark.parametrize("service_type", CONFIGS)
@settings(thorough, max_examples=150)
@given(data=st.data())
def test_a_mutation_is_judged_as_the_schema_does(data: st.DataObject, service_type: str) -> None:
    instance = data.draw(mutations(service_type))
    accepted = is_accepted(instance)
    if "connection" in instance and is_valid(schema_of(service_type), instance):
        assert accepted
    elif not is_valid(looser_schema_of(service_type), instance):
        assert not accepted


def test_a_looser_schema_still_refuses() -> None:
    assert not is_valid(looser_schema_of("Mlflow"), {"name": "a", "serviceType": "Mlflow"})
    assert is_valid(looser_schema_of("Mlflow"), {"name": "a", "serviceType": "Mlflow", "connection": {"config": {}}})


@pytest.mark.parametrize(
    "config",
    [
        {"path": "key.json"},
        {"path": 5},
        {"audience": "x"},
        {"projectId": ["a", "b"]},
        {"privateKey": "k", "path": 5},
        {},
        {"type": "gcp_adc", "path": "key.json"},
        {"type": "external_account", "path": "key.json"},
        {"type": "no_such_type"},
        {"type": 5},
        {"type": ["gcp_adc"]},
        {"privateKey": "k", "audience": "x"},
    ],
)
def test_ambiguous_google_credentials_are_accepted_where_the_schema_does(config: Json) -> None:
    instance: Json = {
        "name": "vertex",
        "serviceType": "VertexAI",
        "connection": {"config": {"location": "eu", "credentials": {"gcpConfig": config}}},
    }
    accepted = is_accepted(instance)
    assert accepted or not is_valid(schema_of("VertexAI"), instance)
    assert not accepted or is_valid(looser_schema_of("VertexAI"), instance)


@pytest.mark.parametrize(
    "part, file, place",
    [
        (AwsCredentials, "awsCredentials.json", ()),
        (GcpCredentialsValues, "gcpValues.json", ()),
        (GcpImpersonation, "gcpCredentials.json", ("definitions", "GCPImpersonateServiceAccountValues")),
    ],
)
def test_the_server_fills_in_what_the_schema_says(
    part: type[ConnectionPart], file: str, place: tuple[str, ...]
) -> None:
    schema: Any = at(json.loads((CONTRACT / "security/credentials" / file).read_text()), place)
    documented = {name: field.get("default") for name, field in schema["properties"].items() if name != "type"}

    facts = [part.fields_by_key[name] for name in part.model_fields if name != "type"]
    assert {one.documented: one.server_default for one in facts} == documented


def test_the_vendors_examples_are_accepted_as_they_stand() -> None:
    examples = json.loads((CONTRACT / "documented_examples.json").read_text())
    create = examples["create"]["request"]
    assert [service.payload() for service in validate([create]).services] == [create]
    bulk = validate(examples["bulk"])
    assert [service.payload() for service in bulk.services] == examples["bulk"]
    assert bulk.warnings == [
        f"services[0].connection.config.registryUri: {LOOSER}",
        f"services[1].connection.config.awsConfig: {LOOSER}",
    ]
