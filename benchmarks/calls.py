"""Calls between our own files for one changed description, from `execute` to the request and back.

Counted by a profile in all threads: caller and callee both in `airflow_provider_collate`, in different files, also
when a library calls back (tenacity, pydantic, a pool). The sandbox answers in process and is not counted.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any
from unittest import mock

import httpx

import airflow_provider_collate
from airflow_provider_collate.sandbox import DEFAULT_BOT_TOKEN, Catalog, InProcessTransport
from benchmarks.table import Table

GOAL = 150
BUSIEST = 15
_PACKAGE = str(Path(airflow_provider_collate.__file__).parent) + os.sep
_SANDBOX = f"{_PACKAGE}sandbox{os.sep}"


class _TaskInstance:
    try_number = 1

    def xcom_push(self, key: str, value: object) -> None:
        """Forget the value: there is no database."""


class _Calls:
    """A profile that counts calls from one of our files to another, also when a library's code is between them."""

    def __init__(self) -> None:
        self.pairs: Counter[tuple[str, str]] = Counter()

    def __call__(self, frame: FrameType, event: str, _: object) -> None:
        callee, above = frame.f_code.co_filename, frame.f_back
        if event != "call" or not callee.startswith(_PACKAGE):
            return
        while above and not above.f_code.co_filename.startswith(_PACKAGE):
            above = above.f_back
        caller = above.f_code.co_filename if above else callee
        if caller != callee and not callee.startswith(_SANDBOX) and not caller.startswith(_SANDBOX):
            self.pairs[caller.removeprefix(_PACKAGE), callee.removeprefix(_PACKAGE)] += 1


def measure() -> Iterator[Table]:
    """One table: the busiest pairs of files, and all calls."""
    logging.disable(logging.CRITICAL)
    os.environ["AIRFLOW_CONN_COLLATE_DEFAULT"] = json.dumps(
        {"conn_type": "collate", "host": "https://acme.getcollate.io", "password": DEFAULT_BOT_TOKEN}
    )
    catalog = Catalog()
    transport = InProcessTransport(catalog)
    with mock.patch.object(httpx.HTTPTransport, "handle_request", lambda _, request: transport.handle_request(request)):
        _upsert("before")  # creates it; what is done once in a process is not of the change
        with _profiled() as calls:
            _upsert("after")
        assert catalog.services["mlflow"]["description"] == "after"
    total = calls.pairs.total()
    table = Table("Calls between our files for one changed description", ("caller", "callee", "calls"))
    for (caller, callee), count in calls.pairs.most_common(BUSIEST):
        table.add(caller, callee, str(count))
    table.add("all", "", str(total))
    table.ask(f"at most {GOAL} calls", total <= GOAL)
    yield table


def _upsert(description: str) -> None:
    from airflow_provider_collate.operators.mlmodel_service import BulkUpsertMlModelServicesOperator

    config = {"type": "Mlflow", "trackingUri": "http://mlflow.acme.example:5000", "registryUri": "mysql://registry"}
    service = {"name": "mlflow", "serviceType": "Mlflow", "connection": {"config": config}, "description": description}
    context: Any = {"ti": _TaskInstance(), "outlet_events": {}}
    operator = BulkUpsertMlModelServicesOperator(task_id="upsert", services=[service], on_conflict="overwrite")
    operator.execute(context)


@contextmanager
def _profiled() -> Iterator[_Calls]:
    calls = _Calls()
    threading.setprofile(calls)
    sys.setprofile(calls)
    try:
        yield calls
    finally:
        sys.setprofile(None)
        threading.setprofile(None)
