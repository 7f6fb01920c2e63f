"""Reduce a connection that the catalog showed to which fields it has, and a digest of each value.

A bot's token reads secrets in clear in every answer (recorded), so values are reduced where they are parsed.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from functools import lru_cache
from hashlib import blake2b

from pydantic import JsonValue

# A secret of this process alone: a digest that leaks cannot be tried against a list of passwords.
_SALT = os.urandom(16)
_SALTED_TEXT = _SALT + b"text "

OBJECT = b"object"
UNREADABLE = b"unreadable"
EXTERNAL = b"external"
_TRUE, _FALSE = b"true", b"false"
MASK = "*********"
_CIPHERTEXT = "fernet:"
_SECRETS_MANAGER = "secret:/"

Digests = Mapping[str, bytes]
"""JSON pointer under the service → digest of the value there, or OBJECT, UNREADABLE, EXTERNAL (a secrets manager)."""


def digest(value: JsonValue) -> bytes:
    """Return a digest of one value; equal for equal values, and worth nothing outside of this process."""
    if value is True or value is False:
        return _TRUE if value else _FALSE
    if isinstance(value, str):
        content = _SALTED_TEXT + value.encode("utf-8", "surrogatepass")
    else:
        content = _SALT + json.dumps(_normalised(value), sort_keys=True).encode()
    return blake2b(content, digest_size=16).digest()


digest_of_type = lru_cache(maxsize=256)(digest)
"""The digest of a type: there are few, and each row has one."""


def _normalised(value: JsonValue) -> JsonValue:
    """Return the value with whole numbers written one way: to the server 3 and 3.0 are one."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, list):
        return [_normalised(item) for item in value]
    if isinstance(value, dict):
        return {key: _normalised(item) for key, item in value.items()}
    return value


@lru_cache(maxsize=4096)  # thousands of services have the same few, which this way are also held once
def pointer(parent: str, key: str) -> str:
    """Return the JSON pointer of a key inside `parent`."""
    return f"{parent}/{key.replace('~', '~0').replace('/', '~1')}"


def dotted(pointer_text: str) -> str:
    """Return a pointer as people write it: `connection.config.trackingUri`."""
    keys = pointer_text.lstrip("/").split("/")
    return ".".join(key.replace("~1", "/").replace("~0", "~") for key in keys)


def digests(connection: JsonValue) -> dict[str, bytes]:
    """Reduce a connection that the server showed to digests of its leaves; lists count as leaves, nulls as absent."""
    found: dict[str, bytes] = {}
    _collect("", connection, "/connection", found)
    return found


def _collect(key: str, value: JsonValue, at: str, found: dict[str, bytes]) -> None:
    if value is None:
        return
    if isinstance(value, dict):
        found[at] = OBJECT
        for inner_key, inner in value.items():
            _collect(inner_key, inner, pointer(at, inner_key), found)
    elif isinstance(value, str) and (value == MASK or value.startswith(_CIPHERTEXT)):
        found[at] = UNREADABLE
    elif isinstance(value, str) and value.startswith(_SECRETS_MANAGER):
        # What a server with an external secrets manager shows even a bot in place of a secret (server source).
        found[at] = EXTERNAL
    else:
        found[at] = digest_of_type(value) if key == "type" and isinstance(value, str) else digest(value)
