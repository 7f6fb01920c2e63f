"""Template fields: rendered where the author wrote them, never where upstream did, and stored without secrets."""

from __future__ import annotations

import copy
import json
import pickle
from collections.abc import Callable
from typing import Any

import pytest
from airflow import __version__ as airflow_version
from airflow.providers.common.compat.sdk import DAG, BaseOperator
from airflow.serialization.helpers import serialize_template_field

from airflow_provider_collate.kinds.mlmodel import MlflowConnection
from airflow_provider_collate.operators._template_fields import Rendered, unwrapped
from airflow_provider_collate.operators.mlmodel_service import (
    BulkUpsertMlModelServicesOperator,
    CreateMlModelServiceOperator,
    DeleteMlModelServiceOperator,
    SyncMlModelServicesOperator,
)
from airflow_provider_collate.sandbox import Catalog
from airflow_provider_collate.sensors.mlmodel_service import MlModelServiceSensor
from tests.secrets.tracebacks import everything_along
from tests.unit.conftest import TaskInstance, service_in

SECRET = "hunter2-hunter2-hunter2"
URI = f"mysql://user:{SECRET}@host/db"
LEAKY: dict[str, Any] = {"config": {"registryUri": URI, "trackingUri": "http://mlflow:5000"}}
SERVICE = {"name": "s0", "serviceType": "Mlflow", "connection": LEAKY}
TEMPLATE = "{{ 1 + 1 }}"


def create(connection: Any = None, **given: Any) -> Any:
    fields = {"task_id": "t", "name": "s0", "service_type": "Mlflow", "connection": connection or copy.deepcopy(LEAKY)}
    return CreateMlModelServiceOperator(**{**fields, **given})


def bulk(connection: Any = None, **given: Any) -> Any:
    services = [{**SERVICE, "connection": connection or copy.deepcopy(LEAKY)}]
    return BulkUpsertMlModelServicesOperator(**{"task_id": "t", "services": services, **given})


def sync(connection: Any = None, **given: Any) -> Any:
    services = [{**SERVICE, "connection": connection or copy.deepcopy(LEAKY)}]
    return SyncMlModelServicesOperator(**{"task_id": "t", "services": services, **given})


each_maker = pytest.mark.parametrize("make", [create, bulk, sync])


def rendered(operator: Any, **context: Any) -> Any:
    given: Any = {"ti": TaskInstance(), **context}
    operator.render_template_fields(given, operator.get_template_env())
    return operator


def stored(operator: Any, name: str) -> str:
    """What Airflow stores of a field."""
    return str(serialize_template_field(getattr(operator, name), name))


class TestWhatTheAuthorWrote:
    def test_every_template_field_is_rendered(self, catalog: Catalog, context: Any) -> None:
        fields: dict[str, Any] = {
            "name": "{{ team }}_mlflow",
            "service_type": "{{ 'Mlflow' }}",
            "connection": {"config": {"trackingUri": "http://{{ team }}:5000"}},
            "display_name": "Of {{ team }}",
            "description": "Models of {{ team }}",
            "tags": ["Tier.{{ 'Tier1' }}"],
            "request_timeout": "{{ 7 }}",
        }
        operator = rendered(CreateMlModelServiceOperator(task_id="t", **fields), team="fraud")
        assert operator.execute(context)["name"] == "fraud_mlflow"
        shown = service_in(catalog, "fraud_mlflow")
        assert (shown["displayName"], shown["description"]) == ("Of fraud", "Models of fraud")
        assert shown["connection"]["config"]["trackingUri"] == "http://fraud:5000"
        assert [tag["tagFQN"] for tag in shown["tags"]] == ["Tier.Tier1"]

    def test_so_are_templates_in_rows_and_in_models(self, catalog: Catalog, context: Any) -> None:
        model = MlflowConnection.model_construct(tracking_uri="http://{{ n }}:5000")
        row = {"name": "{{ n }}", "serviceType": "Mlflow", "connection": model}
        rendered(bulk(services=(row,)), n="fraud").execute(context)
        assert service_in(catalog, "fraud")["connection"]["config"]["trackingUri"] == "http://fraud:5000"

    def test_so_is_the_connection(
        self, catalog: Catalog, context: Any, connect: Callable[..., None], network: Any
    ) -> None:
        network.hosts["other.getcollate.io"] = network.hosts["acme.getcollate.io"]
        connect("collate_other", host="https://other.getcollate.io")
        operator = DeleteMlModelServiceOperator(task_id="t", name="none", collate_conn_id="collate_{{ which }}")
        assert str(rendered(operator, which="other").execute(context)["url"]).startswith("https://other.getcollate.io/")

    @each_maker
    def test_rendering_twice_changes_nothing(self, make: Any, catalog: Catalog, context: Any) -> None:
        rendered(rendered(make())).execute(context)
        assert service_in(catalog, "s0")["connection"]["config"]["registryUri"] == URI


