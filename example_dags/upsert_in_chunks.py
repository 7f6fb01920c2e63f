"""Spread many services over mapped tasks; each chunk is retried by itself."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

from airflow.providers.common.compat.sdk import dag, task

from airflow_provider_collate.operators.mlmodel_service import BulkUpsertMlModelServicesOperator

CHUNK = 3


@dag(start_date=datetime(2026, 1, 1, tzinfo=timezone.utc), schedule=None)
def upsert_in_chunks() -> None:
    @task
    def chunks() -> list[list[dict[str, Any]]]:
        services = [
            {
                "name": f"research_{number}",
                "serviceType": "Sklearn",
                "connection": {"config": {"type": "Sklearn"}},
            }
            for number in range(7)
        ]
        return [services[start : start + CHUNK] for start in range(0, len(services), CHUNK)]

    BulkUpsertMlModelServicesOperator.partial(task_id="upsert").expand(services=chunks())


upsert_in_chunks()
