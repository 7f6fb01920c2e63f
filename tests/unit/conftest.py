"""A Collate in process behind httpx, an Airflow connection to it, and a task instance without a database."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timezone
from functools import partial
from typing import Any

import httpx
import pytest
from airflow.providers.common.compat.sdk import AirflowFailException

from airflow_provider_collate.client.client import CollateClient
from airflow_provider_collate.operators._collate_task import CollateTask
from airflow_provider_collate.sandbox import DEFAULT_BOT_TOKEN, Catalog, InProcessTransport

HOST = "https://acme.getcollate.io"


@dataclass
class Network:
    """What answers at each host; any other host does not exist."""

    hosts: dict[str, httpx.BaseTransport] = field(default_factory=dict)

    def answer(self, request: httpx.Request) -> httpx.Response:
        if request.url.host not in self.hosts:
            raise httpx.ConnectError("[Errno -2] Name or service not known", request=request)
        return self.hosts[request.url.host].handle_request(request)


class Killing(httpx.BaseTransport):
    """Calls a task's `on_kill` when the n-th request arrives, as Airflow 3's signal handler does, and answers it."""

    def __init__(self, inner: httpx.BaseTransport, task: CollateTask, at: int) -> None:
        self.inner = inner
        self.task = task
        self.at = at
        self.seen = 0

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.seen += 1
        if self.seen == self.at:
            self.task.on_kill()
        return self.inner.handle_request(request)


def failure(task: CollateTask, context: Any) -> AirflowFailException:
    """The error of a task that Airflow does not try again."""
    with pytest.raises(AirflowFailException) as caught:
        task.execute(context)
    return caught.value


def service_in(catalog: Catalog, name: str) -> Any:
    """A service as the catalog stores it; a JSON document, whatever is looked for in it."""
    return catalog.services[name]


@dataclass
class TaskInstance:
    """What an operator asks of its task instance."""

    try_number: int = 1
    map_index: int = -1
    xcoms: dict[str, Any] = field(default_factory=dict)

    def xcom_push(self, key: str, value: object) -> None:
        self.xcoms[key] = json.loads(json.dumps(value))


@dataclass
class DagRun:
    """What an operator asks of its DAG run."""

    start_date: datetime = field(default_factory=lambda: datetime.now(timezone.utc))


@pytest.fixture(autouse=True)
def forgetful_masker() -> Iterator[None]:
    """Let Airflow's masker forget: each of its patterns makes the next one, and every log line, dearer."""
    yield
    for name in ("airflow.sdk.log", "airflow.utils.log.secrets_masker"):
        if name in sys.modules and hasattr(sys.modules[name], "_secrets_masker"):
            masker = sys.modules[name]._secrets_masker()
            masker.patterns, masker.replacer = set(), None


@pytest.fixture
def network(monkeypatch: pytest.MonkeyPatch) -> Network:
    network = Network()
    monkeypatch.setattr(httpx.HTTPTransport, "handle_request", lambda _, request: network.answer(request))
    return network


@pytest.fixture
def connect(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Set the Airflow connection `collate_default`."""

    def connect(conn_id: str = "collate_default", *, extra: dict[str, Any] | None = None, **fields: Any) -> None:
        conn = {
            "conn_type": "collate",
            "host": HOST,
            "password": DEFAULT_BOT_TOKEN,
            "extra": {"max_retries": 0} if extra is None else extra,
            **fields,
        }
        monkeypatch.setenv(f"AIRFLOW_CONN_{conn_id.upper()}", json.dumps(conn))

    return connect


@pytest.fixture
def catalog(network: Network, connect: Callable[..., None], monkeypatch: pytest.MonkeyPatch) -> Catalog:
    """A catalog of today's release that `collate_default` names; no retries and no sleep, so that no test waits."""
    hasty = partial(CollateClient, sleep=lambda seconds: None)
    monkeypatch.setattr("airflow_provider_collate.hooks.collate.CollateClient", hasty)
    catalog = Catalog()
    network.hosts["acme.getcollate.io"] = InProcessTransport(catalog)
    connect()
    return catalog


@pytest.fixture
def ti() -> TaskInstance:
    return TaskInstance()


@pytest.fixture
def context(ti: TaskInstance) -> Any:
    return {"ti": ti, "outlet_events": {}, "dag_run": DagRun()}


@pytest.fixture
def logged(capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture) -> Callable[[], str]:
    """All that was logged or printed so far; Airflow 3 logs to stdout, Airflow 2.11 by `logging`."""
    printed: list[str] = []

    def logged() -> str:
        captured = capsys.readouterr()
        printed.extend([captured.out, captured.err])
        return "".join(printed) + caplog.text

    return logged
