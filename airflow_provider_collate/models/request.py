"""Requests that create or update a service."""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping
from typing import Annotated, ClassVar

from pydantic import JsonValue, StringConstraints, ValidationInfo, field_validator, model_validator

from airflow_provider_collate.models.declared import (
    NO_TEMPLATE_PATTERN,
    DeclaredModel,
    EntityName,
    FullyQualifiedName,
    Text,
    declaration_error,
)
from airflow_provider_collate.models.metadata import EntityReference, TagLabel
from airflow_provider_collate.models.mlmodel_connections import (
    ML_MODEL_CONNECTIONS,
    ConnectionConfig,
    ServiceConnection,
    UndocumentedConnection,
)
from airflow_provider_collate.models.secret_values import secret_values

_LONGEST_QUOTE = 80


def quoted(value: str) -> str:
    """Quote a name or a type for a message, bounded and on one line.

    :param value: a service's name, or the type of a service or connection.
    """
    bounded = value if len(value) <= _LONGEST_QUOTE else f"{value[:_LONGEST_QUOTE]}…"
    return json.dumps(bounded, ensure_ascii=False)


class CreateServiceRequest(DeclaredModel):
    """A service of any kind, as declared: what is given is to be so, what is absent is left alone.

    `None`, `""` or `[]` given explicitly means: empty it. `model_fields_set` has what was given.
    """

    connection_types: ClassVar[Mapping[str, type[ConnectionConfig]]] = {}

    name: EntityName
    service_type: Annotated[str, StringConstraints(min_length=1, pattern=NO_TEMPLATE_PATTERN)]
    connection: ServiceConnection | None
    display_name: Text | None = None
    description: Text | None = None
    owners: list[EntityReference] | None = None
    domains: list[Text] | None = None
    data_products: list[FullyQualifiedName] | None = None
    tags: list[TagLabel] | None = None
    ingestion_runner: EntityReference | None = None

    def to_payload(self) -> dict[str, JsonValue]:
        """Give the request's body: what was given, without `None`, under the documented names."""
        return self.model_dump(by_alias=True, exclude_unset=True, exclude_none=True, warnings=False)

    def declared(self) -> dict[str, JsonValue]:
        """Give what was given, an explicit `None` too, under the documented names, for comparison."""
        return self.model_dump(by_alias=True, exclude_unset=True, warnings=False)

    def secrets(self) -> tuple[str, ...]:
        """Give the values of the connection that are secret, to be masked and kept out of messages."""
        connection = self.declared().get("connection")
        config = connection.get("config") if isinstance(connection, dict) else None
        return tuple(secret_values(config)) if isinstance(config, dict) else ()

    @model_validator(mode="before")
    @classmethod
    def _fold_domain(cls, data: object) -> object:
        # What cannot be folded stays, and is refused as a field where its message is made.
        if isinstance(data, dict) and "domain" in data and "domains" not in data:
            domain = data["domain"]
            if domain is None or isinstance(domain, str):
                rest = {name: value for name, value in data.items() if name != "domain"}
                return {**rest, "domains": [] if domain is None else [domain]}
        return data

    @field_validator("connection", mode="before")
    @classmethod
    def _match_type(cls, value: object, info: ValidationInfo) -> object:
        service_type = info.data.get("service_type")
        if service_type is None:
            return value
        if isinstance(value, ServiceConnection):
            value = {"config": value.config}
        elif isinstance(value, ConnectionConfig | UndocumentedConnection):
            value = {"config": value}
        known = service_type in cls.connection_types
        if not isinstance(value, dict) or "config" not in value:
            if cls.connection_types and not known and (value is None or isinstance(value, dict)):
                raise declaration_error([((), cls._unknown_type(service_type))])
            return value
        return cls._with_type(value, service_type, known)

    @classmethod
    def _with_type(cls, connection: dict[str, object], service_type: str, known: bool) -> dict[str, object]:
        config = connection["config"]
        if known and isinstance(config, UndocumentedConnection):
            config = config.model_dump(exclude_unset=True)
        if config is None:
            raise declaration_error([(("config",), "must be an object, not None")])
        given = config.get("type") if isinstance(config, dict) else getattr(config, "type", None)
        if isinstance(given, str) and given != service_type and (known or given in cls.connection_types):
            text = f"is {quoted(given)} but serviceType is {quoted(service_type)}"
            raise declaration_error([(("config", "type"), text)])
        if known and given is None and isinstance(config, dict):
            return {**connection, "config": {**config, "type": service_type}}
        return connection

    @classmethod
    def _unknown_type(cls, service_type: str) -> str:
        close = difflib.get_close_matches(service_type, cls.connection_types, n=1)
        meant = f", did you mean {close[0]}?" if close else ""
        unknown = f"serviceType {quoted(service_type)} is not known to this version{meant}"
        return f"must hold a config, because {unknown}"


class CreateMlModelServiceRequest(CreateServiceRequest):
    """An ML model service, as declared.

    Documented as `createMlModelService`; a service type that is not known here is sent as it is.
    """

    connection_types = ML_MODEL_CONNECTIONS
