"""Secrets that an upstream task returns, and secrets that somebody has written into the DAG file."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from typing import Any

from airflow.providers.common.compat.sdk import DAG, task

from airflow_provider_collate.operators.mlmodel_service import (
    BulkUpsertMlModelServicesOperator,
    CreateMlModelServiceOperator,
    SyncMlModelServicesOperator,
)
from tests.secrets.dags.by_reference.by_reference import new, note_traceback
from tests.secrets.scenario import VALUES, services

SERVERS = ("good", "echo_400", "echo_cut", "failed_rows")
DEFAULTS = {"retries": 0, "on_failure_callback": note_traceback}
START = datetime(2026, 1, 1, tzinfo=timezone.utc)

with DAG("upstream", start_date=START, schedule=None, default_args=DEFAULTS):

    @task(show_return_value_in_logs=False)
    def upstream() -> list[dict[str, Any]]:
        return new(services(VALUES))

    @task(show_return_value_in_logs=False)
    def upstream_chunks() -> list[list[dict[str, Any]]]:
        return [new(services(VALUES)), services(VALUES)]

    @task(show_return_value_in_logs=False)
    def upstream_uri() -> str:
        uri: str = VALUES["mlflow"]["config"]["registryUri"]
        return uri

    @task(show_return_value_in_logs=False)
    def upstream_text() -> str:
        return json.dumps(services(VALUES))

    @task(show_return_value_in_logs=False)
    def upstream_texts() -> list[str]:
        return [json.dumps(services(VALUES)), json.dumps(services(VALUES)[0])]

    rows, chunks, uri = upstream(), upstream_chunks(), upstream_uri()
    BulkUpsertMlModelServicesOperator(task_id="text", services=upstream_text(), collate_conn_id="collate_good")
    BulkUpsertMlModelServicesOperator.partial(task_id="text_mapped", collate_conn_id="collate_good").expand(
        services=upstream_texts()
    )
    for server in SERVERS:
        given: Any = {"collate_conn_id": f"collate_{server}"}
        BulkUpsertMlModelServicesOperator(task_id=f"{server}_bulk", services=rows, **given)
        SyncMlModelServicesOperator.partial(task_id=f"{server}_sync_mapped", **given).expand(services=chunks)
        CreateMlModelServiceOperator.partial(
            task_id=f"{server}_create_mapped", if_exists="update", **given
        ).expand_kwargs(rows)
        CreateMlModelServiceOperator(
            task_id=f"{server}_create",
            name="from_upstream",
            service_type="Mlflow",
            connection={"config": {"registryUri": uri}},
            if_exists="update",
            **given,
        )

with DAG("literal", start_date=START, schedule=None, default_args=DEFAULTS):
    for server in SERVERS[:2]:
        given = {"collate_conn_id": f"collate_{server}"}
        BulkUpsertMlModelServicesOperator(task_id=f"{server}_bulk", services=new(services(VALUES)), **given)
        CreateMlModelServiceOperator.partial(
            task_id=f"{server}_create_mapped", if_exists="update", **given
        ).expand_kwargs(services(VALUES))
    CreateMlModelServiceOperator(
        task_id="template_that_fails",
        name="x",
        service_type="Mlflow",
        connection={"config": {**VALUES["mlflow"]["config"], "mlModelFilterPattern": {"includes": ["{{ 1 / 0 }}"]}}},
    )
