"""Compare a declaration with what the catalog shows, field by field.

What differs becomes operations of one JSON Patch. A PATCH rather than a PUT, because of what was
recorded on a real server: a bot's PUT answers 200 and keeps the old description and drops tags,
and anyone's PUT clears what it does not mention, so that it would have to be filled up first, with
secrets that a person's token cannot read. One PATCH is one request as well, applies all of them,
and can be guarded by a `test` against changes made meanwhile.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import lru_cache

from pydantic import JsonValue

from airflow_provider_collate.client.release import Release
from airflow_provider_collate.client.services import PatchOperation
from airflow_provider_collate.models import CreateServiceRequest
from airflow_provider_collate.models.fingerprint import (
    MASK,
    OBJECT,
    UNREADABLE,
    Fingerprint,
    digest,
    digest_at,
    dotted,
    pointer,
)
from airflow_provider_collate.models.service import Service, ShownReference, ShownTag

Row = Mapping[str, JsonValue]
Lookup = Callable[[str, str], dict[str, JsonValue] | None]

KEPT_FROM_BOTS = "a bot's PUT does not replace it"
TEXTS = ("displayName", "description")
# Fields that a list or a get shows only when asked: the model's name → the API's.
_ON_REQUEST = {"tags": "tags", "owners": "owners", "domains": "domains", "data_products": "dataProducts"}
_RELATIONS = frozenset({*_ON_REQUEST.values(), "ingestionRunner"})
# What the server fills in by itself (recorded, and defaults in its schemas): an explicit None is content with it.
_FILLED_IN: dict[str, tuple[JsonValue, ...]] = {
    "supportsMetadataExtraction": (True,),
    "assumeRoleSessionName": ("OpenMetadataSession",),
    "enabled": (False,),
    "lifetime": (3600,),
    "authUri": ("https://accounts.google.com/o/oauth2/auth",),
    "tokenUri": ("https://oauth2.googleapis.com/token",),
    "authProviderX509CertUrl": ("https://www.googleapis.com/oauth2/v1/certs",),
}
_SHOWN_LENGTH = 60
_SHOWN_BEFORE = 20
_LONGEST_PATH = 200


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field that is not as declared.

    :param field: its path, e.g. `connection.config.trackingUri`.
    :param shows: what the catalog shows and what was asked, in words without a secret.
    :param operations: what would mend it.
    :param kept_because: why it is not to be written; empty when it is.
    :param only_patched: whether a PUT would not do it, so that the plan says it is done by a patch.
    """

    field: str
    shows: str
    operations: tuple[PatchOperation, ...] = dataclasses.field(default=(), repr=False)
    kept_because: str = ""
    only_patched: bool = False

    def __str__(self) -> str:
        return f"{self.field}: {self.shows}{f': {self.kept_because}' if self.kept_because else ''}"


@dataclass(frozen=True, slots=True)
class Difference:
    """All that differs between a declaration and a service.

    :param changes: the fields, in a fixed order.
    :param masked: declared secrets that the catalog shows only masked, so that nothing can be said of them.
    :param rewrite_masked: whether they are to be written though nothing else differs.
    """

    changes: tuple[FieldChange, ...]
    masked: tuple[FieldChange, ...] = ()
    rewrite_masked: bool = False

    @property
    def writable(self) -> tuple[FieldChange, ...]:
        """The changes that are to be written; secrets that cannot be compared go along with any other."""
        changes = tuple([change for change in self.changes if not change.kept_because])
        return changes + self.masked if changes or self.rewrite_masked else ()

    @property
    def kept(self) -> tuple[FieldChange, ...]:
        """The changes that are not to be written, each with its reason."""
        return tuple([change for change in self.changes if change.kept_because])


NO_DIFFERENCE = Difference(())


