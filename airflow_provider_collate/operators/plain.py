"""Models as plain data, so that Airflow can render templates in them and serialise the DAG."""

from __future__ import annotations

from typing import Any


def plain(value: Any) -> Any:
    """Turn the models in a value into mappings under the documented names, and tuples into lists.

    What holds neither is given back itself: Airflow knows by its identity that a value came from an upstream
    task, and must not be rendered as a template.

    :param value: what was given for a parameter.
    """
    if hasattr(value, "model_dump"):
        return value.model_dump(by_alias=True, exclude_unset=True)
    if isinstance(value, tuple):
        return [plain(item) for item in value]
    if isinstance(value, list):
        items = [plain(item) for item in value]
        return value if _are_same(items, value) else items
    if isinstance(value, dict):
        entries = {key: plain_connection(item) if key == "connection" else plain(item) for key, item in value.items()}
        return value if _are_same(entries.values(), value.values()) else entries
    return value


def plain_connection(value: Any) -> Any:
    """The same for a connection, which may be given as the model of its config alone.

    :param value: what was given for a connection.
    """
    fields = getattr(type(value), "model_fields", None)
    if fields is not None and "config" not in fields:
        return {"config": plain(value)}
    return plain(value)


def _are_same(items: Any, others: Any) -> bool:
    return all(item is other for item, other in zip(items, others, strict=True))
