"""Read and write the characters of HTML as the server's sanitiser does.

It reads references such as `&amp;` by rules of its own, which `html.unescape` does not follow: it takes `&Region=` for
`&reg` and `ion=`, and leaves `&#39s` as it is.
"""

from __future__ import annotations

import re
from html.entities import html5
from string import ascii_lowercase, ascii_uppercase

_REFERENCE = re.compile(r"&(?:#([xX])?([0-9A-Za-z-]*);?|([A-Za-z][0-9A-Za-z]{0,30};?))")
_LOWER = str.maketrans(ascii_uppercase, ascii_lowercase)
_WRITTEN = {ord(sign): f"&#{ord(sign)};" for sign in "\"'+=@`"} | {38: "&amp;", 60: "&lt;", 62: "&gt;"}
_SPLIT_BRACE = re.compile(r"\{(?=\{|\Z)")
_INVISIBLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")
# Newer releases of the sanitiser take these for letters of Windows, as browsers do: `&#146;` for `’`.
_OF_WINDOWS = {number: bytes([number]).decode("cp1252", "ignore") for number in range(0x80, 0xA0)}
_NUMBERED = re.compile("&#(x[0-9a-f]{1,7}|[0-9]{1,7});?", re.IGNORECASE)


def decoded(text: str, *, in_attribute: bool = False) -> str:
    """Return what a text of HTML says: its references are resolved, and what nobody sees is gone.

    :param in_attribute: whether it is such a value, in which `&section=2` is the parameter of an address.
    """

    def resolved(found: re.Match[str]) -> str:
        if found[3] is None:
            return _number(found[2], 16 if found[1] else 10) or found[0]
        return _named(found[3], text[found.end() : found.end() + 1], in_attribute=in_attribute) or found[0]

    units = _REFERENCE.sub(resolved, text).encode("utf-16-le", "surrogatepass")
    return _visible(units.decode("utf-16-le", "ignore"))


def encoded(text: str, after_brace: str) -> str:
    """Return a text as it is written into HTML.

    :param after_brace: what keeps two braces apart.
    """
    return _SPLIT_BRACE.sub(f"{{{after_brace}", text.translate(_WRITTEN))


def legible(text: str) -> str:
    """Return stored HTML with letters beyond ASCII as such: which of them are numbers depends on the release."""
    return _visible(_NUMBERED.sub(_letter, text))


def lower(text: str) -> str:
    """Return a text with the letters of ASCII in lower case."""
    return text.translate(_LOWER)


def _number(digits: str, base: int) -> str:
    """Return the character of a number, or nothing: any letter or hyphen after the digits spoils it."""
    try:
        number = int(digits, base) if digits.isalnum() and len(digits) < 30 else -1
    except ValueError:
        return ""
    if number < 0:
        return ""
    return chr(number) if number < 0x110000 else "\ufffd"


def _named(name: str, following: str, *, in_attribute: bool) -> str:
    """Return what the longest known beginning of a name stands for, with the rest of the name, or nothing."""
    for spelled in (name, lower(name)):
        for end in range(len(name), 1, -1):
            after = spelled[end : end + 1] or following
            goes_on = spelled[end - 1] != ";" and after.isascii() and (after.isalnum() or after == "=")
            if spelled[:end] in html5 and not (in_attribute and goes_on):
                return html5[spelled[:end]] + name[end:]
    return ""


def _visible(text: str) -> str:
    return _INVISIBLE.sub("", text.translate(_OF_WINDOWS))


def _letter(found: re.Match[str]) -> str:
    number = int(found[1][1:], 16) if found[1][0] in "xX" else int(found[1])
    return chr(number) if 0x7F < number < 0x110000 else found[0]
