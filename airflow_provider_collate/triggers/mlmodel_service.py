"""Waiting for an ML model service in the triggerer, where it takes no worker slot."""

from __future__ import annotations

from airflow_provider_collate.triggers._service_trigger import ServiceTrigger

__all__ = ["MlModelServiceTrigger"]


class MlModelServiceTrigger(ServiceTrigger):
    """Wait until an ML model service is there and shows what it must show.

    Its parameters and its event are those of `ServiceTrigger`.
    """

    kind = "mlmodelServices"
