"""MlModelServiceTrigger, run as the triggerer runs it: made from its serialised form, in an event loop."""

from __future__ import annotations

import asyncio
import json
import pickle
import threading
from collections.abc import Callable, Coroutine
from typing import Any

import httpx
import pytest
from airflow.providers.common.compat.sdk import Connection
from airflow.triggers.base import TriggerEvent
from asgiref.sync import async_to_sync
from pytest_mock import MockerFixture

from airflow_provider_collate.hooks.collate import CollateHook
from airflow_provider_collate.sandbox import DEFAULT_BOT_TOKEN, INGESTION_BOT, Catalog, make_token
from airflow_provider_collate.triggers._service_trigger import MOST_LOOKS_AT_ONCE
from airflow_provider_collate.triggers.mlmodel_service import MlModelServiceTrigger
from tests.unit.conftest import Network

START = 1_800_000_000.0
LOOKED_AT = "/name/prod_mlflow"


class Clock:
    """Time that passes only while somebody waits; `between` happens at each of these waits."""

    def __init__(self, between: Callable[[int], object] = lambda number: None) -> None:
        self.now = START
        self.waits: list[float] = []
        self.between = between

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.waits.append(seconds)
        self.between(len(self.waits))


def make(clock: Clock | None = None, **given: Any) -> MlModelServiceTrigger:
    clock = clock or Clock()
    return MlModelServiceTrigger(
        **{"name": "prod_mlflow", "end_time": START + 600, "clock": clock, "sleep": clock.sleep, **given}
    )


def event_of(trigger: MlModelServiceTrigger) -> dict[str, Any]:
    """What the trigger's one event carries."""

    async def all_events() -> list[TriggerEvent]:
        return [event async for event in trigger.run()]

    [event] = asyncio.run(all_events())
    payload: dict[str, Any] = event.payload
    assert json.loads(json.dumps(payload)) == payload
    return payload


def looks(catalog: Catalog) -> int:
    return sum(LOOKED_AT in request.path for request in catalog.requests)


class TestFound:
    def test_a_service_that_is_there_is_found_at_once(self, catalog: Catalog) -> None:
        catalog.add_service("prod_mlflow")
        clock = Clock()

        assert event_of(make(clock)) == {"status": "found", "service": CollateHook().get_service("prod_mlflow")}
        assert clock.waits == []

    def test_it_waits_until_the_service_is_registered(self, catalog: Catalog) -> None:
        clock = Clock(lambda number: catalog.add_service("prod_mlflow") if number == 3 else None)

        assert event_of(make(clock, poll_interval=20))["status"] == "found"
        assert clock.waits == [20, 20, 20]

    def test_it_waits_until_the_service_shows_the_fields(self, catalog: Catalog) -> None:
        catalog.add_service("prod_mlflow", description="old")
        changes: dict[int, dict[str, Any]] = {1: {"description": "new"}, 2: {"tags": ["PII.None", "Tier.Tier1"]}}
        clock = Clock(lambda number: catalog.edit_service("prod_mlflow", **changes[number]))

        event = event_of(make(clock, fields={"description": "new", "tags": ["Tier.Tier1"]}))

        assert event["service"]["description"] == "new"
        assert len(clock.waits) == 2

    def test_one_look_is_one_request(self, catalog: Catalog) -> None:
        clock = Clock(lambda number: catalog.add_service("prod_mlflow") if number == 5 else None)
        event_of(make(clock))

        assert looks(catalog) == 6
        assert [request.path for request in catalog.requests].count("/api/v1/system/version") == 1

    def test_a_transient_error_is_lived_through(
        self, catalog: Catalog, connect: Callable[..., None], logged: Callable[[], str]
    ) -> None:
        connect(extra={"max_retries": 3})  # not within one look: the next look is the retry
        catalog.add_service("prod_mlflow")
        catalog.fail(1, status=503)
        catalog.fail(1, status=429, headers={"Retry-After": "0"})
        catalog.fail(1, reset=True)

        clock = Clock()
        assert event_of(make(clock))["status"] == "found"
        assert len(clock.waits) == 3
        assert "prod_mlflow could not be looked for: Collate answered 503" in logged()

    def test_retries_within_one_look_are_made_when_they_are_asked_for(self, catalog: Catalog) -> None:
        catalog.add_service("prod_mlflow")
        catalog.fail(1, status=503, headers={"Retry-After": "0"})
        clock = Clock()
        assert event_of(make(clock, request_retries=1))["status"] == "found"
        assert clock.waits == []

    def test_a_rotated_token_is_read_again(self, catalog: Catalog, connect: Callable[..., None]) -> None:
        new_token = make_token(INGESTION_BOT, serial=2)

        def rotate(number: int) -> None:
            catalog.rotate_bot_token(new_token)
            connect(password=new_token)
            catalog.add_service("prod_mlflow")

        assert event_of(make(Clock(rotate)))["status"] == "found"