# --- what upstream returned: Airflow renders it for `.expand_kwargs()`, and for `.expand()` where it was copied


def upstream() -> Any:
    return BaseOperator(task_id="upstream").output


def mapped(
    returned: dict[str, Any],
    expand: Callable[[Any], Any],
    *,
    map_index: int = 0,
    defaults: dict[str, Any] | None = None,
    operator: Any = CreateMlModelServiceOperator,
    **partial: Any,
) -> Any:
    """Make and render a mapped task as Airflow does: from the author's arguments and those that were mapped."""
    with DAG("d", schedule=None, default_args=defaults or {}):
        whole = expand(operator.partial(task_id="t", **partial))
    task = whole.unmap(returned)
    context: Any = {"ti": TaskInstance(map_index=map_index), "team": "fraud"}
    task._do_render_template_fields(task, task.template_fields, context, task.get_template_env(), set())
    return task


class Upstream(TaskInstance):
    """A task instance whose upstream task returned a template."""

    def xcom_pull(self, *_: object, **__: object) -> str:
        return TEMPLATE

    def get_relevant_upstream_map_indexes(self, *_: object, **__: object) -> None:
        """As Airflow 2.11 asks; the upstream task is not mapped."""


ROW = {"name": "s0", "service_type": "Sklearn", "connection": {"config": {"own": TEMPLATE}}, "description": TEMPLATE}


class TestWhatUpstreamReturned:
    def test_to_a_plain_task_is_not_rendered(self) -> None:
        with DAG("d", schedule=None):
            operator = create(description=upstream(), display_name="{{ ti.xcom_pull('upstream') }}")
        rendered(operator, ti=Upstream(), expanded_ti_count=None)
        assert (operator.description, operator.display_name) == (TEMPLATE, TEMPLATE)

    def test_by_expand_kwargs_is_not_rendered(self) -> None:
        task = mapped(ROW, lambda partial: partial.expand_kwargs(upstream()))
        assert task.description == TEMPLATE
        assert unwrapped(task.connection) == ROW["connection"]

    def test_by_expand_is_not_rendered(self) -> None:
        rows = ({**ROW, "connection": (TEMPLATE,)},)  # tuples, of which the operator makes lists
        task = mapped(
            {"services": rows},
            lambda partial: partial.expand(services=upstream()),
            operator=BulkUpsertMlModelServicesOperator,
        )
        assert unwrapped(task.services) == [{**ROW, "connection": [TEMPLATE]}]

    def test_nor_is_what_a_sensor_waits_for(self) -> None:
        fields = {"description": TEMPLATE}
        task = mapped(
            {"fields": fields},
            lambda partial: partial.expand_kwargs(upstream()),
            operator=MlModelServiceSensor,
            name="{{ team }}",
        )
        assert (task.name, task.fields) == ("fraud", fields)

    def test_what_the_author_wrote_beside_it_is(self) -> None:
        task = mapped(
            ROW,
            lambda partial: partial.expand_kwargs(upstream()),
            defaults={"collate_conn_id": "collate_{{ team }}", "owner": "x"},
            display_name="Of {{ team }}",
            tags=["{{ team }}"],
        )
        assert (task.display_name, task.tags, task.collate_conn_id) == ("Of fraud", ["fraud"], "collate_fraud")
        assert task.description == TEMPLATE

    def test_what_upstream_puts_in_place_of_the_authors_is_not(self) -> None:
        task = mapped(ROW, lambda partial: partial.expand_kwargs(upstream(), strict=False), description="Of {{ team }}")
        assert task.description == TEMPLATE

    @pytest.mark.parametrize("map_index, description", [(0, "2"), (1, TEMPLATE)])
    def test_in_a_list_the_authors_mapping_is_rendered_and_upstreams_is_not(
        self, map_index: int, description: str
    ) -> None:
        task = mapped(ROW, lambda partial: partial.expand_kwargs([ROW, upstream()]), map_index=map_index)
        assert task.description == description

    def test_the_authors_lists_are_rendered(self) -> None:
        task = mapped(ROW, lambda partial: partial.expand(**{name: [value] for name, value in ROW.items()}))
        assert task.description == "2"
        assert unwrapped(task.connection) == {"config": {"own": "2"}}


