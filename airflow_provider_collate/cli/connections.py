"""Airflow connections that files name, where they name any."""

from __future__ import annotations

from collections.abc import Sequence

from airflow_provider_collate.cli.logs import quieten_airflow
from airflow_provider_collate.files.conn_ids import Resolution, Resolver
from airflow_provider_collate.kinds import ServiceKind
from airflow_provider_collate.kinds.airflow_connection import names_connections


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
            from airflow.providers.common.compat.sdk import BaseHook

            from airflow_provider_collate.hooks.declarations import MaskingResolver

            quieten_airflow()
            self._airflow = MaskingResolver(self._kind, BaseHook.get_connection)
        return self._airflow.resolve(rows)
