"""What the catalog stores of a text.

Since 1.13 a server passes every description through a sanitiser (server source: the OWASP Java HTML
Sanitizer with an allow-list of elements), which writes `'` as `&#39;` and drops `<String>` from
`List<String>`. The rule here is written after what that library does. It splits the text by one
regular expression and not by `html.parser`, whose time grows with the square of the length of an
unclosed tag or comment before Python 3.13, and which reads these differently from release to release.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass

from airflow_provider_collate.models.entities import decoded, encoded, legible, lower
from airflow_provider_collate.models.stored_attributes import BLANK, INSIDE, stored_attributes


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


_PHRASES = _names("br em strong b i u s del ins sub sup small mark code span a img")
_HEADINGS = _names("h1 h2 h3 h4 h5 h6")
_BLOCKS = _names("p hr ul ol blockquote pre div section table details summary dl dt dd") | _HEADINGS
# Elements that belong into certain others only.
_PLACES = {
    "li": ("ul", "ol"),
    "tr": ("tbody", "thead", "tfoot"),
    "td": ("tr",),
    "th": ("tr",),
    "col": ("colgroup",),
    **dict.fromkeys(("thead", "tbody", "tfoot", "caption", "colgroup"), ("table",)),
}
_HOLD_NO_TEXT = {place for places in _PLACES.values() for place in places}
_ALLOWED = _PHRASES | _BLOCKS | _PLACES.keys()
_VOID = {"br", "hr", "img", "col"}
_DROPPED_WHEN_BARE = {"a", "span", "img"}
# Opened again after an element around them was closed.
_RESUMED = _names("em strong b i u s small code")
_RESUMED_UNSEEN = {"a", "font"}
_DROPPED_BLOCKS = _names(
    "address article aside center dir fieldset figcaption figure footer form header hgroup main menu nav"
)
# Dropped, and their content is kept, dropped or moved by rules of their own.
_UNCLEAR = _names(
    "applet body button frame frameset head html listing marquee math noembed noframes noscript object optgroup option "
    "plaintext select svg template textarea xmp"
)
_STORED_AS_IT_IS = re.compile(r"[\w \t\r\n.,;:!?()\[\]/\\*#$%^|~-]*", re.ASCII)
_DEPTH = 256  # Elements that are open beyond these are dropped.
_LINK = re.compile(r"<#E::[^<>]+>")
_MARK = re.compile(r"__OM_ENTITY_LINK_[0-9]+__")

# Every alternative matches up to the end of the text where its end is missing, so that nothing is read twice.
_PIECE = rf"""
      (?P<dropped> COMMENT | <!(?:[^-]|-[^-])[^>]*>? | <\?[^>]*>? | <%.*?(?:%>|\Z)
        | <(?P<raw>script|style|iframe|title)(?=[{BLANK}/<>]|\Z){INSIDE}>?
          .*?(?:</(?P=raw)(?=[{BLANK}/<>]|\Z)[^>]*>?|\Z) )
    | <(?P<end>/?)(?P<name>(?:[a-z]|(?<=/)(?u:[^\W\d_]))[^{BLANK}/<>]*)(?P<inside>{INSIDE}(?P<closed>>?))
    | (?P<text>(?:[^<]|<(?![a-z?%]|/(?u:[^\W\d_])|!(?:[^-]|-.)))+)
    """
# The sanitiser's releases up to 20260313.1 end a comment that has a `-` at `->`, newer ones where a browser ends it.
_RELEASED, _NEWER = (
    re.compile(_PIECE.replace("COMMENT", comment), re.VERBOSE | re.DOTALL | re.IGNORECASE | re.ASCII)
    for comment in (r"<!--[^-]*(?:-.*?(?:->|\Z))?", r"<!(?:--)?-?> | <!--.*?(?:--!?>|\Z)")
)


@dataclass(frozen=True, slots=True)
class StoredForm:
    """What a sanitising server makes of a text.

    :param text: the stored form; letters beyond ASCII stand in it as they are.
    :param lost: the tags and comments, as they were written, of which the stored form has lost something.
    :param certain: whether the form is known; not where a server rearranges wrongly nested HTML.
    """

    text: str
    lost: tuple[str, ...] = ()
    certain: bool = True


def is_stored_form(declared: str, shown: str) -> bool:
    """Return whether what the catalog shows is what a sanitising server makes of the declared text."""
    if same_text(declared, shown):
        return True
    if _STORED_AS_IT_IS.fullmatch(declared):
        return False
    readings = (_RELEASED, _NEWER) if "<!" in declared else (_RELEASED,)
    forms = (_form(declared, reading) for reading in readings)
    return any(form.certain and same_text(legible(form.text), legible(shown)) for form in forms)


def lost(declared: str) -> tuple[str, ...]:
    """Return the parts of a declared text that a sanitising server drops: of `List<String>` it is `<String>`."""
    return stored_form(declared).lost


def same_text(one: str, other: str) -> bool:
    """Return whether two texts are equal but for line endings and blanks that nobody sees.

    Two blanks at the end of a line are a line break in Markdown where another line of the paragraph follows.
    """
    return one == other or _plain(one) == _plain(other)


def stored_form(declared: str) -> StoredForm:
    """Return what a sanitising server stores of a text; the time is linear in its length."""
    return StoredForm(declared) if _STORED_AS_IT_IS.fullmatch(declared) else _form(declared, _RELEASED)


def _form(declared: str, reading: re.Pattern[str]) -> StoredForm:
    """Return the stored form: marks stand for links to entities while the rest is sanitised."""
    links = {f"__OM_ENTITY_LINK_{number}__": link for number, link in enumerate(_LINK.findall(declared))}
    marks = iter(links)
    writer = _Writer(certain=not (links and _MARK.search(declared)))
    for piece in reading.finditer(_LINK.sub(lambda _: next(marks), declared)):
        writer.write(piece)
    writer.close(0)
    text, *lost_parts = (
        _MARK.sub(lambda mark: links.get(mark[0], mark[0]), part) for part in ("".join(writer.parts), *writer.lost)
    )
    return StoredForm(text, tuple(lost_parts), writer.certain)


class _Writer:
    """Write the stored form piece by piece.

    `open` has the elements that are open, each with what closes it, which is nothing for one that is dropped;
    `allowed` and `places` say where in it the allowed elements stand, and those of each name; `resumes` says that
    an element would be opened again before what follows, and `unseen` has those of which nobody would see that.
    """

    def __init__(self, *, certain: bool) -> None:
        self.parts: list[str] = []
        self.lost: list[str] = []
        self.open: list[tuple[str, str]] = []
        self.allowed: list[int] = []
        self.places: defaultdict[str, list[int]] = defaultdict(list)
        self.certain = certain
        self.resumes = False
        self.unseen: set[str] = set()

    def write(self, piece: re.Match[str]) -> None:
        name = lower(piece["name"] or "")
        if piece["text"]:
            self._text(decoded(piece["text"]))
        elif piece["dropped"]:
            if piece["raw"] and (self.resumes or "<%" in piece["dropped"]):
                self.certain = False
            if piece["dropped"] != "<!-- -->":
                self.lost.append(piece["dropped"])
        elif piece["end"]:
            self._end(name)
        else:
            self._start(name, piece)

    def close(self, at: int) -> None:
        while len(self.open) > at:
            name, closing = self.open.pop()
            self.places[_place(name)].pop()
            self.parts.append(closing)
        while self.allowed and self.allowed[-1] >= at:
            self.allowed.pop()

    def _top(self) -> str:
        return self.open[self.allowed[-1]][0] if self.allowed else ""

    def _text(self, text: str) -> None:
        visible = bool(text.strip(" \t\n\f\r"))
        if self._top() not in _HOLD_NO_TEXT:
            self.certain = self.certain and not (visible and self.resumes)
            self.parts.append(encoded(text, "<!-- -->"))
        elif visible:
            self.certain = False

    def _start(self, name: str, piece: re.Match[str]) -> None:
        allowed = name in _ALLOWED
        if allowed:
            self._make_room(name)
        attributes = stored_attributes(name, piece["inside"])
        moved = not allowed and (self._top() in _HOLD_NO_TEXT or (name in _DROPPED_BLOCKS and self._top() == "p"))
        if moved or (allowed and not attributes.certain) or self.resumes or name in _UNCLEAR or name in self.unseen:
            self.certain = False
        if not (allowed and attributes.complete and piece["closed"]):
            self.lost.append(piece[0])
        written = allowed and (bool(attributes.text) or name not in _DROPPED_WHEN_BARE)
        if written:
            self.parts.append(f"<{name}{attributes.text}{' /' if name in _VOID else ''}>")
        if name not in _VOID:
            self._push(name, f"</{name}>" if written else "")

    def _push(self, name: str, closing: str) -> None:
        self.places[_place(name)].append(len(self.open))
        if name in _ALLOWED:
            self.allowed.append(len(self.open))
            self.certain = self.certain and len(self.allowed) <= _DEPTH
        self.open.append((name, closing))

    def _make_room(self, name: str) -> None:
        """Close what cannot hold the element that follows."""
        top = self._top()
        while (
            (top == "p" and name not in _PHRASES)
            or (top in _HEADINGS and name in _HEADINGS)
            or (top in ("dt", "dd") and name in ("dt", "dd"))
            or (top == name and name in ("li", "a"))
        ):
            # A dropped element between the two may hold the second one.
            self.certain = self.certain and self.allowed[-1] == len(self.open) - 1
            self.close(self.allowed[-1])
            top = self._top()
        if top and not self.open[self.allowed[-1]][1] and name not in _PHRASES:
            self.certain = False
        if name == "tr" and top == "table":
            self.parts.append("<tbody>")
            self._push(top := "tbody", "</tbody>")
        if name in _PLACES:
            self.certain = self.certain and top in _PLACES[name]
        elif top in _HOLD_NO_TEXT or (name == "a" and self.places["a"]):
            self.certain = False

    def _end(self, name: str) -> None:
        places = self.places[_place(name)]
        self.certain = self.certain and name not in self.unseen
        if not places:
            return
        elements = {element for element, _ in self.open[places[-1] + 1 :]}
        self.unseen |= elements & _RESUMED_UNSEEN
        above = _ALLOWED & elements
        self.resumes = self.resumes or bool(above & _RESUMED)
        if above and (name not in _ALLOWED or (above & _HOLD_NO_TEXT and name not in _HOLD_NO_TEXT)):
            self.certain = False
        self.close(places[-1])


def _place(name: str) -> str:
    """Return the name under which an element is looked up: the end of any heading ends the heading before it."""
    return "h" if name in _HEADINGS else name


def _plain(text: str) -> str:
    lines = text.replace("\r\n", "\n").replace("\r", "\n").rstrip(" \t\n").split("\n")
    bare = [line.rstrip(" \t") for line in lines]
    breaks = [line.endswith("  ") and bool(after) for line, after in zip(lines, [*bare[1:], ""], strict=True)]
    return "\n".join(f"{line}  " if line and broken else line for line, broken in zip(bare, breaks, strict=True))
