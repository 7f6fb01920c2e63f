"""Read the services of given names by ranges of the list, instead of the whole of it.

The list is sorted by name, and a cursor is a place in it: base64 of the last name (recorded on 1.2), or of a JSON
object with its name and id (server source, 2.x). So a cursor can be made for any name, and the list be read from
there. How a server sorts is up to its database. What that order does not prove to be absent is left to be asked for
by name, so that another order costs requests and never correctness.
"""

from __future__ import annotations

import base64
import json
import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Collection, Generator, Iterator, Sequence
from itertools import pairwise

from airflow_provider_collate.client.services import PAGE_SIZE, ServicePage, Services, fqn_of
from airflow_provider_collate.exceptions import BadRequestError, ServerError
from airflow_provider_collate.models.service import Service

# Measured on the real 1.2 server: a listed row takes 0.7 ms. A read by name takes about a dozen of them, 8 in flight.
ROWS_A_READ_COSTS = 12
_SMALLEST_PAGE = 10
# A page that shows this share of what was asked for is followed by the next one, another by a jump to the next name.
_DENSE = 0.4
_MOST_POOR_PAGES = 2
_BEFORE_ALL_IDS = "00000000-0000-0000-0000-000000000000"
# Two letters of base64 differ between its two alphabets, and a server's own cursors need not tell which is its own.
_OF_ONE_ALPHABET = re.compile("[+/]")
_REFUSED_CURSOR = (400, 422, 500)
_SAME_CASE = re.compile(r"[0-9a-z]{2}|[0-9A-Z]{2}")


class NameRanges:
    """Read services by ranges of names, once a page of the list has shown how the server makes its cursors.

    :param note: is given each page that is read.
    """

    def __init__(self, services: Services, note: Callable[[ServicePage], None]) -> None:
        self._services = services
        self._note = note
        self._with_id: bool | None = None
        """Whether a cursor holds the id as well as the name; None where the form of cursors is not known."""
        self._are_refused = False
        self._dots_are_sorted = False

    @property
    def can_be_read(self) -> bool:
        """Return whether the form of the cursor is known, and the server takes one that it has not made."""
        return self._with_id is not None and not self._are_refused

    def learn(self, page: ServicePage) -> None:
        """Learn the form of the cursor, and whether names are sorted, from a page of the list."""
        if page.after and page.services:
            self._with_id = _holds_id(page.after, page.services[-1])
            self._check_order(page, "")

    def read(self, names: Collection[str], fields: Collection[str]) -> Generator[Service, None, set[str]]:
        """Yield the services of these names that ranges of the list show, soft-deleted ones too.

        :param fields: fields to ask for beyond the plain ones.
        :return: the names that are neither shown nor proven to be absent.
        :raises RequestError: as `Transport.send`.
        """
        search, after, poor = _Search(names), "", 0
        while self._with_id is not None and self.can_be_read and search.left and poor < _MOST_POOR_PAGES:
            if not after:
                after = search.jump(with_id=self._with_id)
            page = self._page(fields, after, min(PAGE_SIZE, max(search.left + 1, _SMALLEST_PAGE)))
            if page is None:
                break
            self._note(page)
            before = len(search.missing)
            yield from search.found(page.services)
            self._check_order(page, search.low)
            if not self._are_refused:
                search.prove_absent(page, with_dots=self._dots_are_sorted)
            settled, rows = before - len(search.missing), len(page.services)
            poor = 0 if settled * ROWS_A_READ_COSTS >= rows > 0 else poor + 1
            after = page.after if settled >= _DENSE * rows else ""
        return search.missing

    def _page(self, fields: Collection[str], after: str, limit: int) -> ServicePage | None:
        """Read a page of a range; None where the server refuses the cursor."""
        try:
            return self._services.page(fields, include="all", after=after, limit=limit)
        except (BadRequestError, ServerError) as error:
            if error.status not in _REFUSED_CURSOR:
                raise
        self._are_refused = True
        return None

    def _check_order(self, page: ServicePage, low: str) -> None:
        """Note what the order of a page tells, which begins behind a name."""
        for first, second in pairwise((low, *(service.name for service in page.services))):
            self._are_refused |= _is_surely_before(second, first)
            # A name with a dot might be sorted as it is in its fully qualified name: by the quote before it, which is
            # before digits and letters, and behind a blank.
            is_plain = first[:1].isascii() and first[:1].isalnum() and _is_unquoted(first)
            self._dots_are_sorted |= is_plain and not _is_unquoted(second)


