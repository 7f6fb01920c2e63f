"""What a task does, without a DAG run and without a database."""

from unittest.mock import MagicMock

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException

from airflow_provider_collate.hooks.collate import CollateHook
from airflow_provider_collate.operators.mlmodel_service import BulkUpsertMlModelServicesOperator


# [START task]
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


# [END task]


# [START kept]
def test_fails_where_a_person_wrote_something_else(collate):
    collate.add("fraud_notebooks", service_type="Sklearn", description="By hand")
    service = {
        "name": "fraud_notebooks",
        "serviceType": "Sklearn",
        "connection": {"config": {"type": "Sklearn"}},
        "description": "Declared",
    }

    with CollateHook() as hook, pytest.raises(AirflowFailException, match=r'"By hand" .* is kept'):
        hook.upsert_service(service)

    assert collate.services["fraud_notebooks"]["description"] == "By hand"


# [END kept]


# [START faults]
def test_rides_out_a_lost_answer(collate):
    collate.fail(lose_answer=True, method="POST")
    with CollateHook() as hook:
        hook.create_service({"name": "a", "serviceType": "Sklearn", "connection": {"config": {"type": "Sklearn"}}})
    assert collate.services["a"]["version"] == 0.1


def test_asks_again_when_the_server_is_busy(collate):
    busy = collate.fail(times=2, status=503)
    with CollateHook() as hook:
        assert hook.get_service("a") is None
    assert busy.hits == 2


# [END faults]


# [START release]
def test_registers_on_an_old_server_too(collate):
    collate.release = "1.2"
    collate.use_as("collate_old")
    with CollateHook("collate_old") as hook:
        hook.create_service({"name": "a", "serviceType": "Sklearn", "connection": {"config": {"type": "Sklearn"}}})
    assert collate.services["a"]["serviceType"] == "Sklearn"
    assert [request.path for request in collate.requests if request.is_write] == ["/api/v1/services/mlmodelServices"]


# [END release]
