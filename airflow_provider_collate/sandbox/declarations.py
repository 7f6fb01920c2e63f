"""Bodies of requests: read as the server's JSON parser does, with its messages."""

from __future__ import annotations

import json
import re
from collections.abc import Collection
from typing import Any

from airflow_provider_collate.kinds import ServiceKind
from airflow_provider_collate.sandbox.exchange import JsonObject, UnreadableError, bad_request
from airflow_provider_collate.sandbox.releases import Release

_SOURCE = "org.glassfish.jersey.message.internal.ReaderInterceptorExecutor$UnCloseableInputStream"
_PLACE = f"\n at [Source: ({_SOURCE}); line: 1, column: 1]"
_SCHEMA = "org.openmetadata.schema"
_TEXT = "java.lang.String"
_REFERENCE = f"{_SCHEMA}.type.EntityReference"
_LABEL = f"{_SCHEMA}.type.TagLabel"
_LIST_OF = "java.util.ArrayList<"
_FIELD_CLASSES = {
    **dict.fromkeys(("name", "displayName", "description", "serviceType", "domain"), _TEXT),
    **dict.fromkeys(("domains", "dataProducts"), f"{_LIST_OF}{_TEXT}>"),
    **dict.fromkeys(("owner", "ingestionRunner"), _REFERENCE),
    "owners": f"{_LIST_OF}{_REFERENCE}>",
    "tags": f"{_LIST_OF}{_LABEL}>",
    "style": f"{_SCHEMA}.type.Style",
}
# A service has references where a create request has names.
_SERVICE_CLASSES = {"domain": _REFERENCE, **dict.fromkeys(("domains", "dataProducts"), f"{_LIST_OF}{_REFERENCE}>")}
_NEEDED = {_REFERENCE: ("id", "type"), _LABEL: ("tagFQN", "source", "labelType", "state")}
_WORDS = {"source": "TagSource", "labelType": "LabelType", "state": "State"}
# The server sets these itself.
_UNREAD = frozenset({"href", "style", "reason", "appliedAt", "appliedBy", "metadata"})
_UUID = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


class Parser:
    """Read what is declared of services of a kind: their fields without those that are null, each of its type."""

    def __init__(self, kind: ServiceKind, release: Release) -> None:
        self._release = release
        self._entity = kind.request_model.__name__.removeprefix("Create").removesuffix("Request")
        self._service_types = kind.request_model.connection_types.keys() - release.absent_types

    def read(self, body: bytes) -> JsonObject:
        """Read a create request and check it; a 400 when it is wrong."""
        return self.check(self._read(read_json(body)))

    def read_many(self, body: bytes) -> list[JsonObject]:
        """Read the rows of a bulk request, each to be checked later; a 400 for anything that is no list of them."""
        return [self._read(row) for row in _typed(f"{_LIST_OF}{self._entity}>", read_json(body))]

    def check(self, declaration: JsonObject) -> JsonObject:
        """Return a declaration whose name and service type are right; a 400 with all violations otherwise."""
        release, name = self._release, declaration.get("name")
        violations = [f"{field} must not be null" for field in ("name", "serviceType") if field not in declaration]
        if name is not None and not 1 <= len(name) <= release.name_limit:
            violations.append(f"name size must be between 1 and {release.name_limit}")
        # In Python, unlike Java, all patterns know all letters.
        if name is not None and not re.fullmatch(release.name_pattern.replace("(?U)", ""), name):
            violations.append(f'name must match "{release.name_pattern}"')
        if violations:
            raise bad_request(f"[{', '.join(violations)}]")
        return declaration

    def read_service(self, document: object) -> JsonObject:
        """Read a service's document after a patch; a 400 for an unknown field or a value of the wrong type."""
        java_class = f"{_SCHEMA}.entity.services.{self._entity}"
        fields = self._fields(document, sorted(self._release.service_fields), java_class, **_SERVICE_CLASSES)
        if "serviceType" not in fields:
            raise bad_request("[serviceType must not be null]")
        return fields

    def _read(self, document: object) -> JsonObject:
        return self._fields(document, self._release.create_fields, f"{_SCHEMA}.api.services.Create{self._entity}")

    def _fields(self, document: object, known: Collection[str], java_class: str, **others: str) -> JsonObject:
        connection_class = f"{_SCHEMA}.type.{self._entity.removesuffix('Service')}Connection"
        classes = {**_FIELD_CLASSES, "connection": connection_class, **others}
        given = _closed(document, known, java_class)
        stated = {name: value for name, value in given.items() if value is not None}
        fields = {name: self._value(classes.get(name, ""), value, name) for name, value in stated.items()}
        _closed(fields.get("connection", {}), ("config",), connection_class)
        if "serviceType" in fields:
            _check_word(fields["serviceType"], self._service_types, f"{java_class}${self._entity}Type")
        return fields

    def _value(self, java_class: str, value: object, place: str) -> Any:
        """Return a value of a class, with what is in it: lists, references and tag labels."""
        if java_class.startswith(_LIST_OF):
            of, values = java_class[len(_LIST_OF) : -1], _typed(java_class, value)
            return [self._value(of, one, f"{place}[{position}]") for position, one in enumerate(values)]
        if java_class not in _NEEDED:
            return _typed(java_class, value)
        known, needed = self._release.parts[java_class.rpartition(".")[2]], _NEEDED[java_class]
        given = _closed(value, known, java_class)
        stated = {name: given[name] for name in known if given.get(name) is not None and name not in _UNREAD}
        part = {name: _typed(_TEXT if name in needed else "", one) for name, one in stated.items()}
        for name, words in known.items():
            if words and name in part:
                _check_word(part[name], words, f"{java_class}${_WORDS[name]}")
        if "id" in part:
            _check_id(part["id"])
        if missing := [f"{place}.{name} must not be null" for name in needed if name not in part]:
            raise bad_request(f"[{', '.join(missing)}]")
        return part