@dataclass(frozen=True, slots=True)
class Comparison:
    """Compares declarations with services on one server.

    :param release: the server's release.
    :param is_bot: tells whether the token is a bot's; asked only when it matters.
    :param reference: finds the reference to a domain or data product by its name.
    :param enforce: whether texts that a bot's PUT would not replace are replaced.
    :param rewrite_secrets: whether masked secrets are written though nothing else differs.
    """

    release: Callable[[], Release]
    is_bot: Callable[[], bool]
    reference: Lookup
    enforce: bool = False
    rewrite_secrets: bool = False

    def difference(self, declared: Row, service: Service) -> Difference:
        """What would have to change for the service to be as declared.

        :param declared: the declaration's fields in the API's spelling, only those that were given.
        :param service: what the catalog shows, with the fields of `fields_to_read`.
        """
        changes = list(self._texts(declared, service))
        if not _RELATIONS.isdisjoint(declared):
            changes += [*_tags(declared, service), *self._references(declared, service)]
        masked: list[FieldChange] = []
        connection = declared.get("connection")
        # An explicit None sends no connection, and so says nothing about the one that is there.
        if isinstance(connection, dict):
            _compare_connection(connection, service.connection, "/connection", changes, masked)
        return Difference(tuple(changes), tuple(masked), self.rewrite_secrets) if changes or masked else NO_DIFFERENCE

    def cannot_hold(self, request: CreateServiceRequest) -> str:
        """Why the server's release cannot hold a new service so declared; empty when it can."""
        for name, items in (("owners", request.owners or ()), ("domains", request.domains or ())):
            if len(items) > 1 and not self.release().has_many(name):
                return f"asks for {len(items)} {name}, but Collate {self.release().text} holds one"
        if _has_mask(request.declared().get("connection")):
            return f'has the mask "{MASK}" where a new service needs the secret itself'
        return ""

    def _texts(self, declared: Row, service: Service) -> Iterator[FieldChange]:
        for name, shown in zip(TEXTS, (service.display_name, service.description), strict=True):
            if name not in declared:
                continue
            asked = declared[name] if isinstance(declared[name], str) else ""
            if same_text(str(asked), shown or ""):
                continue
            path = f"/{name}"
            guard = (PatchOperation("test", path, shown),) if shown else ()
            change = PatchOperation("add", path, asked) if asked else PatchOperation("remove", path)
            old, new = _quoted_pair(shown or "", str(asked))
            if shown and not self.enforce and self.is_bot():
                yield FieldChange(name, f"{old} stays, {new} was asked", (), KEPT_FROM_BOTS)
            else:
                yield FieldChange(name, f"{old} → {new}", (*guard, change), only_patched=True)

    def _references(self, declared: Row, service: Service) -> Iterator[FieldChange]:
        if "owners" in declared:
            asked = [item for item in _items(declared["owners"]) if isinstance(item, dict)]
            yield from self._owners(asked, service.owners or ())
        for name, shown in (("domains", service.domains), ("dataProducts", service.data_products)):
            if name in declared:
                yield from self._named(name, [str(item) for item in _items(declared[name])], shown or ())
        if "ingestionRunner" in declared:
            yield from _runner(declared["ingestionRunner"], service.ingestion_runner)

    def _owners(self, asked: list[dict[str, JsonValue]], shown: tuple[ShownReference, ...]) -> Iterator[FieldChange]:
        wanted = {str(item["id"]).lower(): item for item in asked}
        if _is_whole(wanted.keys(), {item.id.lower(): item for item in shown}):
            return
        text = _listed(
            (item.label for item in shown if not item.inherited),
            (str(item.get("name") or item["id"]) for item in wanted.values()),
        )
        value: JsonValue = [{"id": item["id"], "type": item["type"]} for item in wanted.values()]
        yield self._list_change("owners", text, value, present=bool(shown))

    def _named(self, name: str, asked: list[str], shown: tuple[ShownReference, ...]) -> Iterator[FieldChange]:
        wanted = dict.fromkeys(asked)
        if _is_whole(wanted.keys(), {item.label: item for item in shown}):
            return
        found = {fqn: self.reference(name, fqn) for fqn in wanted}
        missing = sorted(fqn for fqn, reference in found.items() if reference is None)
        text = _listed((item.label for item in shown if not item.inherited), wanted)
        if missing:
            yield FieldChange(name, text, (), f"{_listing(missing)} not in the catalog")
            return
        value: JsonValue = list(found.values())
        yield self._list_change(name, text, value, present=bool(shown))

    def _list_change(self, name: str, text: str, value: JsonValue, *, present: bool) -> FieldChange:
        release = self.release()
        if not release.has_many(name) and len(_items(value)) > 1:
            return FieldChange(name, text, (), f"Collate {release.text} holds one")
        shaped = release.shape(name, value)
        path = f"/{release.name_of(name)}"
        if shaped is not None:
            return FieldChange(name, text, (PatchOperation("add", path, shaped),), only_patched=True)
        return FieldChange(name, text, (PatchOperation("remove", path),) if present else (), only_patched=True)


