"""Run a second DAG when services changed; asset events need Airflow 3."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

from airflow import __version__
from airflow.providers.common.compat.sdk import DAG, dag, task

from airflow_provider_collate.operators.mlmodel_service import BulkUpsertMlModelServicesOperator

if int(__version__.split(".", maxsplit=1)[0]) >= 3:
    from airflow.sdk import AssetAlias

    changed = AssetAlias("collate-services")

    with DAG("keep_services", start_date=datetime(2026, 1, 1, tzinfo=timezone.utc), schedule=None):
        BulkUpsertMlModelServicesOperator(
            task_id="upsert",
            services=[
                {
                    "name": "event_notebooks",
                    "serviceType": "Sklearn",
                    "connection": {"config": {"type": "Sklearn"}},
                }
            ],
            outlets=[changed],
        )

    @dag(start_date=datetime(2026, 1, 1, tzinfo=timezone.utc), schedule=[changed])
    def react_to_changes() -> None:
        @task
        def tell(triggering_asset_events: Any = None) -> list[str]:
            events = triggering_asset_events[changed]  # each is under its asset, too
            return [f"{event.extra['name']}: {event.extra['outcome']}" for event in events]

        tell()

    react_to_changes()
