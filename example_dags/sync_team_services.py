"""Keep exactly the listed services of one team; those that are not on the list any more are soft-deleted."""

from __future__ import annotations

from datetime import datetime, timezone

from airflow.providers.common.compat.sdk import DAG

from airflow_provider_collate.operators.mlmodel_service import SyncMlModelServicesOperator

with DAG("sync_team_services", start_date=datetime(2026, 1, 1, tzinfo=timezone.utc), schedule=None):
    SyncMlModelServicesOperator(
        task_id="sync",
        services=[
            {
                "name": f"research_{number}",
                "serviceType": "Sklearn",
                "connection": {"config": {"type": "Sklearn"}},
                "description": "Notebooks of the research team",
            }
            for number in range(6)
        ],
        prune="soft",
        prune_scope={"name_prefix": "research_"},
        max_prune=1,
    )
