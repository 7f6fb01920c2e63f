"""Look up an Airflow connection, and tell one that is not there from one that Airflow could not read."""

from __future__ import annotations

import sys
from collections.abc import Callable

from airflow.providers.common.compat import sdk

from airflow_provider_collate.exceptions import CollateError


def find_connection(conn_id: str, get_connection: Callable[[str], sdk.Connection]) -> sdk.Connection | None:
    """Return the Airflow connection of an id, or None when there is none.

    :param conn_id: its id.
    :param get_connection: a hook's `get_connection`.
    :raises CollateError: retryable, when Airflow's API server could not be asked.
    """
    try:
        return get_connection(conn_id)
    except sdk.AirflowNotFoundException:
        is_missing = _is_missing(conn_id)
    except _api_server_errors():  # as Airflow 3.0 tells of all but a missing connection
        is_missing = False
    if is_missing:
        return None
    raise CollateError(
        f'Airflow did not give the connection "{conn_id}": its API server, or the way to it, failed',
        advice="Airflow's retries will try again.",
        retryable=True,
    )


def _api_server_errors() -> tuple[type[Exception], ...]:
    """Return the class of the errors that Airflow 3 passes on from its API server; Airflow 2 has none."""
    try:
        from airflow.sdk.exceptions import AirflowRuntimeError
    except ImportError:
        return ()
    return (AirflowRuntimeError,)


def _is_missing(conn_id: str) -> bool:
    """Return whether a connection is missing indeed.

    In a task on Airflow 3 every failure of the API server is reported as "isn't defined", which would fail the task
    for good. Airflow has no public way to tell; its supervisor is asked again, by the way that Airflow itself asks.
    """
    runner = sys.modules.get("airflow.sdk.execution_time.task_runner")
    supervisor = getattr(runner, "SUPERVISOR_COMMS", None)
    if supervisor is None or not hasattr(supervisor, "send"):  # an early Airflow 3.0's, whose word is true
        return True
    from airflow.sdk.exceptions import AirflowRuntimeError, ErrorType
    from airflow.sdk.execution_time.comms import ErrorResponse, GetConnection

    try:
        answer = supervisor.send(GetConnection(conn_id=conn_id))
    except AirflowRuntimeError as error:
        answer = error.error
    return isinstance(answer, ErrorResponse) and answer.error == ErrorType.CONNECTION_NOT_FOUND
