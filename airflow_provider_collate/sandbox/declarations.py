"""Bodies of requests: read as the server's JSON parser does, with its messages."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from airflow_provider_collate.kinds import ServiceKind
from airflow_provider_collate.sandbox.exchange import JsonObject, UnreadableError, bad_request
from airflow_provider_collate.sandbox.releases import Release

_SOURCE = "org.glassfish.jersey.message.internal.ReaderInterceptorExecutor$UnCloseableInputStream"
_PLACE = f"\n at [Source: ({_SOURCE}); line: 1, column: 1]"
_SCHEMA = "org.openmetadata.schema"
_REFERENCE = f"{_SCHEMA}.type.EntityReference"
_ANY_LIST = "java.util.ArrayList<java.lang.Object>"
_TEXT = "java.lang.String"
_FIELD_CLASSES = {
    **dict.fromkeys(("name", "displayName", "description", "serviceType", "domain"), _TEXT),
    **dict.fromkeys(("owners", "domains", "tags", "dataProducts"), _ANY_LIST),
    **dict.fromkeys(("owner", "ingestionRunner"), _REFERENCE),
    "style": f"{_SCHEMA}.type.Style",
}


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
        return [self._read(row) for row in _typed(_ANY_LIST, read_json(body))]

    def check(self, declaration: JsonObject) -> JsonObject:
        """Return a declaration whose name and service type are right; a 400 with all violations otherwise."""
        violations = [f"{field} must not be null" for field in ("name", "serviceType") if field not in declaration]
        if "name" in declaration:
            violations = [*self._name_violations(declaration["name"]), *violations]
        if violations:
            raise bad_request(f"[{', '.join(violations)}]")
        return declaration

    def read_service(self, document: object) -> JsonObject:
        """Read a service's document after a patch; a 400 for an unknown field or a value of the wrong type."""
        java_class = f"{_SCHEMA}.entity.services.{self._entity}"
        fields = self._fields(document, sorted(self._release.service_fields), java_class, domain=_REFERENCE)
        if "serviceType" not in fields:
            raise bad_request("[serviceType must not be null]")
        return fields

    def _read(self, document: object) -> JsonObject:
        return self._fields(document, self._release.create_fields, f"{_SCHEMA}.api.services.Create{self._entity}")

    def _fields(self, document: object, known: Sequence[str], java_class: str, **others: str) -> JsonObject:
        connection_class = f"{_SCHEMA}.type.{self._entity.removesuffix('Service')}Connection"
        classes = {**_FIELD_CLASSES, "connection": connection_class, **others}
        given = _closed(document, known, java_class)
        fields = {name: _typed(classes.get(name, ""), value) for name, value in given.items() if value is not None}
        _closed(fields.get("connection", {}), ("config",), connection_class)
        if (problem := fields.get("serviceType")) is not None and problem not in self._service_types:
            text = f"Cannot construct instance of `{java_class}${self._entity}Type`, problem: {problem}"
            raise bad_request(text + _PLACE)
        return fields

    def _name_violations(self, name: str) -> list[str]:
        release = self._release
        violations = []
        if not 1 <= len(name) <= release.name_limit:
            violations.append(f"name size must be between 1 and {release.name_limit}")
        # In Python, unlike Java, all patterns know all letters.
        if not re.fullmatch(release.name_pattern.replace("(?U)", ""), name):
            violations.append(f'name must match "{release.name_pattern}"')
        return violations


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


def _refuse_constant(name: str) -> object:
    raise UnreadableError(400, f"Non-standard token '{name}'{_PLACE}")


def _closed(document: object, known: Sequence[str], java_class: str) -> JsonObject:
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
    kinds: dict[str, type | tuple[type, ...]] = {"": object, _ANY_LIST: list, _TEXT: (str, int, float)}
    if not isinstance(value, kinds.get(java_class, dict)):
        read = "Array" if isinstance(value, list) else "Object"
        text = f"Cannot deserialize value of type `{java_class}` from {read} value"
        raise bad_request(f"{text} (token `JsonToken.START_{read.upper()}`){_PLACE}")
    if java_class != _TEXT:
        return value
    # A number or boolean becomes text, as in Java.
    return str(value).lower() if isinstance(value, bool) else str(value)