def _has_mask(value: JsonValue) -> bool:
    if isinstance(value, dict):
        return any(_has_mask(inner) for inner in value.values())
    return value == MASK


def fields_to_read(requests: Iterable[CreateServiceRequest]) -> frozenset[str]:
    """The fields that must be asked for to compare these declarations."""
    given: set[str] = set().union(*(request.model_fields_set for request in requests))
    return frozenset(_ON_REQUEST[name] for name in given & _ON_REQUEST.keys())


def quoted(text: JsonValue) -> str:
    """A text in quotes on one line, bounded."""
    return f'"{_one_line(str(text or ""), _SHOWN_LENGTH)}"'


def _quoted_pair(old: str, new: str) -> tuple[str, str]:
    """Two texts that differ, in quotes; from shortly before the first difference where their beginnings look alike."""
    if quoted(old) != quoted(new):
        return quoted(old), quoted(new)
    pairs = enumerate(zip(old, new, strict=False))
    alike = next((place for place, (one, other) in pairs if one != other), min(len(old), len(new)))
    start = max(0, alike - _SHOWN_BEFORE)
    return quoted(f"…{old[start:]}"), quoted(f"…{new[start:]}")


def _compare_connection(
    declared: Mapping[str, JsonValue],
    shown: Fingerprint,
    at: str,
    changes: list[FieldChange],
    masked: list[FieldChange],
) -> None:
    """Note each field of a connection that differs, and apart from those each that the catalog masks."""
    if at not in shown:
        value = _without_nulls(declared)
        if value:
            changes.append(_connection_change(at, PatchOperation("add", at, value), "missing"))
        return
    if "type" in declared and _is_another_variant(declared, shown, at):
        changes.append(_connection_change(at, PatchOperation("add", at, _without_nulls(declared))))
        return
    for key, value in declared.items():
        path = pointer(at, key)
        there = shown.get(path)
        if isinstance(value, dict) and value and there in (OBJECT, None):
            _compare_connection(value, shown, path, changes, masked)
        elif change := _leaf_change(key, value, path, there):
            (masked if value is not None and there == UNREADABLE else changes).append(change)


def _leaf_change(key: str, value: JsonValue, path: str, there: bytes | None) -> FieldChange | None:
    if value is None:
        if there is None or _filled_in(key, there):
            return None
        return _connection_change(path, PatchOperation("remove", path), "to be removed")
    if there is None:
        return (
            None if value in ("", [], {}) else _connection_change(path, PatchOperation("add", path, value), "missing")
        )
    if value == MASK or there == digest_at(key, value) or (value == {} and there == OBJECT):
        # The mask was copied from what a person is shown; written back, it keeps the stored secret (recorded).
        return None
    what = "masked, written again" if there == UNREADABLE else "changed"
    return _connection_change(path, PatchOperation("add", path, value), what)


def _connection_change(at: str, operation: PatchOperation, what: str = "changed") -> FieldChange:
    return FieldChange(_field_name(at), what, (operation,))


@lru_cache(maxsize=4096)
def _field_name(at: str) -> str:
    return _one_line(dotted(at), _LONGEST_PATH)


