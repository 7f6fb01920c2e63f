"""Run a task of ours, as Airflow would, against a server that misbehaves, and say what came of it."""

from __future__ import annotations

import json
import socket
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from enum import Enum
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException

from airflow_provider_collate.client.client import CollateClient
from airflow_provider_collate.exceptions import CollateError
from airflow_provider_collate.hooks.collate import CollateHook
from airflow_provider_collate.operators.mlmodel_service import (
    BulkUpsertMlModelServicesOperator,
    CreateMlModelServiceOperator,
    SyncMlModelServicesOperator,
)
from airflow_provider_collate.sandbox import INGESTION_BOT, Catalog, make_token
from tests.faults.certificates import Authority
from tests.faults.server import Accepting, Behaviour, FaultServer, Received

SECRET = "hunter2hunter2"
CONNECTION_ID = "collate_default"
_VARIABLE = f"AIRFLOW_CONN_{CONNECTION_ID.upper()}"
_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_FILE")


class Operation(Enum):
    """What is tried; the value is the heading in the documentation."""

    CREATE = "Create"
    BULK = "Bulk"
    ONE_BY_ONE = "Bulk, one by one"
    SYNC = "Sync"
    TEST = "Test button"


@dataclass
class Surroundings:
    """What a fault is made of: it changes this before anything runs.

    :param extra: the connection's extra.
    :param behave: chooses what happens to a request; None is the truth.
    :param url: the connection's host; that of the fault server if empty.
    :param proxied: whether the fault server is the proxy on the way to `url`.
    :param also: other servers, of which none may hear the token.
    :param declares: what each service declares beside the usual.
    :param edits: how often somebody else changed a service while the task ran.
    """

    catalog: Catalog
    folder: Path
    monkeypatch: pytest.MonkeyPatch
    stack: ExitStack
    extra: dict[str, object] = field(default_factory=lambda: {"timeout": 60, "max_retries": 1})
    behave: Callable[[Received], Behaviour | None] = lambda received: None
    accepting: Callable[[int], Accepting] = lambda number: Accepting.SERVE
    tls: ssl.SSLContext | None = None
    url: str = ""
    proxied: bool = False
    also: list[FaultServer] = field(default_factory=list)
    declares: dict[str, object] = field(default_factory=dict)
    edits: int = 0

    @property
    def authority(self) -> Authority:
        """An authority that the client does not know, unless `extra` says so."""
        return Authority(self.folder)

    def other_server(self) -> FaultServer:
        """A server that nothing may be sent to."""
        server = self.stack.enter_context(FaultServer(handle=self.catalog.handle))
        self.also.append(server)
        return server

    def connect(self, token: str) -> None:
        """Write the Airflow connection; it is read again when a token is refused."""
        document = {"conn_type": "collate", "host": self.url, "password": token, "extra": self.extra}
        self.monkeypatch.setenv(_VARIABLE, json.dumps(document))

    def rotate(self, *, known: bool) -> None:
        """Give the bot a new token.

        :param known: whether the connection has it too.
        """
        new = make_token(INGESTION_BOT, serial=2)
        self.catalog.rotate_bot_token(new)
        if known:
            self.connect(new)

    def unknown_host(self) -> None:
        """Let no name but those of this machine be resolved."""
        resolve = socket.getaddrinfo

        def fail(host: Any, *rest: Any, **options: Any) -> Any:
            if host != "127.0.0.1":
                raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
            return resolve(host, *rest, **options)

        self.monkeypatch.setattr(socket, "getaddrinfo", fail)


@dataclass(frozen=True)
class Ended:
    """What came of a task.

    :param outcome: `ok`, `retry` when Airflow tries again, or `fail` when it does not.
    :param message: what it said, as the log has it.
    :param met: requests that met the fault.
    :param waits: seconds between attempts that were to be waited.
    :param seconds: how long it took.
    :param exchanges: requests and connections that any server saw.
    """

    outcome: str
    message: str
    met: int
    waits: float
    seconds: float
    exchanges: int
    url: str

    @property
    def cell(self) -> str:
        """The outcome as the table has it."""
        return f"{self.outcome} {self.met}"


@contextmanager
def surroundings(operation: Operation, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Surroundings]:
    """A catalog as the operation wants it, and nothing of the environment's proxies."""
    for name in _PROXIES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    catalog = Catalog(has_bulk=operation is not Operation.ONE_BY_ONE)
    if operation is Operation.SYNC:
        catalog.add_service("fraud_b", connection=connection(), description="old")
        catalog.add_service("fraud_old", connection=connection())
    with ExitStack() as stack:
        yield Surroundings(catalog, folder, monkeypatch, stack)


