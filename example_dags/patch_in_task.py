"""Change one field of a service by a JSON Patch of your own, whoever set it."""

from __future__ import annotations

from datetime import datetime, timezone

from airflow.providers.common.compat.sdk import dag, task

from airflow_provider_collate.hooks.collate import CollateHook
from airflow_provider_collate.operators.mlmodel_service import CreateMlModelServiceOperator


@dag(start_date=datetime(2026, 1, 1, tzinfo=timezone.utc), schedule=None)
def patch_in_task() -> None:
    register = CreateMlModelServiceOperator(
        task_id="register",
        name="patched_notebooks",
        service_type="Sklearn",
        connection={"config": {"type": "Sklearn"}},
        if_exists="ignore",
    )

    @task
    def note_the_move(name: str) -> str:
        operations = [{"op": "add", "path": "/description", "value": "Moved to the new cluster"}]
        with CollateHook() as hook:
            return str(hook.patch_service(name, operations)["description"])

    register >> note_the_move("patched_notebooks")


patch_in_task()
