"""DAGs that use the operators in the ways the examples do not."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

from airflow import __version__ as airflow_version
from airflow.providers.common.compat.sdk import DAG, AssetAlias, dag, task

from airflow_provider_collate.hooks.collate import CollateHook
from airflow_provider_collate.kinds.mlmodel import MlflowConnection
from airflow_provider_collate.operators.mlmodel_service import (
    BulkUpsertMlModelServicesOperator,
    CreateMlModelServiceOperator,
    DeleteMlModelServiceOperator,
    SyncMlModelServicesOperator,
)

START = datetime(2026, 1, 1, tzinfo=timezone.utc)
TEMPLATE = "{{ conn.collate_default.password }}"
IS_AIRFLOW_3 = int(airflow_version.split(".", maxsplit=1)[0]) >= 3


def sklearn(name: str, **fields: Any) -> dict[str, Any]:
    return {"name": name, "serviceType": "Sklearn", "connection": {"config": {"type": "Sklearn"}}, **fields}


with DAG("templates", start_date=START, schedule=None, default_args={"collate_conn_id": "collate_other"}):
    CreateMlModelServiceOperator(
        task_id="create",
        name="{{ dag.dag_id }}_mlflow",
        service_type="Mlflow",
        connection={
            "config": {
                "trackingUri": "{{ var.value.tracking_uri }}",
                "registryUri": "mysql://ml:{{ conn.registry.password }}@{{ conn.registry.host }}",
            }
        },
        description="Run {{ run_id }}",
    )

with DAG("models", start_date=START, schedule=None):
    CreateMlModelServiceOperator(
        task_id="create",
        name="from_a_model",
        service_type="Mlflow",
        connection=MlflowConnection(tracking_uri="http://mlflow:5000"),
        if_exists="update",
    )


@dag(start_date=START, schedule=None)
def mapped() -> None:
    @task
    def names() -> list[str]:
        return ["mapped_a", "mapped_b"]

    @task
    def rows() -> list[dict[str, Any]]:
        return [
            {"name": "kwargs_a", "service_type": "Sklearn", "connection": {"config": {}}},
            {"name": "kwargs_b", "service_type": "Mlflow", "connection": {"config": {"trackingUri": "http://m"}}},
        ]

    @task
    def row(number: int) -> dict[str, Any]:
        return sklearn(f"lazy_{number}")

    create = CreateMlModelServiceOperator
    created = create.partial(task_id="create", service_type="Sklearn", connection=None).expand(name=names())
    create.partial(task_id="create_kwargs").expand_kwargs(rows())
    BulkUpsertMlModelServicesOperator(task_id="lazy", services=row.expand(number=[1, 2, 3]))
    bulk = BulkUpsertMlModelServicesOperator.partial(task_id="bulk").expand(services=[[sklearn("chunk_a")], []])
    sync = SyncMlModelServicesOperator.partial(task_id="sync").expand(services=[[sklearn("chunk_b")]])
    delete = DeleteMlModelServiceOperator.partial(task_id="delete").expand(name=["mapped_a", "missing"])
    [created, bulk, sync] >> delete


mapped()


@dag(start_date=START, schedule=None, default_args={"display_name": "{{ dag.dag_id }}"})
def upstream_texts() -> None:
    """Texts that upstream returned are no templates, whichever way they come; those beside them in this file are."""

    def arguments(name: str) -> dict[str, Any]:
        return {"name": name, "connection": {"config": {}}, "description": TEMPLATE}

    @task
    def description() -> str:
        return TEMPLATE

    @task
    def descriptions() -> list[str]:
        return [TEMPLATE]

    @task
    def rows() -> list[dict[str, Any]]:
        return [{**sklearn("text_rows"), "description": TEMPLATE}]

    @task
    def chunks() -> list[tuple[dict[str, Any], ...]]:
        return [({**sklearn("text_expanded_rows"), "description": TEMPLATE},)]

    @task
    def many() -> list[dict[str, Any]]:
        return [arguments("text_kwargs")]

    @task
    def one() -> dict[str, Any]:
        return arguments("text_listed")

    create, bulk = CreateMlModelServiceOperator, BulkUpsertMlModelServicesOperator
    text: Any = description()  # an upstream task's output, which Airflow resolves when the task runs
    create(task_id="plain", name="text_plain", service_type="Sklearn", connection=None, description=text)
    bulk(task_id="rows_plain", services=rows())
    create.partial(task_id="expanded", name="text_{{ 'expanded' }}", service_type="Sklearn", connection=None).expand(
        description=descriptions()
    )
    bulk.partial(task_id="rows_expanded").expand(services=chunks())
    create.partial(task_id="kwargs", service_type="{{ 'Sklearn' }}").expand_kwargs(many())
    create.partial(task_id="listed", service_type="Sklearn").expand_kwargs([one(), arguments("text_{{ 'own' }}")])


upstream_texts()


@dag(start_date=START, schedule=None)
def hook_in_task() -> None:
    @task
    def register() -> Any:
        with CollateHook() as hook:
            hook.upsert_service(sklearn("by_hook"))
            return [service["name"] for service in hook.list_services() if service["name"] == "by_hook"]

    @task(retries=0)
    def refused() -> None:
        CollateHook().upsert_service(sklearn("a::b"))

    register()
    refused()


hook_in_task()

with DAG("failing", start_date=START, schedule=None):
    BulkUpsertMlModelServicesOperator(
        task_id="refused_rows", services=[sklearn("fine"), sklearn("refused_1"), sklearn("refused_2")]
    )
    CreateMlModelServiceOperator(
        task_id="taken", name="taken", service_type="Sklearn", connection=None, on_conflict="keep"
    )

if IS_AIRFLOW_3:
    with DAG("events", start_date=START, schedule=None):
        for number in range(2):
            BulkUpsertMlModelServicesOperator(
                task_id=f"changed_{number}",
                services=[sklearn("event_a"), sklearn("event_b")],
                outlets=[AssetAlias("ml-services")],
            )
        BulkUpsertMlModelServicesOperator(
            task_id="failed",
            services=[sklearn("event_c"), sklearn("refused_1"), sklearn("refused_2")],
            outlets=[AssetAlias("ml-services")],
        )
