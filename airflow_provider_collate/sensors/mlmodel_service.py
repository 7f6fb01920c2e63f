"""A sensor that waits for an ML model service in Collate."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider_collate.sensors._service_sensor import ServiceSensor

if TYPE_CHECKING:
    from airflow_provider_collate.triggers.mlmodel_service import MlModelServiceTrigger

__all__ = ["MlModelServiceSensor"]


class MlModelServiceSensor(ServiceSensor):
    """Wait until an ML model service is there and, if `fields` are given, shows them.

    Calls `GET /v1/services/mlmodelServices/name/{fqn}` at every poke. No such service (404) is "not yet", and so
    is a transient error (no answer, 429, 5xx, when the client's own retries are used up): it is logged as a warning,
    and the next poke is the retry. What no later poke can change (a faulty connection, a refused token, 400, 401,
    403) fails the task at once. Give a `timeout`: Airflow's own is 7 days.
    """

    kind = "mlmodelServices"

    def _trigger_class(self) -> type[MlModelServiceTrigger]:
        from airflow_provider_collate.triggers.mlmodel_service import MlModelServiceTrigger

        return MlModelServiceTrigger
