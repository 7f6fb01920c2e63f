"""Compare a declared connection with the digests of the one that the catalog shows.

A connection that is given is the whole connection: a documented field that the catalog has and the declaration does
not mention is removed, unless the server fills it in by itself. Fields that the model does not know are left alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import lru_cache

from pydantic import JsonValue

from airflow_provider_collate.client.services import PatchOperation
from airflow_provider_collate.models.connection import ServiceConnection
from airflow_provider_collate.models.declared import ConnectionPart, FieldFacts
from airflow_provider_collate.models.digests import (
    EXTERNAL,
    MASK,
    OBJECT,
    UNREADABLE,
    Digests,
    digest,
    digest_of_type,
    dotted,
    pointer,
)
from airflow_provider_collate.reconcile.field_change import FieldChange, Status, one_line

_EMPTY = frozenset({digest(""), digest([])})

Facts = Mapping[str, FieldFacts]
"""What is known of the fields of a part of a connection."""


def connection_changes(
    declared: Mapping[str, JsonValue], config_model: type[ConnectionPart], shown: Digests
) -> tuple[FieldChange, ...]:
    """Return each field of a connection that is not as declared; no value of it is in the result's text.

    :param config_model: the model of its config.
    """
    return tuple(_object_changes(declared, _facts_of(config_model), shown, "/connection", whole=True))


@lru_cache(maxsize=64)
def _facts_of(config_model: type[ConnectionPart]) -> Facts:
    return {"config": replace(ServiceConnection.fields_by_key["config"], model=config_model)}


def has_mask(value: JsonValue) -> bool:
    """Return whether a value holds the mask that a person sees in place of a secret."""
    if isinstance(value, dict):
        return any(has_mask(inner) for inner in value.values())
    return value == MASK


def _object_changes(
    declared: Mapping[str, JsonValue], facts: Facts | None, shown: Digests, at: str, *, whole: bool
) -> Iterator[FieldChange]:
    """Yield what differs in one object of a connection.

    :param facts: what is known of its fields; None for a mapping.
    :param whole: whether the declaration covers all of it, as it does all that is documented.
    """
    if at not in shown:
        value = _without_nulls(declared)
        if value:
            yield _change(at, PatchOperation("add", at, value), "missing")
        return
    if "type" in declared and _is_another_variant(declared, shown, at):
        yield _change(at, PatchOperation("add", at, _without_nulls(declared)), "changed")
        return
    for key, value in declared.items():
        path = pointer(at, key)
        there = shown.get(path)
        if key == "type" and there is not None and isinstance(value, str):  # compared above
            continue
        if isinstance(value, dict) and there in (OBJECT, None):
            documented = whole if facts is None else key in facts
            yield from _object_changes(value, _facts_below(facts, key, value), shown, path, whole=documented)
        elif value is None and _is_empty(path, shown):
            continue
        elif change := _value_change(key, value, path, there, facts):
            yield change
    if whole:
        yield from _undeclared(declared, facts, shown, at)


def _facts_below(facts: Facts | None, key: str, value: JsonValue) -> Facts | None:
    known = facts[key] if facts is not None and key in facts else None
    part = known.choice.choose(value) if known and known.choice else known.model if known else None
    return part.fields_by_key if part is not None else None


def _value_change(
    key: str, value: JsonValue, path: str, there: bytes | None, facts: Facts | None
) -> FieldChange | None:
    if value is None:
        if there is None or _is_server_default(facts, key, there):
            return None
        return _change(path, PatchOperation("remove", path), "removed")
    if there is None:
        return None if value in ("", [], {}) else _change(path, PatchOperation("add", path, value), "missing")
    if value == MASK or there == digest(value):
        # The mask was copied from what a person is shown; written back, it keeps the stored secret (recorded).
        return None
    operation = PatchOperation("add", path, value)
    if there == UNREADABLE:
        return _change(path, operation, "masked, written again", Status.REWRITE)
    if there == EXTERNAL:
        return _change(path, operation, "in a secrets manager", Status.EXTERNAL)
    return _change(path, operation, "changed")


def _undeclared(
    declared: Mapping[str, JsonValue], facts: Facts | None, shown: Digests, at: str
) -> Iterator[FieldChange]:
    """Yield what the catalog has beside the declared fields of one object."""
    prefix = f"{at}/"
    expected = {pointer(at, key) for key in declared}
    for path, there in shown.items():
        if path in expected or not path.startswith(prefix) or "/" in path[len(prefix) :] or _is_empty(path, shown):
            continue
        key = path[len(prefix) :].replace("~1", "/").replace("~0", "~")
        if facts is not None and key not in facts:
            yield _change(path, None, "not known to this version, and left alone", Status.LEFT)
        elif not _is_server_default(facts, key, there):
            yield _change(path, PatchOperation("remove", path), "removed, it is not declared", Status.UNDECIDED)


def _is_empty(path: str, shown: Digests) -> bool:
    """Return whether a field is there without a value, as filter patterns always are (server source)."""
    there = shown.get(path)
    if there != OBJECT:
        return there in _EMPTY
    return all(value in _EMPTY for below, value in shown.items() if below.startswith(f"{path}/"))


def _is_server_default(facts: Facts | None, key: str, there: bytes) -> bool:
    if facts is None or key == "type":
        return facts is not None
    return key in facts and there == facts[key].default_digest


def _is_another_variant(declared: Mapping[str, JsonValue], shown: Digests, at: str) -> bool:
    """Return whether `type` says that this is another kind of object, such as other GCP credentials."""
    there, asked = shown.get(pointer(at, "type")), declared.get("type")
    return there is not None and isinstance(asked, str) and there != digest_of_type(asked)


def _change(at: str, operation: PatchOperation | None, what: str, status: Status = Status.WRITE) -> FieldChange:
    return FieldChange(_field_name(at), what, (operation,) if operation else (), status)


@lru_cache(maxsize=4096)
def _field_name(at: str) -> str:
    return one_line(dotted(at))


def _without_nulls(value: JsonValue | Mapping[str, JsonValue]) -> JsonValue:
    if isinstance(value, Mapping):
        return {key: _without_nulls(inner) for key, inner in value.items() if inner is not None}
    return value
