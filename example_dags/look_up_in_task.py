"""Ask the catalog in a task, and work with what it answers."""

from __future__ import annotations

from datetime import datetime, timezone

from airflow.providers.common.compat.sdk import dag, task

from airflow_provider_collate.hooks.collate import CollateHook


@dag(start_date=datetime(2026, 1, 1, tzinfo=timezone.utc), schedule=None)
def look_up_in_task() -> None:
    @task
    def services_without_owner() -> list[str]:
        with CollateHook() as hook:
            return [str(service["name"]) for service in hook.list_services() if not service["owners"]]

    @task
    def describe(name: str) -> str:
        with CollateHook() as hook:
            service = hook.get_service(name)
        return f"{name} is gone" if service is None else f"{name}: nobody owns {service['url']}"

    describe.expand(name=services_without_owner())


look_up_in_task()
