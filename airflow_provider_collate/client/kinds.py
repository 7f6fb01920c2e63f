"""The kinds of services this package knows: one row a kind."""

from __future__ import annotations

from dataclasses import dataclass

from airflow_provider_collate.models import CreateMlModelServiceRequest, CreateServiceRequest


@dataclass(frozen=True, slots=True)
class ServiceKind:
    """A kind of service and where the API and the UI have it.

    :param collection: the collection's name in the API and UI, e.g. `mlmodelServices`.
    :param label: how messages call one service of the kind.
    :param request_model: what may be declared.
    :param list_page: the UI's page of all services of the kind.
    """

    collection: str
    label: str
    request_model: type[CreateServiceRequest]
    list_page: str

    @property
    def path(self) -> str:
        """The collection's path under the API root."""
        return f"/v1/services/{self.collection}"


ML_MODEL = ServiceKind(
    collection="mlmodelServices",
    label="ML model service",
    request_model=CreateMlModelServiceRequest,
    list_page="settings/services/mlmodels",
)

KINDS = {kind.collection: kind for kind in (ML_MODEL,)}
