"""Remove secrets from what a server said, and make it short enough for a log."""

from __future__ import annotations

import base64
import html
import json
import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from functools import cached_property
from urllib.parse import quote, quote_plus

from pydantic import JsonValue

MAX_MESSAGE_LENGTH = 500
LONGEST_LOOKED_AT = 100_000
SHORTEST_SECRET = 4
SHORTEST_BEGINNING = 8
LONGEST_SCHEME = 24
HIDDEN = "***"

# Notes that Jackson appends on classes and columns; they help nobody who reads a task log.
# After `Where: JSON data` PostgreSQL prints a stored value that stands near the one it refused (seen with U+0000).
_NOTES = re.compile(
    r"\sat \[Source|\s\(through reference chain|\s\(class org\.|\n\tat |\bWhere:\s+JSON data|\bJSON data, line "
)
# The recorded 500 for a `replace` of an absent field prints the whole stored service, secrets in clear. Other
# servers print objects as Java does: `Service{name=…}`, `Service@1f2e[name=…]`. What stays is whom a 403 names:
# `CatalogPrincipal{name='ana'}`.
_OBJECT_DUMP = re.compile(
    r"['\"]?(?!\{name='[^'{}=]*'\})\{\s*(?:\\*['\"]|\w+\s*[=:])(?:.*\}['\"]?|.*$)|@[0-9a-f]{4,}\[(?:.*\]|.*$)",
    re.DOTALL,
)
_URL = re.compile(r"://[^\s'\"]*")
_QUERY_SECRET = re.compile(
    r"(?i)(?<=[?&])([\w.-]{0,40}(?:passw|pwd|secret|token|key|credential|auth|sig)[\w.-]{0,40})=[^&\s'\"]+"
)
_SERVER_CIPHERTEXT = re.compile(r"fernet:[\w=+/-]+")
_BEARER = re.compile(r"(?i)bearer\s+[\w.~+/=-]+|(?<![\w-])eyJ[\w-]{10,}\.[\w-]+\.[\w-]*")
_PRIVATE_KEY = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)", re.DOTALL)
_TAGS = re.compile(r"<(script|style)\b.*?</\1>|<[^>]*>", re.DOTALL | re.IGNORECASE)
_PERCENT = re.compile(r"%[0-9A-F]{2}")


def printed_forms(secret: str) -> list[str]:
    """Return the forms in which a secret may be printed: as it is, escaped for JSON, Python, HTML, URLs and base64.

    :return: each form once, the longest first; nothing for a secret too short to be told from other text.
    """
    if len(secret) < SHORTEST_SECRET:
        return []
    raw = secret.encode("utf-8", "surrogatepass")
    encoded = base64.b64encode(raw).decode()
    in_urls = {quote(raw, safe=""), quote(raw), quote_plus(raw)}
    forms = {
        secret,
        json.dumps(secret)[1:-1],
        json.dumps(secret, ensure_ascii=False)[1:-1],
        repr(secret)[1:-1],
        repr(raw)[2:-1],
        html.escape(secret),
        *in_urls,
        *(_PERCENT.sub(lambda found: found[0].lower(), form) for form in in_urls),
        encoded,
        encoded.rstrip("="),
        base64.urlsafe_b64encode(raw).decode(),
        *(_inside_base64(raw, skip) for skip in (1, 2)),
    }
    forms |= {json.dumps(form)[1:-1] for form in forms}
    return sorted(forms, key=len, reverse=True)


def _echoed_forms(secret: str) -> list[str]:
    """Return the forms in which a server may print a secret: Airflow's masker, which takes few, needs no other case."""
    forms = printed_forms(secret)
    return [*forms, secret.upper(), secret.lower()] if forms else []


