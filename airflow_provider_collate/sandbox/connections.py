"""Connections of services: their settings, what the server fills in, and which of them are secret."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from airflow_provider_collate.sandbox.exchange import JsonObject
from airflow_provider_collate.sandbox.releases import Release

MASK: Final = "*********"


class ConnectionFaultError(Exception):
    """A connection that does not fit its service type."""


@dataclass(frozen=True)
class Shape:
    """The settings of one object in a connection.

    :param settings: name → kind of value: a word for a plain one, a shape, or one of several shapes.
    :param defaults: what the server adds when a setting is absent.
    :param is_open: whether other settings are kept too.
    """

    settings: Mapping[str, str | Shape | tuple[Shape, ...]]
    defaults: Mapping[str, object] = field(default_factory=dict)
    is_open: bool = False


_FILTER = Shape({"includes": "strings", "excludes": "strings"})
_AWS_1_2 = Shape(
    {
        "awsAccessKeyId": "string",
        "awsSecretAccessKey": "string",
        "awsRegion": "string",
        "awsSessionToken": "string",
        "endPointURL": "string",
        "profileName": "string",
        "assumeRoleArn": "string",
        "assumeRoleSessionName": "string",
        "assumeRoleSourceIdentity": "string",
    },
    {"assumeRoleSessionName": "OpenMetadataSession"},
)
_AWS = Shape({**_AWS_1_2.settings, "enabled": "boolean"}, {**_AWS_1_2.defaults, "enabled": False})
_GCP_CONFIGS = (
    Shape(
        {
            "type": "string",
            "projectId": "string or strings",
            "privateKeyId": "string",
            "privateKey": "string",
            "clientEmail": "string",
            "clientId": "string",
            "authUri": "string",
            "tokenUri": "string",
            "authProviderX509CertUrl": "string",
            "clientX509CertUrl": "string",
        },
        {
            "type": "service_account",
            "authUri": "https://accounts.google.com/o/oauth2/auth",
            "tokenUri": "https://oauth2.googleapis.com/token",
            "authProviderX509CertUrl": "https://www.googleapis.com/oauth2/v1/certs",
        },
    ),
    Shape(
        {"type": "string", "path": "string", "projectId": "string or strings"},
        {"type": "gcp_credential_path"},
    ),
    Shape(
        {
            "type": "string",
            "externalType": "string",
            "audience": "string",
            "subjectTokenType": "string",
            "tokenURL": "string",
            "credentialSource": "options",
        },
        {"type": "external_account", "externalType": "external_account"},
    ),
    Shape({"type": "string", "projectId": "string or strings"}, {"type": "gcp_adc"}),
)
_GCP = Shape(
    {
        "gcpConfig": _GCP_CONFIGS,
        "gcpImpersonateServiceAccount": Shape(
            {"impersonateServiceAccount": "string", "lifetime": "integer"}, {"lifetime": 3600}
        ),
    }
)


def _config(**settings: str | Shape) -> Shape:
    known: dict[str, str | Shape] = {
        "type": "string",
        "mlModelFilterPattern": _FILTER,
        "supportsMetadataExtraction": "boolean",
    }
    return Shape({**known, **settings}, {"supportsMetadataExtraction": True})


_CUSTOM: dict[str, str | Shape] = {
    "type": "string",
    "sourcePythonClass": "string",
    "connectionOptions": "options",
    "mlModelFilterPattern": _FILTER,
}
_CONFIGS_1_2 = {
    "Mlflow": _config(trackingUri="string", registryUri="string"),
    "Sklearn": _config(),
    "SageMaker": _config(awsConfig=_AWS_1_2),
    "CustomMlModel": Shape(_CUSTOM, is_open=True),
}
_CONFIGS = {
    **_CONFIGS_1_2,
    "SageMaker": _config(awsConfig=_AWS),
    "VertexAI": _config(credentials=_GCP, location="string"),
    "CustomMlModel": Shape(
        {**_CUSTOM, "supportsMetadataExtraction": "boolean"},
        {"supportsMetadataExtraction": True},
        is_open=True,
    ),
}

# The settings whose schema has `format: password`: masked for people, encrypted where they are stored.
_SECRETS = {
    "SageMaker": ("awsConfig", "awsSecretAccessKey"),
    "VertexAI": ("credentials", "gcpConfig", "privateKey"),
}


def fill_in(connection: Mapping[str, object], service_type: str, release: Release) -> JsonObject:
    """A connection as the server stores it: checked, and with its defaults.

    :raises ConnectionFaultError: when it does not fit the service type.
    """
    config = connection.get("config")
    if config is None:
        return {}
    if not isinstance(config, dict) or config.get("type", service_type) != service_type:
        raise ConnectionFaultError(service_type)
    shape = (_CONFIGS if release.newer_connections else _CONFIGS_1_2)[service_type]
    return {"config": _read_object({"type": service_type, **config}, shape)}


def masked(connection: JsonObject, service_type: str) -> JsonObject:
    """A connection as a person reads it."""
    return _with_secret(connection, service_type, lambda secret: MASK)


def encrypted(connection: JsonObject, service_type: str) -> JsonObject:
    """A connection as the database has it, which is what a patch works on and answers."""
    return _with_secret(connection, service_type, _cipher)


def revealed(connection: JsonObject, stored: JsonObject | None, service_type: str) -> JsonObject:
    """A connection with the stored secret put in where a mask or its ciphertext came back."""
    secret = _secret(stored, service_type) if stored else None
    if secret is None:
        return connection
    known = {MASK, _cipher(secret)}
    return _with_secret(connection, service_type, lambda given: secret if given in known else given)


def _read_object(value: object, shape: Shape) -> JsonObject:
    if not isinstance(value, dict):
        raise ConnectionFaultError("an object was expected")
    read: JsonObject = {}
    for name, given in value.items():
        if given is None:
            continue
        if name in shape.settings:
            read[name] = _read(given, shape.settings[name])
        elif shape.is_open:
            read[name] = given
        else:
            raise ConnectionFaultError(f"unknown setting {name}")
    return {**read, **{name: value for name, value in shape.defaults.items() if name not in read}}


def _read(value: object, kind: str | Shape | tuple[Shape, ...]) -> object:
    if isinstance(kind, Shape):
        return _read_object(value, kind)
    if isinstance(kind, tuple):
        return _read_object(value, _choose(value, kind))
    if kind == "strings" or (kind == "string or strings" and isinstance(value, list)):
        if not isinstance(value, list):
            raise ConnectionFaultError("a list was expected")
        return [_read(item, "string") for item in value]
    if kind == "options":
        if not isinstance(value, dict):
            raise ConnectionFaultError("an object was expected")
        return {name: _read(item, "string") for name, item in value.items()}
    return _read_plain(value, kind)


def _read_plain(value: object, kind: str) -> object:
    """A plain value; a number or boolean where text belongs becomes text, as in Java."""
    if kind == "boolean" and isinstance(value, bool):
        return value
    if kind == "integer" and isinstance(value, int) and not isinstance(value, bool):
        return value
    if kind.startswith("string") and isinstance(value, str):
        return value
    if kind.startswith("string") and isinstance(value, bool):
        return str(value).lower()
    if kind.startswith("string") and isinstance(value, (int, float)):
        return str(value)
    raise ConnectionFaultError(f"a {kind} was expected")


def _choose(value: object, shapes: tuple[Shape, ...]) -> Shape:
    if not isinstance(value, dict):
        raise ConnectionFaultError("an object was expected")
    if "type" in value:
        fitting = [shape for shape in shapes if shape.defaults["type"] == value["type"]]
    else:
        fitting = [shape for shape in shapes if value.keys() <= shape.settings.keys()]
    if not fitting:
        raise ConnectionFaultError("no known kind of credentials")
    return fitting[0]


def _secret(connection: JsonObject, service_type: str) -> str | None:
    value: object = connection.get("config")
    for name in _SECRETS.get(service_type, ()):
        value = value.get(name) if isinstance(value, dict) else None
    return value if isinstance(value, str) else None


def _with_secret(connection: JsonObject, service_type: str, make: Callable[[str], str]) -> JsonObject:
    secret = _secret(connection, service_type)
    if secret is None or service_type not in _SECRETS:
        return connection
    return _replaced(connection, ("config", *_SECRETS[service_type]), make(secret))


def _replaced(value: object, path: tuple[str, ...], new: str) -> JsonObject:
    if not isinstance(value, dict):
        raise TypeError("the path of a secret leads through objects")
    name = path[0]
    return {**value, name: new if len(path) == 1 else _replaced(value[name], path[1:], new)}


def _cipher(secret: str) -> str:
    digest = hashlib.sha256(b"sandbox:" + secret.encode()).digest()
    return "fernet:" + base64.urlsafe_b64encode(digest).decode()
