"""What comes of faults of the network and of the server."""

from airflow_provider_collate.hooks.collate import CollateHook


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
