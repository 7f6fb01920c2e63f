"""Register a source of your own; its options come from an Airflow connection of type generic."""

from __future__ import annotations

from datetime import datetime, timezone

from airflow.providers.common.compat.sdk import DAG

from airflow_provider_collate.operators.mlmodel_service import CreateMlModelServiceOperator

with DAG("register_custom_service", start_date=datetime(2026, 1, 1, tzinfo=timezone.utc), schedule=None):
    CreateMlModelServiceOperator(
        task_id="register",
        name="acme_models",
        service_type="CustomMlModel",
        connection={"conn_id": "acme_models", "sourcePythonClass": "acme.collate.ModelsSource"},
        if_exists="update",
    )