def _is_another_variant(declared: Mapping[str, JsonValue], shown: Fingerprint, at: str) -> bool:
    """Whether `type` says that this is another kind of object, such as other GCP credentials: replaced as a whole."""
    there, asked = shown.get(pointer(at, "type")), declared.get("type")
    return there is not None and isinstance(asked, str) and there != digest_at("type", asked)


def _filled_in(key: str, there: bytes) -> bool:
    return key == "type" or any(there == digest(value) for value in _FILLED_IN.get(key, ()))


def _without_nulls(value: JsonValue | Mapping[str, JsonValue]) -> JsonValue:
    if isinstance(value, Mapping):
        return {key: _without_nulls(inner) for key, inner in value.items() if inner is not None}
    return value


def _tags(declared: Row, service: Service) -> Iterator[FieldChange]:
    if "tags" not in declared:
        return
    wanted = {_tag_key(tag): tag for tag in _items(declared["tags"]) if isinstance(tag, dict)}
    shown = {(tag.tag_fqn, tag.source, tag.state): tag for tag in service.tags or ()}
    ours = {key for key, tag in shown.items() if tag.is_ours}
    if wanted.keys() <= shown.keys() and ours <= wanted.keys():
        return
    # The whole list goes out; tags that are not ours go with it, or the patch would remove them.
    asked_names = {key[:2] for key in wanted}
    others = [tag for key, tag in shown.items() if not tag.is_ours and key[:2] not in asked_names]
    value: JsonValue = [*wanted.values(), *map(_tag_label, others)]
    text = _listed((_tag_text(*key) for key in ours), (_tag_text(*key) for key in wanted))
    yield FieldChange("tags", text, (PatchOperation("add", "/tags", value),), only_patched=True)


def _tag_key(tag: dict[str, JsonValue]) -> tuple[str, str, str]:
    return str(tag["tagFQN"]), str(tag.get("source", "Classification")), str(tag.get("state", "Confirmed"))


def _tag_label(tag: ShownTag) -> dict[str, JsonValue]:
    return {"tagFQN": tag.tag_fqn, "source": tag.source, "labelType": tag.label_type, "state": tag.state}


def _tag_text(fqn: str, _source: str, state: str) -> str:
    return fqn if state == "Confirmed" else f"{fqn} ({state.lower()})"


def _runner(asked: JsonValue, shown: ShownReference | None) -> Iterator[FieldChange]:
    wanted = str(asked["id"]) if isinstance(asked, dict) else ""
    if wanted.lower() == (shown.id.lower() if shown else ""):
        return
    path = "/ingestionRunner"
    operation = PatchOperation("add", path, asked) if wanted else PatchOperation("remove", path)
    text = f"{quoted(shown.label if shown else '')} → {quoted(wanted)}"
    yield FieldChange("ingestionRunner", text, (operation,))


def _is_whole(wanted: AbstractSet[str], shown: Mapping[str, ShownReference]) -> bool:
    """Whether the list is as declared; what a service inherits from its domain may be in it or not."""
    return wanted <= shown.keys() and all(item.inherited for key, item in shown.items() if key not in wanted)


def _items(value: JsonValue) -> list[JsonValue]:
    return value if isinstance(value, list) else []


def same_text(one: str, other: str) -> bool:
    """Equal but for line endings and blanks at the ends of lines, which editors and servers change."""
    return one == other or _plain(one) == _plain(other)


def _plain(text: str) -> str:
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return "\n".join(line.rstrip() for line in lines).rstrip("\n")


def _one_line(text: str, length: int) -> str:
    """A text on one line, bounded, whatever is in it."""
    if not text.isprintable():
        text = "".join(char if char.isprintable() else " " for char in text)
    line = " ".join(text.split())
    return line if len(line) <= length else f"{line[: length - 1]}…"


def _listed(old: Iterable[str], new: Iterable[str]) -> str:
    return f"{_listing(sorted(old))} → {_listing(sorted(new))}"


def _listing(names: list[str]) -> str:
    more = len(names) - 10
    shown = ", ".join(_one_line(name, _LONGEST_PATH) for name in names[:10])
    return f"[{shown}{f', and {more} more' if more > 0 else ''}]"
