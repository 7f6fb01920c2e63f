"""What the catalog stores of the attributes of an HTML element, see `stored_text.py`."""

from __future__ import annotations

import re
from dataclasses import dataclass

from airflow_provider_collate.models.entities import decoded, encoded, lower

_OF_ALL = ("class", "id", "data-id", "data-highlighted", "data-testid")
_OF_ELEMENT = {
    "a": ("href", "rel"),
    "img": ("src", "alt", "title", "width", "height"),
    **dict.fromkeys(("table", "tr"), ("align",)),
    **dict.fromkeys(("td", "th"), ("align", "colspan", "rowspan")),
}
_WEB = ("http://", "https://")
_IMAGES = tuple(f"data:image/{kind};" for kind in ("png", "jpeg", "gif", "webp"))
_ADDRESSES = {"href": (*_WEB, "mailto:", "#", "/"), "src": (*_WEB, *_IMAGES)}
_IN_ADDRESS = {code: f"%{code:02x}" for code in b"\t\n\r (){}"}
_RELATIONS = ("noopener", "noreferrer", "nofollow", "noopener noreferrer", "nofollow noopener noreferrer")

# What Java takes for white space.
BLANK = r"\t-\r\x1c-\x20\u1680\u2000-\u2006\u2008-\u200a\u2028\u2029\u205f\u3000"
_QUOTED = r""""[^"]*"?|'[^']*'?"""
# A quote within a word ends it before a blank or a slash; a slash before `>` ends a word, but not one that follows `=`.
_WORD_AFTER_SIGN = rf"""[^{BLANK}>=/"'](?:[^{BLANK}>="']|["'](?![{BLANK}>/]))*["']?"""
_WORD = rf"""[^{BLANK}>=/"'](?:[^{BLANK}>=/"']|/(?!>)|["'](?![{BLANK}>/]))*["']?"""
_VALUE = rf"""(?:{_WORD_AFTER_SIGN})?(?:=(?:{_WORD_AFTER_SIGN})?|/(?!>)|{_WORD})*"""
# Each alternative matches up to the end of the text where its end is missing, so that nothing is read twice.
INSIDE = rf"""(?:{_QUOTED}|{_WORD_AFTER_SIGN}|[{BLANK}=/])*"""
# A value without quotes may go on after a blank, unless what follows is the next attribute.
_MORE = rf"""[{BLANK}]+(?![{BLANK}>"']|/>|\Z|{_WORD}[{BLANK}]*=)"""
_ATTRIBUTE = re.compile(
    rf"""{_QUOTED}|({_WORD}|/(?!>)|=)(?:[{BLANK}]*(=)[{BLANK}]*({_QUOTED}|{_VALUE}(?=({_MORE})?)))?"""
)


@dataclass(frozen=True, slots=True)
class StoredAttributes:
    """What is stored of an element's attributes.

    :param text: the attributes as they are stored.
    :param complete: whether these are all that there were.
    :param certain: whether this is known.
    """

    text: str
    complete: bool
    certain: bool


def stored_attributes(name: str, inside: str) -> StoredAttributes:
    """Return what is stored of an element's attributes.

    :param inside: what follows its name, with the `>` that ends it.
    """
    kept: dict[str, str] = {}
    complete = True
    certain = True
    for key, sign, given, more in _ATTRIBUTE.findall(inside):
        attribute = lower(key)
        # What has no value has its name as value, as has what an unclosed tag ends with: `<img alt=`.
        value = _value(attribute, given if given or (sign and inside.endswith(">")) else attribute)
        certain = certain and not more and key != "="
        if attribute not in kept and _is_kept(name, attribute, value):
            # A server adds a blank each time that it stores the value. Here, what is stored stays as it is.
            certain = certain and not ("`" in value and value.endswith(" "))
            kept[attribute] = _written(value)
        else:
            complete = complete and attribute == "/"
            certain = certain and not (name in ("a", "div") and attribute.startswith("data-") and attribute not in kept)
    text = "".join(f' {attribute}="{value}"' for attribute, value in kept.items())
    return StoredAttributes(text, complete, certain)


def _value(attribute: str, given: str) -> str:
    if given.endswith(("'", '"')):
        given = given[1:-1] if len(given) > 1 and given[0] == given[-1] else given[:-1]
    value = decoded(given, in_attribute=True)
    return value.strip(" \t\r\n\f").translate(_IN_ADDRESS) if attribute in _ADDRESSES else value


def _written(value: str) -> str:
    text = encoded(value, "\u200b")
    return f"{text} " if "`" in value and not value.endswith(" ") else text


def _is_kept(name: str, attribute: str, value: str) -> bool:
    if attribute == "rel" and lower(value).strip() not in _RELATIONS:
        return False
    known = attribute in _OF_ALL or attribute in _OF_ELEMENT.get(name, ())
    return known and value.startswith(_ADDRESSES.get(attribute, ""))
