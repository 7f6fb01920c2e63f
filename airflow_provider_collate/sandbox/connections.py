"""Connections of services as a server keeps them: checked by the kind's models, with defaults, secrets masked."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Final, Literal, Union, get_args, get_origin

from airflow_provider_collate.kinds import ServiceKind
from airflow_provider_collate.models import ConnectionPart
from airflow_provider_collate.sandbox.directory import User
from airflow_provider_collate.sandbox.exchange import ApiError, JsonObject, bad_request
from airflow_provider_collate.sandbox.releases import Release
from airflow_provider_collate.sandbox.services import StoredService

PERSONS_MASK: Final = "*********"

# The settings whose schema has `format: password`. Of other service types, each text that is not marked plain is one.
_PASSWORDS = frozenset({"SageMaker.awsConfig.awsSecretAccessKey", "VertexAI.credentials.gcpConfig.privateKey"})
_RECORDED_TYPES = frozenset({"Mlflow", "Sklearn", "CustomMlModel", "SageMaker", "VertexAI"})


class _MisfitError(Exception):
    """A connection that does not fit its service type; holds the setting that is not known, if it is that."""


class StoredConnections:
    """The connections of one service type on one release."""

    def __init__(self, kind: ServiceKind, service_type: str, release: Release) -> None:
        self._model = kind.request_model.connection_types[service_type]
        self._type = service_type
        self._release = release

    def fill_in(self, connection: JsonObject, step: str) -> JsonObject:
        """Return a connection as the server stores it, with its defaults; a 400 says at which step it does not fit."""
        config = connection.get("config")
        if config is None:
            return {}
        try:
            if not isinstance(config, dict) or config.get("type", self._type) != self._type:
                raise _MisfitError
            return {"config": self._read_part({"type": self._type, **config}, self._model, self._type)}
        except _MisfitError as error:
            raise misfit(self._type, step, *error.args) from None

    def shown(self, service: StoredService, reader: User | None, *, secrets_manager: bool) -> JsonObject:
        """Return a service's connection as a user reads it.

        :param reader: None for the database's form, which is what a patch works on and answers (recorded).
        :param secrets_manager: whether the secrets are kept outside, where not even a bot reads them (server source).
        """

        def show(path: str, secret: str) -> str:
            if reader is not None and not reader.is_bot:
                return PERSONS_MASK
            if secrets_manager:
                return _managed(service, path)
            return secret if reader else _cipher(secret)

        return self._with_secrets(service.connection or {}, show)

    def revealed(self, connection: JsonObject, stored: StoredService) -> JsonObject:
        """Return a connection with the stored secrets put in where a mask or another form of them came back."""
        secrets = self._secrets(stored.connection)

        def reveal(path: str, given: str) -> str:
            secret = secrets.get(path)
            forms = () if secret is None else (PERSONS_MASK, _cipher(secret), _managed(stored, path))
            return secret if secret is not None and given in forms else given

        return self._with_secrets(connection, reveal)

    def has_secret_in_clear(self, connection: JsonObject, stored: StoredService) -> bool:
        """Return whether a secret was given as it is, and not as what a client is shown of it."""
        given, known = self._secrets(connection), self._secrets(stored.connection)
        return any(given.get(path) == secret for path, secret in known.items())

    def _secrets(self, connection: JsonObject | None) -> dict[str, str]:
        secrets: dict[str, str] = {}
        self._with_secrets(connection or {}, secrets.setdefault)
        return secrets

    def _read_part(self, value: object, part: type[ConnectionPart], path: str) -> JsonObject:
        if not isinstance(value, dict):
            raise _MisfitError
        absent = self._release.absent_settings
        known = {name: options for name, options in _settings(part).items() if f"{path}.{name}" not in absent}
        others = {name: given for name, given in value.items() if name not in known and given is not None}
        if others and part.model_config.get("extra") != "allow":
            raise _MisfitError(next(iter(others)))
        read: JsonObject = {}
        for name, options in known.items():
            facts = part.fields_by_key[name]
            if (given := value.get(name)) is not None:
                below = facts.part_of(given)
                read[name] = self._read_part(given, below, f"{path}.{name}") if below else _read(given, options)
            elif (default := self._default(facts.server_default, options)) is not None:
                read[name] = default
        return {**read, **others}

    def _default(self, documented: object, options: list[object]) -> object:
        if documented == [] and self._release.is_old:
            return None
        words = [word for option in options for word in get_args(option)]
        # A word that can be only one needs not be given.
        return words[0] if documented is None and len(words) == 1 and isinstance(words[0], str) else documented

    def _with_secrets(self, connection: JsonObject, make: Callable[[str, str], str]) -> JsonObject:
        if not isinstance(connection.get("config"), dict):
            return connection
        return {**connection, "config": self._replaced(connection["config"], self._model, self._type, make)}

    def _replaced(
        self, value: JsonObject, part: type[ConnectionPart], path: str, make: Callable[[str, str], str]
    ) -> JsonObject:
        replaced: JsonObject = {}
        for name, item in value.items():
            facts, at = part.fields_by_key[name], f"{path}.{name}"
            below = facts.part_of(item)
            is_secret = at in _PASSWORDS if self._type in _RECORDED_TYPES else not facts.plain
            if below and isinstance(item, dict):
                replaced[name] = self._replaced(item, below, at, make)
            else:
                replaced[name] = make(at, item) if is_secret and isinstance(item, str) else item
        return replaced


def misfit(service_type: str, step: str, setting: str = "") -> ApiError:
    """Return the 400 for a connection that does not fit its service type (both texts recorded)."""
    if setting:
        text = f"Failed to {step} '{service_type}' connection stored in DB due to an unrecognized field: '{setting}'"
        return bad_request(text)
    reason = f"[Failed to {step} connection instance of {service_type}]"
    return bad_request(f"InvalidServiceConnectionException for service [{service_type}] due to {reason}.")


@cache
def _settings(part: type[ConnectionPart]) -> dict[str, list[object]]:
    """Return what each field may be, in the order of the schemas: own fields before inherited ones."""
    names = dict.fromkeys(name for base in part.__mro__ for name in vars(base).get("__annotations__", ()))
    fields = [part.model_fields[name] for name in names if name in part.model_fields]
    return {str(field.alias): _options(field.annotation) for field in fields}


def _options(annotation: object) -> list[object]:
    """Return what a field may be beside None, without what is annotated."""
    origin = get_origin(annotation)
    if origin is Annotated:
        return _options(get_args(annotation)[0])
    if origin in (Union, UnionType):
        return [option for choice in get_args(annotation) for option in _options(choice)]
    return [] if annotation is NoneType else [annotation]


def _read(value: object, options: list[object]) -> object:
    """Read a value as Java does: a number or boolean where text belongs becomes text."""
    for option in options:
        origin, arguments = get_origin(option), get_args(option)
        if origin is list and isinstance(value, list):
            return [_read(item, _options(arguments[0])) for item in value]
        if origin is dict and isinstance(value, dict):
            return {name: _read(item, _options(arguments[1])) for name, item in value.items() if item is not None}
        if (origin is Literal and value in arguments) or (option in (bool, int) and type(value) is option):
            return value
        if option is str and isinstance(value, (str, bool, int, float)):
            return str(value).lower() if isinstance(value, bool) else str(value)
    raise _MisfitError


def _managed(service: StoredService, path: str) -> str:
    kind = service.collection.removesuffix("Services").lower()
    place = path.partition(".")[2].lower().replace(".", "/")
    return f"secret:/cluster/{kind}/{service.name.lower()}/{place}"


def _cipher(secret: str) -> str:
    digest = hashlib.sha256(b"sandbox:" + secret.encode()).digest()
    return "fernet:" + base64.urlsafe_b64encode(digest).decode()
