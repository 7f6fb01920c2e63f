"""A sensor that waits for an ML model service in Collate."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import (
    AirflowException,
    AirflowFailException,
    AirflowSensorTimeout,
    AirflowTaskTimeout,
    BaseSensorOperator,
    PokeReturnValue,
    conf,
)

from airflow_provider_collate.links.mlmodel_service import MlModelServiceLink

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context
    from pydantic import JsonValue

    from airflow_provider_collate.hooks.collate import CollateHook

__all__ = ["MlModelServiceSensor"]

# The trigger ends the waiting itself and says what was missing; Airflow's own timeout is for a triggerer that is down.
GRACE = timedelta(minutes=1)


class MlModelServiceSensor(BaseSensorOperator):
    """Wait until an ML model service is there and, if `fields` are given, shows them.

    Calls `GET /v1/services/mlmodelServices/name/{fqn}` at every poke. No such service (404) is "not yet", and so
    is a passing fault (no answer, 429, 5xx, when the client's own retries are used up): it is logged as a warning,
    and the next poke is the retry. What no later poke can mend (a faulty connection, a refused token, 400, 401,
    403) fails the task at once. Give a `timeout`: Airflow's own is 7 days.

    :param name: the service's name.
    :param fields: what the service is to show, in camelCase as documented or in snake_case: `description`,
        `displayName`, `serviceType`, `version`, `tags`, `owners` (ids or names), `domains` or `domain`. A list waits
        until all of its items are among those shown, whatever else is; an empty list, `None` or `""` waits until
        the field is empty. None waits for the service alone.
    :param collate_conn_id: id of an Airflow connection of type `collate`.
    :param request_timeout: seconds for one attempt of a request; None for the connection's own. (`timeout` is
        Airflow's: how long the whole waiting may take.)
    :param max_retries: how often a request is tried again within one poke; None for the connection's own.
    :param deferrable: wait in the triggerer, which takes no worker slot; looks each `poke_interval` seconds,
        without `exponential_backoff`. `execution_timeout` holds there, too.
    :return: the service as `CollateHook.get_service` shows it.
    :raises AirflowFailException: when no later poke can succeed.
    :raises AirflowSensorTimeout: when the service was not there in time.
    """

    kind = "mlmodelServices"
    template_fields: Sequence[str] = ("name", "fields", "collate_conn_id", "request_timeout", "max_retries")
    operator_extra_links = (MlModelServiceLink(),)
    ui_color = "#e6e0f5"

    def __init__(
        self,
        *,
        name: str,
        fields: Mapping[str, object] | None = None,
        collate_conn_id: str = "collate_default",
        request_timeout: float | str | None = None,
        max_retries: int | str | None = None,
        deferrable: bool = conf.getboolean("operators", "default_deferrable", fallback=False),
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.name = name
        self.fields = fields
        self.collate_conn_id = collate_conn_id
        self.request_timeout = request_timeout
        self.max_retries = max_retries
        self.deferrable = deferrable
        self._hook: CollateHook | None = None
        self._is_killed = False

    def poke(self, context: Context) -> PokeReturnValue:
        """Look once."""
        from airflow_provider_collate.hooks.boundary import fails_the_task
        from airflow_provider_collate.reconcile.waiting import look

        with self._make_hook() as hook:
            verdict = fails_the_task(look)(lambda name: hook.get_service(name, kind=self.kind), self.name, self.fields)
            hook.raise_if_stopped()
        if verdict.is_there:
            self.log.info("%s", verdict)
            return PokeReturnValue(is_done=True, xcom_value=verdict.service)
        (self.log.warning if verdict.fault else self.log.info)("Waiting: %s", verdict)
        if self.deferrable:
            # Only after a first look, so that what it raises meets `soft_fail` and `never_fail` like any other.
            self._defer()
        return PokeReturnValue(is_done=False)

    def execute_complete(self, context: Context, event: Mapping[str, Any] | None = None) -> dict[str, JsonValue]:
        """Turn the trigger's event into the task's end.

        :param event: as described at `MlModelServiceTrigger`.
        """
        if not event:
            raise AirflowException("The trigger ended without an event")
        if event["status"] == "found":
            service: dict[str, JsonValue] = event["service"]
            self.log.info("%s is there", service["name"])
            return service
        if event["status"] == "timeout":
            self._raise_timeout(event["message"])
        if event.get("retryable"):
            raise AirflowException(event["message"])
        raise AirflowFailException(event["message"])

    def on_kill(self) -> None:
        """Send nothing more; the next poke then ends the task as a failure that Airflow retries."""
        self._is_killed = True
        if self._hook is not None:
            self._hook.stop()

    @property
    def _is_bound_by_execution_timeout(self) -> bool:
        return self.execution_timeout is not None and self.execution_timeout.total_seconds() < self.timeout

    def _defer(self) -> None:
        from airflow_provider_collate.triggers.mlmodel_service import MlModelServiceTrigger

        seconds = self.timeout
        if self.execution_timeout is not None:
            seconds = min(seconds, self.execution_timeout.total_seconds())
        self.defer(
            trigger=MlModelServiceTrigger(
                name=self.name,
                fields=self.fields,
                collate_conn_id=self.collate_conn_id,
                poll_interval=self.poke_interval,
                end_time=time.time() + seconds,
                request_timeout=self.request_timeout,
                max_retries=self.max_retries,
            ),
            method_name="execute_complete",
            timeout=timedelta(seconds=seconds) + GRACE,
        )

    def _raise_timeout(self, message: str) -> None:
        """As a sensor that waits in a worker ends: one timeout can be retried, the other cannot."""
        if self._is_bound_by_execution_timeout:
            raise AirflowTaskTimeout(message)
        raise AirflowSensorTimeout(message)

    def _make_hook(self) -> CollateHook:
        """The hook, made when the task runs: a DAG file that is parsed does not load the client."""
        from airflow_provider_collate.hooks.collate import CollateHook

        self._hook = CollateHook(self.collate_conn_id, timeout=self.request_timeout, max_retries=self.max_retries)
        if self._is_killed:
            self._hook.stop()
        return self._hook