class TestTimeout:
    def test_it_ends_in_time_and_says_what_was_missing(self, catalog: Catalog) -> None:
        catalog.add_service("prod_mlflow")
        clock = Clock()

        event = event_of(make(clock, fields={"tags": ["Tier.Tier1"]}, poll_interval=40, end_time=START + 100))

        assert event == {
            "status": "timeout",
            "message": "Waited until 2027-01-15 08:01:40 UTC: prod_mlflow is there, but tags lack Tier.Tier1",
        }
        assert clock.waits == [40, 40, 20]

    def test_the_last_look_is_at_the_end(self, catalog: Catalog) -> None:
        clock = Clock(lambda number: catalog.add_service("prod_mlflow"))

        assert event_of(make(clock, poll_interval=1000, end_time=START + 5))["status"] == "found"
        assert clock.waits == [5]

    def test_faults_until_the_end_are_a_timeout_that_names_them(self, catalog: Catalog) -> None:
        catalog.fail(times=None, status=503)

        event = event_of(make(poll_interval=300))

        assert event["status"] == "timeout"
        assert "prod_mlflow could not be looked for: Collate answered 503" in event["message"]


class TestErrors:
    def test_a_refused_token_is_an_error_at_the_first_request(self, catalog: Catalog) -> None:
        catalog.revoke_token(catalog.bot_token)
        clock = Clock()

        event = event_of(make(clock))

        assert (event["status"], event["retryable"]) == ("error", False)
        assert "Collate answered 401" in event["message"]
        assert "Renew the token" in event["message"]
        assert looks(catalog) == 1
        assert clock.waits == []


class TestSerialisedForm:
    def test_a_restart_keeps_what_is_waited_for_and_until_when(self, catalog: Catalog) -> None:
        catalog.add_service("prod_mlflow", description="old")
        given: dict[str, Any] = {
            "name": "prod_mlflow",
            "fields": {"description": "new", "tags": ["Tier.Tier1"]},
            "collate_conn_id": "collate_default",
            "poll_interval": 30.0,
            "end_time": START + 60,
            "request_timeout": 7.5,
            "request_retries": 2,
        }
        path, arguments = MlModelServiceTrigger(**given).serialize()
        assert (path, arguments) == ("airflow_provider_collate.triggers.mlmodel_service.MlModelServiceTrigger", given)

        clock = Clock()
        clock.now += 45
        event = event_of(make(clock, **json.loads(json.dumps(arguments))))

        assert event["status"] == "timeout"
        assert clock.waits == [15]
        assert MlModelServiceTrigger(**arguments).serialize() == (path, arguments)

    def test_it_goes_through_airflows_own_encoding(self, catalog: Catalog) -> None:
        from airflow.models.trigger import Trigger

        trigger = make(fields={"tags": ["Tier.Tier1"], "version": 0.2})
        stored = Trigger.from_object(trigger)

        assert stored.classpath == trigger.serialize()[0]
        assert dict(stored.kwargs) == trigger.serialize()[1]

    def test_no_secret_is_in_it_before_or_after_a_run(self, catalog: Catalog) -> None:
        catalog.add_service("prod_mlflow")
        trigger = make()
        event_of(trigger)

        assert DEFAULT_BOT_TOKEN not in repr(trigger) + json.dumps(trigger.serialize()) + repr(vars(trigger))
        restarted = type(trigger)(**trigger.serialize()[1])
        assert DEFAULT_BOT_TOKEN.encode() not in pickle.dumps(restarted)


class Held(httpx.BaseTransport):
    """Holds each request back until it is let go."""

    def __init__(self, inner: httpx.BaseTransport) -> None:
        self.inner = inner
        self.arrived = threading.Event()
        self.let_go = threading.Event()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.arrived.set()
        assert self.let_go.wait(timeout=30)
        return self.inner.handle_request(request)


