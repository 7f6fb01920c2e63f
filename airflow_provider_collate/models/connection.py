"""Connections of services of any kind: what all configs share, and which of their values are secret."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, ClassVar
from urllib.parse import parse_qsl, unquote

from pydantic import BeforeValidator, SerializeAsAny, ValidationInfo

from airflow_provider_collate.models.declared import (
    PLAIN,
    ConnectionPart,
    ConnectionText,
    OpenConnectionPart,
    PlainText,
    ServerDefault,
    validate_part,
)
from airflow_provider_collate.models.problems import Path

_SECRET_WORD = re.compile(r"passw|passphrase|pwd|secret|token|key|credential|auth|sig", re.IGNORECASE)


class FilterPattern(ConnectionPart):
    """Regular expressions of the names that the ingestion includes and excludes."""

    includes: Annotated[list[ConnectionText] | None, PLAIN, ServerDefault([])] = None
    excludes: Annotated[list[ConnectionText] | None, PLAIN, ServerDefault([])] = None


class ConnectionConfig(ConnectionPart):
    """The config of a connection whose fields are documented."""

    documented_as_required: ClassVar[tuple[str, ...]] = ()
    since: ClassVar[tuple[int, int]] = (0, 0)
    """The release that services of this type came with."""

    type: Annotated[str, PLAIN]
    supports_metadata_extraction: Annotated[bool | None, PLAIN, ServerDefault(True)] = None


class UndocumentedConnection(OpenConnectionPart):
    """The config of a service type that this version does not know, sent as it is."""

    type: PlainText = None


def _as_part(value: object, info: ValidationInfo) -> object:
    is_object = isinstance(value, dict)
    return validate_part(UndocumentedConnection, value, context=info.context) if is_object else value


class ServiceConnection(ConnectionPart):
    """How the catalog reaches a service: the documented wrapper around its config."""

    unknown_field_advice = "the fields of a connection go under connection.config"

    config: Annotated[SerializeAsAny[ConnectionPart] | None, BeforeValidator(_as_part)] = None


class LiteralConfig(dict[str, object]):
    """A config that was read from an Airflow connection: braces in it are no template. Printed, it shows nothing."""

    def __repr__(self) -> str:
        return "***"


def secret_values(part: type[ConnectionPart], values: Mapping[str, object] | ConnectionPart) -> Iterator[str]:
    """Return the strings of a config that must never be printed: passwords, keys, tokens.

    A field that the model does not mark as plain is secret, and so is one that it does not know, whatever its name.
    Of a plain URI the password is secret.

    :param part: the config's model; `UndocumentedConnection` for a service type that is not known.
    :param values: the config, validated or not, under documented or Python names; a model is judged by its own type.
    """
    yield from (secret for _, secret in _secret_fields(part, values))


def short_secrets(part: type[ConnectionPart], config: Mapping[str, object], length: int) -> set[Path]:
    """Return the paths of fields of a config whose secret has fewer characters than a length.

    A user's own fields count where their names say what they hold: the values of all others may be anything.
    """
    return {path for path, secret in _secret_fields(part, config, named=True) if len(secret) < length}


def _secret_fields(
    part: type[ConnectionPart], values: Mapping[str, object] | ConnectionPart, at: Path = (), *, named: bool = False
) -> Iterator[tuple[Path, str]]:
    """Yield each secret with the path of its field.

    :param named: leave out fields that the model does not know and whose names do not say that they are secret.
    """
    if isinstance(values, ConnectionPart):
        part, values = type(values), values.model_dump(exclude_unset=True)
    for name, value in values.items():
        facts = part.fields_by_key[name]
        below = facts.part_of(value) if facts.model else None
        path = (*at, facts.documented)
        if isinstance(value, ConnectionPart):
            yield from _secret_fields(type(value), value, path, named=named)
        elif below is not None and isinstance(value, Mapping):
            yield from _secret_fields(below, value, path, named=named)
        elif not named or name in part.fields_by_key or _SECRET_WORD.search(name):
            yield from ((path, secret) for secret in _secrets_in(value, plain=facts.plain))


def _secrets_in(value: object, *, plain: bool) -> Iterator[str]:
    if isinstance(value, str):
        if value and not plain:
            yield value
        yield from _secrets_of_uri(value)
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _secrets_in(item, plain=plain)
    elif isinstance(value, list):
        for item in value:
            yield from _secrets_in(item, plain=plain)


def _secrets_of_uri(text: str) -> Iterator[str]:
    _, mark, rest = text.partition("://")
    if not mark:
        return
    authority = re.split(r"[/?#]", rest, maxsplit=1)[0]
    # A password with a slash in it, that nobody encoded, ends the authority too early.
    userinfo, at, _ = (authority if "@" in authority else rest).rpartition("@")
    _, colon, password = userinfo.partition(":")
    if at and colon and password:
        yield from _forms(password)
    query = rest.partition("?")[2].partition("#")[0]
    for name, value in parse_qsl(query):
        if value and _SECRET_WORD.search(name):
            yield from _forms(value)


def _forms(secret: str) -> Iterator[str]:
    yield secret
    if (decoded := unquote(secret)) != secret:
        yield decoded
