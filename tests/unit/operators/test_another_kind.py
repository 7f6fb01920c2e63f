"""Another kind of service is one declaration and four empty classes, and changes nothing of the kind that is there."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from airflow_provider_collate import kinds
from airflow_provider_collate.kinds import ServiceKind, registered_kinds
from airflow_provider_collate.kinds.mlmodel import ML_MODEL
from airflow_provider_collate.models import PLAIN, ConnectionConfig, CreateServiceRequest
from airflow_provider_collate.operators import _service_operators as generic
from airflow_provider_collate.operators.mlmodel_service import CreateMlModelServiceOperator
from airflow_provider_collate.sandbox import Catalog, InProcessTransport

CONFIG = {"hostPort": "https://superset.acme.example", "trackingUri": (SECRET := "hunter2-hunter2")}


class SupersetConnection(ConnectionConfig):
    type: Annotated[Literal["Superset"], PLAIN] = "Superset"
    host_port: Annotated[str | None, PLAIN] = None
    tracking_uri: str | None = None  # secret here, and plain in a field of the same name of the ML kind


class CreateDashboardServiceRequest(CreateServiceRequest):
    connection_types: ClassVar[dict[str, type[ConnectionConfig]]] = {"Superset": SupersetConnection}


KIND = ServiceKind("dashboardServices", "dashboard service", "settings/x", CreateDashboardServiceRequest)


class Create(generic.CreateServiceOperator):
    kind = "dashboardServices"


class BulkUpsert(generic.BulkUpsertServicesOperator):
    kind = "dashboardServices"


class Sync(generic.SyncServicesOperator):
    kind = "dashboardServices"


class Delete(generic.DeleteServiceOperator):
    kind = "dashboardServices"


def rows(*names: str) -> Any:
    return [{"name": name, "serviceType": "Superset", "connection": {"config": dict(CONFIG)}} for name in names]


def test_all_operators_work_for_another_kind(
    network: Any, connect: Any, context: Any, monkeypatch: Any, logged: Any
) -> None:
    monkeypatch.setitem(kinds._registered, KIND.collection, KIND)
    network.hosts["acme.getcollate.io"] = InProcessTransport(catalog := Catalog(kinds=registered_kinds()))
    connect()
    CreateMlModelServiceOperator(task_id="ml", name="a", service_type="Sklearn", connection=None).execute(context)
    create = Create(task_id="c", name="a", service_type="Superset", connection=rows("a")[0]["connection"])
    create.render_template_fields({"ti": context["ti"]}, create.get_template_env())
    assert str(create.execute(context)["url"]).endswith("/service/dashboardServices/a")
    assert BulkUpsert(task_id="b", services=rows("a", "b")).execute(context)["counts"] == {"created": 1, "unchanged": 1}
    stored: Any = catalog.services_of("dashboardServices")
    assert stored["b"]["connection"]["config"].items() >= {**CONFIG, "type": "Superset"}.items()
    sync = Sync(task_id="s", services=rows("b"), prune="soft", prune_scope={"name_prefix": "a"}, max_prune=1)
    assert sync.execute(context)["counts"] == {"deleted": 1, "unchanged": 1}
    assert Delete(task_id="d", name="b").execute(context)["outcome"] == "deleted"
    assert (list(catalog.services_of("dashboardServices")), list(catalog.services)) == ([], ["a"])
    assert SECRET not in logged() + repr(create.connection) + repr(context["ti"].xcoms)
    assert "is written in the DAG file" in logged()
    assert not list(ML_MODEL.secret_values("Mlflow", {"config": {"trackingUri": SECRET}}))