def _inside_base64(raw: bytes, skip: int) -> str:
    """Return what base64 makes of a secret inside of something longer, such as `user:password`.

    :param skip: how many bytes come before it in the group of three in which it begins.
    """
    encoded = base64.b64encode(b"\0" * skip + raw).decode()
    return encoded[-(-skip * 8 // 6) : (skip + len(raw)) * 8 // 6]


def texts_in(value: JsonValue) -> Iterator[str]:
    """Yield all texts in a JSON value, in their order and from any depth; the keys of objects are none."""
    todo = [value]
    while todo:
        value = todo.pop()
        if isinstance(value, str):
            yield value
        elif isinstance(value, dict | list):
            todo += reversed(list(value.values()) if isinstance(value, dict) else value)


def _texts_in_json(secret: str) -> Iterator[str]:
    """Yield the texts inside a secret that is JSON itself, such as a key file: a server may quote one of them alone."""
    if not secret.lstrip().startswith(("{", "[")):
        return
    with suppress(ValueError, RecursionError):
        yield from texts_in(json.loads(secret))


class Redactor:
    """Replace secrets in texts, in every form in which they are printed.

    Made once for many texts: the work for a text grows with its length and not with the number of secrets.

    :param secrets: the values; the forms are made when the first text comes.
    """

    def __init__(self, secrets: Iterable[str]) -> None:
        self._secrets = frozenset(secrets)

    def hide(self, text: str) -> str:
        """Return the text without the secrets, and without the beginnings of those that a server cut off."""
        if not self._secrets:
            return text
        shown: list[str] = []
        shown_to = 0
        for position in self._beginnings_in(text):
            end = position + self._length_at(text, position)
            if position >= shown_to:
                shown += text[shown_to:position], HIDDEN
            shown_to = max(shown_to, end)
        return "".join((*shown, text[shown_to:]))

    def hide_and_cut(self, text: str) -> str:
        """Return the text without the secrets, cut to a length that can be searched quickly."""
        is_cut = len(text) > LONGEST_LOOKED_AT
        text = self.hide(text[:LONGEST_LOOKED_AT])
        # A secret across the cut is there in part, and is not found.
        return text[: -self._longest] if is_cut and self._secrets and self._longest else text

    def _beginnings_in(self, text: str) -> list[int]:
        """Return the positions in a text at which a secret begins, in their order."""
        return sorted(
            {
                position
                for length in self._lengths
                for position in range(len(text) - length + 1)
                if text[position : position + length] in self._forms
            }
        )

    def _length_at(self, text: str, position: int) -> int:
        """Return how many characters from a position on are a secret or the beginning of one."""
        here = text[position : position + self._longest]
        longest = 0
        for forms in (self._forms.get(here[:length], ()) for length in self._lengths):
            # Of sorted forms, one of the two neighbours has the longest beginning in common with the text.
            at = bisect_right(forms, here)
            longest = max(longest, *(_shared_length(form, here) for form in forms[max(0, at - 1) : at + 1]), 0)
        return longest

    @cached_property
    def _forms(self) -> dict[str, list[str]]:
        """Forms by what they begin with, sorted."""
        forms: dict[str, list[str]] = {}
        texts = {text for secret in self._secrets for text in (secret, *_texts_in_json(secret))}
        for form in sorted({form for text in texts for form in _echoed_forms(text)}):
            forms.setdefault(_beginning(form), []).append(form)
        return forms

    @cached_property
    def _lengths(self) -> list[int]:
        return sorted({len(beginning) for beginning in self._forms})

    @cached_property
    def _longest(self) -> int:
        return max((len(form) for same in self._forms.values() for form in same), default=0)


def clean_message(text: str, secrets: Iterable[str] = ()) -> str:
    """Return a server's message as it may be shown: no notes of Java, no dumped objects, no secrets, one short line."""
    text = Redactor(secrets).hide_and_cut(text)
    text = _NOTES.split(text, maxsplit=1)[0]
    text = _PRIVATE_KEY.sub(HIDDEN, text)
    text = _OBJECT_DUMP.sub("{…}", text)
    text = _URL.sub(_without_userinfo, text)
    text = _QUERY_SECRET.sub(rf"\1={HIDDEN}", text)
    text = _SERVER_CIPHERTEXT.sub(HIDDEN, text)
    text = _BEARER.sub(HIDDEN, text)
    printable = "".join(character if character.isprintable() else " " for character in text)
    return bounded(" ".join(printable.split()))


def first_line(text: str, secrets: Sequence[str] = ()) -> str:
    """Return the first line of readable text in an answer that is not JSON, such as a proxy's HTML page."""
    readable = _TAGS.sub("\n", Redactor(secrets).hide_and_cut(text)[:20_000])
    line = next((line.strip() for line in readable.splitlines() if line.strip()), "")
    return clean_message(html.unescape(line), secrets)


def bounded(text: str, length: int = MAX_MESSAGE_LENGTH) -> str:
    """Return a text cut to a length, with `…` where it was cut."""
    return text if len(text) <= length else f"{text[: length - 1]}…"


def _without_userinfo(url: re.Match[str]) -> str:
    """Return what is after the last `@`: a password that nobody encoded may have one, or a slash, in it."""
    _, at, rest = url[0].rpartition("@")
    return f"://{HIDDEN}@{rest}" if at else url[0]


def _beginning(form: str) -> str:
    """Return the part of a form that is enough to know it by; the scheme of an address is no secret."""
    scheme, separator, _ = form[:LONGEST_SCHEME].partition("://")
    return form[: (len(scheme) + len(separator) if separator else 0) + SHORTEST_BEGINNING]


def _shared_length(form: str, text: str) -> int:
    """Return how many characters two texts have in common at their beginning; halving keeps the comparing in C."""
    shared, most = 0, min(len(form), len(text))
    while shared < most:
        middle = (shared + most + 1) // 2
        if text.startswith(form[:middle]):
            shared = middle
        else:
            most = middle - 1
    return shared
