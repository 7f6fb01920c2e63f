"""Register a VertexAI service; its credentials come from an Airflow connection to Google Cloud."""

from __future__ import annotations

from datetime import datetime, timezone

from airflow.providers.common.compat.sdk import DAG

from airflow_provider_collate.operators.mlmodel_service import CreateMlModelServiceOperator

with DAG("register_vertexai_service", start_date=datetime(2026, 1, 1, tzinfo=timezone.utc), schedule=None):
    CreateMlModelServiceOperator(
        task_id="register",
        name="prod_vertexai",
        service_type="VertexAI",
        connection={"conn_id": "gcp_prod"},
        description="Models in europe-west3",
        if_exists="update",
    )
