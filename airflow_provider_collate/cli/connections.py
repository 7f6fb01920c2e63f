"""Airflow connections, for commands: outside of a task, Airflow 3 does not ask its database by itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from airflow_provider_collate.cli.logs import quieten_airflow
from airflow_provider_collate.files.conn_ids import Resolution, Resolver
from airflow_provider_collate.kinds import ServiceKind
from airflow_provider_collate.kinds.airflow_connection import names_connections

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Connection


class AirflowConnections:
    """Ask Airflow, which is imported when the first row names a connection.

    :param kind: the kind of the services.
    """

    def __init__(self, kind: ServiceKind) -> None:
        self._kind = kind
        self._airflow: Resolver | None = None

    def resolve(self, rows: Sequence[object]) -> Resolution:
        """Return the rows, resolved where they name Airflow connections."""
        if self._airflow is None and not any(map(names_connections, rows)):
            return Resolution(list(rows))
        if self._airflow is None:
            from airflow_provider_collate.hooks.declarations import MaskingResolver

            quieten_airflow()
            self._airflow = MaskingResolver(self._kind, find_connection)
        return self._airflow.resolve(rows)


def find_connection(conn_id: str) -> Connection:
    """Return an Airflow connection, from where a task finds it or else from the database.

    :raises AirflowNotFoundException: when there is none.
    """
    from airflow.providers.common.compat.sdk import AirflowNotFoundException, BaseHook

    try:
        return BaseHook.get_connection(conn_id)
    except AirflowNotFoundException:
        from airflow.models.connection import Connection as StoredConnection

        return StoredConnection.get_connection_from_secrets(conn_id)