class _Search:
    """What is still looked for, and what the pages tell of it."""

    def __init__(self, names: Collection[str]) -> None:
        self.missing = set(names)
        self._names = sorted(names)
        self._passed = 0
        self.low = ""
        """The name behind which the next page begins."""
        self._includes_low = False

    @property
    def left(self) -> int:
        """Return how many names may still come, at most."""
        return len(self._names) - self._passed

    def jump(self, *, with_id: bool) -> str:
        """Return the cursor of a range that begins at the next name."""
        self.low, cursor = _place(self._names[self._passed], with_id=with_id)
        # A cursor with an id is a place before the name itself, else behind it.
        self._includes_low = with_id
        self._passed += 1
        return cursor

    def found(self, services: Sequence[Service]) -> Iterator[Service]:
        """Yield those services of a page that are looked for."""
        for service in services:
            if service.name in self.missing:
                self.missing.discard(service.name)
                yield service

    def prove_absent(self, page: ServicePage, *, with_dots: bool) -> None:
        """Drop the names whose place the page shows, and they are not there; pass what the page has passed."""
        rows = [self.low, *(service.name for service in page.services if with_dots or _is_unquoted(service.name))]
        begin, end = bisect_left(self._names, rows[0]), bisect_right(self._names, rows[-1])
        for name in self._names[begin : end if page.after else None]:
            is_comparable = with_dots or _is_unquoted(name)
            if name in self.missing and is_comparable and self._is_absent(name, rows, is_last=not page.after):
                self.missing.discard(name)
        self.low, self._includes_low = rows[-1], False
        self._passed = max(self._passed, end) if page.after else len(self._names)
        while self.left and self._names[self._passed] not in self.missing:
            self._passed += 1

    def _is_absent(self, name: str, rows: Sequence[str], *, is_last: bool) -> bool:
        """Return whether a name would stand between two neighbours, whatever the order of other characters is."""
        at = bisect_right(rows, name)
        is_behind = _is_surely_before(rows[at - 1], name) or (self._includes_low and at == 1 and name == rows[0])
        return is_behind and (is_last if at == len(rows) else _is_surely_before(name, rows[at]))


def _holds_id(cursor: str, last: Service) -> bool | None:
    """Return whether the cursor that a page gave holds the id of its last service; None for an unknown form."""
    try:
        text = base64.urlsafe_b64decode(cursor.translate({ord("+"): "-", ord("/"): "_"})).decode()
        if text == last.name:
            return False
        key = json.loads(text)
    except (ValueError, RecursionError):  # of base64, of UTF-8 and of JSON
        return None
    return True if key == {"name": last.name, "id": last.id} else None


def _place(name: str, *, with_id: bool) -> tuple[str, str]:
    """Return where a range begins that may show a name, and the cursor of that place.

    It is the name itself, or its longest beginning whose cursor is the same in both alphabets of base64.
    """
    for end in range(len(name), 0, -1):
        text = name[:end]
        key = json.dumps({"name": text, "id": _BEFORE_ALL_IDS}, ensure_ascii=False) if with_id else text
        cursor = base64.b64encode(key.encode()).decode()
        if not _OF_ONE_ALPHABET.search(cursor):
            return text, cursor
    return "", ""


def _is_unquoted(name: str) -> bool:
    """Return whether a name stands as it is in its fully qualified name, so that both are sorted alike."""
    return fqn_of(name) == name


def _is_surely_before(first: str, second: str) -> bool:
    """Return whether databases agree that one name stands before the other.

    They do where it is the beginning of the other, and where the first characters that differ are digits, or letters
    of one case. They differ in capital letters, punctuation and what is not ASCII. Where a language has its own
    letters of two characters, pages are likely to show it; and a POST of what exists is a 409.
    """
    for one, other in zip(first, second, strict=False):
        if one != other:
            return one < other and _SAME_CASE.fullmatch(one + other) is not None
    return len(first) < len(second)
