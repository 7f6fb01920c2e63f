"""Who set which field of a service, from its version history.

Each version is a JSON text with the whole service as it was, its connection included (recorded); what is kept of it
here are authors, times, texts and the names of references and tags.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone

from pydantic import JsonValue

from airflow_provider_collate.models.digests import Digests, digests

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_TEXTS = ("displayName", "description")
# The names of old servers, and those of today.
_RELATIONS = {"owner": "owners", "domain": "domains"}
_CHANGES = ("fieldsAdded", "fieldsUpdated", "fieldsDeleted")
# A domain that is assigned on the domain's own page leaves no version on the service, and later versions show it.
_ASSIGNED_ELSEWHERE = ("domains",)

Key = str | tuple[str, str]
"""A field's name in the API of today, or a tag as its fully qualified name and source."""


@dataclass(frozen=True, slots=True)
class Edit:
    """Who edited a service, and when.

    :param at: the time, by the server's clock.
    """

    user: str
    at: datetime


@dataclass(frozen=True, slots=True)
class _Version:
    edit: Edit
    changed: frozenset[Key]
    shown: Mapping[Key, object] = field(repr=False)
    connection: Digests = field(repr=False)


@dataclass(frozen=True, slots=True)
class History:
    """The versions of a service, reduced to who set what.

    :param versions: the newest first; None in the place of one that could not be read.
    """

    versions: tuple[_Version | None, ...] = field(default=(), repr=False)

    @property
    def created(self) -> Edit | None:
        """Who created the service; None where the history does not show it."""
        first = self._first
        return first.edit if first else None

    def fields_edited_by(self, user: str) -> frozenset[str]:
        """Return the fields that a user has changed since the service was created."""
        ours = (version for version in self.versions if version is not None and version.edit.user == user)
        return frozenset(key for version in ours for key in version.changed if isinstance(key, str))

    @property
    def gap(self) -> str:
        """Say why an author is not shown, in the words of a message."""
        if not self.versions:
            return "its history is empty"
        return "its history cannot be read" if None in self.versions else "its history does not show who"

    def was_never_set(self, name: str) -> bool:
        """Return whether no version shows a field, by its name in the API of today, with a value."""
        return not any(
            version is None or name in version.changed or version.shown.get(name) for version in self.versions
        )

    def last_edit(self, key: Key, shown: object) -> Edit | None:
        """Return who set a field to what the catalog shows; None where the history does not show that.

        :param key: `description`, `displayName`, `owners`, `domains`, `connection`, `deleted`, or a tag.
        :param shown: a text; the references of a list; True for any other.
        """
        wanted = frozenset(reference.id.lower() for reference in shown) if isinstance(shown, tuple) else shown
        for version in self.versions:
            if version is None:
                return None
            if key in version.changed:
                return version.edit if version.shown.get(key) == wanted else None
        first = self._first
        is_known = first and key not in _ASSIGNED_ELSEWHERE and first.shown.get(key) == wanted
        return first.edit if first and is_known else None

    def connection_edit(self, pointer: str) -> Edit | None:
        """Return who set a field of the connection to its value; None where the history does not show it.

        A version says only that its connection changed, so the value is followed from version to version.

        :param pointer: the field's JSON pointer, e.g. `/connection/config/registryUri`.
        """
        newest = self.versions[0] if self.versions else None
        value = newest.connection.get(pointer) if newest else None
        edit: Edit | None = None
        for version in self.versions:
            if version is None:
                return None
            if value is None or version.connection.get(pointer) != value:
                return edit
            edit = version.edit
        return edit

    def tag_edit(self, fqn: str, source: str) -> Edit | None:
        """Return who put a tag on the service; None where the history does not show it."""
        return self.last_edit((fqn, source), True)

    @property
    def _first(self) -> _Version | None:
        last = self.versions[-1] if self.versions else None
        return None if last is None or last.changed else last


def parse_history(answer: JsonValue) -> History:
    """Reduce the answer of `GET /v1/services/{collection}/{id}/versions`; what cannot be read shows nothing.

    :param answer: an object whose `versions` are JSON texts, the newest first (recorded).
    """
    versions = answer.get("versions") if isinstance(answer, dict) else None
    return History(tuple(map(_version, versions)) if isinstance(versions, list) else ())


def _version(text: JsonValue) -> _Version | None:
    document = next(iter(_objects(text)), {})
    user, at = document.get("updatedBy"), _time(document.get("updatedAt"))
    if not isinstance(user, str) or at is None:
        return None
    described = next(iter(_objects(document.get("changeDescription"))), {})
    changes = [change for kind in _CHANGES for change in _objects(described.get(kind))]
    names = [name.partition(".")[0] for change in changes if isinstance(name := change.get("name"), str)]
    old, new = (
        {tag for change in changes if change.get("name") == "tags" for tag in _tags(change.get(value))}
        for value in ("oldValue", "newValue")
    )
    return _Version(
        Edit(user, at),
        frozenset(_RELATIONS.get(name, name) for name in names) | (old ^ new),
        {**_shown(document), **dict.fromkeys(new, True), **dict.fromkeys(old - new, False)},
        digests(document.get("connection")),
    )


def _time(milliseconds: object) -> datetime | None:
    if type(milliseconds) is not int:
        return None
    try:
        return _EPOCH + timedelta(milliseconds=milliseconds)
    except OverflowError:
        return None


def _shown(document: Mapping[str, JsonValue]) -> dict[Key, object]:
    """Return the texts, the ids of what is not inherited, the tags, and whether it was deleted."""
    shown: dict[Key, object] = {name: document.get(name) or "" for name in _TEXTS}
    shown |= {
        today: frozenset(
            str(item.get("id")).lower()
            for name in (today, old)
            for item in _objects(document.get(name))
            if not item.get("inherited")
        )
        for old, today in _RELATIONS.items()
    }
    shown |= dict.fromkeys(_tags(document.get("tags")), True)
    return {**shown, "deleted": document.get("deleted") is True, "connection": True}


def _tags(value: JsonValue) -> Iterator[tuple[str, str]]:
    for tag in _objects(value):
        yield str(tag.get("tagFQN")), str(tag.get("source", "Classification"))


def _objects(value: JsonValue) -> list[dict[str, JsonValue]]:
    """Return the objects of a list, or the one object; either may be a JSON text."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return []
    items = value if isinstance(value, list) else [value]
    return [item for item in items if isinstance(item, dict)]
