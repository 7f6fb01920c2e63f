"""Register the services that an earlier task returned; only what differs is written."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

from airflow.providers.common.compat.sdk import dag, task

from airflow_provider_collate.operators.mlmodel_service import BulkUpsertMlModelServicesOperator


@dag(start_date=datetime(2026, 1, 1, tzinfo=timezone.utc), schedule=None)
def upsert_team_services() -> None:
    @task
    def services_of_the_team() -> list[dict[str, Any]]:
        return [
            {
                "name": "fraud_mlflow",
                "serviceType": "Mlflow",
                "connection": {"conn_id": "mlflow_tracking", "registry_conn_id": "mlflow_registry"},
            },
            {
                "name": "fraud_sagemaker",
                "serviceType": "SageMaker",
                "connection": {"conn_id": "aws_prod"},
                "description": "Training jobs in eu-central-1",
                "owners": ["team:ml-platform"],
                "tags": ["PII.Sensitive"],
            },
            {
                "name": "fraud_notebooks",
                "serviceType": "Sklearn",
                "connection": {"config": {"type": "Sklearn"}},
            },
        ]

    BulkUpsertMlModelServicesOperator(task_id="upsert", services=services_of_the_team())


upsert_team_services()
