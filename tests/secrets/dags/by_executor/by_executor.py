"""A few tasks that fail in front of servers that leak, and one that leaks itself, for a real executor."""

from __future__ import annotations

import logging
from datetime import datetime, timezone

from airflow.providers.common.compat.sdk import DAG, task

from airflow_provider_collate.operators.mlmodel_service import (
    BulkUpsertMlModelServicesOperator,
    CreateMlModelServiceOperator,
    DeleteMlModelServiceOperator,
)
from tests.secrets.canaries import PROBE
from tests.secrets.dags.by_reference.by_reference import every_method, new, note_traceback
from tests.secrets.scenario import services

with DAG(
    "by_executor",
    start_date=datetime(2026, 1, 1, tzinfo=timezone.utc),
    schedule="@once",
    catchup=False,
    is_paused_upon_creation=False,
    default_args={"retries": 0, "on_failure_callback": note_traceback},
):
    CreateMlModelServiceOperator.partial(
        task_id="create_mapped", collate_conn_id="collate_echo_400", if_exists="update", display_name="x"
    ).expand_kwargs(services()[2:3])
    BulkUpsertMlModelServicesOperator(task_id="bulk", services=new(services()), collate_conn_id="collate_failed_rows")
    DeleteMlModelServiceOperator(task_id="delete", name="mlflow", collate_conn_id="collate_dump_500")
    BulkUpsertMlModelServicesOperator(task_id="good", services=services(), collate_conn_id="collate_good")
    every_method.override(task_id="hook")("echo_cut")

    @task
    def probe() -> None:
        logging.getLogger("probe").error("on purpose: %s", PROBE)

    probe()
