"""Look up what a service can refer to: users, teams, domains, data products, tags and glossary terms."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal
from urllib.parse import quote

from pydantic import JsonValue

from airflow_provider_collate.client.messages import Answer, ApiRequest
from airflow_provider_collate.client.services import fqn_of
from airflow_provider_collate.client.transport import Transport
from airflow_provider_collate.exceptions import NotFoundError, PermissionDeniedError

Collection = Literal["users", "teams", "domains", "dataProducts", "tags", "glossaryTerms", "ingestionRunners"]

# Names of users and teams are quoted where they have a dot, by the server too; other names come fully qualified.
_NOT_QUALIFIED = ("users", "teams")
_PAGE_SIZE = 1000
_MOST_PAGES = 1000


@dataclass(frozen=True, slots=True)
class Entry:
    """Something in the catalog that a service can refer to.

    :param email: a user's e-mail.
    :param is_deleted: whether it is soft-deleted.
    :param is_disabled: whether it is a tag that must not be used any more.
    """

    id: str
    name: str
    fqn: str
    email: str = ""
    is_deleted: bool = False
    is_disabled: bool = False


class Directory:
    """Everything on one server that a service can refer to; a bot may read it (recorded).

    Each method raises `RequestError` as `Transport.send` does.
    """

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def by_name(self, collection: Collection, name: str) -> Entry | None:
        """Return the entry of a name, deleted ones too; None where there is none. `GET /v1/{collection}/name/{fqn}`.

        :param collection: users and teams are found by their name, everything else by its fully qualified name.
        :param name: the server may find it in another spelling, users in any case (recorded).
        """
        fqn = fqn_of(name) if collection in _NOT_QUALIFIED else name
        return self._find(f"/v1/{collection}/name/{quote(fqn, safe='')}")

    def by_id(self, collection: Collection, entry_id: str) -> Entry | None:
        """Return the entry of an id, deleted ones too; None where there is none. `GET /v1/{collection}/{id}`."""
        return self._find(f"/v1/{collection}/{quote(entry_id, safe='')}")

    def email_of(self, user_id: str) -> str:
        """Return the e-mail of a user; empty where there is none. `GET /v1/users/{id}`."""
        user = self.by_id("users", user_id)
        return user.email if user else ""

    def users(self) -> Iterator[Entry]:
        """Yield all users that are not deleted, page by page. `GET /v1/users`.

        No endpoint finds a user by e-mail without the search index (recorded).

        :raises AnswerError: when the list does not end.
        """
        after, answer = "", None
        for _ in range(_MOST_PAGES):
            answer, entries, after = self._page("users", {"after": after} if after else {})
            yield from entries
            if not after:
                return
        if answer is not None:
            raise answer.unexpected("a list of users that ends")

    def some(self, collection: Collection, *, parent: str = "") -> list[Entry]:
        """Return the first entries of a collection, at most 1,000. `GET /v1/{collection}`.

        :param parent: the classification whose tags are wanted; empty for all.
        """
        return self._page(collection, {"parent": parent} if parent else {})[1]

    def is_exclusive(self, name: str) -> bool:
        """Return whether a service carries only one tag of a classification. `GET /v1/classifications/name/{name}`.

        A classification that does not exist, or that the token may not read, counts as one that allows several.
        """
        try:
            answer = self._send(f"/v1/classifications/name/{quote(name, safe='')}")
        except (NotFoundError, PermissionDeniedError):
            return False
        return answer.mapping().get("mutuallyExclusive") is True

    def _find(self, path: str) -> Entry | None:
        try:
            answer = self._send(path, {"include": "all"})
        except NotFoundError:
            return None
        return _entry(answer.mapping(), answer)

    def _page(self, collection: Collection, params: Mapping[str, str]) -> tuple[Answer, list[Entry], str]:
        answer = self._send(f"/v1/{collection}", {"limit": _PAGE_SIZE, **params})
        body = answer.mapping()
        rows, paging = body.get("data"), body.get("paging")
        if not isinstance(rows, list):
            raise answer.unexpected(f"a list of {collection}")
        after = paging.get("after") if isinstance(paging, dict) else None
        return answer, [_entry(row, answer) for row in rows], after if isinstance(after, str) else ""

    def _send(self, path: str, params: Mapping[str, str | int] | None = None) -> Answer:
        return self._transport.send(ApiRequest("GET", path, params=params or {}))


def _entry(body: JsonValue, answer: Answer) -> Entry:
    entry = body if isinstance(body, dict) else {}
    entry_id, name, fqn, email = (entry.get(key) for key in ("id", "name", "fullyQualifiedName", "email"))
    if not isinstance(entry_id, str) or not isinstance(name, str):
        raise answer.unexpected("an entry with its id and name")
    return Entry(
        id=entry_id,
        name=name,
        fqn=fqn if isinstance(fqn, str) else name,
        email=email if isinstance(email, str) else "",
        is_deleted=entry.get("deleted") is True,
        is_disabled=entry.get("disabled") is True,
    )
