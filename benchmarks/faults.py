"""Runs in which a tenth of all answers fails at random: what is lost, what is done twice, what it costs."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from airflow_provider_collate.client.client import CollateClient
from airflow_provider_collate.client.config import ClientConfig
from airflow_provider_collate.kinds.mlmodel import ML_MODEL, CreateMlModelServiceRequest
from airflow_provider_collate.models import validate_services
from airflow_provider_collate.reconcile.engine import Reconciler
from airflow_provider_collate.reconcile.options import RunOptions
from airflow_provider_collate.sandbox import Catalog, InProcessTransport
from benchmarks.rows import Row, make_rows, with_changes
from benchmarks.table import Table
from benchmarks.ways import quietly

_LOGGER = logging.getLogger("airflow_provider_collate")

SERVICES = 5_000
RATE = 0.1
KINDS = ("503", "lost_answer", "reset")
SEEDS = (1, 2, 3)
CASES = {"new, by the bulk endpoint": (True, False), "new, one by one": (False, False), "all changed": (False, True)}


@dataclass(frozen=True)
class Disturbed:
    """What came of one run.

    :param faults: how many requests failed, by kind.
    :param requests: how many the server saw.
    :param lost: services that are not as declared in the end.
    :param created_twice: services that were created more than once.
    :param most_bumps: how often a version went up at most, creation aside.
    :param summary: what the report says.
    """

    faults: int
    requests: int
    lost: int
    created_twice: int
    most_bumps: int
    summary: str


def measure() -> Iterator[Table]:
    """One table."""
    quietly()
    _LOGGER.setLevel(logging.ERROR)  # a line for each fault would hide the table
    rows = make_rows(SERVICES)
    table = Table(
        f"{SERVICES:,} rows while {RATE:.0%} of all answers fail at random (503, lost answers, resets)",
        ("case", "seed", "faults", "requests", "of a clean run", "lost", "created twice", "version bumps at most"),
    )
    for name, (has_bulk, existing) in CASES.items():
        clean = reconcile(rows, rate=0, has_bulk=has_bulk, existing=existing)
        runs = [reconcile(rows, rate=RATE, seed=seed, has_bulk=has_bulk, existing=existing) for seed in SEEDS]
        for seed, run in zip(SEEDS, runs, strict=True):
            share = f"{run.requests / clean.requests:.2f} ×"
            table.add(name, str(seed), f"{run.faults:,}", f"{run.requests:,}", share, str(run.lost),
                      str(run.created_twice), str(run.most_bumps))  # fmt: skip
        table.ask(f"{name}: 0 lost", not any(run.lost for run in runs))
        table.ask(f"{name}: 0 created twice", not any(run.created_twice for run in runs))
        table.ask(f"{name}: one version bump at most", all(run.most_bumps <= 1 for run in runs))
        table.ask(f"{name}: ≤ 1.3 × the requests", all(run.requests <= 1.3 * clean.requests for run in runs))
    yield table


def reconcile(
    rows: Sequence[Row], *, rate: float, seed: int = 0, has_bulk: bool = False, existing: bool = False
) -> Disturbed:
    """Bring a catalog to a declaration while answers fail; the waits between attempts are left out.

    :param rows: the declaration.
    :param rate: share of the requests that fail.
    :param seed: which ones.
    :param has_bulk: whether there is a bulk endpoint.
    :param existing: whether all services exist already, each with another tracking server.
    """
    catalog = Catalog(has_bulk=has_bulk)
    for row in with_changes(list(rows), 1) if existing else ():
        rest = {field: value for field, value in row.items() if field not in ("name", "serviceType")}
        catalog.add_service(row["name"], row["serviceType"], **rest)
    before = {name: service["version"] for name, service in catalog.services.items()}
    policy = catalog.fail_randomly(rate, seed=seed, kinds=KINDS)
    config = ClientConfig("http://collate.acme.example/api")
    network = InProcessTransport(catalog)
    with CollateClient(config, lambda: catalog.bot_token, http=network, sleep=lambda seconds: None) as client:
        report = Reconciler(client, ML_MODEL, RunOptions()).run(
            validate_services(rows, model=CreateMlModelServiceRequest).services
        )
    return _judge(rows, catalog, before, policy.counts.total(), report.summary())


def _judge(rows: Sequence[Row], catalog: Catalog, before: dict[str, object], faults: int, summary: str) -> Disturbed:
    stored = catalog.services
    made = Counter(_names_created(catalog))
    bumps = [round((_number(stored[name]["version"]) - _number(before.get(name, 0.1))) * 10) for name in stored]
    return Disturbed(
        faults=faults,
        requests=len(catalog.requests),
        lost=sum(row["name"] not in stored or not _holds(stored[row["name"]], row) for row in rows),
        created_twice=sum(count > 1 for count in made.values()),
        most_bumps=max(bumps),
        summary=summary,
    )


def _names_created(catalog: Catalog) -> Iterator[str]:
    for request in catalog.requests:
        if request.method == "POST" and request.status == 201 and isinstance(request.body, dict):
            yield request.body["name"]


def _holds(stored: Row, row: Row) -> bool:
    return bool(
        stored["description"] == row["description"]
        and stored["connection"]["config"]["trackingUri"] == row["connection"]["config"]["trackingUri"]
        and stored["connection"]["config"]["registryUri"] == row["connection"]["config"]["registryUri"]
    )


def _number(version: object) -> float:
    return float(str(version))
