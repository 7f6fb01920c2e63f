"""Register a service for scikit-learn models, which has nothing to connect to."""

from __future__ import annotations

from datetime import datetime, timezone

from airflow.providers.common.compat.sdk import DAG

from airflow_provider_collate.operators.mlmodel_service import CreateMlModelServiceOperator

with DAG("register_sklearn_service", start_date=datetime(2026, 1, 1, tzinfo=timezone.utc), schedule=None):
    CreateMlModelServiceOperator(
        task_id="register",
        name="fraud_notebooks",
        service_type="Sklearn",
        connection={"config": {"type": "Sklearn"}},
        description="Notebooks of the fraud team",
        if_exists="update",
    )
