"""Delete a service; it can be restored."""

from __future__ import annotations

from datetime import datetime, timezone

from airflow.providers.common.compat.sdk import DAG

from airflow_provider_collate.operators.mlmodel_service import DeleteMlModelServiceOperator

with DAG("retire_service", start_date=datetime(2026, 1, 1, tzinfo=timezone.utc), schedule=None):
    DeleteMlModelServiceOperator(task_id="retire", name="fraud_notebooks")
