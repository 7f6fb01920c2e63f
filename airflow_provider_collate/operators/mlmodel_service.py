"""Operators that keep ML model services in Collate as declared."""

from __future__ import annotations

from airflow_provider_collate.operators._service_operators import (
    BulkUpsertServicesOperator,
    CreateServiceOperator,
    DeleteServiceOperator,
    SyncServicesOperator,
)

__all__ = [
    "BulkUpsertMlModelServicesOperator",
    "CreateMlModelServiceOperator",
    "DeleteMlModelServiceOperator",
    "SyncMlModelServicesOperator",
]


class CreateMlModelServiceOperator(CreateServiceOperator):
    """Register one ML model service and check that the catalog shows it as declared.

    Calls `POST /v1/services/mlmodelServices`; under `if_exists="update"` what differs goes out as one `PATCH`.
    Service types are `Mlflow`, `Sklearn`, `SageMaker`, `VertexAI` and `CustomMlModel`. A field that is not given is
    left alone, whatever the catalog has; `None`, `""` or `[]` empties it.
    """

    kind = "mlmodelServices"


class BulkUpsertMlModelServicesOperator(BulkUpsertServicesOperator):
    """Register or change many ML model services; what is as declared is not written.

    Every row is checked before the first request. New services go out by `PUT …/bulk`, in chunks, where the
    server has it (documented), else one by one with a bounded number in flight; what differs in existing ones as
    one `PATCH` each. Then the catalog is read again, and the task fails if it does not show what was declared.
    """

    kind = "mlmodelServices"


class SyncMlModelServicesOperator(SyncServicesOperator):
    """Keep exactly the declared ML model services in a scope.

    As `BulkUpsertMlModelServicesOperator`, and services in scope that are not declared are deleted if `prune` says
    so; `DELETE /v1/services/mlmodelServices/{id}`.
    """

    kind = "mlmodelServices"


class DeleteMlModelServiceOperator(DeleteServiceOperator):
    """Delete an ML model service and check that it is gone. `DELETE /v1/services/mlmodelServices/{id}`."""

    kind = "mlmodelServices"
