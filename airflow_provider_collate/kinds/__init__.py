"""The kinds of services: for each, what is its own. A new kind is one file here."""

from __future__ import annotations

from importlib import import_module

from airflow_provider_collate.exceptions import InvalidDeclarationError
from airflow_provider_collate.kinds.kind import ServiceKind
from airflow_provider_collate.models.problems import quoted

__all__ = ["ServiceKind", "find_kind", "register_kind", "registered_kinds"]

_MODULES = {"mlmodelServices": "airflow_provider_collate.kinds.mlmodel"}
_registered: dict[str, ServiceKind] = {}


def register_kind(kind: ServiceKind) -> ServiceKind:
    """Make a kind known by its collection, and return it.

    :param kind: the kind; it replaces one of the same collection.
    """
    _registered[kind.collection] = kind
    return kind


def find_kind(collection: str) -> ServiceKind:
    """Return the kind of a collection.

    :param collection: its name in the API, e.g. `mlmodelServices`.
    :raises InvalidDeclarationError: names the kinds that are known.
    """
    if collection not in _registered and collection in _MODULES:
        import_module(_MODULES[collection])
    if collection not in _registered:
        known = ", ".join(sorted({*_registered, *_MODULES}))
        raise InvalidDeclarationError([f"kind: {quoted(collection)} is not known; these are: {known}"])
    return _registered[collection]


def registered_kinds() -> tuple[ServiceKind, ...]:
    """Return all kinds: those of this package, and those that were registered."""
    return tuple(find_kind(collection) for collection in {**_MODULES, **_registered})
