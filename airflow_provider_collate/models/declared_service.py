"""A declared service that was checked, as plain values: what a run compares and sends."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pydantic import JsonValue

from airflow_provider_collate.models.connection import secret_values
from airflow_provider_collate.models.declared import LITERAL, ConnectionPart, DeclaredModel

Fields = Mapping[str, JsonValue]


@dataclass(slots=True)  # never changed; frozen, it would take three times as long to make
class DeclaredService:
    """What a declaration gave, under documented names; printed, it shows its name and type only.

    :param fields: what was given, an explicit `None` too; owners may be named.
    :param config_model: the model of its connection's config, which tells what is secret.
    :param request_model: the model of the request that creates it.
    """

    name: str
    service_type: str
    fields: Fields = field(repr=False)
    config_model: type[ConnectionPart] = field(repr=False)
    request_model: type[DeclaredModel] = field(repr=False)

    @property
    def config(self) -> Fields | None:
        """Return the config of its connection, or None where none was given."""
        connection = self.fields.get("connection")
        config = connection.get("config") if isinstance(connection, dict) else None
        return config if isinstance(config, dict) else None

    def payload(self) -> dict[str, JsonValue]:
        """Return the request's body: what was given, without `None`, under documented names."""
        given: dict[str, object] = {**self.fields}
        if self.config is not None:
            given["connection"] = {"config": self.config_model.model_validate(self.config, context=LITERAL)}
        request = self.request_model.model_validate(given)
        return request.model_dump(by_alias=True, exclude_unset=True, exclude_none=True, warnings=False)

    def secrets(self) -> tuple[str, ...]:
        """Return the values of the connection that are secret, to be masked and kept out of messages."""
        return tuple(secret_values(self.config_model, self.config or {}))
