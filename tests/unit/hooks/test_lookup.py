"""An Airflow connection that is not there is final; one that could not be had is not."""

from __future__ import annotations

import importlib.util
from functools import partial
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException

from airflow_provider_collate.exceptions import CollateError
from airflow_provider_collate.hooks.collate import CollateHook

SERVICE = {"name": "s0", "serviceType": "SageMaker", "connection": {"conn_id": "missing"}}
of_airflow_3 = pytest.mark.skipif(importlib.util.find_spec("airflow.sdk") is None, reason="Airflow 2 asks its database")


class Supervisor:
    """What answers a task on Airflow 3 in the name of the API server."""

    def __init__(self, error: str, *, raises: bool) -> None:
        self.error = error
        self.raises = raises

    def send(self, message: object) -> Any:
        from airflow.sdk.exceptions import AirflowRuntimeError, ErrorType
        from airflow.sdk.execution_time.comms import ErrorResponse

        answer = ErrorResponse(error=ErrorType[self.error], detail={})
        if self.raises:
            raise AirflowRuntimeError(answer)
        return answer


@pytest.fixture(params=[False, True], ids=["answers", "raises"])
def raises(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


def test_a_missing_connection_fails_the_task_with_advice() -> None:
    with pytest.raises(AirflowFailException) as caught:
        CollateHook("missing").get_service("s0")

    assert str(caught.value) == (
        'The Collate connection has 1 problem; nothing was sent:\n  there is no Airflow connection "missing"\n'
        "Add it under Admin > Connections, type Collate, or name another by collate_conn_id."
    )


@of_airflow_3
class TestInATask:
    def answer(self, monkeypatch: pytest.MonkeyPatch, error: str, *, raises: bool) -> None:
        from airflow.sdk.execution_time import task_runner

        monkeypatch.setattr(task_runner, "SUPERVISOR_COMMS", Supervisor(error, raises=raises), raising=False)

    def test_what_is_not_found_is_final(self, monkeypatch: pytest.MonkeyPatch, raises: bool) -> None:
        self.answer(monkeypatch, "CONNECTION_NOT_FOUND", raises=raises)

        with pytest.raises(AirflowFailException, match='there is no Airflow connection "missing"'):
            CollateHook("missing").get_service("s0")
        with pytest.raises(
            AirflowFailException, match=r'connection\.conn_id: there is no Airflow connection "missing"'
        ):
            CollateHook("missing").upsert_service(SERVICE)

    @pytest.mark.parametrize("error", ["API_SERVER_ERROR", "GENERIC_ERROR"])
    def test_a_fault_of_the_api_server_is_not(self, error: str, monkeypatch: pytest.MonkeyPatch, raises: bool) -> None:
        self.answer(monkeypatch, error, raises=raises)

        hook = CollateHook("missing")
        for ask in (partial(hook.get_service, "s0"), partial(hook.upsert_service, SERVICE)):
            with pytest.raises(CollateError) as caught:
                ask()

            assert caught.value.retryable
            assert str(caught.value) == (
                'Airflow did not give the connection "missing": its API server, or the way to it, failed\n'
                "Airflow's retries will try again."
            )
