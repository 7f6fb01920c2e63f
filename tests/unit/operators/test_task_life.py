"""What an operator does beside its work: serialisation, being killed, errors, asset events."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from airflow import __version__ as airflow_version
from airflow.providers.common.compat.sdk import DAG, AirflowFailException, AssetAlias
from airflow.serialization import serialized_objects

from airflow_provider_collate.exceptions import StoppedError
from airflow_provider_collate.hooks.collate import CollateHook
from airflow_provider_collate.kinds.mlmodel import MlflowConnection
from airflow_provider_collate.operators._service_operators import ServiceOperator
from airflow_provider_collate.operators.mlmodel_service import (
    BulkUpsertMlModelServicesOperator,
    CreateMlModelServiceOperator,
    DeleteMlModelServiceOperator,
    SyncMlModelServicesOperator,
)
from airflow_provider_collate.sandbox import Catalog
from tests.secrets.tracebacks import everything_along
from tests.unit.conftest import Killing, Network, TaskInstance, service_in

DagSerialization: Any = (
    getattr(serialized_objects, "DagSerialization", None) or vars(serialized_objects)["SerializedDAG"]
)
IS_AIRFLOW_3 = int(airflow_version.split(".", maxsplit=1)[0]) >= 3
SECRET = "hunter2-hunter2-hunter2"
LEAKY: dict[str, Any] = {
    "config": {"registryUri": f"mysql://user:{SECRET}@host/db", "trackingUri": "http://mlflow:5000"}
}
SERVICE = {"name": "s0", "serviceType": "Mlflow", "connection": LEAKY}


def operators(connection: Any = None, **given: Any) -> list[ServiceOperator]:
    """One of each, on a service with a secret."""
    connection = connection or copy.deepcopy(LEAKY)
    service = {**SERVICE, "connection": connection}
    return [
        CreateMlModelServiceOperator(
            task_id="create", name="s0", service_type="Mlflow", connection=connection, if_exists="update", **given
        ),
        BulkUpsertMlModelServicesOperator(task_id="bulk", services=[service, {**service, "name": "s1"}], **given),
        SyncMlModelServicesOperator(task_id="sync", services=[service, {**service, "name": "s1"}], **given),
        DeleteMlModelServiceOperator(task_id="delete", name="s0", **given),
    ]


def ids(operator: ServiceOperator) -> str:
    return operator.task_id


each_operator = pytest.mark.parametrize("operator", operators(), ids=ids)


# --- serialisation


def test_dags_serialise_with_models_as_arguments() -> None:
    with DAG("d", schedule=None) as dag:
        CreateMlModelServiceOperator(
            task_id="create",
            name="s0",
            service_type="Mlflow",
            connection=MlflowConnection(tracking_uri="http://mlflow:5000"),
        )
        BulkUpsertMlModelServicesOperator(
            task_id="bulk", services=[{"name": "s1", "service_type": "Mlflow", "connection": MlflowConnection()}]
        )
        CreateMlModelServiceOperator.partial(task_id="mapped", service_type="Mlflow", connection=None).expand(
            name=["a", "b"]
        )
    text = str(DagSerialization.to_dict(dag))
    assert "http://mlflow:5000" in text
    assert "MlflowConnection" not in text


# --- being killed


@pytest.mark.parametrize("at", [1, 2, 3])
@each_operator
def test_a_killed_task_sends_nothing_more_and_is_retried(
    operator: ServiceOperator, at: int, catalog: Catalog, context: Any, network: Network
) -> None:
    catalog.add_service("s0")
    operator = copy.copy(operator)
    network.hosts["acme.getcollate.io"] = killing = Killing(network.hosts["acme.getcollate.io"], operator, at)
    with pytest.raises(StoppedError, match="told to stop") as caught:
        operator.execute(context)
    assert not isinstance(caught.value, AirflowFailException)
    assert at <= killing.seen <= at + 1  # two names are read at once: one may be on its way


def test_a_kill_during_single_writes_stops_them(catalog: Catalog, context: Any, network: Network) -> None:
    catalog.state.has_bulk = False
    services = [{"name": f"s{n}", "serviceType": "Sklearn", "connection": None} for n in range(300)]
    operator = BulkUpsertMlModelServicesOperator(task_id="t", services=services)
    network.hosts["acme.getcollate.io"] = killing = Killing(network.hosts["acme.getcollate.io"], operator, 60)
    with pytest.raises(StoppedError):
        operator.execute(context)
    assert killing.seen <= 60 + 8
    assert len(catalog.services) < 70


@each_operator
def test_a_kill_before_the_first_request_sends_none(operator: ServiceOperator, catalog: Catalog, context: Any) -> None:
    operator = copy.copy(operator)
    operator.on_kill()
    with pytest.raises(StoppedError):
        operator.execute(context)
    assert catalog.requests == []


# --- what an error carries along


@each_operator
def test_no_frame_along_an_error_holds_a_secret(operator: ServiceOperator, catalog: Catalog, context: Any) -> None:
    catalog.fail(times=None, status=400, body={"code": 400, "message": f"Cannot read {SERVICE}"})
    with pytest.raises(AirflowFailException) as caught:
        operator.execute(context)
    assert SECRET not in everything_along(caught.value)


def test_no_frame_holds_a_secret_when_airflow_times_out_in_the_middle(
    catalog: Catalog, context: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As Airflow's `execution_timeout`, whose signal handler raises wherever the task is."""

    class TaskTimeoutError(BaseException):
        pass

    def interrupt(*_: object) -> httpx.Response:
        raise TaskTimeoutError

    monkeypatch.setattr(httpx.HTTPTransport, "handle_request", interrupt)
    with pytest.raises(TaskTimeoutError) as caught:
        operators()[1].execute(context)
    trace = caught.value.__traceback__
    assert trace is not None
    assert SECRET not in everything_along(caught.value.with_traceback(trace.tb_next))


