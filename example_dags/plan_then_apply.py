"""Plan first, and apply only what was in the plan, where it changes something and is not refused."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

from airflow.providers.common.compat.sdk import dag, task

from airflow_provider_collate.operators.mlmodel_service import SyncMlModelServicesOperator

DECLARED: dict[str, Any] = {
    "services": [
        {"name": f"planned_{number}", "serviceType": "Sklearn", "connection": {"config": {"type": "Sklearn"}}}
        for number in range(3)
    ],
    "prune": "soft",
    "prune_scope": {"name_prefix": "planned_"},
}


@dag(start_date=datetime(2026, 1, 1, tzinfo=timezone.utc), schedule=None)
def plan_then_apply() -> None:
    plan = SyncMlModelServicesOperator(task_id="plan", plan_only=True, **DECLARED)

    @task.short_circuit
    def is_worth_applying(planned: Any) -> bool:
        return planned["has_changes"] and not planned["refused"]

    apply = SyncMlModelServicesOperator(
        task_id="apply", approved_plan="{{ ti.xcom_pull(task_ids='plan')['fingerprint'] }}", **DECLARED
    )
    is_worth_applying(plan.output) >> apply


plan_then_apply()
