"""Wait until another team has registered its service, then go on; the wait takes no worker slot."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

from airflow.providers.common.compat.sdk import dag, task

from airflow_provider_collate.sensors.mlmodel_service import MlModelServiceSensor


@dag(start_date=datetime(2026, 1, 1, tzinfo=timezone.utc), schedule=None)
def wait_for_service() -> None:
    found = MlModelServiceSensor(
        task_id="wait",
        name="prod_mlflow",
        fields={"tags": ["Tier.Tier1"]},
        timeout=timedelta(hours=6),
        poke_interval=timedelta(minutes=1),
        deferrable=True,
    )

    @task
    def announce(service: Any) -> str:
        return f"{service['name']} is a tier 1 service now: {service['url']}"

    announce(found.output)


wait_for_service()
