"""What newer servers make of a description: an allow-list of HTML elements, and entities for some characters."""

from __future__ import annotations

import re
from html.parser import HTMLParser

_EMPTY = frozenset({"br", "hr", "img"})
# Left out where they have no attribute.
_BARE = frozenset({"a", "img", "span"})
_WITH_CONTENT = (
    "a b blockquote caption code col colgroup dd del details div dl dt em h1 h2 h3 h4 h5 h6 i ins kbd li mark ol p pre "
    "q s samp small span strike strong sub summary sup table tbody td tfoot th thead tr tt u ul var"
)
_ELEMENTS = _EMPTY | frozenset(_WITH_CONTENT.split())
_ATTRIBUTES = {
    "a": ("href", "title", "target"),
    "img": ("src", "alt", "title", "width", "height", "border"),
    "div": ("class",),
    "span": ("class",),
    "td": ("colspan", "rowspan"),
    "th": ("colspan", "rowspan"),
}
_LINKS = ("href", "src")
_LINK = re.compile(r"(?:https?|mailto):|[^:]*$|[^:]*[/?#]", re.IGNORECASE)
# Their content is no text.
_SILENT = frozenset({"iframe", "noembed", "noframes", "noscript", "script", "style", "xmp"})
_UNFINISHED = re.compile(r"<(/?[a-zA-Z][^<>]*)\Z")
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff]")
# The last ones are variants of ASCII that look like markup, and what needs two units in Java.
_ENCODED = re.compile("[&<>\"'+=@`]|[\ufe60-\U0010ffff]")
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}


def sanitized(text: str) -> str:
    """Return a description as it is stored; what is stored is not changed again.

    :param text: as it was sent.
    """
    parser = _Sanitizer()
    parser.feed(_UNFINISHED.sub(r"<\1>", text))
    parser.close()
    return parser.result()


class _Sanitizer(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._parts: list[str] = []
        self._text: list[str] = []
        self._open: list[str] = []
        self._silent = 0

    def result(self) -> str:
        self._write("".join(f"</{name}>" for name in reversed(self._open)))
        return "".join(self._parts)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._silent += tag in _SILENT
        kept = [(name, value or "") for name, value in attrs if name in _ATTRIBUTES.get(tag, ())]
        kept = [(name, value) for name, value in kept if name not in _LINKS or _LINK.match(value)]
        if tag not in _ELEMENTS or (tag in _BARE and not kept):
            return
        if tag in ("p", "li") and tag in self._open[-1:]:
            self.handle_endtag(tag)
        shown = "".join(f' {name}="{_encoded(value)}"' for name, value in dict(kept).items())
        self._write(f"<{tag}{shown} />" if tag in _EMPTY else f"<{tag}{shown}>")
        if tag not in _EMPTY:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        # A slash means nothing in HTML.
        self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        self._silent = max(0, self._silent - (tag in _SILENT))
        while tag in self._open:
            innermost = self._open.pop()
            self._write(f"</{innermost}>")
            if innermost == tag:
                return

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self._text.append(data)

    def _write(self, markup: str) -> None:
        # Text on both sides of what was dropped is one text.
        self._parts += [_encoded("".join(self._text)), markup]
        self._text.clear()


def _encoded(text: str) -> str:
    encoded = _ENCODED.sub(lambda found: _entity(found.group()), _CONTROL.sub("", text))
    return re.sub(r"\{(?=\{)", "{<!-- -->", encoded)


def _entity(letter: str) -> str:
    number = ord(letter)
    return _ENTITIES.get(letter) or (f"&#{number};" if number < 100 else f"&#x{number:x};")
