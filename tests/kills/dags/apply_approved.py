"""Apply a plan that was approved; which, the environment says."""

from __future__ import annotations

import os
from datetime import datetime, timezone

from airflow.providers.common.compat.sdk import DAG

from airflow_provider_collate.operators.mlmodel_service import SyncMlModelServicesOperator
from tests.kills.declared import PRUNING, SERVICES

# Where nothing was approved, there is no such DAG: a fingerprint that is empty is an error.
if "APPROVED_PLAN" in os.environ:
    with DAG("apply_approved", start_date=datetime(2026, 1, 1, tzinfo=timezone.utc), schedule=None) as dag:
        SyncMlModelServicesOperator(
            task_id="apply",
            services=SERVICES[:100],
            on_conflict="overwrite",
            approved_plan=os.environ["APPROVED_PLAN"],
            request_retries=2,
            **PRUNING,
        )
