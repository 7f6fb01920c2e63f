"""What stands for the connections of declared services while no Airflow is asked for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from airflow_provider_collate.kinds import ServiceKind
from airflow_provider_collate.kinds.airflow_connection import (
    TYPE_DECIDES,
    UnusableConnectionError,
    conn_id_problem,
    is_conn_id_key,
    names_connections,
)
from airflow_provider_collate.models.validation import RowProblem

TO_DO = "TODO"
TO_DO_PROBLEM = f'"{TO_DO}" stands for secrets that an export does not show; name an Airflow connection that has them'


@dataclass
class Resolution:
    """Rows whose connections were resolved; printed, it shows no row, because they may hold secrets.

    :param rows: the rows; those with a problem are as they were.
    :param problems: what is wrong with the connections that they name.
    :param partial: the numbers of rows whose config has only what they say beside the ids.
    """

    rows: list[object] = field(default_factory=list, repr=False)
    problems: list[RowProblem] = field(default_factory=list)
    partial: set[int] = field(default_factory=set)


class Resolver(Protocol):
    """Puts the connections that rows name in the place of their ids."""

    def resolve(self, rows: Sequence[object]) -> Resolution:
        """Return the rows, resolved where they name Airflow connections."""


class UnresolvedConnections:
    """Look at what rows say of their connections beside the ids, and leave out the rest."""

    def __init__(self, kind: ServiceKind) -> None:
        self._kind = kind

    def resolve(self, rows: Sequence[object]) -> Resolution:
        """Return the rows with what they say themselves of their connections, and what is wrong with it."""
        resolution = Resolution()
        for index, row in enumerate(rows):
            if not (isinstance(row, Mapping) and names_connections(row)):
                resolution.rows.append(row)
                continue
            config: dict[str, object] = {}
            try:
                config = self._config(row, row["connection"])
            except UnusableConnectionError as fault:
                resolution.problems.append((index, ("connection", fault.key or "conn_id"), str(fault)))
            resolution.partial.add(index)
            resolution.rows.append({**row, "connection": {"config": config} if config else None})
        return resolution

    def _config(self, row: Mapping[str, object], declared: Mapping[str, object]) -> dict[str, object]:
        for key, conn_id in declared.items():
            if is_conn_id_key(key) and (problem := conn_id_problem(conn_id)):
                raise UnusableConnectionError(problem, key)
        service_type = row.get("serviceType", row.get("service_type"))
        if not isinstance(service_type, str):
            raise UnusableConnectionError(TYPE_DECIDES)
        return self._kind.config_beside(service_type, declared)


def to_do_key(row: object) -> str:
    """Return the key whose connection an export has left to be named; nothing where there is none."""
    if not (isinstance(row, Mapping) and names_connections(row)):
        return ""
    return next((key for key, conn_id in row["connection"].items() if is_conn_id_key(key) and conn_id == TO_DO), "")
