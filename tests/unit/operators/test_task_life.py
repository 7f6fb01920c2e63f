"""What an operator does beside its work: rendering, serialisation, being killed, asset events."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any, TypeVar

import httpx
import pytest
from airflow import __version__ as airflow_version
from airflow.providers.common.compat.sdk import DAG, AirflowFailException, Asset, AssetAlias

from airflow_provider_collate.exceptions import StoppedError
from airflow_provider_collate.hooks.collate import CollateHook
from airflow_provider_collate.models import MlflowConnection
from airflow_provider_collate.operators.mlmodel_service import (
    BulkUpsertMlModelServicesOperator,
    CreateMlModelServiceOperator,
    DeleteMlModelServiceOperator,
    SyncMlModelServicesOperator,
)
from airflow_provider_collate.operators.rendered import Rendered, unwrapped
from airflow_provider_collate.operators.service_operator import ServiceOperator
from airflow_provider_collate.sandbox import Catalog
from tests.secrets.tracebacks import everything_along
from tests.unit.conftest import Network, TaskInstance, service_in

IS_AIRFLOW_3 = int(airflow_version.split(".", maxsplit=1)[0]) >= 3
SECRET = "hunter2-hunter2-hunter2"
LEAKY: dict[str, Any] = {
    "config": {"registryUri": f"mysql://user:{SECRET}@host/db", "trackingUri": "http://mlflow:5000"}
}
SERVICE = {"name": "s0", "serviceType": "Mlflow", "connection": LEAKY}


Operator = TypeVar("Operator", bound=ServiceOperator)


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


# --- rendering


class TestRendering:
    def rendered(self, operator: Operator, **context: Any) -> Operator:
        given: Any = context
        operator.render_template_fields(given, operator.get_template_env())
        return operator

    def test_every_template_field_is_rendered(self, catalog: Catalog, context: Any) -> None:
        fields: dict[str, Any] = {
            "name": "{{ team }}_mlflow",
            "service_type": "{{ 'Mlflow' }}",
            "connection": {"config": {"trackingUri": "http://{{ team }}:5000"}},
            "display_name": "Of {{ team }}",
            "description": "Models of {{ team }}",
            "tags": ["Tier.{{ 'Tier1' }}"],
            "domains": ["{{ 'Fraud' }}"],
            "timeout": "{{ 7 }}",
        }
        operator = self.rendered(CreateMlModelServiceOperator(task_id="t", **fields), team="fraud")
        assert operator.execute(context)["name"] == "fraud_mlflow"
        stored = service_in(catalog, "fraud_mlflow")
        assert stored["displayName"] == "Of fraud"
        assert stored["description"] == "Models of fraud"
        assert stored["connection"]["config"]["trackingUri"] == "http://fraud:5000"
        assert [tag["tagFQN"] for tag in stored["tags"]] == ["Tier.Tier1"]
        assert [domain["name"] for domain in stored["domains"]] == ["Fraud"]

    def test_templates_in_rows_and_in_models_are_rendered(self, catalog: Catalog, context: Any) -> None:
        row = {"name": "{{ n }}", "serviceType": "Mlflow", "connection": MlflowConnection.model_construct(
            tracking_uri="http://{{ n }}:5000"
        )}  # fmt: skip
        self.rendered(BulkUpsertMlModelServicesOperator(task_id="t", services=[row]), n="fraud").execute(context)
        assert service_in(catalog, "fraud")["connection"]["config"]["trackingUri"] == "http://fraud:5000"

    def test_collate_conn_id_is_rendered(
        self, catalog: Catalog, context: Any, connect: Callable[..., None], network: Network
    ) -> None:
        network.hosts["other.getcollate.io"] = network.hosts["acme.getcollate.io"]
        connect("collate_other", host="https://other.getcollate.io")
        operator = self.rendered(
            DeleteMlModelServiceOperator(task_id="t", name="none", collate_conn_id="collate_{{ which }}"), which="other"
        )
        assert str(operator.execute(context)["url"]).startswith("https://other.getcollate.io/")

    @pytest.mark.parametrize("operator", operators()[:3], ids=ids)
    def test_what_airflow_stores_of_a_field_has_no_secret(self, operator: ServiceOperator) -> None:
        from airflow.serialization.helpers import serialize_template_field

        operator = self.rendered(copy.copy(operator))
        for name in operator.template_fields:
            stored = serialize_template_field(getattr(operator, name), name)
            assert SECRET not in str(stored)
            assert SECRET not in repr(getattr(operator, name))

    def test_names_and_types_stay_readable(self) -> None:
        from airflow.serialization.helpers import serialize_template_field

        operator = self.rendered(BulkUpsertMlModelServicesOperator(task_id="t", services=[SERVICE]))
        stored = serialize_template_field(operator.services, "services")
        assert "'name': 's0'" in str(stored)
        assert "'registryUri': '***'" in str(stored)

    @pytest.mark.parametrize(
        "services",
        [
            json.dumps([SERVICE]),
            [json.dumps(SERVICE)],
            [[json.dumps(SERVICE)]],
            [{"name": "s0", "serviceType": "Mlflow", "Connection": LEAKY}],
            [{"name": "s0", "serviceType": "Mlflow", **LEAKY}],
            [{"name": "s0", "owners": [{"id": "1", "type": "user", "connection": LEAKY}]}],
            {"services": [SERVICE]},
            SERVICE,
            [["config", f"mysql://user:{SECRET}@host/db"]],
        ],
        ids=[
            "text",
            "list of texts",
            "texts in lists",
            "Connection",
            "config",
            "in an owner",
            "wrapped",
            "row",
            "pair",
        ],
    )
    def test_a_declaration_in_a_wrong_shape_is_stored_without_its_secret(self, services: Any) -> None:
        from airflow.serialization.helpers import serialize_template_field

        operator = BulkUpsertMlModelServicesOperator(task_id="t", services="{{ var }}")
        operator.services = services
        operator = self.rendered(operator)
        assert SECRET not in str(serialize_template_field(operator.services, "services"))
        assert SECRET not in repr(operator.services)
        assert unwrapped(operator.services) == services

    def test_known_fields_of_a_row_stay_readable(self) -> None:
        row = {
            "name": "s0",
            "service_type": "Mlflow",
            "displayName": "S 0",
            "description": "Models",
            "owners": [{"id": "1", "type": "user"}],
            "domains": ["Fraud"],
            "data_products": ["Fraud.scores"],
            "tags": ["Tier.Tier1", {"tagFQN": "PII.None", "labelType": "Manual"}],
            "ingestionRunner": {"id": "2", "type": "ingestionRunner"},
        }
        shown = Rendered([{**row, "connection": {"conn_id": "mlflow_prod"}, "own": "x"}], is_connection=False)
        assert shown.serialize() == [{**row, "connection": {"conn_id": "mlflow_prod"}, "own": "***"}]

    def test_rendering_twice_changes_nothing(self, catalog: Catalog, context: Any) -> None:
        operator = CreateMlModelServiceOperator(task_id="t", name="s0", service_type="Mlflow", connection=LEAKY)
        self.rendered(self.rendered(operator)).execute(context)
        assert service_in(catalog, "s0")["connection"]["config"]["registryUri"] == LEAKY["config"]["registryUri"]

    def test_values_from_upstream_are_not_taken_for_templates(self) -> None:
        """Airflow knows them by identity; a copy made in `__init__` would be rendered."""
        from_upstream = [{"name": "{{ 1 + 1 }}", "serviceType": "Mlflow", "connection": {"config": {}}}]
        operator = BulkUpsertMlModelServicesOperator(task_id="t", services=from_upstream)
        assert operator.services is from_upstream
        create = CreateMlModelServiceOperator(
            task_id="c", name="x", service_type="Mlflow", connection=from_upstream[0]["connection"]
        )
        assert create.connection is from_upstream[0]["connection"]


# --- a secret in the DAG file


class TestWrittenSecrets:
    WARNING = "is written in the DAG file"

    def run(self, operator: ServiceOperator, context: Any, seen: set[int] | None = None, **variables: Any) -> None:
        given: Any = variables
        environment = operator.get_template_env()
        operator._do_render_template_fields(operator, operator.template_fields, given, environment, seen or set())
        operator.execute(context)

    @pytest.mark.parametrize("operator", operators()[:3], ids=ids)
    def test_is_warned_about_once_and_never_shown(
        self, operator: ServiceOperator, catalog: Catalog, context: Any, logged: Callable[[], str]
    ) -> None:
        self.run(copy.copy(operator), context)
        lines = [line for line in logged().splitlines() if self.WARNING in line]
        assert len({line.partition("A secret in")[2].partition(" instead")[0] for line in lines}) == 1
        assert '{"conn_id": …}' in lines[0]
        assert SECRET not in logged()

    @pytest.mark.parametrize(
        "connection",
        [
            {"config": {"registryUri": "mysql://user:{{ password }}@host/db"}},
            {"config": {"registryUri": "{{ uri }}"}},
            {"config": {"trackingUri": "http://mlflow:5000"}},
        ],
    )
    @pytest.mark.parametrize("number", [0, 1, 2])
    def test_a_template_or_no_secret_is_not_warned_about(
        self, connection: Any, number: int, catalog: Catalog, context: Any, logged: Callable[[], str]
    ) -> None:
        operator = operators(connection)[number]
        self.run(operator, context, password=SECRET, uri=f"mysql://user:{SECRET}@host/db")
        assert self.WARNING not in logged()
        assert SECRET not in logged()

    def test_values_from_upstream_are_not_warned_about(
        self, catalog: Catalog, context: Any, logged: Callable[[], str]
    ) -> None:
        services = [SERVICE]
        operator = BulkUpsertMlModelServicesOperator(task_id="t", services=services)
        self.run(operator, context, seen={id(services)})
        assert self.WARNING not in logged()

    def test_an_override_beside_conn_id_counts(
        self, catalog: Catalog, context: Any, connect: Callable[..., None], logged: Callable[[], str]
    ) -> None:
        connect("aws_prod", conn_type="aws", host="", password="", extra={})
        for override, is_warned in (({"region_name": "eu"}, False), ({"awsSecretAccessKey": SECRET}, True)):
            operator = CreateMlModelServiceOperator(
                task_id="t",
                name="s0",
                service_type="SageMaker",
                connection={"conn_id": "aws_prod", "awsRegion": "eu", **override},
                if_exists="update",
            )
            self.run(operator, context)
            assert (self.WARNING in logged()) is is_warned


# --- serialisation


def serialised(dag: DAG) -> str:
    if IS_AIRFLOW_3:
        from airflow.serialization.serialized_objects import DagSerialization

        return str(DagSerialization.to_dict(dag))
    import airflow.serialization.serialized_objects as of_airflow_2

    return str(of_airflow_2.SerializedDAG.to_dict(dag))  # type: ignore[attr-defined]  # Airflow 2.11 only


def test_dags_serialise_with_models_as_arguments() -> None:
    with DAG("d", schedule=None) as dag:
        CreateMlModelServiceOperator(
            task_id="create",
            name="s0",
            service_type="Mlflow",
            connection=MlflowConnection(tracking_uri="http://mlflow:5000"),
        )
        BulkUpsertMlModelServicesOperator(
            task_id="bulk",
            services=[{"name": "s1", "service_type": "Mlflow", "connection": MlflowConnection()}],
        )
        CreateMlModelServiceOperator.partial(task_id="mapped", service_type="Mlflow", connection=None).expand(
            name=["a", "b"]
        )
    text = serialised(dag)
    assert "http://mlflow:5000" in text
    assert "MlflowConnection" not in text


@pytest.mark.parametrize("plan_only", ["false", "", 0, 1, None])
@pytest.mark.parametrize("number", [0, 1, 2], ids=["create", "bulk", "sync"])
def test_only_a_bool_says_whether_a_run_is_planned(number: int, plan_only: Any, catalog: Catalog, context: Any) -> None:
    operator: Any = operators()[number]
    operator.plan_only = plan_only
    with pytest.raises(AirflowFailException, match="plan_only: must be True or False, not "):
        operator.execute(context)
    assert not catalog.requests


def test_default_args_and_partial_reach_the_operator(catalog: Catalog, context: Any) -> None:
    with DAG("d", schedule=None, default_args={"if_exists": "ignore", "tags": ["Tier.Tier1"], "max_retries": 2}):
        operator = CreateMlModelServiceOperator(task_id="t", name="s0", service_type="Mlflow", connection=None)
    assert (operator.if_exists, operator.max_retries) == ("ignore", 2)
    operator.execute(context)
    assert [tag["tagFQN"] for tag in service_in(catalog, "s0")["tags"]] == ["Tier.Tier1"]


@each_operator
def test_dry_run_stays_airflows_own_method(operator: ServiceOperator) -> None:
    assert callable(operator.dry_run)


# --- being killed


class Killing(httpx.BaseTransport):
    """Calls `on_kill` when the n-th request arrives, as Airflow 3's signal handler does, and answers it."""

    def __init__(self, inner: httpx.BaseTransport, at: int) -> None:
        self.inner = inner
        self.at = at
        self.seen = 0
        self.operator: ServiceOperator | None = None

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.seen += 1
        if self.seen == self.at and self.operator is not None:
            self.operator.on_kill()
        return self.inner.handle_request(request)


