"""A kind of service: where the API and the UI have it, and what may be declared of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from pydantic import BaseModel

from airflow_provider_collate.kinds.airflow_connection import (
    Config,
    ConfigPath,
    ConnectionFields,
    ConnectionMapping,
    UnusableConnectionError,
    is_conn_id_key,
)
from airflow_provider_collate.models import (
    ConnectionPart,
    CreateServiceRequest,
    ServiceConnection,
    UndocumentedConnection,
    secret_values,
)
from airflow_provider_collate.models.problems import json_problems, path_text, quoted
from airflow_provider_collate.models.request import unknown_type


@dataclass(frozen=True)
class ServiceKind:
    """A kind of service and all that is its own.

    :param collection: the collection's name in the API and UI, e.g. `mlmodelServices`.
    :param label: how messages call one service of the kind.
    :param list_page: the UI's page of all services of the kind.
    :param request_model: what may be declared; its `connection_types` are the service types with their config models.
    :param mappings: what Airflow connections become in the config of a service type.
    """

    collection: str
    label: str
    list_page: str
    request_model: type[CreateServiceRequest]
    mappings: tuple[ConnectionMapping, ...] = ()

    @cached_property
    def path(self) -> str:
        """Return the collection's path under the API root."""
        return f"/v1/services/{self.collection}"

    def secret_values(self, service_type: object, connection: object) -> Iterator[str]:
        """Return the secrets in a declared connection, which need not be validated yet.

        :param service_type: the service's type as declared; where it is not known, all values are secret.
        :param connection: `{"config": …}`, `{"conn_id": …}` with keys beside it, or a model.
        """
        model = self._model(service_type)
        if isinstance(connection, ServiceConnection | ConnectionPart):
            config = connection.config if isinstance(connection, ServiceConnection) else connection
            connection = {"config": config}
        for key, value in connection.items() if isinstance(connection, Mapping) else ():
            if key == "config" and isinstance(value, Mapping | ConnectionPart):
                yield from secret_values(model, value)
            elif not is_conn_id_key(key):
                yield from secret_values(model, _nested(self._place(service_type, key), value))

    def config_from(
        self, service_type: str, declared: Mapping[str, object], sources: Mapping[str, ConnectionFields]
    ) -> Config:
        """Return the config of a service that is declared by Airflow connections.

        :param declared: the declared connection; keys beside `conn_id` override what the connection gives.
        :param sources: the Airflow connections that it names, by the key that names each.
        :raises UnusableConnectionError: if they cannot be the config of such a service.
        """
        config: Config = {}
        for key, source in sources.items():
            config.update(self._mapped(service_type, key, source))
        config = _merged(config, self._overrides(service_type, declared))
        for mapping in self._mappings_of(service_type):
            if mapping.needed and not _at(config, mapping.needed):
                raise UnusableConnectionError(mapping.advice)
        return config

    def conn_id_keys(self, service_type: str) -> list[str]:
        """Return the keys by which a service of some type may name Airflow connections."""
        mappings = self._mappings_of(service_type)
        return ["conn_id", *mappings[0].further] if mappings else []

    def config_beside(self, service_type: str, declared: Mapping[str, object]) -> Config:
        """Return what a service that is declared by Airflow connections says of its config itself.

        :raises UnusableConnectionError: if such a service takes no connection under these keys.
        """
        for key in filter(is_conn_id_key, declared):
            self._check_key(service_type, key)
        return self._overrides(service_type, declared)

    def _mappings_of(self, service_type: object) -> list[ConnectionMapping]:
        return [mapping for mapping in self.mappings if mapping.service_type == service_type]

    def _mapped(self, service_type: str, key: str, source: ConnectionFields) -> Config:
        self._check_key(service_type, key)
        mappings = self._mappings_of(service_type)
        try:
            mapping = next((mapping for mapping in mappings if source.conn_type in mapping.conn_types), None)
            if mapping is None:
                raise UnusableConnectionError(_other_type(source, mappings))
            config = mapping.build(source)
            return config if key == "conn_id" else mapping.further[key](config)
        except UnusableConnectionError as fault:
            fault.key = key
            raise

    def _check_key(self, service_type: str, key: str) -> None:
        keys = self.conn_id_keys(service_type)
        if key in keys:
            return
        text = f"a service of type {service_type} has no {key}" if keys else self._no_mapping(service_type)
        raise UnusableConnectionError(text, key)

    def _no_mapping(self, service_type: str) -> str:
        if service_type not in self.request_model.connection_types:
            return f"serviceType {unknown_type(service_type, self.request_model.connection_types)}"
        services = ", ".join(dict.fromkeys(mapping.service_type for mapping in self.mappings))
        return f"serviceType {quoted(service_type)} takes no Airflow connection; these do: {services}"

    def _overrides(self, service_type: str, declared: Mapping[str, object]) -> Config:
        """Return what was declared beside `conn_id`, each key at its place in the config."""
        model = self._model(service_type)
        whole = _dumped(declared.get("config") or {})
        if not isinstance(whole, Mapping):
            raise UnusableConnectionError("config, beside it, must be an object")
        config = _documented(model, whole)
        places: dict[ConfigPath, str] = {}
        beside = {key: _dumped(value) for key, value in declared.items() if not is_conn_id_key(key) and key != "config"}
        for where, text in json_problems({**beside, "config": whole}):
            raise UnusableConnectionError(f"{path_text(where)}, beside it, {text}")
        for key, value in beside.items():
            place = self._place(service_type, key)
            if place in places:
                raise UnusableConnectionError(f"{places[place]} and {key} are the same field; give one of them")
            places[place] = key
            config = _merged(config, _documented(model, _nested(place, value)))
        return config

    def _place(self, service_type: object, key: str) -> ConfigPath:
        for mapping in self._mappings_of(service_type):
            if key in mapping.beside:
                return mapping.beside[key]
        return (self._model(service_type).fields_by_key[key].documented,)

    def _model(self, service_type: object) -> type[ConnectionPart]:
        return self.request_model.connection_types.get(str(service_type), UndocumentedConnection)


