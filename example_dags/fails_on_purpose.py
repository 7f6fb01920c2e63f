"""Two mistakes that people make, and what the failed task says about them."""

from __future__ import annotations

from datetime import datetime, timezone

from airflow.providers.common.compat.sdk import DAG

from airflow_provider_collate.operators.mlmodel_service import BulkUpsertMlModelServicesOperator

with DAG("fails_on_purpose", start_date=datetime(2026, 1, 1, tzinfo=timezone.utc), schedule=None):
    BulkUpsertMlModelServicesOperator(
        task_id="upsert",
        services=[
            {
                "name": "churn_mlflow",
                "serviceType": "Mlflow",
                "connection": {"config": {"trackingURI": "http://mlflow:5000"}},
            },
            {
                "name": "churn::sagemaker",
                "serviceType": "SageMaker",
                "connection": {"config": {"type": "Sklearn"}},
            },
        ],
    )
