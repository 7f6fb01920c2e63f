"""A list of services that is sorted as a database of some language sorts it."""

from __future__ import annotations

import base64
import json
import re
import unicodedata
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import unquote

import httpx

from airflow_provider_collate.client.services import fqn_of
from tests.unit.client.scripted import COLLECTION, SERVICE, Network, answer, said

Collation = Callable[[str], Any]


def _primary(name: str) -> str:
    decomposed = unicodedata.normalize("NFD", name).casefold()
    return "".join(letter for letter in decomposed if letter.isalnum())


COLLATIONS: dict[str, Collation] = {
    "bytes": lambda name: name.encode(),
    "any case": lambda name: (name.casefold(), name),
    "small letters first": lambda name: (name.casefold(), name.swapcase()),
    "without punctuation": lambda name: (_primary(name), name.casefold(), name.swapcase()),
    "fully qualified": fqn_of,
    "punctuation last": lambda name: (re.sub(r"[\W_]", "\U0010ffff", name).casefold(), name),
}


class CollatedNetwork(Network):
    """Answer for the services of some names, in an order of its own.

    :param names: the services that there are.
    :param collation: what their names are sorted by.
    :param with_id: whether a cursor holds the id too.
    """

    def __init__(self, names: Sequence[str], collation: Collation = COLLATIONS["bytes"], *, with_id: bool) -> None:
        super().__init__(self._respond, release="2.0.6")
        self.names = set(names)
        self.pages: list[int] = []
        """How many services were on each page that was asked for."""
        self.asked: list[str] = []
        """The names that were asked for one by one."""
        self._collation = collation
        self._with_id = with_id

    def _respond(self, request: httpx.Request) -> httpx.Response:
        where = request.url.raw_path.decode().partition("?")[0].removeprefix(COLLECTION)
        if where.startswith("/name/"):
            name = unquote(where.removeprefix("/name/")).strip('"')
            self.asked.append(name)
            return answer(200, _service(name)) if name in self.names else said(404, f"{name} not found")
        return self._page(int(request.url.params["limit"]), request.url.params.get("after", ""))

    def _page(self, limit: int, after: str) -> httpx.Response:
        behind = self._behind(after) if after else lambda _: True
        names = [name for name in sorted(self.names, key=self._collation) if behind(name)]
        self.pages.append(len(names[:limit]))
        paging: dict[str, object] = {"total": len(self.names)}
        if len(names) > limit:
            paging["after"] = self._cursor(names[limit - 1])
        return answer(200, {"data": [_service(name) for name in names[:limit]], "paging": paging})

    def _cursor(self, name: str) -> str:
        text = json.dumps({"id": _id_of(name), "name": name}, ensure_ascii=False) if self._with_id else name
        return base64.urlsafe_b64encode(text.encode()).decode()

    def _behind(self, cursor: str) -> Callable[[str], bool]:
        text = base64.urlsafe_b64decode(cursor).decode()
        key = json.loads(text) if self._with_id else {"name": text, "id": "~"}
        place = (self._collation(key["name"]), key["id"])
        return lambda name: (self._collation(name), _id_of(name)) > place


def _id_of(name: str) -> str:
    return f"id-{name}"


def _service(name: str) -> dict[str, object]:
    return {**SERVICE, "id": _id_of(name), "name": name, "tags": []}
