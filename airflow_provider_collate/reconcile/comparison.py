"""Compare the fields of one service with its declaration, and decide about each by who set it last."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from pydantic import JsonValue

from airflow_provider_collate.client.services import PatchOperation
from airflow_provider_collate.models.declared import ConnectionPart
from airflow_provider_collate.models.history import Edit
from airflow_provider_collate.models.service import Service, ShownReference, ShownTag
from airflow_provider_collate.models.stored_text import is_stored_form, same_text
from airflow_provider_collate.reconcile.connection_changes import connection_changes
from airflow_provider_collate.reconcile.facts import Authors, ServerFacts
from airflow_provider_collate.reconcile.field_change import FieldChange, Status, excerpt, excerpts, listing

MASKED = "masked, not compared"
# What a tag is in, and its own name, which stands in quotes if it has a dot.
_TAG = re.compile(r'(.+)\.("[^"]*"|[^".]+)', re.DOTALL)

Key = tuple[str, str]
Object = dict[str, JsonValue]


@dataclass(slots=True)  # not frozen: there is one for each row
class Comparison:
    """A declaration and the service that the catalog shows.

    Our own value of a field is updated, somebody else's is a conflict. What the history does not show was set by
    somebody else.

    :param declared: the declaration, its names resolved to references `{"id", "type", "name"}`.
    :param config_model: the model of its connection's config.
    :param facts: the server's release, whose token it is, and what to do about what others set.
    :param authors: who set what; None while the history is not read.
    """

    declared: Mapping[str, JsonValue]
    config_model: type[ConnectionPart]
    service: Service
    facts: ServerFacts
    rewrite_secrets: bool | None
    authors: Authors | None

    def changes(self) -> tuple[FieldChange, ...]:
        """Return each field that is not as declared."""
        return tuple(self._changes())

    def _changes(self) -> Iterator[FieldChange]:
        if self.service.deleted:
            deleted = FieldChange("deleted", "true → false")
            yield self._decided(deleted, True, "it was soft-deleted ({author}), and stays so")
        for name, shown in (("displayName", self.service.display_name), ("description", self.service.description)):
            if name in self.declared:
                yield from self._text_changes(name, str(self.declared[name] or ""), shown or "")
        if "tags" in self.declared:
            yield from self._tag_changes(items(self.declared["tags"]), self.service.tags or ())
        yield from self._relation_changes()
        connection = self.declared.get("connection")
        # An explicit None sends no connection, and so says nothing about the one that is there.
        if isinstance(connection, dict):
            for change in connection_changes(connection, self.config_model, self.service.connection):
                yield self._secret_change(change)

    def _decided(self, change: FieldChange, shown: object, conflict: str) -> FieldChange:
        """Return the change with its status.

        :param shown: what the catalog shows, as the history is asked for it; empty where it shows nothing.
        :param conflict: the text of a conflict, with `{author}` in it.
        """
        if self.facts.on_conflict == "overwrite":
            return change
        if self.authors is None:
            return replace(change, status=Status.UNDECIDED)
        history = self.authors.history
        if not shown and history.was_never_set(change.field):
            return change
        return self._settled(change, history.last_edit(change.field, shown), conflict, self.authors)

    def _settled(self, change: FieldChange, edit: Edit | None, conflict: str, authors: Authors) -> FieldChange:
        if edit is not None and edit.user == self.facts.user:
            return change
        text = conflict.replace("{author}", authors.name(edit))
        return FieldChange(change.field, text, status=Status.CONFLICT)

    def _text_changes(self, name: str, wanted: str, shown: str) -> Iterator[FieldChange]:
        if same_text(wanted, shown):
            return
        if name == "description" and self.facts.release.sanitises and is_stored_form(wanted, shown):
            return
        path = f"/{name}"
        guard = (PatchOperation("test", path, shown),) if shown else ()
        operation = PatchOperation("add", path, wanted) if wanted else PatchOperation("remove", path)
        old, new = excerpts(shown, wanted)
        change = FieldChange(name, f"{old} → {new}", (*guard, operation))
        yield self._decided(change, shown, f"{old} ({{author}}) is kept, {new} was declared")

    def _relation_changes(self) -> Iterator[FieldChange]:
        service = self.service
        lists = (("owners", service.owners), ("domains", service.domains), ("dataProducts", service.data_products))
        for name, shown in lists:
            if name in self.declared:
                yield from self._list_changes(name, items(self.declared[name]), shown or ())
        if "ingestionRunner" in self.declared:
            yield from _runner_changes(self.declared["ingestionRunner"], service.ingestion_runner)
        if "style" in self.declared:
            yield from _style_changes(self.declared["style"], service.style)

    def _list_changes(
        self, name: str, declared: Sequence[Object], shown: Sequence[ShownReference]
    ) -> Iterator[FieldChange]:
        wanted = {str(item["id"]).lower(): item for item in declared}
        there = {item.id.lower(): item for item in shown}
        # What a service inherits from its domain may be in the list or not.
        if wanted.keys() <= there.keys() and all(there[key].inherited for key in there.keys() - wanted.keys()):
            return
        own = tuple(item for item in shown if not item.inherited)
        old = listing(item.label for item in own)
        new = listing(str(item.get("name") or item["id"]) for item in wanted.values())
        release = self.facts.release
        shaped = release.shape(name, [{"id": item["id"], "type": item["type"]} for item in wanted.values()])
        path = f"/{release.name_of(name)}"
        operation = PatchOperation("remove", path) if shaped is None else PatchOperation("add", path, shaped)
        change = FieldChange(name, f"{old} → {new}", (operation,))
        if name == "dataProducts":  # nobody chooses them on the service itself
            yield change
        else:
            yield self._decided(change, own, f"{old} ({{author}}) is kept, {new} was declared")

    def _tag_changes(self, declared: Sequence[Object], tags: Sequence[ShownTag]) -> Iterator[FieldChange]:
        """Yield what to do about the tags: those declared are there, our own others go, and those of people stay."""
        wanted = {_tag_key(tag): tag for tag in declared}
        shown = {(tag.tag_fqn, tag.source): tag for tag in tags}
        yield from _other_types(wanted, shown)
        overwrite = self.facts.on_conflict == "overwrite"
        undeclared = [tag for key, tag in shown.items() if key not in wanted and tag.is_ours]
        if undeclared and self.authors is None and not overwrite:
            yield FieldChange("tags", _tags_text(shown, wanted), status=Status.UNDECIDED)
            return
        ours = [tag for tag in undeclared if overwrite or self._is_set_by_us(tag)]
        others = [tag for tag in undeclared if tag not in ours]
        excluded = self._excluded([key for key in wanted if key not in shown], others)
        for key, tag in excluded.items():
            kept = f"{tag.tag_fqn} ({self._author_of(tag)}) is kept, {key[0]} was declared"
            yield FieldChange("tags", f"{kept}; {classification_of(*key)} allows one tag", status=Status.CONFLICT)
        put = {key: tag for key, tag in wanted.items() if key not in excluded}
        changed = [key for key in put if key not in shown or shown[key].state != put[key].get("state", "Confirmed")]
        if changed or ours:
            stay = [tag for key, tag in shown.items() if key not in wanted and tag not in ours]
            text = _tags_text(shown, [*put, *((tag.tag_fqn, "") for tag in stay if tag.is_ours)])
            yield FieldChange("tags", text, (PatchOperation("add", "/tags", [*put.values(), *map(_label, stay)]),))
        if others:
            names = listing(f"{tag.tag_fqn} ({self._author_of(tag)})" for tag in others)
            yield FieldChange("tags", f"{names} not declared, set by others, and kept", status=Status.LEFT)

    def _is_set_by_us(self, tag: ShownTag) -> bool:
        if tag.applied_by is not None:
            return tag.applied_by == self.facts.user
        edit = self.authors.history.tag_edit(tag.tag_fqn, tag.source) if self.authors else None
        return edit is not None and edit.user == self.facts.user

    def _author_of(self, tag: ShownTag) -> str:
        if tag.applied_by is not None:
            return tag.applied_by
        authors = self.authors
        return authors.name(authors.history.tag_edit(tag.tag_fqn, tag.source)) if authors else "by somebody else"

    def _excluded(self, missing: Sequence[Key], others: Sequence[ShownTag]) -> dict[Key, ShownTag]:
        """Return the declared tags that are not there because a tag of somebody else excludes them."""
        exclusive = self.authors.exclusive if self.authors else frozenset()
        occupied = {classification_of(tag.tag_fqn, tag.source): tag for tag in others}
        names = {key: classification_of(*key) for key in missing}
        return {key: occupied[name] for key, name in names.items() if name in exclusive and name in occupied}

    def _secret_change(self, change: FieldChange) -> FieldChange:
        """Return a change of a connection with its status settled by the options and by who wrote the connection."""
        if change.status is Status.UNDECIDED:
            removal = replace(change, status=Status.WRITE)
            if self.facts.on_conflict == "overwrite":
                return removal
            if self.authors is None:
                return change
            edit = self.authors.history.connection_edit(change.operations[0].path)
            text = "is not declared, but was set ({author}), and is kept"
            return self._settled(removal, edit, text, self.authors)
        if change.status is Status.REWRITE and self.rewrite_secrets is False:
            return FieldChange(change.field, MASKED, status=Status.LEFT)
        if change.status is Status.EXTERNAL and self.rewrite_secrets:
            return replace(change, shows="in a secrets manager, written again", status=Status.REWRITE)
        return change


def _runner_changes(declared: JsonValue, shown: ShownReference | None) -> Iterator[FieldChange]:
    wanted = declared if isinstance(declared, dict) else {}
    if str(wanted.get("id", "")).lower() == (shown.id.lower() if shown else ""):
        return
    path = "/ingestionRunner"
    value: JsonValue = {key: wanted[key] for key in ("id", "type") if key in wanted}
    operation = PatchOperation("add", path, value) if wanted else PatchOperation("remove", path)
    old, new = shown.label if shown else "", str(wanted.get("name") or wanted.get("id") or "")
    yield FieldChange("ingestionRunner", f"{excerpt(old)} → {excerpt(new)}", (operation,))


def _style_changes(declared: JsonValue, shown: Mapping[str, JsonValue] | None) -> Iterator[FieldChange]:
    given = declared if isinstance(declared, dict) else {}
    wanted, there = ({key: text for key, text in style.items() if text is not None} for style in (given, shown or {}))
    if wanted == there:
        return
    operation = PatchOperation("add", "/style", dict(wanted)) if wanted else PatchOperation("remove", "/style")
    old, new = (listing(f"{key}: {text}" for key, text in style.items()) for style in (there, wanted))
    yield FieldChange("style", f"{old} → {new}", (operation,))


def _other_types(wanted: Mapping[Key, Object], shown: Mapping[Key, ShownTag]) -> Iterator[FieldChange]:
    """Yield tags that are there with another `labelType` than the one given: no write changes it (server source)."""
    for key, tag in wanted.items():
        given = tag.get("labelType", "Manual")
        if given != "Manual" and key in shown and shown[key].label_type != given:
            text = f"{key[0]} is there with labelType {shown[key].label_type}, which no write turns into {given}"
            yield FieldChange("tags", text, status=Status.IGNORED)


def _tags_text(shown: Mapping[Key, ShownTag], then: Iterable[Key]) -> str:
    there = (tag for tag in shown.values() if tag.is_ours or tag.state != "Confirmed")
    old = listing(tag.tag_fqn if tag.state == "Confirmed" else f"{tag.tag_fqn} ({tag.state.lower()})" for tag in there)
    return f"{old} → {listing(fqn for fqn, _ in then)}"


def _label(tag: ShownTag) -> JsonValue:
    return {"tagFQN": tag.tag_fqn, "source": tag.source, "labelType": tag.label_type, "state": tag.state}


def classification_of(fqn: str, source: str) -> str:
    """Return what a tag is in, which may allow one of its tags only (server source); empty for a glossary term."""
    found = _TAG.fullmatch(fqn) if source == "Classification" else None
    return found[1] if found else ""


def tag_keys(fields: Mapping[str, JsonValue]) -> list[Key]:
    """Return the fully qualified name and the source of each declared tag."""
    return list(map(_tag_key, items(fields.get("tags"))))


def _tag_key(tag: Object) -> Key:
    return str(tag["tagFQN"]), str(tag.get("source", "Classification"))


def texts(value: JsonValue) -> list[str]:
    """Return the texts in a list; nothing for an explicit null."""
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def items(value: JsonValue) -> list[Object]:
    """Return the objects in a list; nothing for an explicit null."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
