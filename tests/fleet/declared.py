"""What the fleets declare."""

from __future__ import annotations

from typing import Any

Row = dict[str, Any]


def name_of(chunk: int, number: int) -> str:
    """Return the name of one service of a chunk."""
    return f"team_{chunk:04}_{number:04}"


def chunk_of(name: str) -> int:
    """Return the chunk that a service is in."""
    return int(name.split("_")[1])


def rows_of(chunk: int, count: int) -> list[Row]:
    """Return the services of one chunk."""
    return [_row(name_of(chunk, number)) for number in range(count)]


def declared(chunks: int, count: int) -> dict[str, Row]:
    """Return all services of a run, by name."""
    return {row["name"]: row for chunk in range(chunks) for row in rows_of(chunk, count)}


def _row(name: str) -> Row:
    config = {"type": "Mlflow", "trackingUri": f"http://{name}.acme.example:5000", "registryUri": "mysql://registry"}
    return {"name": name, "serviceType": "Mlflow", "description": f"Models of {name}", "connection": {"config": config}}
