"""Register many services in chunks, spread over all workers."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

from airflow.sdk import dag, task

from airflow_provider_collate.hooks.collate import CollateHook
from airflow_provider_collate.operators.mlmodel_service import BulkUpsertMlModelServicesOperator
from tests.fleet.declared import Row, rows_of

SETTINGS: dict[str, Any] = {
    "start_date": datetime(2026, 1, 1, tzinfo=timezone.utc),
    "schedule": None,
    "params": {"chunks": 50, "rows": 200, "max_workers": 8},
    "default_args": {"retries": 3, "retry_delay": timedelta(seconds=1)},
}


@dag(**SETTINGS)
def keep_services() -> None:
    """Make the rows of each chunk in a mapped task, so that each chunk is an XCom of its own."""

    @task
    def numbers(params: Any = None) -> list[int]:
        return list(range(params["chunks"]))

    @task
    def rows(number: int, params: Any = None) -> list[Row]:
        return rows_of(number, params["rows"])

    _upsert().expand(services=rows.expand(number=numbers()))


@dag(**SETTINGS)
def keep_services_in_one_xcom() -> None:
    """Hand all chunks over in one XCom."""

    @task
    def chunks(params: Any = None) -> list[list[Row]]:
        return [rows_of(number, params["rows"]) for number in range(params["chunks"])]

    _upsert().expand(services=chunks())


@dag(**SETTINGS)
def keep_services_in_tasks() -> None:
    """Hand over numbers only, and make the rows where they are written."""

    @task
    def numbers(params: Any = None) -> list[int]:
        return list(range(params["chunks"]))

    @task(pool="collate")
    def upsert(number: int, params: Any = None) -> Any:
        with CollateHook() as hook:
            report = hook.bulk_upsert_services(rows_of(number, params["rows"]), max_workers=params["max_workers"])
        return report["counts"]

    upsert.expand(number=numbers())


def _upsert() -> Any:
    return BulkUpsertMlModelServicesOperator.partial(
        task_id="upsert", pool="collate", max_workers="{{ params.max_workers }}"
    )


keep_services()
keep_services_in_one_xcom()
keep_services_in_tasks()
