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
_RELATIONS = {"owners": ("owners", "owner"), "domains": ("domains", "domain")}
_CHANGES = ("fieldsAdded", "fieldsUpdated", "fieldsDeleted")
# A domain that is assigned on the domain's own page leaves no version on the service, and later versions show it.
_ASSIGNED_ELSEWHERE = ("domains",)

Tag = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Edit:
    """Who edited a service, and when.

    :param user: the user's name.
    :param at: the time, by the server's clock.
    """

    user: str
    at: datetime


@dataclass(frozen=True, slots=True)
class _Version:
    edit: Edit
    changed: frozenset[str]
    added_tags: frozenset[Tag] = frozenset()
    removed_tags: frozenset[Tag] = frozenset()
    tags: frozenset[Tag] = frozenset()
    shown: Mapping[str, object] = field(default_factory=dict, repr=False)
    connection: Digests = field(default_factory=dict, repr=False)


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
        return frozenset(name for version in ours for name in version.changed)

    @property
    def gap(self) -> str:
        """Say why an author is not shown, in the words of a message."""
        if not self.versions:
            return "its history is empty"
        return "its history cannot be read" if None in self.versions else "its history does not show who"

    def was_never_set(self, name: str) -> bool:
        """Return whether no version shows a field with a value.

        :param name: the field's name in the API of today.
        """
        return not any(
            version is None or name in version.changed or version.shown.get(name) for version in self.versions
        )

    def last_edit(self, name: str, shown: object) -> Edit | None:
        """Return who set a field to what the catalog shows; None where the history does not show that.

        :param name: `description`, `displayName`, `owners`, `domains`, `connection` or `deleted`.
        :param shown: a text; the references of a list; for `connection` and `deleted` any true value.
        """
        for version in self.versions:
            if version is None:
                return None
            if name in version.changed:
                return version.edit if _is_same(name, version, shown) else None
        first = self._first
        if first is None or not _is_same(name, first, shown):
            return None
        return None if name in _ASSIGNED_ELSEWHERE else first.edit

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
        for version in self.versions:
            if version is None or (fqn, source) in version.removed_tags:
                return None
            if (fqn, source) in version.added_tags:
                return version.edit
        first = self._first
        return first.edit if first and (fqn, source) in first.tags else None

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
    try:
        document = json.loads(text) if isinstance(text, str) else text
    except (ValueError, RecursionError):
        return None
    if not isinstance(document, dict):
        return None
    user, at = document.get("updatedBy"), _time(document.get("updatedAt"))
    if not isinstance(user, str) or at is None:
        return None
    changes = document.get("changeDescription")
    changes = changes if isinstance(changes, dict) else {}
    return _Version(
        Edit(user, at),
        frozenset(map(_today, _names(changes))),
        *_tag_changes(changes),
        frozenset(_tags(document.get("tags"))),
        _shown(document),
        digests(document.get("connection")),
    )


def _time(milliseconds: object) -> datetime | None:
    if not isinstance(milliseconds, int) or isinstance(milliseconds, bool):
        return None
    try:
        return _EPOCH + timedelta(milliseconds=milliseconds)
    except OverflowError:
        return None


def _names(changes: Mapping[str, object]) -> Iterator[str]:
    for kind in _CHANGES:
        for change in _objects(changes.get(kind)):
            name = change.get("name")
            if isinstance(name, str):
                yield name.partition(".")[0]


def _today(name: str) -> str:
    return next((today for today, names in _RELATIONS.items() if name in names), name)


def _shown(document: Mapping[str, object]) -> dict[str, object]:
    shown: dict[str, object] = {name: document.get(name) for name in _TEXTS}
    for today, names in _RELATIONS.items():
        shown[today] = frozenset(
            str(item.get("id")).lower()
            for name in names
            for item in _objects(document.get(name))
            if not item.get("inherited")
        )
    return {**shown, "deleted": document.get("deleted") is True}


def _is_same(name: str, version: _Version, shown: object) -> bool:
    there = version.shown.get(name)
    if name in _RELATIONS:
        ids = {str(reference.id).lower() for reference in shown} if isinstance(shown, tuple) else set()
        return there == ids
    return (there or "") == shown if name in _TEXTS else name == "connection" or bool(there) is bool(shown)


def _tag_changes(changes: Mapping[str, object]) -> tuple[frozenset[Tag], frozenset[Tag]]:
    """Return the tags that a version has added, and those that it has removed."""
    old: set[Tag] = set()
    new: set[Tag] = set()
    for kind in _CHANGES:
        for change in _objects(changes.get(kind)):
            if change.get("name") == "tags":
                old.update(_tags(change.get("oldValue")))
                new.update(_tags(change.get("newValue")))
    return frozenset(new - old), frozenset(old - new)


def _tags(value: object) -> Iterator[Tag]:
    for tag in _objects(value):
        yield str(tag.get("tagFQN")), str(tag.get("source", "Classification"))


def _objects(value: object) -> list[dict[str, object]]:
    """Return the objects of a list, or the one object; either may be a JSON text."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return []
    items = value if isinstance(value, list) else [value]
    return [item for item in items if isinstance(item, dict)]
