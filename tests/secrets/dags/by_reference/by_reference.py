"""Every operator, plain and mapped, and every method of the hook, against every server; no secret is in this file."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import datetime, timezone
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from airflow import __version__ as airflow_version
from airflow.providers.common.compat.sdk import DAG, AssetAlias, task

from airflow_provider_collate.client.client import CollateClient
from airflow_provider_collate.hooks.collate import CollateHook
from airflow_provider_collate.operators.mlmodel_service import (
    BulkUpsertMlModelServicesOperator,
    CreateMlModelServiceOperator,
    DeleteMlModelServiceOperator,
    SyncMlModelServicesOperator,
)
from tests.secrets.scenario import SERVERS, services
from tests.secrets.tracebacks import everything_along

IS_AIRFLOW_3 = int(airflow_version.split(".", maxsplit=1)[0]) >= 3
# Their answers are the same, whatever was declared.
SAME_FOR_EACH_TYPE = ("dump_500", "refused_401", "redirect", "lost", "proxy")

# A server that leaks shows nothing else later: no task waits before it reads again.
pytest.MonkeyPatch().setattr(
    "airflow_provider_collate.hooks.collate.CollateClient", partial(CollateClient, sleep=lambda seconds: None)
)


def note_traceback(context: Any) -> None:
    """Write down what a tool that reports errors would show."""
    instance = context["ti"]
    error = context.get("exception")
    text = everything_along(error) if isinstance(error, BaseException) else str(error)
    name = f"{instance.dag_id}.{instance.task_id}.{instance.map_index}.txt"
    (Path(os.environ["TRACEBACKS"]) / name).write_text(text)


def new(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{**row, "name": f"new_{row['name']}"} for row in rows]


def calls(hook: CollateHook) -> list[Callable[[], Any]]:
    first, *_ = services()
    remove = [{"op": "replace", "path": "/description", "value": "x"}]
    return [
        hook.test_connection,
        lambda: hook.get_conn().config,
        lambda: hook.get_service("mlflow"),
        lambda: list(hook.list_services()),
        lambda: hook.patch_service("mlflow", remove),
        lambda: hook.create_service(first, if_exists="update"),
        lambda: hook.upsert_service({**first, "description": "x"}),
        lambda: hook.bulk_upsert_services(new(services()[:3])),
        lambda: hook.sync_services(services()[:3], prune="soft", prune_scope={"name_prefix": "nothing"}),
        lambda: hook.delete_service("mlflow"),
        lambda: hook.restore_service("mlflow"),
    ]


@task
def every_method(server: str) -> list[str]:
    """Call every method, print what comes of it as a person who looks for a fault would, and fail like the last."""
    hook = CollateHook(f"collate_{server}")
    print(hook, vars(hook))  # noqa: T201 - a task's output is searched too
    failure: Exception | None = None
    results = []
    for call in calls(hook):
        try:
            results.append(repr(call()))
        except Exception as error:  # noqa: BLE001, PERF203 - whatever a method raises
            failure = error
            results.append(f"{error!r} {error} {error.__cause__!r}")
            note = Path(os.environ["TRACEBACKS"]) / f"hook.{server}.{len(results)}.txt"
            note.write_text(everything_along(error))
    print(*results, sep="\n")  # noqa: T201 - the same
    if failure is not None:
        raise failure
    return results


with DAG(
    "by_reference",
    start_date=datetime(2026, 1, 1, tzinfo=timezone.utc),
    schedule=None,
    default_args={"retries": 0, "on_failure_callback": note_traceback},
):
    events: Any = {"outlets": [AssetAlias("changed")]} if IS_AIRFLOW_3 else {}
    for server in SERVERS:
        create = CreateMlModelServiceOperator.partial(
            task_id=f"{server}_create_mapped", collate_conn_id=f"collate_{server}", if_exists="update", display_name="x"
        ).expand_kwargs(services()[:1] if server in SAME_FOR_EACH_TYPE else services())
        bulk = BulkUpsertMlModelServicesOperator(
            task_id=f"{server}_bulk", services=new(services()), collate_conn_id=f"collate_{server}", **events
        )
        sync = SyncMlModelServicesOperator.partial(
            task_id=f"{server}_sync_mapped", collate_conn_id=f"collate_{server}"
        ).expand(services=[[{**row, "description": "x"} for row in services()], new(services())])
        delete = DeleteMlModelServiceOperator(
            task_id=f"{server}_delete", name="mlflow", collate_conn_id=f"collate_{server}"
        )
        every_method.override(task_id=f"{server}_hook")(server)
    # What mapping or its absence may change is the same for all servers: once each.
    for row in services():
        CreateMlModelServiceOperator(
            task_id=f"create_{row['name']}", collate_conn_id="collate_good", if_exists="update", **row
        )
    BulkUpsertMlModelServicesOperator.partial(task_id="bulk_mapped", collate_conn_id="collate_failed_rows").expand(
        services=[new(services())]
    )
    SyncMlModelServicesOperator(task_id="sync", services=services(), collate_conn_id="collate_good", plan_only=True)
    DeleteMlModelServiceOperator.partial(task_id="delete_mapped", collate_conn_id="collate_dump_500").expand(
        name=["mlflow", "missing"]
    )
    CreateMlModelServiceOperator(
        task_id="unreadable", name="x", service_type="Mlflow", connection={"conn_id": "no_such_connection"}
    )
    CreateMlModelServiceOperator(
        task_id="refused_before_it_is_sent",
        name="x",
        service_type="Mlflow",
        connection={"config": {"tracking_url": "{{ conn.mlflow_tracking.password }}"}},
        collate_conn_id="collate_good",
    )
    CreateMlModelServiceOperator(
        task_id="template_that_fails",
        name="{{ 1 / 0 }}",
        service_type="Mlflow",
        connection={"config": {"trackingUri": "{{ conn.mlflow_tracking.password }}"}},
    )