@pytest.mark.parametrize("at", [1, 2, 3])
@each_operator
def test_a_killed_task_sends_nothing_more_and_is_retried(
    operator: ServiceOperator, at: int, catalog: Catalog, context: Any, network: Network
) -> None:
    catalog.add_service("s0")
    network.hosts["acme.getcollate.io"] = killing = Killing(network.hosts["acme.getcollate.io"], at)
    killing.operator = operator = copy.copy(operator)
    with pytest.raises(StoppedError, match="told to stop") as caught:
        operator.execute(context)
    assert not isinstance(caught.value, AirflowFailException)
    assert at <= killing.seen <= at + 1  # two names are read at once: one may be on its way


def test_a_kill_during_single_writes_stops_them(catalog: Catalog, context: Any, network: Network) -> None:
    catalog.state.has_bulk = False
    network.hosts["acme.getcollate.io"] = killing = Killing(network.hosts["acme.getcollate.io"], 60)
    services = [{"name": f"s{n}", "serviceType": "Sklearn", "connection": None} for n in range(300)]
    killing.operator = operator = BulkUpsertMlModelServicesOperator(task_id="t", services=services)
    with pytest.raises(StoppedError):
        operator.execute(context)
    assert killing.seen <= 60 + operator.max_workers
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


class Events(dict[Any, Any]):
    """As Airflow's `outlet_events`."""

    def __missing__(self, alias: Any) -> Any:
        events = self[alias] = Added()
        return events


