"""Pages of a list, with cursors as the real server makes them: base64 of a name."""

from __future__ import annotations

import base64
import binascii
import re
from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
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


def read_page(names: Sequence[str], params: Mapping[str, str]) -> Page:
    """The page that a list request asks for by `limit`, `after` and `before`.

    :param names: all names, in order.
    :raises ApiError: 400 for a bad limit or cursor.
    """
    limit = _read_limit(params.get("limit", str(_DEFAULT_LIMIT)))
    after, before = params.get("after"), params.get("before")
    if after and before:
        raise bad_request("Only one of before or after query parameter allowed")
    if before:
        end = bisect_left(names, _read_cursor(before))
        start = max(0, end - limit)
    else:
        start = bisect_right(names, _read_cursor(after)) if after else 0
        end = min(len(names), start + limit)
    paging: JsonObject = {}
    if start > 0 and end > start:
        paging["before"] = _cursor(names[start])
    if start < end < len(names):
        paging["after"] = _cursor(names[end - 1])
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


def _cursor(name: str) -> str:
    return base64.b64encode(name.encode()).decode()


def _read_cursor(cursor: str) -> str:
    try:
        return base64.b64decode(cursor, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        wrong = next((letter for letter in cursor if not _BASE64.match(letter)), "=")
        raise bad_request(f"Illegal base64 character {ord(wrong):x}") from None
