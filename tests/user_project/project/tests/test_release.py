"""The same against an older server."""

from airflow_provider_collate.hooks.collate import CollateHook


def test_registers_on_an_old_server_too(collate):
    collate.release = "1.2"
    collate.use_as("collate_old")
    with CollateHook("collate_old") as hook:
        hook.create_service({"name": "a", "serviceType": "Sklearn", "connection": {"config": {"type": "Sklearn"}}})
    assert collate.services["a"]["serviceType"] == "Sklearn"
    assert [request.path for request in collate.requests if request.is_write] == ["/api/v1/services/mlmodelServices"]