class Added(list[tuple[str, dict[str, Any]]]):
    def add(self, asset: Asset, *, extra: dict[str, Any]) -> None:
        self.append((asset.uri, extra))


@pytest.fixture
def events(context: Any) -> Events:
    events = context["outlet_events"] = Events()
    return events


@pytest.mark.skipif(not IS_AIRFLOW_3, reason="Airflow 2.11 has datasets, whose aliases crash a DAG that is not synced")
class TestAssetEvents:
    ALIAS = AssetAlias("ml-services") if IS_AIRFLOW_3 else None

    def services(self, count: int) -> list[dict[str, Any]]:
        return [{"name": f"s.{n}", "serviceType": "Sklearn", "connection": None} for n in range(count)]

    def test_each_changed_service_is_an_event(self, catalog: Catalog, context: Any, events: Events) -> None:
        services = self.services(2)
        make = BulkUpsertMlModelServicesOperator
        make(task_id="a", services=services, outlets=[self.ALIAS]).execute(context)
        assert events[self.ALIAS] == [
            (f"collate://acme.getcollate.io/mlmodelServices/%22s.{n}%22", {"outcome": "created", "name": f"s.{n}"})
            for n in range(2)
        ]

    def test_at_most_a_hundred(self, catalog: Catalog, context: Any, events: Events, logged: Any) -> None:
        BulkUpsertMlModelServicesOperator(task_id="a", services=self.services(130), outlets=[self.ALIAS]).execute(
            context
        )
        assert len(events[self.ALIAS]) == 100
        assert "30 more services changed" in logged()

    def test_a_name_too_long_for_an_asset_makes_none_and_is_counted(
        self, catalog: Catalog, context: Any, events: Events, logged: Any
    ) -> None:
        services = [{**service, "name": f"{n}{'木' * 200}"} for n, service in enumerate(self.services(3))]
        both = [*services, *self.services(101)]
        BulkUpsertMlModelServicesOperator(task_id="a", services=both, outlets=[self.ALIAS]).execute(context)
        assert len(catalog.services) == 104
        assert {extra["name"] for _, extra in events[self.ALIAS]} == {f"s.{n}" for n in range(100)}
        assert "3 services that changed have names too long for an asset" in logged()
        assert "1 more services changed" in logged()

    def test_a_row_that_was_written_in_part_is_an_event(self, catalog: Catalog, context: Any, events: Events) -> None:
        for name in ("s0", "s1"):
            catalog.add_service(name, "Sklearn", description="Written by Ana")
        services = [
            {"name": "s0", "serviceType": "Sklearn", "connection": None, "description": "Declared"},
            {
                "name": "s1",
                "serviceType": "Sklearn",
                "connection": None,
                "description": "Declared",
                "tags": ["Tier.Tier1"],
            },
        ]
        make = BulkUpsertMlModelServicesOperator
        make(task_id="a", services=services, on_unapplied="warn", outlets=[self.ALIAS]).execute(context)
        assert [tag["tagFQN"] for tag in service_in(catalog, "s1")["tags"]] == ["Tier.Tier1"]
        assert [extra for _, extra in events[self.ALIAS]] == [{"outcome": "unapplied", "name": "s1"}]

    def test_none_when_nothing_changed_or_the_task_failed(
        self, catalog: Catalog, context: Any, events: Events, ti: TaskInstance
    ) -> None:
        services = self.services(2)
        make = BulkUpsertMlModelServicesOperator
        make(task_id="a", services=services).execute(context)
        make(task_id="b", services=services, outlets=[self.ALIAS]).execute(context)
        catalog.fail(times=None, status=400, method="PUT")
        catalog.fail(times=None, status=400, method="POST")
        with pytest.raises(AirflowFailException):
            make(task_id="c", services=self.services(3), outlets=[self.ALIAS]).execute(context)
        assert events == {}


# --- the hook is Airflow's own


def test_hooks_read_nothing_before_their_first_call(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AIRFLOW_CONN_COLLATE_DEFAULT", raising=False)
    for operator in operators():
        assert operator.collate_conn_id == "collate_default"
    CollateHook("nowhere")
