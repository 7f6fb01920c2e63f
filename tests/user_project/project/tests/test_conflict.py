"""What a person wrote in the catalog is kept."""

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException

from airflow_provider_collate.hooks.collate import CollateHook


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