# --- asset events


@pytest.mark.skipif(not IS_AIRFLOW_3, reason="Airflow 2.11 has datasets, whose aliases crash a DAG that is not synced")
class TestAssetEvents:
    ALIAS = AssetAlias("ml-services") if IS_AIRFLOW_3 else None

    @pytest.fixture
    def events(self, context: Any) -> Callable[[], list[tuple[str, dict[str, Any]]]]:
        """The assets that Airflow will make events of, each with its extra."""
        from airflow.sdk.execution_time.context import OutletEventAccessors

        outlets = context["outlet_events"] = OutletEventAccessors()
        return lambda: [
            (event.dest_asset_key.uri, event.extra)
            for outlet in outlets.values()
            for event in outlet.asset_alias_events
        ]

    def services(self, count: int) -> list[dict[str, Any]]:
        return [{"name": f"s.{n}", "serviceType": "Sklearn", "connection": None} for n in range(count)]

    def test_each_changed_service_is_an_event(self, catalog: Catalog, context: Any, events: Any) -> None:
        services = self.services(2)
        make = BulkUpsertMlModelServicesOperator
        make(task_id="a", services=services, outlets=[self.ALIAS]).execute(context)
        assert events() == [
            (f"collate://acme.getcollate.io/mlmodelServices/%22s.{n}%22", {"outcome": "created", "name": f"s.{n}"})
            for n in range(2)
        ]

    def test_at_most_a_hundred(self, catalog: Catalog, context: Any, events: Any, logged: Any) -> None:
        BulkUpsertMlModelServicesOperator(task_id="a", services=self.services(130), outlets=[self.ALIAS]).execute(
            context
        )
        assert len(events()) == 100
        assert "30 more services changed" in logged()

    def test_a_name_too_long_for_an_asset_makes_none_and_is_counted(
        self, catalog: Catalog, context: Any, events: Any, logged: Any
    ) -> None:
        services = [{**service, "name": f"{n}{'木' * 200}"} for n, service in enumerate(self.services(3))]
        both = [*services, *self.services(101)]
        BulkUpsertMlModelServicesOperator(task_id="a", services=both, outlets=[self.ALIAS]).execute(context)
        assert len(catalog.services) == 104
        assert {extra["name"] for _, extra in events()} == {f"s.{n}" for n in range(100)}
        assert "3 services that changed have names too long for an asset" in logged()
        assert "1 more services changed" in logged()

    def test_a_row_that_was_written_in_part_is_an_event(self, catalog: Catalog, context: Any, events: Any) -> None:
        services = [{**service, "description": "Declared"} for service in self.services(2)]
        services[1]["displayName"] = "S 1"
        for service in services:
            catalog.add_service(service["name"], "Sklearn", description="Written by Ana")
        make = BulkUpsertMlModelServicesOperator
        make(task_id="a", services=services, on_conflict="keep", outlets=[self.ALIAS]).execute(context)
        assert service_in(catalog, "s.1")["displayName"] == "S 1"
        assert [extra for _, extra in events()] == [{"outcome": "kept", "name": "s.1"}]

    def test_none_when_nothing_changed_or_the_task_failed(
        self, catalog: Catalog, context: Any, events: Any, ti: TaskInstance
    ) -> None:
        services = self.services(2)
        make = BulkUpsertMlModelServicesOperator
        make(task_id="a", services=services).execute(context)
        make(task_id="b", services=services, outlets=[self.ALIAS]).execute(context)
        catalog.fail(times=None, status=400, method="PUT")
        catalog.fail(times=None, status=400, method="POST")
        with pytest.raises(AirflowFailException):
            make(task_id="c", services=self.services(3), outlets=[self.ALIAS]).execute(context)
        assert events() == []


# --- the hook is Airflow's own


def test_hooks_read_nothing_before_their_first_call(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AIRFLOW_CONN_COLLATE_DEFAULT", raising=False)
    for operator in operators():
        assert operator.collate_conn_id == "collate_default"
    CollateHook("nowhere")
