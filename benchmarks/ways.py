"""Ways to bring a catalog to a declaration: ours, and what a user would write instead."""

from __future__ import annotations

import json
import logging
import os
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING

import httpx

from airflow_provider_collate.client.client import CollateClient
from airflow_provider_collate.client.config import ClientConfig
from airflow_provider_collate.kinds.mlmodel import ML_MODEL, CreateMlModelServiceRequest
from airflow_provider_collate.models import validate_services
from airflow_provider_collate.reconcile.engine import Reconciler
from airflow_provider_collate.reconcile.options import RunOptions
from airflow_provider_collate.reconcile.report import Report
from benchmarks.rows import Row

if TYPE_CHECKING:
    from benchmarks.served import Server

THREADS = 8
_PATH = "/v1/services/mlmodelServices"


def reconcile(server: Server, rows: Sequence[Row]) -> Report:
    """Our way, from plain rows to the report."""
    return reconcile_at(server.url, server.token, rows)


def reconcile_at(url: str, token: str, rows: Sequence[Row]) -> Report:
    """Our way, for a process that knows only the server's address."""
    with CollateClient(ClientConfig(url), lambda: token) as client:
        return Reconciler(client, ML_MODEL, RunOptions()).run(
            validate_services(rows, model=CreateMlModelServiceRequest).services
        )


def put_one_by_one(server: Server, rows: Sequence[Row]) -> None:
    """A loop of PUTs."""
    with _http(server) as http:
        for row in rows:
            http.put(_PATH, json=row).raise_for_status()


def put_in_threads(server: Server, rows: Sequence[Row]) -> None:
    """PUTs from 8 threads; one that the pool of connections loses, as happens in 100,000, is sent once more."""
    with _http(server) as http, ThreadPoolExecutor(THREADS) as pool:

        def put(row: Row) -> httpx.Response:
            with suppress(httpx.TransportError):
                return http.put(_PATH, json=row)
            return http.put(_PATH, json=row)

        for answer in pool.map(put, rows):
            answer.raise_for_status()


def put_by_http_hook(server: Server, rows: Sequence[Row]) -> None:
    """A loop of PUTs by the hook of Airflow's HTTP provider."""
    from airflow.providers.http.hooks.http import HttpHook

    host = server.url.removesuffix("/api")
    os.environ["AIRFLOW_CONN_CATALOG"] = json.dumps({"conn_type": "http", "host": host})
    hook = HttpHook(method="PUT", http_conn_id="catalog")
    headers = {"Authorization": f"Bearer {server.token}", "Content-Type": "application/json"}
    for row in rows:
        hook.run(f"/api{_PATH}", data=json.dumps(row), headers=headers)


def timed(way: Callable[[Server, Sequence[Row]], object], server: Server, rows: Sequence[Row]) -> float:
    """Seconds that one way takes."""
    started = time.perf_counter()
    way(server, rows)
    return time.perf_counter() - started


def quietly() -> None:
    """Let only warnings through: a log to a terminal would be measured too."""
    logging.disable(logging.INFO)


def _http(server: Server) -> httpx.Client:
    # `base_url` appends its path, so it keeps the `/api`.
    return httpx.Client(base_url=server.url, headers={"Authorization": f"Bearer {server.token}"}, timeout=60)
