"""Bodies of requests: read as the server's JSON parser does, with its messages."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from airflow_provider_collate.kinds import ServiceKind
from airflow_provider_collate.sandbox.exchange import ApiError, JsonObject, UnreadableError, bad_request
from airflow_provider_collate.sandbox.releases import Release

_SOURCE = "org.glassfish.jersey.message.internal.ReaderInterceptorExecutor$UnCloseableInputStream"
_SCHEMA = "org.openmetadata.schema"
_REFERENCE = f"{_SCHEMA}.type.EntityReference"
_ANY_LIST = "java.util.ArrayList<java.lang.Object>"

_TEXTS = ("name", "displayName", "description", "serviceType", "domain")
_LISTS = ("owners", "domains", "tags", "dataProducts")


@dataclass(frozen=True)
class Declaration:
    """A create request, as a POST, a PUT or a row of a bulk request has it.

    :param given: its fields; null is the same as absent.
    """

    given: Mapping[str, object]

    @property
    def name(self) -> str:
        """The name, empty if there is none."""
        return str(self.given.get("name", ""))

    @property
    def service_type(self) -> str:
        """The service type, empty if there is none."""
        return str(self.given.get("serviceType", ""))

    def text(self, field: str) -> str | None:
        """Return a field of text."""
        value = self.given.get(field)
        return value if isinstance(value, str) else None

    def entries(self, field: str) -> list[object]:
        """Return a field that is a list, empty if absent."""
        value = self.given.get(field)
        return value if isinstance(value, list) else []

    def parts(self, field: str) -> list[JsonObject]:
        """Return the objects of a field that is a list."""
        return [entry for entry in self.entries(field) if isinstance(entry, dict)]

    def part(self, field: str) -> JsonObject | None:
        """Return a field that is an object."""
        value = self.given.get(field)
        return value if isinstance(value, dict) else None


class Parser:
    """Reads what is said of services of a kind.

    :param kind: the kind.
    :param release: whose fields and rules count.
    """

    def __init__(self, kind: ServiceKind, release: Release) -> None:
        self._release = release
        entity = kind.request_model.__name__.removeprefix("Create").removesuffix("Request")
        self._create_class = f"{_SCHEMA}.api.services.Create{entity}"
        self._service_class = f"{_SCHEMA}.entity.services.{entity}"
        self._type_class = f"{entity}Type"
        self._connection_class = f"{_SCHEMA}.type.{entity.removesuffix('Service')}Connection"
        self._service_types = kind.request_model.connection_types.keys() - release.absent_types

    def read(self, body: bytes) -> Declaration:
        """Read a create request and check it.

        :raises ApiError: 400.
        """
        declaration = self._read(read_json(body))
        self.check(declaration)
        return declaration

    def read_many(self, body: bytes) -> list[Declaration]:
        """Read the rows of a bulk request; each is checked later.

        :raises ApiError: 400 for anything that is no list of create requests.
        """
        document = read_json(body)
        if not isinstance(document, list):
            raise _wrong_type(_ANY_LIST, document)
        return [self._read(row) for row in document]

    def check(self, declaration: Declaration) -> None:
        """Check name and service type.

        :raises ApiError: 400 with all violations.
        """
        violations = []
        if "name" not in declaration.given:
            violations.append("name must not be null")
        else:
            violations += self._name_violations(declaration.name)
        if "serviceType" not in declaration.given:
            violations.append("serviceType must not be null")
        if violations:
            raise bad_request(f"[{', '.join(violations)}]")

    def read_service(self, document: object) -> Declaration:
        """Read a service's document after a patch.

        :raises ApiError: 400 for an unknown field or a value of the wrong type.
        """
        if not isinstance(document, dict):
            raise _wrong_type(self._service_class, document)
        _check_fields(document, sorted(self._release.service_fields), self._service_class)
        declaration = Declaration(self._fields(document, domain_class=_REFERENCE))
        if declaration.service_type not in self._service_types:
            problem = declaration.service_type
            raise bad_request(f"Cannot construct instance of `{self._type_class}`, problem: {problem}")
        return declaration

    def _read(self, document: object) -> Declaration:
        if not isinstance(document, dict):
            raise _wrong_type(self._create_class, document)
        _check_fields(document, self._release.create_fields, self._create_class)
        given = self._fields(document)
        service_type = given.get("serviceType")
        if service_type is not None and service_type not in self._service_types:
            raise bad_request(
                f"Cannot construct instance of `{self._create_class}${self._type_class}`, problem: {service_type}"
                + _place(1, 1, self._create_class, "serviceType")
            )
        return Declaration(given)

    def _fields(self, document: Mapping[str, object], domain_class: str = "") -> JsonObject:
        """Return the fields that have a value, each of its type; a domain is a name where no class is given."""
        objects = {
            "owner": _REFERENCE,
            "ingestionRunner": _REFERENCE,
            "style": f"{_SCHEMA}.type.Style",
            "connection": self._connection_class,
        }
        if domain_class:
            objects["domain"] = domain_class
        fields: JsonObject = {}
        for name, value in document.items():
            if value is None:
                continue
            if name in objects and not isinstance(value, dict):
                raise _wrong_type(objects[name], value)
            if name in _LISTS and not isinstance(value, list):
                raise _wrong_type(_ANY_LIST, value)
            fields[name] = _text(value) if name in _TEXTS and name not in objects else value
        connection = fields.get("connection")
        if isinstance(connection, dict):
            _check_fields(connection, ("config",), self._connection_class)
        return fields

    def _name_violations(self, name: str) -> list[str]:
        release = self._release
        violations = []
        if not 1 <= len(name) <= release.name_limit:
            violations.append(f"name size must be between 1 and {release.name_limit}")
        if not release.name_pattern.fullmatch(name):
            violations.append(f'name must match "{release.name_pattern_text}"')
        return violations


def read_json(body: bytes) -> object:
    """Read a body.

    :raises ApiError: 400 when it is empty or no JSON.
    """
    if not body.strip():
        raise bad_request("[The request body must not be null]")
    try:
        return json.loads(body, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        raise UnreadableError(400, _parser_message(error)) from None
    except UnicodeDecodeError:
        raise UnreadableError(400, "Invalid UTF-8 start byte" + _place(1, 1)) from None
    except RecursionError:
        raise UnreadableError(400, "Document nesting depth exceeds the maximum allowed" + _place(1, 1)) from None


def _check_fields(document: Mapping[str, object], known: Sequence[str], java_class: str) -> None:
    for field in document:
        if field not in known:
            names = ", ".join(f'"{name}"' for name in known)
            raise bad_request(
                f'Unrecognized field "{field}" (class {java_class}), not marked as ignorable '
                f"({len(known)} known properties: {names}])" + _place(1, 1, java_class, field)
            )


def _text(value: object) -> str:
    if isinstance(value, (dict, list)):
        raise _wrong_type("java.lang.String", value)
    # A number or boolean becomes text, as in Java.
    return str(value).lower() if isinstance(value, bool) else str(value)


def _refuse_constant(name: str) -> object:
    raise UnreadableError(400, f"Non-standard token '{name}': enable ALLOW_NON_NUMERIC_NUMBERS to allow" + _place(1, 1))


def _parser_message(error: json.JSONDecodeError) -> str:
    place = _place(error.lineno, error.colno + 1)
    if error.pos >= len(error.doc.rstrip()):
        kind = "Object" if error.doc.lstrip().startswith("{") else "Array"
        start = f"start marker at [Source: ({_SOURCE}); line: 1, column: 1]"
        return f"Unexpected end-of-input: expected close marker for {kind} ({start}){place}"
    character = error.doc[error.pos]
    return f"Unexpected character ('{character}' (code {ord(character)})){place}"


def _wrong_type(java_class: str, value: object) -> ApiError:
    read, token = ("Array", "ARRAY") if isinstance(value, list) else ("Object", "OBJECT")
    text = f"Cannot deserialize value of type `{java_class}` from {read} value (token `JsonToken.START_{token}`)"
    return bad_request(text + _place(1, 1))


def _place(line: int, column: int, java_class: str = "", field: str = "") -> str:
    chain = f' (through reference chain: {java_class}["{field}"])' if field else ""
    return f"\n at [Source: ({_SOURCE}); line: {line}, column: {column}]{chain}"
