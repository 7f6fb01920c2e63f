"""Register one MLflow service; its addresses come from Airflow connections, so no secret is in this file."""

from __future__ import annotations

from datetime import datetime, timezone

from airflow.providers.common.compat.sdk import DAG

from airflow_provider_collate.operators.mlmodel_service import CreateMlModelServiceOperator

with DAG("register_mlflow_service", start_date=datetime(2026, 1, 1, tzinfo=timezone.utc), schedule=None):
    CreateMlModelServiceOperator(
        task_id="register",
        name="prod_mlflow",
        service_type="Mlflow",
        connection={"conn_id": "mlflow_tracking", "registry_conn_id": "mlflow_registry"},
        description="Models of the **fraud** team",
        owners=["ana@acme.example"],
        tags=["Tier.Tier1"],
        if_exists="update",
    )