# --- what Airflow stores


class TestWhatIsStored:
    @each_maker
    def test_no_field_shows_a_secret(self, make: Any) -> None:
        operator = rendered(make())
        for name in operator.template_fields:
            assert SECRET not in stored(operator, name) + repr(getattr(operator, name))

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
            [["config", URI]],
        ],
    )
    def test_nor_does_a_declaration_in_a_wrong_shape(self, services: Any) -> None:
        operator = bulk(services="{{ var }}")
        operator.services = services
        rendered(operator)
        assert SECRET not in stored(operator, "services") + repr(operator.services)
        assert unwrapped(operator.services) == services

    def test_no_connection_stays_none(self) -> None:
        operator = create()
        operator.connection = None
        assert rendered(operator).connection is None

    def by_template(self, make: Any) -> Any:
        config = {"registryUri": "{{ secret }}", "trackingUri": "http://mlflow:5000"}
        with DAG("d", schedule=None):
            operator = make({"config": config})
        return rendered(operator, secret=URI)

    @each_maker
    def test_nor_does_the_task_as_a_whole(self, make: Any) -> None:
        task = self.by_template(make)
        assert SECRET not in json.dumps(vars(task), default=str, skipkeys=True)
        assert SECRET not in json.dumps(vars(copy.deepcopy(task)), default=str, skipkeys=True)

    @each_maker
    def test_nor_does_openlineage_with_full_task_info(self, make: Any) -> None:
        utils = pytest.importorskip("airflow.providers.openlineage.utils.utils")
        info = utils.TaskInfoComplete(self.by_template(make))
        assert "on_conflict" in info
        assert SECRET not in json.dumps(dict(info), default=str)

    @each_maker
    def test_a_pickle_has_the_template_and_what_was_rendered_is_not_pickled(self, make: Any) -> None:
        task = make({"conn_id": "mlflow_prod", "config": {"registryUri": "{{ secret }}"}})
        assert b"{{ secret }}" in pickle.dumps(task)
        with pytest.raises(TypeError, match="not pickled"):
            pickle.dumps(self.by_template(make))

    def test_names_types_and_known_fields_of_a_row_stay_readable(self) -> None:
        row = {
            "name": "s0",
            "service_type": "Mlflow",
            "displayName": None,
            "description": "Models",
            "owners": [{"id": "1", "type": "user"}],
            "domains": ["Fraud"],
            "data_products": ["Fraud.scores"],
            "tags": ["Tier.Tier1", {"tagFQN": "PII.None", "labelType": "Manual"}],
            "ingestionRunner": {"id": "2", "type": "ingestionRunner"},
        }
        connection = {"conn_id": "mlflow_prod", "config": {"type": "Mlflow", "registryUri": URI}}
        shown = Rendered([{**row, "connection": connection, "own": "x"}], is_connection=False).serialize()
        hidden = {"conn_id": "mlflow_prod", "config": {"type": "Mlflow", "registryUri": "***"}}
        assert shown == [{**row, "displayName": None, "connection": hidden, "own": "***"}]


