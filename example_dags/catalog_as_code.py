"""Make the catalog as the files in the folder `services` declare."""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path

from airflow.providers.common.compat.sdk import DAG

from airflow_provider_collate.operators.mlmodel_service import BulkUpsertMlModelServicesOperator

FILES = str(Path(__file__).parent / "services" / "*.yaml")  # or "s3://bucket/services/*.yaml"

with DAG("catalog_as_code", start_date=datetime(2026, 1, 1, tzinfo=timezone.utc), schedule=None):
    BulkUpsertMlModelServicesOperator(task_id="apply", services_path=FILES)
