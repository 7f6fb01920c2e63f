"""Register a service whose address, with a password in it, comes from an Airflow Variable that is not masked."""

from __future__ import annotations

from datetime import datetime, timezone

from airflow.providers.common.compat.sdk import DAG

from airflow_provider_collate.operators.mlmodel_service import CreateMlModelServiceOperator

with DAG("register_from_variable", start_date=datetime(2026, 1, 1, tzinfo=timezone.utc), schedule=None):
    CreateMlModelServiceOperator(
        task_id="register",
        name="ranking_mlflow",
        service_type="Mlflow",
        connection={
            "config": {"trackingUri": "{{ var.value.mlflow_address }}", "registryUri": "{{ var.value.mlflow_address }}"}
        },
        description="Models of the **ranking** team",
        if_exists="update",
    )
