"""Waiting for a service in the triggerer, for any kind: a subclass names its kind."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timezone
from functools import lru_cache
from typing import Any

from airflow.providers.common.compat.sdk import AirflowException, AirflowFailException
from airflow.triggers.base import BaseTrigger, TriggerEvent
from asgiref.sync import sync_to_async

from airflow_provider_collate.hooks.boundary import fails_the_task
from airflow_provider_collate.hooks.collate import CollateHook, look_by
from airflow_provider_collate.reconcile.waiting import Verdict

MOST_LOOKS_AT_ONCE = 8
_MOST_CONNECTIONS = 64


class ServiceTrigger(BaseTrigger):
    """Wait for one service.

    Fires one event with plain data: `{"status": "found", "service": {…}}`, `{"status": "timeout", "message": …}`
    or `{"status": "error", "message": …, "retryable": …}`. Its serialised form has the id of the connection and
    nothing of what is in it; the connection is read again where the trigger runs.

    :param name: the service's name.
    :param fields: what it must show, as for the sensor.
    :param poll_interval: seconds between two looks.
    :param end_time: when the waiting ends, in seconds since the epoch, so that it survives a restart.
    :param clock: seconds since the epoch.
    :param sleep: waits for seconds between two looks.
    :param connection: `collate_conn_id`, `request_timeout` and `request_retries`, as for `CollateHook`; but None
        retries nothing within one look, because the next look is the retry.
    """

    kind = ""

    def __init__(
        self,
        *,
        name: str,
        fields: Mapping[str, object] | None = None,
        poll_interval: float = 60.0,
        end_time: float,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        **connection: Any,
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.name = name
        self.fields = fields
        self.poll_interval = poll_interval
        self.end_time = end_time
        self.connection = connection
        self._clock = clock
        self._sleep = sleep

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return the class and the arguments to make it again from, all plain data."""
        return f"{type(self).__module__}.{type(self).__qualname__}", {
            "name": self.name,
            "fields": None if self.fields is None else dict(self.fields),
            "poll_interval": self.poll_interval,
            "end_time": self.end_time,
            **self.connection,
        }

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Look, and look again, until the service is there, the time is over, or no later look can succeed."""
        retries = self.connection.get("request_retries")
        hook = CollateHook(**{**self.connection, "request_retries": 0 if retries in (None, "") else retries})
        try:
            event = await self._wait(hook)
        except AirflowException as error:
            retryable = not isinstance(error, AirflowFailException)
            event = {"status": "error", "message": str(error), "retryable": retryable}
        yield TriggerEvent(event)  # type: ignore[no-untyped-call]

    async def _wait(self, hook: CollateHook) -> dict[str, object]:
        looking: asyncio.Future[Verdict] | None = None
        try:
            while True:
                looking = asyncio.ensure_future(self._look(hook))
                verdict = await asyncio.shield(looking)
                if verdict.is_there:
                    return {"status": "found", "service": dict(verdict.service or {})}
                left = self.end_time - self._clock()
                if left <= 0:
                    return {"status": "timeout", "message": f"Waited until {_text(self.end_time)}: {verdict}"}
                (self.log.warning if verdict.fault else self.log.info)("Waiting: %s", verdict)
                await self._sleep(min(self.poll_interval, left))
        finally:
            _close(hook, looking)

    async def _look(self, hook: CollateHook) -> Verdict:
        """Look once, in a thread.

        By asgiref and not by `asyncio.to_thread`, from whose threads Airflow 3.0 and 3.1 cannot read a connection.
        """
        threads = _threads(hook.collate_conn_id)
        in_thread = sync_to_async(fails_the_task(look_by), thread_sensitive=False, executor=threads)
        return await in_thread(hook, self.kind, self.name, self.fields)


@lru_cache(_MOST_CONNECTIONS)
def _threads(conn_id: str) -> ThreadPoolExecutor:
    """Return the threads for looks by one connection.

    A server that hangs holds its own threads, and neither those of another server nor those in which the triggerer
    resolves host names.
    """
    return ThreadPoolExecutor(MOST_LOOKS_AT_ONCE, thread_name_prefix=f"collate-{conn_id}")


def _close(hook: CollateHook, looking: asyncio.Future[Verdict] | None) -> None:
    """Send nothing more, and close the connections when the thread is done with them."""
    if looking is None or looking.done():
        hook.close()
        return

    def close(done: asyncio.Future[Verdict]) -> None:
        hook.close()
        if not done.cancelled():
            done.exception()  # or asyncio would complain that nobody asked for it

    hook.stop()
    looking.add_done_callback(close)


def _text(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, timezone.utc):%Y-%m-%d %H:%M:%S} UTC"
