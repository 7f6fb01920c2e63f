"""Let a person approve what would change, and then change just that."""

from __future__ import annotations

from datetime import datetime, timezone

from airflow import __version__
from airflow.providers.common.compat.sdk import DAG

from airflow_provider_collate.operators.mlmodel_service import BulkUpsertMlModelServicesOperator

# Tasks that wait for a person came with Airflow 3.1.
if tuple(map(int, __version__.split(".")[:2])) >= (3, 1):
    from airflow.providers.standard.operators.hitl import ApprovalOperator

    SERVICES = [
        {
            "name": "approved_mlflow",
            "serviceType": "Mlflow",
            "connection": {"config": {"type": "Mlflow", "trackingUri": "http://mlflow:5000"}},
            "description": "Models that a person has let in",
        },
    ]

    with DAG("approve_then_apply", start_date=datetime(2026, 1, 1, tzinfo=timezone.utc), schedule=None):
        look = BulkUpsertMlModelServicesOperator(task_id="look", services=SERVICES, plan_only=True)
        approve = ApprovalOperator(
            task_id="approve",
            subject="May this be changed in the catalog?",
            body="{{ ti.xcom_pull('look')['markdown'] }}",
        )
        apply = BulkUpsertMlModelServicesOperator(
            task_id="apply",
            services=SERVICES,
            approved_plan="{{ ti.xcom_pull('look')['fingerprint'] }}",
        )
        look >> approve >> apply
