from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException, redact

from airflow_provider_collate.files.path import ServicesPath
from airflow_provider_collate.hooks.collate import CollateHook
from airflow_provider_collate.operators.mlmodel_service import (
    BulkUpsertMlModelServicesOperator,
    SyncMlModelServicesOperator,
)
from airflow_provider_collate.sandbox import Catalog
from tests.unit.conftest import service_in

ROWS = """
services:
- {name: one, serviceType: Sklearn, connection: {config: {}}, displayName: "{{ not.a.template }}"}
- {name: two, serviceType: Mlflow, connection: {conn_id: mlflow_prod}}
"""
MLFLOW = '{"conn_type": "https", "host": "mlflow.acme.example"}'


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "services.yaml").write_text(ROWS)
    monkeypatch.setenv("AIRFLOW_CONN_MLFLOW_PROD", MLFLOW)
    return tmp_path


def test_services_of_a_file_are_registered(folder: Path, catalog: Catalog, context: Any) -> None:
    task = BulkUpsertMlModelServicesOperator(task_id="task", services_path=str(folder / "*.yaml"))

    assert task.execute(context)["counts"] == {"created": 2}
    assert catalog.services["one"]["displayName"] == "{{ not.a.template }}"
    assert service_in(catalog, "two")["connection"]["config"]["trackingUri"] == "https://mlflow.acme.example"


def test_the_path_is_a_template_field_and_may_have_a_scheme(folder: Path, catalog: Catalog, context: Any) -> None:
    path = f"{folder.as_uri()}/{{{{ name }}}}.yaml"
    task = SyncMlModelServicesOperator(task_id="task", services_path=path)
    context["name"] = "services"
    task.render_template_fields(context)

    assert task.execute(context)["counts"] == {"created": 2}


def test_a_fault_is_told_with_its_line_and_nothing_is_sent(folder: Path, catalog: Catalog, context: Any) -> None:
    (folder / "services.yaml").write_text(ROWS.replace("mlflow_prod", "mlflow_nobody"))
    task = BulkUpsertMlModelServicesOperator(task_id="task", services_path=str(folder / "*.yaml"))

    with pytest.raises(AirflowFailException) as raised:
        task.execute(context)
    place = f'{folder}/services.yaml:4 services[1].connection.conn_id: there is no Airflow connection "mlflow_nobody"'
    assert place in str(raised.value)
    assert not catalog.requests


@pytest.mark.parametrize(
    "given, said",
    [
        ({}, "services, services_path: exactly one of them must be given"),
        ({"services": [], "services_path": "a"}, "services, services_path: exactly one of them must be given"),
        ({"services": [], "services_conn_id": "a"}, "services_conn_id: reads nothing without services_path"),
    ],
)
def test_exactly_one_source_is_given(given: dict[str, Any], said: str) -> None:
    with pytest.raises(AirflowFailException, match=said):
        BulkUpsertMlModelServicesOperator(task_id="task", **given)


def test_secrets_in_a_file_are_masked(folder: Path, catalog: Catalog) -> None:
    row = '{"name": "n%d", "serviceType": "Mlflow", "connection": {"config": {"registryUri": "a://b:hunter2-%d@c"}}}\n'
    (folder / "a.jsonl").write_text("".join(row % (number, number) for number in range(3)))

    CollateHook().reconcile(ServicesPath(str(folder / "a.jsonl")))

    assert redact("hunter2-2") == "***"
