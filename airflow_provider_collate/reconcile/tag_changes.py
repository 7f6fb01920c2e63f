"""Compare tags: those declared are there, our own that are no longer declared go, and those of people stay."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from pydantic import JsonValue

from airflow_provider_collate.client.services import PatchOperation
from airflow_provider_collate.models.service import Service, ShownTag
from airflow_provider_collate.reconcile.facts import Authors, ServerFacts
from airflow_provider_collate.reconcile.field_change import FieldChange, Status, listing
from airflow_provider_collate.reconcile.relation_changes import items

Key = tuple[str, str]


def tag_changes(
    declared: JsonValue, service: Service, facts: ServerFacts, authors: Authors | None
) -> Iterator[FieldChange]:
    """Yield what to do about the tags of a service, and which tags of other people stay.

    :param declared: whole tag labels, as declared.
    """
    wanted = {(str(tag["tagFQN"]), str(tag.get("source", "Classification"))): tag for tag in items(declared)}
    shown = {(tag.tag_fqn, tag.source): tag for tag in service.tags or ()}
    yield from _other_types(wanted, shown)
    undeclared = [tag for key, tag in shown.items() if key not in wanted and tag.is_ours]
    if undeclared and authors is None and facts.on_conflict != "overwrite":
        yield FieldChange("tags", _text(shown, wanted), status=Status.UNDECIDED)
        return
    ours = [tag for tag in undeclared if facts.on_conflict == "overwrite" or _is_set_by(facts.user, tag, authors)]
    others = [tag for tag in undeclared if tag not in ours]
    excluded = _excluded(wanted, shown, others, authors)
    yield from _conflicts(excluded, authors)
    kept = {key: tag for key, tag in wanted.items() if key not in {key for key, _ in excluded}}
    changed = [key for key in kept if key not in shown or shown[key].state != kept[key].get("state", "Confirmed")]
    if changed or ours:
        stay = [tag for key, tag in shown.items() if key not in wanted and tag not in ours]
        value: JsonValue = [*kept.values(), *map(_label, stay)]
        staying = [tag.tag_fqn for tag in stay if tag.is_ours]
        yield FieldChange("tags", _text(shown, kept, staying), (PatchOperation("add", "/tags", value),))
    if others:
        names = listing(f"{tag.tag_fqn} ({_author(tag, authors)})" for tag in others)
        yield FieldChange("tags", f"{names} not declared, set by others, and kept", status=Status.LEFT)


def _other_types(wanted: Mapping[Key, dict[str, JsonValue]], shown: Mapping[Key, ShownTag]) -> Iterator[FieldChange]:
    """Yield tags that are there with another `labelType` than the one given: no write changes it (server source)."""
    for key, tag in wanted.items():
        given = tag.get("labelType", "Manual")
        if given != "Manual" and key in shown and shown[key].label_type != given:
            text = f"{key[0]} is there with labelType {shown[key].label_type}, which no write turns into {given}"
            yield FieldChange("tags", text, status=Status.LEFT)


def classification_of(fqn: str, source: str) -> str:
    """Return the classification of a tag; empty for a glossary term."""
    return fqn.partition(".")[0] if source == "Classification" else ""


def _is_set_by(user: str, tag: ShownTag, authors: Authors | None) -> bool:
    if tag.applied_by is not None:
        return tag.applied_by == user
    edit = authors.history.tag_edit(tag.tag_fqn, tag.source) if authors else None
    return edit is not None and edit.user == user


def _excluded(
    wanted: Mapping[Key, dict[str, JsonValue]],
    shown: Mapping[Key, ShownTag],
    others: Sequence[ShownTag],
    authors: Authors | None,
) -> list[tuple[Key, ShownTag]]:
    """Return the declared tags that are not there because a tag of somebody else excludes them."""
    exclusive = authors.exclusive if authors else frozenset()
    occupied = {classification_of(tag.tag_fqn, tag.source): tag for tag in others}
    return [
        (key, occupied[name])
        for key in wanted
        if key not in shown and (name := classification_of(*key)) in exclusive and name in occupied
    ]


def _conflicts(excluded: Sequence[tuple[Key, ShownTag]], authors: Authors | None) -> Iterator[FieldChange]:
    for (fqn, _), tag in excluded:
        classification = classification_of(tag.tag_fqn, tag.source)
        kept = f"{tag.tag_fqn} ({_author(tag, authors)}) is kept, {fqn} was declared"
        yield FieldChange("tags", f"{kept}; {classification} allows one tag", status=Status.CONFLICT)


def _author(tag: ShownTag, authors: Authors | None) -> str:
    if tag.applied_by is not None:
        return tag.applied_by
    return authors.name(authors.history.tag_edit(tag.tag_fqn, tag.source)) if authors else "by somebody else"


def _text(
    shown: Mapping[Key, ShownTag], wanted: Mapping[Key, dict[str, JsonValue]], staying: Sequence[str] = ()
) -> str:
    old = listing(_shown_text(tag) for tag in shown.values() if tag.is_ours or tag.state != "Confirmed")
    return f"{old} → {listing([*(fqn for fqn, _ in wanted), *staying])}"


def _shown_text(tag: ShownTag) -> str:
    return tag.tag_fqn if tag.state == "Confirmed" else f"{tag.tag_fqn} ({tag.state.lower()})"


def _label(tag: ShownTag) -> dict[str, JsonValue]:
    return {"tagFQN": tag.tag_fqn, "source": tag.source, "labelType": tag.label_type, "state": tag.state}
