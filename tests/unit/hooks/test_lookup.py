"""An Airflow connection that is not there is final; one that Airflow could not read is not."""

from __future__ import annotations

import importlib.util
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import BaseHook

from airflow_provider_collate.exceptions import CollateError
from airflow_provider_collate.hooks.lookup import find_connection

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("airflow.sdk") is None, reason="Airflow 2 asks its database, whose errors are told apart"
)


class Supervisor:
    """What answers a task on Airflow 3 in the name of the API server."""

    def __init__(self, error: str, *, raises: bool) -> None:
        self.asked: list[str] = []
        self._error = error
        self._raises = raises

    def send(self, message: Any) -> Any:
        from airflow.sdk.exceptions import AirflowRuntimeError, ErrorType
        from airflow.sdk.execution_time.comms import ErrorResponse

        self.asked.append(message.conn_id)
        answer = ErrorResponse(error=ErrorType[self._error], detail={})
        if self._raises:
            raise AirflowRuntimeError(answer)
        return answer


def in_a_task(monkeypatch: pytest.MonkeyPatch, error: str, *, raises: bool) -> Supervisor:
    from airflow.sdk.execution_time import task_runner

    supervisor = Supervisor(error, raises=raises)
    monkeypatch.setattr(task_runner, "SUPERVISOR_COMMS", supervisor, raising=False)
    return supervisor


def test_outside_of_a_task_there_is_no_api_server_to_ask() -> None:
    assert find_connection("missing", BaseHook.get_connection) is None


@pytest.mark.parametrize("raises", [False, True])
def test_what_is_not_found_is_missing(monkeypatch: pytest.MonkeyPatch, raises: bool) -> None:
    supervisor = in_a_task(monkeypatch, "CONNECTION_NOT_FOUND", raises=raises)

    assert find_connection("missing", BaseHook.get_connection) is None
    # Airflow itself asked by the same way: where it no longer does, ours leads nowhere.
    assert supervisor.asked == ["missing", "missing"]


@pytest.mark.parametrize("raises", [False, True])
@pytest.mark.parametrize("error", ["API_SERVER_ERROR", "GENERIC_ERROR"])
def test_an_error_of_the_api_server_is_retryable(monkeypatch: pytest.MonkeyPatch, error: str, raises: bool) -> None:
    in_a_task(monkeypatch, error, raises=raises)

    with pytest.raises(CollateError, match='Airflow did not give the connection "missing"') as caught:
        find_connection("missing", BaseHook.get_connection)

    assert caught.value.retryable
