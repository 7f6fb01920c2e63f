"""Take secrets out of what a server said, and make it short enough for a log."""

from __future__ import annotations

import base64
import html
import json
import re
from collections.abc import Iterable
from itertools import takewhile
from urllib.parse import quote, quote_plus

MAX_MESSAGE_LENGTH = 500
LONGEST_LOOKED_AT = 100_000
SHORTEST_SECRET = 4
SHORTEST_BEGINNING = 8
LONGEST_SCHEME = 24
HIDDEN = "***"

# Jackson appends its own notes on classes and columns to a message; they help nobody who reads a task log.
_JAVA_NOTES = re.compile(r"\sat \[Source|\s\(through reference chain|\s\(class org\.|\n\tat ")
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
    """The forms in which a secret may be printed: as it is, and escaped for JSON, Python, HTML, URLs and base64.

    :param secret: the secret itself.
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


def _inside_base64(raw: bytes, skip: int) -> str:
    """What base64 makes of a secret inside of something longer, such as `user:password`.

    :param skip: how many bytes come before it in the group of three in which it begins.
    """
    encoded = base64.b64encode(b"\0" * skip + raw).decode()
    return encoded[-(-skip * 8 // 6) : (skip + len(raw)) * 8 // 6]


def hide(text: str, secrets: Iterable[str]) -> str:
    """Replace every printed form of the secrets in a text, and what is left of one that was cut off."""
    return _without(text, _forms_of(secrets))


def clean_message(text: str, secrets: Iterable[str] = ()) -> str:
    """Make a server's message fit to be shown: no Java notes, no dumped objects, no secrets, bounded, one line.

    :param text: what the server said.
    :param secrets: values that were sent, or are known otherwise, and must not be shown.
    """
    text = _hidden_and_cut(text, secrets)
    text = _JAVA_NOTES.split(text, maxsplit=1)[0]
    text = _PRIVATE_KEY.sub(HIDDEN, text)
    text = _OBJECT_DUMP.sub("{…}", text)
    text = _URL.sub(_without_userinfo, text)
    text = _QUERY_SECRET.sub(rf"\1={HIDDEN}", text)
    text = _SERVER_CIPHERTEXT.sub(HIDDEN, text)
    text = _BEARER.sub(HIDDEN, text)
    printable = "".join(character if character.isprintable() else " " for character in text)
    return bounded(" ".join(printable.split()))


def first_line(text: str, secrets: Iterable[str] = ()) -> str:
    """The first line of readable text in an answer that is not JSON, such as a proxy's HTML page."""
    readable = _TAGS.sub("\n", _hidden_and_cut(text, secrets)[:20_000])
    line = next((line.strip() for line in readable.splitlines() if line.strip()), "")
    return clean_message(html.unescape(line), secrets)


def bounded(text: str, length: int = MAX_MESSAGE_LENGTH) -> str:
    """Cut a text to a length, showing that it was cut."""
    return text if len(text) <= length else f"{text[: length - 1]}…"


def _without_userinfo(url: re.Match[str]) -> str:
    """What is after the last `@`: a password that nobody encoded may have one, or a slash, in it."""
    _, at, rest = url[0].rpartition("@")
    return f"://{HIDDEN}@{rest}" if at else url[0]


def _forms_of(secrets: Iterable[str]) -> list[str]:
    """All printed forms of all secrets, the longest first: one secret may be a part of another."""
    forms = {form for secret in set(secrets) for form in printed_forms(secret)}
    return sorted(forms, key=len, reverse=True)


def _without(text: str, forms: Iterable[str]) -> str:
    """The text without these forms of secrets, and without their beginnings: servers cut off long values."""
    by_beginning: dict[str, list[str]] = {}
    for form in forms:
        text = text.replace(form, HIDDEN)
        # What an address begins with is no secret.
        after_scheme = form.find("://", 0, LONGEST_SCHEME) + len("://") if "://" in form[:LONGEST_SCHEME] else 0
        by_beginning.setdefault(form[: after_scheme + SHORTEST_BEGINNING], []).append(form)
    for beginning, same in by_beginning.items():
        start = text.find(beginning)
        while start >= 0:
            end = start + max(_shared_length(form, text[start : start + len(form)]) for form in same)
            text = f"{text[:start]}{HIDDEN}{text[end:]}"
            start = text.find(beginning, start + len(HIDDEN))
    return text


def _shared_length(one: str, other: str) -> int:
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))


def _hidden_and_cut(text: str, secrets: Iterable[str]) -> str:
    """The text without the secrets, cut to a length that can be searched in no time."""
    forms = _forms_of(secrets)
    is_cut = len(text) > LONGEST_LOOKED_AT
    text = text[:LONGEST_LOOKED_AT]
    text = _without(text, forms)
    # A secret across the cut is there in part, and is not found.
    return text[: -len(forms[0])] if is_cut and forms else text
