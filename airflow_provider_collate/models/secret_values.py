"""Which strings of a connection's config are secrets."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from urllib.parse import parse_qsl, unquote

from airflow_provider_collate.models.credentials import (
    AwsCredentials,
    GcpApplicationDefault,
    GcpCredentials,
    GcpCredentialsPath,
    GcpCredentialsValues,
    GcpExternalAccount,
    GcpImpersonation,
)
from airflow_provider_collate.models.declared import ConnectionPart, documented_name
from airflow_provider_collate.models.metadata import FilterPattern
from airflow_provider_collate.models.mlmodel_connections import ML_MODEL_CONNECTIONS

_PARTS: tuple[type[ConnectionPart], ...] = (
    *ML_MODEL_CONNECTIONS.values(),
    AwsCredentials,
    FilterPattern,
    GcpApplicationDefault,
    GcpCredentials,
    GcpCredentialsPath,
    GcpCredentialsValues,
    GcpExternalAccount,
    GcpImpersonation,
)
_DOCUMENTED = {spelling for part in _PARTS for name in part.model_fields for spelling in (name, documented_name(name))}
_SECRET = {
    spelling
    for name in (
        "aws_secret_access_key",
        "aws_session_token",
        "private_key",
        "connection_options",
        "credential_source",
    )
    for spelling in (name, documented_name(name))
}
_PLAIN = _DOCUMENTED - _SECRET
_SECRET_WORD = re.compile(r"passw|passphrase|pwd|secret|token|key|credential|auth|sig", re.IGNORECASE)


def secret_values(config: Mapping[str, object]) -> Iterator[str]:
    """Give the strings of a config that must never be printed: passwords, keys, tokens.

    A field that no schema describes is the user's own and counts as secret, whatever its name.

    :param config: the content of `connection.config`, under documented or Python names.
    """
    for name, value in config.items():
        yield from _secrets_in(value, plain=name in _PLAIN)


def _secrets_in(value: object, *, plain: bool) -> Iterator[str]:
    if isinstance(value, str):
        if value and not plain:
            yield value
        yield from _secrets_of_uri(value)
    elif isinstance(value, Mapping):
        for name, item in value.items():
            yield from _secrets_in(item, plain=plain and name in _PLAIN)
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