def read_json(body: bytes) -> object:
    """Read a body; a 400 when it is empty or no JSON."""
    if not body.strip():
        raise bad_request("[The request body must not be null]")
    try:
        return json.loads(body, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        text = f"Unexpected character ('{error.doc[error.pos : error.pos + 1]}')"
        if error.pos >= len(error.doc.rstrip()):
            kind = "Object" if error.doc.lstrip().startswith("{") else "Array"
            text = f"Unexpected end-of-input: expected close marker for {kind}"
        raise UnreadableError(400, text + _PLACE) from None
    except (UnicodeDecodeError, RecursionError) as error:
        raise UnreadableError(400, f"{error}{_PLACE}") from None


def read_id(body: bytes) -> str:
    """Read a request to restore what has an id; a 400 when it is wrong."""
    given = _closed(read_json(body), ("id",), f"{_SCHEMA}.api.data.RestoreEntity").get("id")
    if given is None:
        raise bad_request("[id must not be null]")
    return _check_id(_typed(_TEXT, given))


def _check_id(text: str) -> str:
    if not _UUID.fullmatch(text):
        said = "UUID has to be represented by standard 36-char representation"
        raise bad_request(f'Cannot deserialize value of type `java.util.UUID` from String "{text}": {said}{_PLACE}')
    return text


def _check_word(given: str, words: Collection[str], java_class: str) -> None:
    if given not in words:
        raise bad_request(f"Cannot construct instance of `{java_class}`, problem: {given}{_PLACE}")


def _refuse_constant(name: str) -> object:
    raise UnreadableError(400, f"Non-standard token '{name}'{_PLACE}")


def _closed(document: object, known: Collection[str], java_class: str) -> JsonObject:
    """Return an object that has known fields only."""
    fields: JsonObject = _typed(java_class, document)
    for field in fields:
        if field not in known:
            names = ", ".join(f'"{name}"' for name in known)
            text = f'Unrecognized field "{field}" (class {java_class}), not marked as ignorable'
            raise bad_request(f"{text} ({len(known)} known properties: {names}]){_PLACE}")
    return fields


def _typed(java_class: str, value: object) -> Any:
    """Return a value that is of a class: of any if empty."""
    kinds: dict[str, type | tuple[type, ...]] = {"": object, _TEXT: (str, int, float)}
    if not isinstance(value, list if java_class.startswith(_LIST_OF) else kinds.get(java_class, dict)):
        read = "Array" if isinstance(value, list) else "Object"
        text = f"Cannot deserialize value of type `{java_class}` from {read} value"
        raise bad_request(f"{text} (token `JsonToken.START_{read.upper()}`){_PLACE}")
    if java_class != _TEXT:
        return value
    # A number or boolean becomes text, as in Java.
    return str(value).lower() if isinstance(value, bool) else str(value)
