"""Bodies of requests: read as the server's JSON parser does, with its messages."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence

from airflow_provider_collate.kinds import ServiceKind
from airflow_provider_collate.sandbox.exchange import ApiError, JsonObject, UnreadableError, bad_request
from airflow_provider_collate.sandbox.releases import Release

_SOURCE = "org.glassfish.jersey.message.internal.ReaderInterceptorExecutor$UnCloseableInputStream"
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
    """Reads what is said of services of a kind: their fields without those that are null, each of its type."""

    def __init__(self, kind: ServiceKind, release: Release) -> None:
        self._release = release
        entity = kind.request_model.__name__.removeprefix("Create").removesuffix("Request")
        self._create_class = f"{_SCHEMA}.api.services.Create{entity}"
        self._service_class = f"{_SCHEMA}.entity.services.{entity}"
        self._type_class = f"{entity}Type"
        self._connection_class = f"{_SCHEMA}.type.{entity.removesuffix('Service')}Connection"
        self._service_types = kind.request_model.connection_types.keys() - release.absent_types

    def read(self, body: bytes) -> JsonObject:
        """Read a create request and check it; a 400 when it is wrong."""
        return self.check(self._read(read_json(body)))

    def read_many(self, body: bytes) -> list[JsonObject]:
        """Read the rows of a bulk request, each to be checked later; a 400 for anything that is no list of them."""
        document = read_json(body)
        if not isinstance(document, list):
            raise _wrong_type(_ANY_LIST, document)
        return [self._read(row) for row in document]

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
        fields = self._fields(
            document, sorted(self._release.service_fields), self._service_class, {"domain": _REFERENCE}
        )
        if (problem := fields.get("serviceType", "")) not in self._service_types:
            raise bad_request(f"Cannot construct instance of `{self._type_class}`, problem: {problem}")
        return fields

    def _read(self, document: object) -> JsonObject:
        given = self._fields(document, self._release.create_fields, self._create_class, {})
        if (problem := given.get("serviceType")) is not None and problem not in self._service_types:
            raise bad_request(
                f"Cannot construct instance of `{self._create_class}${self._type_class}`, problem: {problem}"
                + _place(1, 1, self._create_class, "serviceType")
            )
        return given

    def _fields(self, document: object, known: Sequence[str], java_class: str, others: Mapping[str, str]) -> JsonObject:
        if not isinstance(document, dict):
            raise _wrong_type(java_class, document)
        _check_fields(document, known, java_class)
        classes = {**_FIELD_CLASSES, "connection": self._connection_class, **others}
        fields: JsonObject = {
            name: _read_value(classes.get(name, ""), value) for name, value in document.items() if value is not None
        }
        _check_fields(fields.get("connection", {}), ("config",), self._connection_class)
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
        raise UnreadableError(400, _parser_message(error)) from None
    except (UnicodeDecodeError, RecursionError) as error:
        raise UnreadableError(400, f"{error}{_place(1, 1)}") from None


def _check_fields(document: Mapping[str, object], known: Sequence[str], java_class: str) -> None:
    for field in document:
        if field not in known:
            names = ", ".join(f'"{name}"' for name in known)
            raise bad_request(
                f'Unrecognized field "{field}" (class {java_class}), not marked as ignorable '
                f"({len(known)} known properties: {names}])" + _place(1, 1, java_class, field)
            )


def _read_value(java_class: str, value: object) -> object:
    kinds: dict[str, type | tuple[type, ...]] = {"": object, _ANY_LIST: list, _TEXT: (str, int, float)}
    if not isinstance(value, kinds.get(java_class, dict)):
        raise _wrong_type(java_class, value)
    if java_class != _TEXT:
        return value
    # A number or boolean becomes text, as in Java.
    return str(value).lower() if isinstance(value, bool) else str(value)


def _refuse_constant(name: str) -> object:
    raise UnreadableError(400, f"Non-standard token '{name}'{_place(1, 1)}")


def _parser_message(error: json.JSONDecodeError) -> str:
    place = _place(error.lineno, error.colno + 1)
    if error.pos >= len(error.doc.rstrip()):
        kind = "Object" if error.doc.lstrip().startswith("{") else "Array"
        return f"Unexpected end-of-input: expected close marker for {kind}{place}"
    return f"Unexpected character ('{error.doc[error.pos]}'){place}"


def _wrong_type(java_class: str, value: object) -> ApiError:
    read = "Array" if isinstance(value, list) else "Object"
    token = f"(token `JsonToken.START_{read.upper()}`)"
    text = f"Cannot deserialize value of type `{java_class}` from {read} value {token}"
    return bad_request(text + _place(1, 1))


def _place(line: int, column: int, java_class: str = "", field: str = "") -> str:
    chain = f' (through reference chain: {java_class}["{field}"])' if field else ""
    return f"\n at [Source: ({_SOURCE}); line: {line}, column: {column}]{chain}"
