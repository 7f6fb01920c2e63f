"""Delete only when whoever triggers the DAG says so: its parameter `prune` is none, soft or hard."""

from __future__ import annotations

from datetime import datetime, timezone

from airflow.providers.common.compat.sdk import DAG

from airflow_provider_collate.operators.mlmodel_service import SyncMlModelServicesOperator

with DAG(
    "prune_by_parameter",
    start_date=datetime(2026, 1, 1, tzinfo=timezone.utc),
    schedule=None,
    params={"prune": "none"},
):
    SyncMlModelServicesOperator(
        task_id="sync",
        services=[{"name": "team_notebooks", "serviceType": "Sklearn", "connection": {"config": {"type": "Sklearn"}}}],
        prune="{{ params.prune }}",
        prune_scope={"name_prefix": "team_"},
        max_prune=5,
    )
