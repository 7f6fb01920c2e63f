"""A declared service that was checked, as plain values: what a run compares and sends."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pydantic import JsonValue

from airflow_provider_collate.models.connection import secret_values
from airflow_provider_collate.models.declared import ConnectionPart, DeclaredModel

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
        """Return the request's body: what was given, without `None` but for one in fields of the user's own."""
        return {name: self._sent_field(name, value) for name, value in self.fields.items() if value is not None}

    def _sent_field(self, name: str, value: JsonValue) -> JsonValue:
        if name == "connection" and self.config is not None:
            return {"config": _sent_part(self.config, self.config_model)}
        return _sent(value) if self.request_model.fields_by_key[name].model else value

    def secrets(self) -> tuple[str, ...]:
        """Return the values of the connection that are secret, to be masked and kept out of messages."""
        return tuple(secret_values(self.config_model, self.config or {}))


def _sent(value: JsonValue) -> JsonValue:
    if isinstance(value, dict):
        return {name: _sent(inner) for name, inner in value.items() if inner is not None}
    return [_sent(item) for item in value] if isinstance(value, list) else value


def _sent_part(values: Fields, part: type[ConnectionPart]) -> dict[str, JsonValue]:
    sent: dict[str, JsonValue] = {}
    for key, value in values.items():
        below = part.fields_by_key[key].part_of(value) if isinstance(value, dict) else None
        if value is not None or key not in part.fields_by_key:
            sent[key] = _sent_part(value, below) if below is not None and isinstance(value, dict) else value
    return sent
