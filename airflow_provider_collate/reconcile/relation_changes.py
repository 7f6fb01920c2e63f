"""Compare owners, domains, data products, the ingestion runner and the style of a service with its declaration."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet

from pydantic import JsonValue

from airflow_provider_collate.client.services import PatchOperation
from airflow_provider_collate.models.service import Service, ShownReference
from airflow_provider_collate.reconcile.authorship import decided
from airflow_provider_collate.reconcile.facts import Authors, ServerFacts
from airflow_provider_collate.reconcile.field_change import FieldChange, listing, quoted

Row = Mapping[str, JsonValue]
# Relations that a person may choose on the service itself; the history tells who did.
_CHOSEN = frozenset({"owners", "domains"})


def relation_changes(
    declared: Row, service: Service, facts: ServerFacts, authors: Authors | None
) -> Iterator[FieldChange]:
    """Yield the relations that are not as declared.

    :param declared: the declaration, its names resolved to references `{"id", "type", "name"}`.
    """
    for name, shown in (
        ("owners", service.owners),
        ("domains", service.domains),
        ("dataProducts", service.data_products),
    ):
        if name in declared:
            yield from _list_changes(name, declared[name], shown or (), facts, authors)
    if "ingestionRunner" in declared:
        yield from _runner_changes(declared["ingestionRunner"], service.ingestion_runner)
    if "style" in declared:
        yield from _style_changes(declared["style"], service.style)


def _list_changes(
    name: str, declared: JsonValue, shown: tuple[ShownReference, ...], facts: ServerFacts, authors: Authors | None
) -> Iterator[FieldChange]:
    wanted = {str(item["id"]).lower(): item for item in items(declared)}
    if _is_whole(wanted.keys(), {item.id.lower(): item for item in shown}):
        return
    old = listing(item.label for item in shown if not item.inherited)
    new = listing(str(item.get("name") or item["id"]) for item in wanted.values())
    value: JsonValue = [{"id": item["id"], "type": item["type"]} for item in wanted.values()]
    change = FieldChange(name, f"{old} → {new}", (_list_operation(name, value, facts),))
    if name not in _CHOSEN:
        yield change
        return
    own = tuple(item for item in shown if not item.inherited)
    yield decided(change, own, f"{old} ({{author}}) is kept, {new} was declared", facts, authors)


def _list_operation(name: str, value: JsonValue, facts: ServerFacts) -> PatchOperation:
    shaped = facts.release.shape(name, value)
    path = f"/{facts.release.name_of(name)}"
    return PatchOperation("remove", path) if shaped is None else PatchOperation("add", path, shaped)


def _is_whole(wanted: AbstractSet[str], shown: Mapping[str, ShownReference]) -> bool:
    """Return whether the list is as declared; what a service inherits from its domain may be in it or not."""
    return wanted <= shown.keys() and all(item.inherited for key, item in shown.items() if key not in wanted)


def _runner_changes(declared: JsonValue, shown: ShownReference | None) -> Iterator[FieldChange]:
    wanted = declared if isinstance(declared, dict) else {}
    if str(wanted.get("id", "")).lower() == (shown.id.lower() if shown else ""):
        return
    path = "/ingestionRunner"
    value: JsonValue = {key: wanted[key] for key in ("id", "type") if key in wanted}
    operation = PatchOperation("add", path, value) if wanted else PatchOperation("remove", path)
    old, new = shown.label if shown else "", str(wanted.get("name") or wanted.get("id") or "")
    yield FieldChange("ingestionRunner", f"{quoted(old)} → {quoted(new)}", (operation,))


def _style_changes(declared: JsonValue, shown: Mapping[str, JsonValue] | None) -> Iterator[FieldChange]:
    wanted = _given(declared if isinstance(declared, dict) else {})
    there = _given(shown or {})
    if wanted == there:
        return
    operation = PatchOperation("add", "/style", dict(wanted)) if wanted else PatchOperation("remove", "/style")
    yield FieldChange("style", f"{_style(there)} → {_style(wanted)}", (operation,))


def _given(style: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    return {key: value for key, value in style.items() if value is not None}


def _style(value: Mapping[str, JsonValue]) -> str:
    return listing(f"{key}: {text}" for key, text in value.items())


def items(value: JsonValue) -> list[dict[str, JsonValue]]:
    """Return the objects in a list; nothing for an explicit null."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
