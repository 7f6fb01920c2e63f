"""Requests that create or update a service."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar, TypeVar

from pydantic import AfterValidator, JsonValue, ValidationInfo, field_validator, model_validator

from airflow_provider_collate.models.connection import (
    ConnectionConfig,
    LiteralConfig,
    ServiceConnection,
    UndocumentedConnection,
)
from airflow_provider_collate.models.declared import (
    LITERAL,
    ConnectionPart,
    DeclaredModel,
    EntityName,
    FullyQualifiedName,
    Text,
    TypeName,
    validate_part,
)
from airflow_provider_collate.models.declared_service import DeclaredService
from airflow_provider_collate.models.metadata import EntityReference, Owner, Style, TagLabel
from airflow_provider_collate.models.problems import Path, declaration_error, did_you_mean, quoted

T = TypeVar("T")


def _once(items: list[T] | None) -> list[T] | None:
    """Keep the first of the items that are the same."""
    found: dict[object, T] = {}
    for item in items or ():
        key = (item.type, item.id.lower()) if isinstance(item, EntityReference) else item
        found.setdefault(key, item)
    return items and list(found.values())


class CreateServiceRequest(DeclaredModel):
    """A service of any kind, as declared: what is given is applied, what is absent is left alone.

    `None`, `""` or `[]` given explicitly means: empty it. `model_fields_set` has what was given. Owners may be named
    (`OwnerName`); `to_payload` keeps the names as they were given, and a server takes ids only.
    `connection_types` has the config model of each service type of the kind.

    :param name: 1 to 256 characters without `::` (older servers take fewer).
    :param service_type: what kind of platform it is, as documented for the kind of service.
    :param connection: how the catalog reaches it, the whole of it; None sends none.
    :param display_name: the name people see.
    :param description: Markdown.
    :param owners: names of users and teams, such as `ana@acme.example` or `team:ml-platform`; the whole list.
    :param domains: fully qualified names of domains; the whole list.
    :param data_products: fully qualified names of data products; the whole list.
    :param tags: fully qualified names of tags such as `Tier.Tier1` or `glossary:Business.Churn`, or whole tag labels;
        tags that people set stay beside them.
    :param style: how the UI shows it.
    :param ingestion_runner: the runner that ingests from it.
    """

    connection_types: ClassVar[Mapping[str, type[ConnectionConfig]]] = {}

    name: EntityName
    service_type: TypeName
    connection: ServiceConnection | None
    display_name: Text | None = None
    description: Text | None = None
    owners: Annotated[list[Owner] | None, AfterValidator(_once)] = None
    domains: Annotated[list[Text] | None, AfterValidator(_once)] = None
    data_products: Annotated[list[FullyQualifiedName] | None, AfterValidator(_once)] = None
    tags: list[TagLabel] | None = None
    style: Style | None = None
    ingestion_runner: EntityReference | None = None

    def to_payload(self) -> dict[str, JsonValue]:
        """Return the request's body: what was given, without `None`, under the documented names."""
        return self.declared().payload()

    def declared(self) -> DeclaredService:
        """Return what was given as plain values, an explicit `None` too."""
        fields = self.model_dump(by_alias=True, exclude_unset=True, warnings=False)
        config = self.connection.config if self.connection is not None else None
        return self.declared_from(fields, None if config is None else type(config))

    @classmethod
    def declared_from(
        cls, fields: dict[str, JsonValue], config_model: type[ConnectionPart] | None = None
    ) -> DeclaredService:
        """Return a service from the fields that `declared` gave, which are not checked once more.

        :param config_model: the model of the connection's config; None for that of the service's type.
        """
        service_type = str(fields["serviceType"])
        if config_model is None:
            config_model = cls.connection_types.get(service_type, UndocumentedConnection)
        return DeclaredService(str(fields["name"]), service_type, fields, config_model, cls)

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

    @field_validator("service_type")
    @classmethod
    def _refuse_other_case(cls, service_type: str) -> str:
        if service_type in cls.connection_types:
            return service_type
        if service_type.lower() in map(str.lower, cls.connection_types):
            raise declaration_error([((), unknown_type(service_type, cls.connection_types))])
        return service_type

    @field_validator("connection", mode="before")
    @classmethod
    def _validate_config(cls, value: object, info: ValidationInfo) -> object:
        service_type = info.data.get("service_type")
        if isinstance(value, ConnectionPart):
            value = {"config": value.config if isinstance(value, ServiceConnection) else value}
        if service_type is None:
            return value
        if isinstance(value, dict) and "config" in value:
            return {**value, "config": cls._config(value["config"], service_type)}
        is_unknown = bool(cls.connection_types) and service_type not in cls.connection_types
        if is_unknown and (value is None or isinstance(value, dict)):
            problem = unknown_type(service_type, cls.connection_types)
            raise declaration_error([((), f"must hold a config, because serviceType {problem}")])
        return value

    @classmethod
    def _config(cls, config: object, service_type: str) -> ConnectionPart:
        model = cls.connection_types.get(service_type)
        context = LITERAL if isinstance(config, LiteralConfig) else None
        at: Path = ("config",)
        if model is not None and isinstance(config, UndocumentedConnection):
            config = config.model_dump(exclude_unset=True)
        if config is None:
            raise declaration_error([(at, "must be an object, not None")])
        given = config.get("type") if isinstance(config, dict) else getattr(config, "type", None)
        if isinstance(given, str) and given != service_type and (model or given in cls.connection_types):
            text = f"is {quoted(given)} but serviceType is {quoted(service_type)}"
            raise declaration_error([((*at, "type"), text)])
        if model is None and isinstance(config, ConnectionPart):
            return config
        if model is not None and given is None and isinstance(config, dict):
            config = {**config, "type": service_type}
        return validate_part(model or UndocumentedConnection, config, path=at, context=context)


def unknown_type(service_type: str, known: Mapping[str, object]) -> str:
    """Say that a service type is not known, and which one may have been meant."""
    return f"{quoted(service_type)} is not known to this version{did_you_mean(service_type, known)}"
