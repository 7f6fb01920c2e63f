"""What a task does, without a DAG run and without a database."""

from unittest.mock import MagicMock

from airflow_provider_collate.operators.mlmodel_service import BulkUpsertMlModelServicesOperator


def test_writes_only_what_differs(collate):
    collate.add("fraud_notebooks", service_type="Sklearn", description="Notebooks")
    services = [
        {"name": name, "serviceType": "Sklearn", "connection": None, "description": "Notebooks"}
        for name in ("fraud_notebooks", "churn_notebooks")
    ]
    task = BulkUpsertMlModelServicesOperator(task_id="upsert", services=services)

    report = task.execute({"ti": MagicMock()})

    assert report["counts"] == {"created": 1, "unchanged": 1}
    assert collate.writes == 1
