"""Pages of a list, with cursors as the releases of the server make them."""

from __future__ import annotations

import base64
import binascii
import json
import re
from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from airflow_provider_collate.sandbox.exchange import JsonObject, bad_request, no_such_path

_BASE64 = re.compile(r"[A-Za-z0-9+/]")
_DEFAULT_LIMIT = 10
_MAX_LIMIT = 1_000_000


@dataclass(frozen=True)
class Page:
    """One page of names and what the answer says about paging."""

    names: Sequence[str]
    paging: JsonObject


def read_page(names: Sequence[str], params: Mapping[str, str], id_of: Callable[[str], str] | None = None) -> Page:
    """The page that a list request asks for by `limit`, `after` and `before`.

    :param names: all names, in order.
    :param id_of: returns the id of a name, where cursors hold both (server source); else they hold names (recorded).
    :raises ApiError: 400 for a bad limit or cursor.
    """
    limit = _read_limit(params.get("limit", str(_DEFAULT_LIMIT)))
    after, before = params.get("after"), params.get("before")
    if after and before:
        raise bad_request("Only one of before or after query parameter allowed")
    if before:
        end = _position(names, before, id_of)[0]
        start = max(0, end - limit)
    else:
        start = _position(names, after, id_of)[1] if after else 0
        end = min(len(names), start + limit)
    paging: JsonObject = {}
    if start > 0 and end > start:
        paging["before"] = _cursor(names[start], id_of)
    if start < end < len(names):
        paging["after"] = _cursor(names[end - 1], id_of)
    paging["total"] = len(names)
    return Page(names[start:end], paging)


def _read_limit(text: str) -> int:
    try:
        limit = int(text)
    except ValueError:
        raise no_such_path() from None  # recorded
    if limit < 0:
        raise bad_request("[query param limit must be greater than or equal to 0]")
    if limit > _MAX_LIMIT:
        raise bad_request(f"[query param limit must be less than or equal to {_MAX_LIMIT}]")
    return limit


def _cursor(name: str, id_of: Callable[[str], str] | None) -> str:
    text = json.dumps({"name": name, "id": id_of(name)}, ensure_ascii=False) if id_of else name
    return base64.b64encode(text.encode()).decode()


def _position(names: Sequence[str], cursor: str, id_of: Callable[[str], str] | None) -> tuple[int, int]:
    """How many names are before a cursor, and how many are not after it."""
    text = _decoded(cursor)
    if id_of is None:
        name, is_past, is_at = text, False, True
    else:
        try:
            key = json.loads(text)
            name, key_id = str(key["name"]), str(key["id"])
        except (ValueError, TypeError, KeyError):
            raise bad_request("Unrecognized token in the cursor") from None
        there = id_of(name)
        is_past, is_at = there < key_id, there <= key_id
    at = bisect_left(names, name)
    is_there = at < len(names) and names[at] == name
    return at + (is_there and is_past), at + (is_there and is_at)


def _decoded(cursor: str) -> str:
    try:
        return base64.b64decode(cursor, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        wrong = next((letter for letter in cursor if not _BASE64.match(letter)), "=")
        raise bad_request(f"Illegal base64 character {ord(wrong):x}") from None
