"""Register a SageMaker service; its keys come from an Airflow connection of type aws."""

from __future__ import annotations

from datetime import datetime, timezone

from airflow.providers.common.compat.sdk import DAG

from airflow_provider_collate.operators.mlmodel_service import CreateMlModelServiceOperator

with DAG("register_sagemaker_service", start_date=datetime(2026, 1, 1, tzinfo=timezone.utc), schedule=None):
    CreateMlModelServiceOperator(
        task_id="register",
        name="prod_sagemaker",
        service_type="SageMaker",
        connection={"conn_id": "aws_prod"},
        description="Training jobs in eu-central-1",
        if_exists="update",
    )
