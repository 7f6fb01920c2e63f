"""Bodies of requests: read as the server's JSON parser does, with its messages."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from airflow_provider_collate.sandbox.exchange import ApiError, JsonObject, UnreadableError, bad_request
from airflow_provider_collate.sandbox.releases import Release

_SOURCE = "org.glassfish.jersey.message.internal.ReaderInterceptorExecutor$UnCloseableInputStream"
_CREATE_CLASS = "org.openmetadata.schema.api.services.CreateMlModelService"
_SERVICE_CLASS = "org.openmetadata.schema.entity.services.MlModelService"
_CONNECTION_CLASS = "org.openmetadata.schema.type.MlModelConnection"

_TEXTS = ("name", "displayName", "description", "serviceType", "domain")
_OBJECTS = {
    "owner": "org.openmetadata.schema.type.EntityReference",
    "ingestionRunner": "org.openmetadata.schema.type.EntityReference",
    "connection": _CONNECTION_CLASS,
}
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
        """A field of text."""
        value = self.given.get(field)
        return value if isinstance(value, str) else None

    def entries(self, field: str) -> list[object]:
        """A field that is a list, empty if absent."""
        value = self.given.get(field)
        return value if isinstance(value, list) else []

    def check(self, release: Release) -> None:
        """Check name and service type.

        :raises ApiError: 400 with all violations.
        """
        violations = []
        if "name" not in self.given:
            violations.append("name must not be null")
        else:
            violations += _name_violations(self.name, release)
        if "serviceType" not in self.given:
            violations.append("serviceType must not be null")
        if violations:
            raise bad_request(f"[{', '.join(violations)}]")


def read_json(body: bytes) -> object:
    """Read a body.

    :raises ApiError: 400 when it is empty or no JSON.
    """
    if not body.strip():
        raise bad_request("[The request body must not be null]")
    try:
        return json.loads(body, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        raise UnreadableError(_parser_message(error)) from None
    except UnicodeDecodeError:
        raise UnreadableError("Invalid UTF-8 start byte" + _place(1, 1)) from None
    except RecursionError:
        raise UnreadableError("Document nesting depth exceeds the maximum allowed" + _place(1, 1)) from None


def read_declaration(document: object, release: Release) -> Declaration:
    """Read a create request; what its values must be is checked later.

    :raises ApiError: 400 for an unknown field or a value of the wrong type.
    """
    if not isinstance(document, dict):
        raise _wrong_type(_CREATE_CLASS, document)
    check_fields(document, release.create_fields, _CREATE_CLASS)
    given = read_fields(document)
    service_type = given.get("serviceType")
    if service_type is not None and service_type not in release.service_types:
        raise bad_request(
            f"Cannot construct instance of `{_CREATE_CLASS}$MlModelServiceType`, problem: {service_type}"
            + _place(1, 1, _CREATE_CLASS, "serviceType")
        )
    return Declaration(given)


def read_declarations(document: object, release: Release) -> list[Declaration]:
    """Read the rows of a bulk request.

    :raises ApiError: 400 for anything that is no list of create requests.
    """
    if not isinstance(document, list):
        raise _wrong_type("java.util.ArrayList<java.lang.Object>", document)
    return [read_declaration(row, release) for row in document]


def read_service(document: object, release: Release) -> JsonObject:
    """Read a service's document after a patch.

    :raises ApiError: 400 for an unknown field or a value of the wrong type.
    """
    if not isinstance(document, dict):
        raise _wrong_type(_SERVICE_CLASS, document)
    check_fields(document, sorted(release.service_fields), _SERVICE_CLASS)
    return read_fields(document, domain_class="org.openmetadata.schema.type.EntityReference")


def check_fields(document: Mapping[str, object], known: tuple[str, ...] | list[str], java_class: str) -> None:
    """Refuse unknown fields.

    :raises ApiError: 400 naming the first.
    """
    for field in document:
        if field not in known:
            names = ", ".join(f'"{name}"' for name in known)
            raise bad_request(
                f'Unrecognized field "{field}" (class {java_class}), not marked as ignorable '
                f"({len(known)} known properties: {names}])" + _place(1, 1, java_class, field)
            )


def read_fields(document: Mapping[str, object], domain_class: str = "") -> JsonObject:
    """The fields that have a value, each of its type.

    :param domain_class: the class of `domain` where it is an object; it is a name otherwise.
    :raises ApiError: 400 for a value of the wrong type.
    """
    objects = {**_OBJECTS, "domain": domain_class} if domain_class else _OBJECTS
    fields: JsonObject = {}
    for name, value in document.items():
        if value is None:
            continue
        if name in objects:
            if not isinstance(value, dict):
                raise _wrong_type(objects[name], value)
        elif name in _LISTS and not isinstance(value, list):
            raise _wrong_type("java.util.ArrayList<java.lang.Object>", value)
        fields[name] = _text(value) if name in _TEXTS and name not in objects else value
    connection = fields.get("connection")
    if isinstance(connection, dict):
        check_fields(connection, ("config",), _CONNECTION_CLASS)
    return fields


def _text(value: object) -> str:
    if isinstance(value, (dict, list)):
        raise _wrong_type("java.lang.String", value)
    # A number or boolean becomes text, as in Java.
    return str(value).lower() if isinstance(value, bool) else str(value)


def _name_violations(name: str, release: Release) -> list[str]:
    violations = []
    if not 1 <= len(name) <= release.name_limit:
        violations.append(f"name size must be between 1 and {release.name_limit}")
    if not release.name_pattern.fullmatch(name):
        violations.append(f'name must match "{release.name_pattern_text}"')
    return violations


def _refuse_constant(name: str) -> object:
    raise UnreadableError(f"Non-standard token '{name}': enable ALLOW_NON_NUMERIC_NUMBERS to allow" + _place(1, 1))


def _parser_message(error: json.JSONDecodeError) -> str:
    place = _place(error.lineno, error.colno + 1)
    if error.pos >= len(error.doc.rstrip()):
        kind = "Object" if error.doc.lstrip().startswith("{") else "Array"
        start = f"start marker at [Source: ({_SOURCE}); line: 1, column: 1]"
        return f"Unexpected end-of-input: expected close marker for {kind} ({start}){place}"
    character = error.doc[error.pos]
    return f"Unexpected character ('{character}' (code {ord(character)})){place}"


def _wrong_type(java_class: str, value: object) -> ApiError:
    if isinstance(value, list):
        kind, token = "Array", "START_ARRAY"
    elif isinstance(value, dict):
        kind, token = "Object", "START_OBJECT"
    elif isinstance(value, str):
        kind, token = "String", "VALUE_STRING"
    else:
        kind, token = "Number", "VALUE_NUMBER"
    text = f"Cannot deserialize value of type `{java_class}` from {kind} value (token `JsonToken.{token}`)"
    return bad_request(text + _place(1, 1))


def _place(line: int, column: int, java_class: str = "", field: str = "") -> str:
    chain = f' (through reference chain: {java_class}["{field}"])' if field else ""
    return f"\n at [Source: ({_SOURCE}); line: {line}, column: {column}]{chain}"
