"""A sensor of each kind; the catalog shows most of their services only to the second look."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

from airflow.providers.common.compat.sdk import DAG

from airflow_provider_collate.sensors.mlmodel_service import MlModelServiceSensor as Sensor

SOON: dict[str, Any] = {"poke_interval": 0.01, "timeout": 0.05, "deferrable": True}

with DAG("waits", start_date=datetime(2026, 1, 1, tzinfo=timezone.utc), schedule=None):
    Sensor(task_id="worker", name="for_worker", poke_interval=0.01, deferrable=False)
    Sensor(task_id="reschedule", name="for_reschedule", poke_interval=0.01, mode="reschedule", deferrable=False)
    Sensor.partial(task_id="mapped", deferrable=True).expand(name=["for_mapped_0", "for_mapped_1"])
    Sensor(task_id="late", name="late", **SOON)
    Sensor(task_id="skipped", name="skipped", soft_fail=True, **SOON)
    Sensor(task_id="refused", name="refused", timeout=3600, poke_interval=600, deferrable=True)