@pytest.fixture
def held(catalog: Catalog, network: Network) -> Held:
    network.hosts["acme.getcollate.io"] = held = Held(network.hosts["acme.getcollate.io"])
    return held


class TestInTheTriggerer:
    async def _first_event(self, trigger: MlModelServiceTrigger) -> TriggerEvent:
        return await anext(trigger.run())

    async def _until(self, is_so: Callable[[], bool]) -> None:
        while not is_so():  # noqa: ASYNC110 - what is waited for happens in a thread
            await asyncio.sleep(0.001)

    def _run(self, main: Callable[[], Coroutine[Any, Any, None]]) -> None:
        asyncio.run(asyncio.wait_for(main(), timeout=30))

    def test_a_slow_server_does_not_hold_up_other_triggers(self, catalog: Catalog, held: Held) -> None:
        catalog.add_service("prod_mlflow")

        async def main() -> None:
            waiting = asyncio.ensure_future(self._first_event(make()))
            await self._until(held.arrived.is_set)
            # The loop turns while the request is on its way; a blocked one would never come to this line.
            assert not waiting.done()
            held.let_go.set()
            assert (await waiting).payload["status"] == "found"

        self._run(main)

    def test_cancelled_it_sends_nothing_more_and_closes_its_connections(
        self, catalog: Catalog, held: Held, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        closed: list[httpx.HTTPTransport] = []
        monkeypatch.setattr(httpx.HTTPTransport, "close", lambda self: closed.append(self))  # noqa: PLW0108 - a method

        async def main() -> None:
            waiting = asyncio.ensure_future(self._first_event(make()))
            await self._until(held.arrived.is_set)
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting
            assert closed == []  # a thread is still in the middle of a request
            held.let_go.set()
            await self._until(lambda: bool(closed))

        self._run(main)
        assert [request.path for request in catalog.requests] == ["/api/v1/system/version"]

    def test_cancelled_between_two_looks_it_closes_its_connections(
        self, catalog: Catalog, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        closed: list[httpx.HTTPTransport] = []
        monkeypatch.setattr(httpx.HTTPTransport, "close", lambda self: closed.append(self))  # noqa: PLW0108 - a method

        async def main() -> None:
            waiting = asyncio.ensure_future(self._first_event(make(sleep=asyncio.sleep, poll_interval=600)))
            await self._until(lambda: looks(catalog) == 1)
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting
            await self._until(lambda: bool(closed))

        self._run(main)
        assert looks(catalog) == 1

    def test_the_connection_can_be_read_by_way_of_the_triggerers_loop(
        self, catalog: Catalog, mocker: MockerFixture
    ) -> None:
        """As Airflow 3.0 and 3.1 read it: over a socket that belongs to the triggerer's loop."""
        catalog.add_service("prod_mlflow")
        read = CollateHook.get_connection
        loops: list[asyncio.AbstractEventLoop] = []

        async def read_in_loop(conn_id: str) -> Connection:
            loops.append(asyncio.get_running_loop())
            return read(conn_id)

        mocker.patch.object(CollateHook, "get_connection", side_effect=async_to_sync(read_in_loop))

        async def main() -> None:
            assert (await self._first_event(make())).payload["status"] == "found"
            assert set(loops) == {asyncio.get_running_loop()}

        self._run(main)

    def test_a_server_that_hangs_holds_up_no_other_connection(
        self, catalog: Catalog, held: Held, network: Network, connect: Callable[..., None]
    ) -> None:
        catalog.add_service("prod_mlflow")
        connect("collate_healthy", host="https://healthy.getcollate.io")
        network.hosts["healthy.getcollate.io"] = held.inner

        async def main() -> None:
            waiting = [asyncio.ensure_future(self._first_event(make())) for _ in range(2 * MOST_LOOKS_AT_ONCE)]
            await self._until(held.arrived.is_set)
            healthy = (self._first_event(make(collate_conn_id="collate_healthy")) for _ in range(30))
            assert {event.payload["status"] for event in await asyncio.gather(*healthy)} == {"found"}
            assert not any(look.done() for look in waiting)
            held.let_go.set()
            assert {event.payload["status"] for event in await asyncio.gather(*waiting)} == {"found"}

        self._run(main)