# --- secrets that are stored in clear elsewhere


class TestWarnings:
    WRITTEN = "is written in the DAG file"
    BY_XCOM = "came by XCom"

    def run(self, operator: Any, context: Any, **variables: Any) -> None:
        rendered(operator, **variables).execute(context)

    @each_maker
    def test_a_secret_in_the_dag_file_is_warned_about_and_never_shown(
        self, make: Any, catalog: Catalog, context: Any, logged: Callable[[], str]
    ) -> None:
        self.run(make(), context)
        lines = [line for line in logged().splitlines() if self.WRITTEN in line]
        assert len({line.partition("A secret in")[2].partition(" instead")[0] for line in lines}) == 1
        assert '{"conn_id": …}' in lines[0]
        assert SECRET not in logged()

    def test_so_is_one_in_json_text(self, catalog: Catalog, context: Any, logged: Callable[[], str]) -> None:
        self.run(bulk(services=json.dumps([SERVICE])), context)
        assert self.WRITTEN in logged()

    def test_it_is_masked_before_a_template_that_fails_is_printed(
        self, logged: Callable[[], str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        if airflow_version.startswith("3.0."):  # it leaves this line to the masker, which works in tasks only
            monkeypatch.setattr("airflow.settings.MASK_SECRETS_IN_LOGS", True)
        connection = {"config": {**LEAKY["config"], "own": "{{ 1 / 0 }}"}}
        with pytest.raises(ZeroDivisionError) as caught:
            rendered(create(connection, service_type="CustomMlModel"))
        assert SECRET not in logged()
        trace = caught.value.__traceback__
        assert trace is not None
        assert SECRET not in everything_along(caught.value.with_traceback(trace.tb_next))

    @each_maker
    @pytest.mark.parametrize("config", [{"registryUri": "{{ uri }}"}, {"trackingUri": "http://mlflow:5000"}])
    def test_a_template_or_no_secret_is_not_warned_about(
        self, make: Any, config: Any, catalog: Catalog, context: Any, logged: Callable[[], str]
    ) -> None:
        self.run(make({"config": config}), context, uri=URI)
        assert self.WRITTEN not in logged()
        assert self.BY_XCOM not in logged()
        assert SECRET not in logged()

    @pytest.mark.parametrize(
        "services",
        [
            [{**SERVICE, "connection": {"config": {"registryUri": "{{ ti.xcom_pull('up') }}"}}}],
            "{{ ti.xcom_pull('up') }}",
        ],
        ids=["value", "JSON"],
    )
    def test_a_secret_that_came_by_xcom_is_warned_about(
        self, services: Any, catalog: Catalog, context: Any, logged: Callable[[], str]
    ) -> None:
        class Upstream(TaskInstance):
            def xcom_pull(self, _: str) -> str:
                return json.dumps([SERVICE]) if isinstance(services, str) else URI

        self.run(bulk(services=services), context, ti=Upstream())
        assert self.BY_XCOM in logged()
        assert self.WRITTEN not in logged()
        assert SECRET not in logged()

    @pytest.mark.parametrize("connection, is_warned", [(LEAKY, True), ({"conn_id": "mlflow_prod"}, False)])
    def test_so_is_one_in_a_mapping_that_upstream_returned(
        self, connection: Any, is_warned: bool, logged: Callable[[], str]
    ) -> None:
        task = mapped({**ROW, "service_type": "Mlflow", "connection": connection},
                      lambda partial: partial.expand_kwargs(upstream()))  # fmt: skip
        task._warn_of_secrets()
        assert (self.BY_XCOM in logged()) is is_warned
        assert self.WRITTEN not in logged()

    @pytest.mark.parametrize("override, is_warned", [("awsRegion", False), ("awsSecretAccessKey", True)])
    def test_an_override_beside_conn_id_counts(self, override: str, is_warned: bool, logged: Callable[[], str]) -> None:
        rendered(create({"conn_id": "aws", override: SECRET}, service_type="SageMaker"))._warn_of_secrets()
        assert (self.WRITTEN in logged()) is is_warned