def run(operation: Operation, around: Surroundings) -> Ended:
    """Run the operation as Airflow's task process does, but for the waits between attempts: they are written down."""
    waits: list[float] = []
    around.monkeypatch.setattr(
        "airflow_provider_collate.hooks.collate.CollateClient", partial(CollateClient, sleep=waits.append)
    )
    met: list[Received] = []

    def behave(received: Received) -> Behaviour | None:
        behaviour = around.behave(received)
        if behaviour is not None:
            met.append(received)
        return behaviour

    server = FaultServer(behave, handle=around.catalog.handle, accepting=around.accepting, tls=around.tls)
    with server:
        around.url = around.url or server.url
        if around.proxied:
            around.extra["proxy"] = server.url
        around.connect(around.catalog.bot_token)
        began = time.monotonic()
        outcome, message = _outcome_of(operation, around)
        seconds = time.monotonic() - began
        exchanges = len(server.received) + server.connections
    # What ends before a request has arrived is counted by its connections.
    seen = len(met) if server.received else server.connections
    return Ended(outcome, message, seen, sum(waits), seconds, exchanges, around.url)


def declared(operation: Operation) -> list[dict[str, Any]]:
    """The services that the operation declares."""
    names = {Operation.CREATE: ["fraud_a"], Operation.SYNC: ["fraud_a", "fraud_b"]}
    return [
        {"name": name, "serviceType": "Mlflow", "description": "Team fraud", "connection": connection()}
        for name in names.get(operation, ["fraud_a", "fraud_b", "fraud_c"])
    ]


def is_as_declared(operation: Operation, catalog: Catalog) -> bool:
    """Whether the catalog holds what the operation declares, and not what it prunes."""
    stored = catalog.services
    if operation is Operation.SYNC and "fraud_old" in stored:
        return False
    return operation is Operation.TEST or all(
        service["name"] in stored and _holds(stored[service["name"]], service) for service in declared(operation)
    )


def created_twice(catalog: Catalog, edits: int) -> list[str]:
    """Names that were created more than once, or written again after that but for the edits of others."""
    made = [request.body for request in catalog.requests if request.method == "POST" and request.status == 201]
    names = [body["name"] for body in made if isinstance(body, dict)]
    twice = [name for name in names if names.count(name) > 1]
    most = 0.25 + 0.1 * edits
    bumped = [name for name, service in catalog.services.items() if float(str(service["version"])) > most]
    return [*twice, *bumped]


def _holds(stored: Mapping[str, object], service: Mapping[str, Any]) -> bool:
    shown: Any = stored
    return bool(
        shown["serviceType"] == service["serviceType"]
        and shown.get("description") == service["description"]
        and shown["connection"]["config"]["registryUri"] == service["connection"]["config"]["registryUri"]
    )


def connection() -> dict[str, Any]:
    return {
        "config": {
            "type": "Mlflow",
            "trackingUri": "http://mlflow.acme.example",
            "registryUri": f"mysql://ml:{SECRET}@db.acme.example/ml",
        }
    }


def _outcome_of(operation: Operation, around: Surroundings) -> tuple[str, str]:
    if operation is Operation.TEST:
        works, message = CollateHook(CONNECTION_ID).test_connection()
        return ("ok" if works else "fail"), message
    task = _task(operation, around)
    try:
        task.execute({"ti": Mock(try_number=1), "outlet_events": {}})
    except AirflowFailException as error:
        return "fail", str(error)
    except CollateError as error:
        return "retry", str(error)
    return "ok", ""


def _task(operation: Operation, around: Surroundings) -> Any:
    services = [{**service, **around.declares} for service in declared(operation)]
    if operation is Operation.CREATE:
        service = services[0]
        return CreateMlModelServiceOperator(task_id="create", service_type=service.pop("serviceType"), **service)
    if operation is Operation.SYNC:
        return SyncMlModelServicesOperator(
            task_id="sync",
            services=services,
            prune="soft",
            prune_scope={"name_prefix": "fraud_"},
            max_prune=1,
            on_conflict="overwrite",
            max_workers=1,
        )
    return BulkUpsertMlModelServicesOperator(task_id="bulk", services=services, max_workers=1)
