"""The sensor that waits for a service, for any kind: a subclass names its kind and its trigger."""

from __future__ import annotations

import time
from abc import abstractmethod
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

from airflow_provider_collate.hooks.boundary import fails_the_task
from airflow_provider_collate.operators._collate_task import CollateTask

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context
    from pydantic import JsonValue

    from airflow_provider_collate.triggers._service_trigger import ServiceTrigger

# The trigger ends the waiting itself and says what was missing; Airflow's own timeout is for a triggerer that is down.
GRACE = timedelta(minutes=1)


class ServiceSensor(CollateTask, BaseSensorOperator):
    """Wait for one service.

    :param name: the service's name.
    :param fields: what the service must show, in camelCase as documented or in snake_case: `description`,
        `displayName`, `serviceType`, `version`, `tags`, `owners` (names, e-mails or ids), `domains` or `domain`. A list
        waits until all of its items are among those shown, whatever else is; an empty list, `None` or `""` waits
        until the field is empty. None waits for the service alone.
    :param deferrable: wait in the triggerer, which takes no worker slot; looks each `poke_interval` seconds,
        without `exponential_backoff`. `execution_timeout` holds there, too, and `request_retries` is 0 unless it is
        given, because the next look is the retry.
    :return: the service as `CollateHook.get_service` shows it.
    :raises AirflowFailException: when no later poke can succeed.
    :raises AirflowSensorTimeout: when the service was not there in time.
    """

    template_fields: Sequence[str] = ("name", "fields", *CollateTask.connection_params)

    def __init__(
        self,
        *,
        name: str,
        fields: Mapping[str, object] | None = None,
        deferrable: bool = conf.getboolean("operators", "default_deferrable", fallback=False),
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.name = name
        self.fields = fields
        self.deferrable = deferrable

    @abstractmethod
    def _trigger_class(self) -> type[ServiceTrigger]:
        """Return the trigger of the kind; imported here, so that a DAG file that is parsed does not load it."""

    @fails_the_task
    def poke(self, context: Context) -> PokeReturnValue:
        """Look once."""
        from airflow_provider_collate.hooks.collate import look_by

        with self._make_hook() as hook:
            verdict = look_by(hook, self.kind, self.name, self.fields)
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

        :param event: as described at the trigger.
        """
        if not event:
            raise AirflowException("The trigger ended without an event")
        if event["status"] == "found":
            service: dict[str, JsonValue] = event["service"]
            self.log.info("%s is there", service["name"])
            return service
        if event["status"] == "timeout":
            # As a sensor that waits in a worker ends: one timeout can be retried, the other cannot.
            raise (AirflowTaskTimeout if self._seconds < self.timeout else AirflowSensorTimeout)(event["message"])
        if event.get("retryable"):
            raise AirflowException(event["message"])
        raise AirflowFailException(event["message"])

    @property
    def _seconds(self) -> float:
        """How long the waiting may take in all."""
        limit = self.execution_timeout
        return self.timeout if limit is None else min(self.timeout, limit.total_seconds())

    def _defer(self) -> None:
        params = {name: getattr(self, name) for name in self.template_fields}
        self.defer(
            trigger=self._trigger_class()(
                poll_interval=self.poke_interval, end_time=time.time() + self._seconds, **params
            ),
            method_name="execute_complete",
            timeout=timedelta(seconds=self._seconds) + GRACE,
        )
