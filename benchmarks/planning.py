"""Planning without HTTP, against pydantic's own validation of the same rows."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import httpx

from airflow_provider_collate.client.release import Release
from airflow_provider_collate.kinds.mlmodel import CreateMlModelServiceRequest
from airflow_provider_collate.models import DeclaredService
from airflow_provider_collate.models.service import Service
from airflow_provider_collate.reconcile.changes import Desired
from airflow_provider_collate.reconcile.facts import ServerFacts
from airflow_provider_collate.reconcile.options import RunOptions
from airflow_provider_collate.reconcile.planner import Planner
from airflow_provider_collate.sandbox import Catalog, InProcessTransport
from benchmarks.rows import Row, make_rows, with_changes
from benchmarks.served import COLLECTION
from benchmarks.table import Table
from benchmarks.ways import quietly

SERVICES = 2_000
_ROUNDS = 9


def measure() -> Iterator[Table]:
    """One table."""
    quietly()
    rows = make_rows(SERVICES, size=600)
    catalog = Catalog()
    for row in rows:
        catalog.add_service(row["name"], row["serviceType"], **_more(row))
    shown = _listed(catalog)
    cases = {"all unchanged": rows, "1 % changed": with_changes(rows, 0.01), "all changed": with_changes(rows, 1)}
    table = Table(
        f"Planning {SERVICES:,} rows of 600 bytes without HTTP, CPU milliseconds, best of {_ROUNDS}",
        ("case", "model_validate of the rows", "planning: reading what the catalog shows, comparing", "ratio"),
    )
    for name, declared in cases.items():
        services = [CreateMlModelServiceRequest.model_validate(row).declared() for row in declared]
        validating, planning = _best(lambda: _validate(declared), lambda: _plan(services, shown))  # noqa: B023
        table.add(name, f"{validating:.1f}", f"{planning:.1f}", f"{planning / validating:.2f} ×")
        table.ask(f"{name}: ≤ 4 ×", planning <= 4 * validating)
    yield table


def _validate(rows: list[Row]) -> None:
    for row in rows:
        CreateMlModelServiceRequest.model_validate(row)


def _plan(services: list[DeclaredService], shown: list[Row]) -> None:
    desired = [Desired(row, services, service.name) for row, service in enumerate(services)]
    planner = Planner(desired, ServerFacts(Release("1.12.3"), "ingestion-bot", is_bot=True), RunOptions())
    for row in shown:
        planner.add(Service.model_validate(row))
    plan = planner.plan()
    assert set(plan.counts) <= {"unchanged", "update"}


def _best(*works: Callable[[], None]) -> list[float]:
    """The least CPU milliseconds of each, taken in turns."""
    taken: list[list[float]] = [[] for _ in works]
    for _ in range(_ROUNDS):
        for times, work in zip(taken, works, strict=True):
            started = time.process_time()
            work()
            times.append((time.process_time() - started) * 1000)
    return [min(times) for times in taken]


def _listed(catalog: Catalog) -> list[Row]:
    """The services as a list shows them."""
    with httpx.Client(transport=InProcessTransport(catalog)) as http:
        address = f"http://catalog.example{COLLECTION}?limit={SERVICES}"
        listed: list[Row] = http.get(address, headers={"Authorization": f"Bearer {catalog.bot_token}"}).json()["data"]
    assert len(listed) == SERVICES
    return listed


def _more(row: Row) -> Row:
    return {name: value for name, value in row.items() if name not in ("name", "serviceType")}
