"""MlModelServiceSensor: in a worker, up to where it hands over to the triggerer, and from there on."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import (
    AirflowException,
    AirflowFailException,
    AirflowSensorTimeout,
    AirflowSkipException,
    AirflowTaskTimeout,
    TaskDeferred,
)

from airflow_provider_collate.exceptions import StoppedError
from airflow_provider_collate.hooks.collate import CollateHook
from airflow_provider_collate.sandbox import DEFAULT_BOT_TOKEN, Catalog, User
from airflow_provider_collate.sensors.mlmodel_service import MlModelServiceSensor
from airflow_provider_collate.triggers.mlmodel_service import MlModelServiceTrigger
from tests.unit.conftest import Killing, Network

LOOKED_AT = "/name/prod_mlflow"
NO_SUCH_SERVICE = {"code": 404, "message": "mlmodelService instance for prod_mlflow not found"}


def make(**given: Any) -> MlModelServiceSensor:
    return MlModelServiceSensor(
        **{"task_id": "wait", "name": "prod_mlflow", "poke_interval": 0, "timeout": 60, "deferrable": False, **given}
    )


def deferral_of(sensor: MlModelServiceSensor, context: Any) -> TaskDeferred:
    with pytest.raises(TaskDeferred) as caught:
        sensor.execute(context)
    return caught.value


def looks(catalog: Catalog) -> int:
    return sum(LOOKED_AT in request.path for request in catalog.requests)


both_ways = pytest.mark.parametrize("deferrable", [False, True], ids=["worker", "deferrable"])


class TestWaiting:
    @both_ways
    def test_it_returns_the_service_that_is_there(self, catalog: Catalog, context: Any, deferrable: bool) -> None:
        catalog.add_service("prod_mlflow", description="Models of the fraud team", tags=["Tier.Tier1"])

        returned = make(fields={"tags": ["Tier.Tier1"]}, deferrable=deferrable).execute(context)

        assert returned == CollateHook().get_service("prod_mlflow")
        assert json.loads(json.dumps(returned)) == returned
        assert returned["url"] == "https://acme.getcollate.io/service/mlmodelServices/prod_mlflow"

    def test_it_pokes_until_the_service_is_there(
        self, catalog: Catalog, context: Any, logged: Callable[[], str]
    ) -> None:
        catalog.add_service("prod_mlflow")
        catalog.fail(2, status=404, body=NO_SUCH_SERVICE, path=LOOKED_AT)

        assert make().execute(context)["name"] == "prod_mlflow"
        assert looks(catalog) == 3
        assert "Waiting: prod_mlflow is not there" in logged()

    def test_it_says_what_is_missing(self, catalog: Catalog, context: Any, logged: Callable[[], str]) -> None:
        catalog.add_service("prod_mlflow", description="old")

        with pytest.raises(AirflowSensorTimeout):
            make(fields={"description": "new"}, timeout=0).execute(context)

        assert 'Waiting: prod_mlflow is there, but description is "old", not "new"' in logged()

    def test_it_waits_for_an_owner_by_e_mail(self, catalog: Catalog, context: Any) -> None:
        bob = catalog.add_user(User("bob", "b.smith@acme.example"))
        catalog.add_service("prod_mlflow", owners=[bob])

        assert make(fields={"owners": ["b.smith@acme.example"]}).execute(context)["name"] == "prod_mlflow"
        with pytest.raises(AirflowSensorTimeout):
            make(fields={"owners": ["bob@acme.example"]}, timeout=0).execute(context)

    def test_a_transient_error_is_lived_through_with_a_warning(
        self, catalog: Catalog, context: Any, logged: Callable[[], str]
    ) -> None:
        catalog.add_service("prod_mlflow")
        catalog.fail(1, status=503)
        catalog.fail(1, reset=True)

        assert make().execute(context)["name"] == "prod_mlflow"
        assert "WARNING" in logged().upper()
        assert "prod_mlflow could not be looked for: Collate answered 503" in logged()

    def test_each_of_its_parameters_is_rendered(self, catalog: Catalog, connect: Callable[..., None]) -> None:
        catalog.add_service("fraud_mlflow", tags=["Tier.Tier1"])
        connect("collate_fraud")
        sensor = make(
            name="{{ team }}_mlflow",
            fields={"tags": ["Tier.{{ tier }}"]},
            collate_conn_id="collate_{{ team }}",
            request_timeout="{{ 7 }}",
            request_retries="{{ 0 }}",
        )
        sensor.render_template_fields({"team": "fraud", "tier": "Tier1"}, sensor.get_template_env())  # type: ignore[typeddict-unknown-key]

        assert dict(sensor.poke({}).xcom_value or {})["name"] == "fraud_mlflow"

    def test_it_has_the_button_to_the_service(self) -> None:
        assert [link.name for link in make().operator_extra_links] == ["Collate service"]


class TestErrors:
    @both_ways
    def test_a_refused_token_fails_the_task_at_the_first_request(
        self, catalog: Catalog, context: Any, deferrable: bool
    ) -> None:
        catalog.revoke_token(catalog.bot_token)

        with pytest.raises(AirflowFailException, match="Collate answered 401"):
            make(deferrable=deferrable).execute(context)

        assert looks(catalog) == 1

    @both_ways
    def test_what_cannot_be_waited_for_fails_before_any_request(
        self, catalog: Catalog, context: Any, deferrable: bool
    ) -> None:
        with pytest.raises(AirflowFailException, match=r"fields\.descripton: .* did you mean description\?"):
            make(fields={"descripton": "x"}, deferrable=deferrable).execute(context)

        assert catalog.requests == []

    @both_ways
    def test_a_faulty_connection_fails_before_any_request(
        self, catalog: Catalog, connect: Callable[..., None], context: Any, deferrable: bool
    ) -> None:
        connect(password="")

        with pytest.raises(AirflowFailException, match="password"):
            make(deferrable=deferrable).execute(context)

        assert catalog.requests == []

    @both_ways
    def test_a_soft_fail_is_a_skip(self, catalog: Catalog, context: Any, deferrable: bool) -> None:
        catalog.revoke_token(catalog.bot_token)

        with pytest.raises(AirflowSkipException):
            make(soft_fail=True, deferrable=deferrable).execute(context)

    def test_a_timeout_is_one_too(self, catalog: Catalog, context: Any) -> None:
        with pytest.raises(AirflowSkipException):
            make(soft_fail=True, timeout=0).execute(context)


class TestBeingKilled:
    @pytest.mark.parametrize("at", [1, 2, 3, 7])
    @pytest.mark.parametrize("is_there", [False, True])
    def test_it_sends_nothing_more_and_is_retried(
        self, catalog: Catalog, network: Network, context: Any, at: int, is_there: bool
    ) -> None:
        sensor = make(fields={"description": "never" if at > 2 else ""})
        if is_there:
            catalog.add_service("prod_mlflow")
        network.hosts["acme.getcollate.io"] = killing = Killing(network.hosts["acme.getcollate.io"], sensor, at)

        with pytest.raises(StoppedError, match="told to stop"):
            sensor.execute(context)

        assert killing.seen == at

    @pytest.mark.parametrize("at", [1, 2])
    def test_it_does_not_hand_over_to_the_triggerer(
        self, catalog: Catalog, network: Network, context: Any, at: int
    ) -> None:
        sensor = make(deferrable=True)
        network.hosts["acme.getcollate.io"] = Killing(network.hosts["acme.getcollate.io"], sensor, at)

        with pytest.raises(StoppedError, match="told to stop"):
            sensor.execute(context)


class TestDeferring:
    def test_what_is_not_there_yet_is_left_to_the_trigger(self, catalog: Catalog, context: Any) -> None:
        sensor = make(
            deferrable=True,
            fields={"tags": ["Tier.Tier1"]},
            poke_interval=timedelta(seconds=30),
            timeout=timedelta(hours=1),
            request_timeout=7.5,
            request_retries=2,
        )
        before = time.time()
        deferred = deferral_of(sensor, context)
        after = time.time()

        path, arguments = deferred.trigger.serialize()
        assert path == "airflow_provider_collate.triggers.mlmodel_service.MlModelServiceTrigger"
        assert before + 3600 <= arguments.pop("end_time") <= after + 3600
        assert arguments == {
            "name": "prod_mlflow",
            "fields": {"tags": ["Tier.Tier1"]},
            "collate_conn_id": "collate_default",
            "poll_interval": 30.0,
            "request_timeout": 7.5,
            "request_retries": 2,
        }
        assert deferred.method_name == "execute_complete"
        assert looks(catalog) == 1

    def test_airflow_gives_the_trigger_time_to_say_what_was_missing(self, catalog: Catalog, context: Any) -> None:
        deferred = deferral_of(make(deferrable=True, timeout=100), context)

        assert deferred.timeout == timedelta(seconds=160)

    def test_no_secret_is_handed_over(self, catalog: Catalog, context: Any) -> None:
        deferred = deferral_of(make(deferrable=True), context)

        assert DEFAULT_BOT_TOKEN not in repr(vars(deferred)) + json.dumps(deferred.trigger.serialize())

    def test_a_transient_error_is_left_to_the_trigger_too(self, catalog: Catalog, context: Any) -> None:
        catalog.fail(status=503)

        assert isinstance(deferral_of(make(deferrable=True), context).trigger, MlModelServiceTrigger)

    def test_the_way_through_the_trigger_and_back(self, catalog: Catalog, context: Any) -> None:
        sensor = make(deferrable=True, fields={"displayName": "Fraud"})
        _, arguments = deferral_of(sensor, context).trigger.serialize()
        catalog.add_service("prod_mlflow", displayName="Fraud")

        async def first_event() -> Any:
            return await anext(MlModelServiceTrigger(**arguments).run())

        event = asyncio.run(first_event()).payload

        assert sensor.resume_execution("execute_complete", {"event": event}, context) == (
            CollateHook().get_service("prod_mlflow")
        )

    def test_execution_timeout_ends_the_waiting_in_the_triggerer_too(self, catalog: Catalog, context: Any) -> None:
        sensor = make(deferrable=True, timeout=3600, execution_timeout=timedelta(seconds=90))
        deferred = deferral_of(sensor, context)

        assert deferred.trigger.serialize()[1]["end_time"] == pytest.approx(time.time() + 90, abs=30)
        assert deferred.timeout == timedelta(seconds=150)

    def test_airflows_configuration_says_what_is_usual(self) -> None:
        assert MlModelServiceSensor(task_id="wait", name="prod_mlflow").deferrable is False
        code = (
            "from airflow_provider_collate.sensors.mlmodel_service import MlModelServiceSensor as Sensor\n"
            "print('deferrable:', Sensor(task_id='wait', name='prod_mlflow').deferrable)"
        )
        env = {**os.environ, "AIRFLOW__OPERATORS__DEFAULT_DEFERRABLE": "True"}
        run = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True)

        assert "deferrable: True" in run.stdout


class TestComingBack:
    def resume(self, event: object, **given: Any) -> Any:
        return make(deferrable=True, **given).resume_execution("execute_complete", {"event": event}, {})

    @pytest.mark.parametrize(
        "event, given, error",
        [
            ({"status": "error", "message": "said", "retryable": False}, {}, AirflowFailException),
            ({"status": "error", "message": "said", "retryable": True}, {}, AirflowException),
            ({"status": "timeout", "message": "said"}, {}, AirflowSensorTimeout),
            ({"status": "timeout", "message": "said"}, {"execution_timeout": timedelta(seconds=9)}, AirflowTaskTimeout),
            ({"status": "timeout", "message": "said"}, {"soft_fail": True}, AirflowSkipException),
            ({"status": "error", "message": "said", "retryable": False}, {"soft_fail": True}, AirflowSkipException),
        ],
    )
    def test_the_triggers_event_becomes_the_tasks_end(
        self, event: dict[str, object], given: dict[str, Any], error: type[BaseException]
    ) -> None:
        with pytest.raises(error) as caught:
            self.resume(event, **given)
        assert type(caught.value) is error
        assert error is AirflowSkipException or "said" in str(caught.value)

    def test_no_event(self) -> None:
        with pytest.raises(AirflowException, match="without an event"):
            self.resume(None)
