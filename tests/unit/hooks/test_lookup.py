"""An Airflow connection that is not there is final; one that Airflow could not read is not."""

from __future__ import annotations

import importlib.util
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import BaseHook
from pytest_mock import MockerFixture

from airflow_provider_collate.exceptions import CollateError
from airflow_provider_collate.hooks.lookup import find_connection

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("airflow.sdk") is None, reason="Airflow 2 asks its database, whose errors are told apart"
)


def in_a_task(mocker: MockerFixture, error: str, *, raises: bool) -> list[str]:
    """Let the API server answer with an error; the ids that it is asked for from now on."""
    from airflow.sdk.exceptions import AirflowRuntimeError, ErrorType
    from airflow.sdk.execution_time import task_runner
    from airflow.sdk.execution_time.comms import ErrorResponse

    answer = ErrorResponse(error=ErrorType[error], detail={})
    asked: list[str] = []

    def send(message: Any) -> Any:
        asked.append(message.conn_id)
        if raises:
            raise AirflowRuntimeError(answer)
        return answer

    mocker.patch.object(task_runner, "SUPERVISOR_COMMS", create=True).send.side_effect = send
    return asked


def test_outside_of_a_task_there_is_no_api_server_to_ask() -> None:
    assert find_connection("missing", BaseHook.get_connection) is None


def test_an_error_of_the_api_server_that_airflow_passes_on_is_not_final(mocker: MockerFixture) -> None:
    from airflow.sdk.exceptions import AirflowRuntimeError, ErrorType
    from airflow.sdk.execution_time.comms import ErrorResponse

    error = AirflowRuntimeError(ErrorResponse(error=ErrorType.GENERIC_ERROR, detail={}))
    with pytest.raises(CollateError) as caught:
        find_connection("mine", mocker.Mock(side_effect=error))
    assert caught.value.retryable
    assert "mine" in caught.value.message


def test_an_early_airflow_3_0_is_believed(mocker: MockerFixture) -> None:
    from airflow.providers.common.compat.sdk import AirflowNotFoundException
    from airflow.sdk.execution_time import task_runner

    mocker.patch.object(task_runner, "SUPERVISOR_COMMS", new=object(), create=True)  # it has no `send`
    assert find_connection("missing", mocker.Mock(side_effect=AirflowNotFoundException("missing"))) is None


@pytest.mark.parametrize("raises", [False, True])
def test_what_is_not_found_is_missing(mocker: MockerFixture, raises: bool) -> None:
    asked = in_a_task(mocker, "CONNECTION_NOT_FOUND", raises=raises)

    assert find_connection("missing", BaseHook.get_connection) is None
    # Airflow itself asked by the same way: where it no longer does, ours leads nowhere.
    assert asked == ["missing", "missing"]


@pytest.mark.parametrize("raises", [False, True])
@pytest.mark.parametrize("error", ["API_SERVER_ERROR", "GENERIC_ERROR"])
def test_an_error_of_the_api_server_is_retryable(mocker: MockerFixture, error: str, raises: bool) -> None:
    in_a_task(mocker, error, raises=raises)

    with pytest.raises(CollateError, match='Airflow did not give the connection "missing"') as caught:
        find_connection("missing", BaseHook.get_connection)

    assert caught.value.retryable
