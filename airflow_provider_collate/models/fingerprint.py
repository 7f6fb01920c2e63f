"""What is kept of a connection that the catalog showed: which fields it has, and a digest of each value.

A bot's token reads secrets in clear in every answer (recorded), so values are reduced where they are parsed.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from hashlib import blake2b

from pydantic import JsonValue

# A key of this process alone: a digest that leaks cannot be tried against a list of passwords.
_KEY = os.urandom(16)

OBJECT = b"object"
UNREADABLE = b"unreadable"
MASK = "*********"
_CIPHERTEXT = "fernet:"

Fingerprint = Mapping[str, bytes]
"""JSON pointer under the service → digest of the value there, or OBJECT, or UNREADABLE."""


def digest(value: JsonValue) -> bytes:
    """A digest of one value; equal for equal values, and worth nothing outside of this process."""
    if isinstance(value, str):
        content = b"s" + value.encode("utf-8", "surrogatepass")
    else:
        content = json.dumps(value, sort_keys=True).encode()
    return blake2b(content, key=_KEY, digest_size=16).digest()


def pointer(parent: str, key: str) -> str:
    """The JSON pointer of a key inside `parent`."""
    return sys.intern(f"{parent}/{key.replace('~', '~0').replace('/', '~1')}")


def dotted(pointer_text: str) -> str:
    """A pointer as people write it: `connection.config.trackingUri`."""
    keys = pointer_text.lstrip("/").split("/")
    return ".".join(key.replace("~1", "/").replace("~0", "~") for key in keys)


def fingerprint(value: JsonValue, at: str = "/connection") -> dict[str, bytes]:
    """Reduce a connection to digests of its leaves; lists count as leaves, nulls as absent.

    :param value: the connection as the server showed it.
    :param at: where it is in the service.
    """
    found: dict[str, bytes] = {}
    _collect(value, at, found)
    return found


def _collect(value: JsonValue, at: str, found: dict[str, bytes]) -> None:
    if value is None:
        return
    if isinstance(value, dict):
        found[at] = OBJECT
        for key, inner in value.items():
            _collect(inner, pointer(at, key), found)
    elif isinstance(value, str) and (value == MASK or value.startswith(_CIPHERTEXT)):
        found[at] = UNREADABLE
    else:
        found[at] = digest(value)