def _other_type(source: ConnectionFields, mappings: Sequence[ConnectionMapping]) -> str:
    accepted = ", ".join(conn_type for mapping in mappings for conn_type in mapping.conn_types)
    actual = f'of type "{source.conn_type}"' if source.conn_type else "of no type"
    service_type = mappings[0].service_type
    return f'the connection "{source.conn_id}" is {actual}; a service of type {service_type} takes {accepted}'


def _nested(place: ConfigPath, value: object) -> Config:
    *parents, last = place
    nested: Config = {last: value}
    for parent in reversed(parents):
        nested = {parent: nested}
    return nested


def _at(config: Mapping[str, object], path: ConfigPath) -> object:
    found: object = config
    for name in path:
        found = found.get(name) if isinstance(found, Mapping) else None
    return found


def _dumped(value: object) -> object:
    return value.model_dump(exclude_unset=True) if isinstance(value, BaseModel) else value


def _documented(part: type[ConnectionPart], values: Mapping[str, object]) -> Config:
    """Return the fields of a config and of its parts under their documented names."""
    documented: Config = {}
    for key, declared in values.items():
        facts, value = part.fields_by_key[key], _dumped(declared)
        below = facts.part_of(value)
        documented[facts.documented] = (
            _documented(below, value) if below is not None and isinstance(value, Mapping) else value
        )
    return documented


def _merged(config: Mapping[str, object], over: Mapping[str, object]) -> Config:
    """Return one config put over another; a part of another `type` replaces the whole part."""
    merged = dict(config)
    for key, value in over.items():
        below = merged.get(key)
        if (
            isinstance(below, Mapping)
            and isinstance(value, Mapping)
            and value.get("type", below.get("type")) == below.get("type")
        ):
            merged[key] = _merged(below, value)
        else:
            merged[key] = value
    return merged
