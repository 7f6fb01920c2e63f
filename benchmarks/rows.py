"""The services that are measured with."""

from __future__ import annotations

from typing import Any

Row = dict[str, Any]


def make_rows(count: int, size: int = 300) -> list[Row]:
    """MLflow services of about a size.

    :param count: how many.
    :param size: bytes of each as JSON.
    """
    return [_row(number, size) for number in range(count)]


def with_changes(rows: list[Row], share: float) -> list[Row]:
    """The same rows, of which a share, spread over all, has another tracking server."""
    every = round(1 / share)
    return [_moved(row) if number % every == 0 else row for number, row in enumerate(rows)]


def _row(number: int, size: int) -> Row:
    config = {
        "type": "Mlflow",
        "trackingUri": f"http://mlflow-{number:05}.acme.example:5000",
        "registryUri": f"mysql+pymysql://mlflow:pass-{number:05}@registry.acme.example/models",
    }
    row = {"name": f"mlflow_{number:05}", "serviceType": "Mlflow", "connection": {"config": config}}
    # 50 bytes are the JSON around what is counted here.
    known = len(str(row)) + 50
    return {**row, "description": f"Models of team {number:05}. ".ljust(max(1, size - known), "x")}


def _moved(row: Row) -> Row:
    config = {**row["connection"]["config"], "trackingUri": "http://moved.acme.example:5000"}
    return {**row, "connection": {"config": config}}
