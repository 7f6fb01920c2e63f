"""Fail at night if the catalog is not as the files in the folder `services` declare; nothing is written."""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path

from airflow.providers.common.compat.sdk import DAG

from airflow_provider_collate.operators.mlmodel_service import BulkUpsertMlModelServicesOperator

FILES = str(Path(__file__).parent / "services" / "*.yaml")

with DAG("catalog_drift_alarm", start_date=datetime(2026, 1, 1, tzinfo=timezone.utc), schedule="@daily", catchup=False):
    BulkUpsertMlModelServicesOperator(
        task_id="compare",
        services_path=FILES,
        plan_only=True,
        fail_on_changes=True,
    )
