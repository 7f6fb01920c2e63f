"""A plan that was approved, and a worker or a server that is killed midway: nothing is written beyond the plan."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_collate.client.client import CollateClient
from airflow_provider_collate.client.config import ClientConfig
from airflow_provider_collate.kinds.mlmodel import ML_MODEL, CreateMlModelServiceRequest
from airflow_provider_collate.models import validate_services
from airflow_provider_collate.reconcile.engine import Reconciler
from airflow_provider_collate.reconcile.options import RunOptions
from airflow_provider_collate.reconcile.plan import Plan
from airflow_provider_collate.sandbox.server import serve_in_thread
from tests.dags.airflow_home import AirflowHome
from tests.kills.declared import EXISTING, PRUNING, RETIRED, SERVICES
from tests.kills.workers import WatchedCatalog, attempt_here, worker
from tests.property.approved import beyond

DECLARED = {service["name"]: service for service in SERVICES[:100]}
UPDATED = {name for name in EXISTING if name in DECLARED}
# In the scope and not declared: the retired ones, and those of the other tests.
DELETED = {*RETIRED, *EXISTING} - UPDATED
CHANGES = len(DECLARED) + len(DELETED)
BYSTANDER = "another_team"


@dataclass
class Front:
    """A server's door in a process of its own, which can be killed and started again on the same port."""

    server_port: int
    port: int = 0
    process: subprocess.Popen[str] = field(init=False)

    def start(self) -> None:
        command = [sys.executable, "-m", "tests.kills.front", str(self.port), str(self.server_port)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        self.port = int(self.process.stdout.readline())

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()


@contextmanager
def opened(catalog: WatchedCatalog) -> Iterator[tuple[Front, str]]:
    """A catalog behind a door, and its URL."""
    with serve_in_thread(catalog) as url, ExitStack() as stack:
        front = Front(int(url.rpartition(":")[2]))
        front.start()
        stack.callback(front.kill)
        yield front, f"http://127.0.0.1:{front.port}"


@pytest.fixture
def catalog() -> WatchedCatalog:
    """Services to be updated, deleted and left alone."""
    catalog = WatchedCatalog(has_bulk=False, writes_only=True)
    for name in (*RETIRED, BYSTANDER):
        catalog.add_service(name, "Sklearn")
    return catalog


def plan_of(catalog: WatchedCatalog, url: str) -> Plan:
    services = validate_services(SERVICES[:100], model=CreateMlModelServiceRequest).services
    options = RunOptions.parse({**PRUNING, "on_conflict": "overwrite"})
    with CollateClient(ClientConfig(f"{url}/api"), lambda: catalog.bot_token) as client:
        plan = Reconciler(client, ML_MODEL, options).plan(services)
    assert plan.counts == {"create": 90, "update": len(UPDATED), "delete": len(DELETED)}
    return plan


def done(catalog: WatchedCatalog) -> int:
    """Count the changes of the plan that took effect."""
    stored: dict[str, Any] = dict(catalog.services)
    declared: Iterator[bool] = (
        stored.get(name, {}).get("description") == DECLARED[name]["description"] for name in DECLARED
    )
    return sum(declared, len(DELETED - stored.keys()))


def assert_nothing_else(catalog: WatchedCatalog, plan: Plan, untouched: object) -> None:
    """Compare the writes with the plan, and the catalog with what the plan was made for and what it leads to."""
    assert list(beyond(catalog, plan)) == []
    stored: dict[str, Any] = dict(catalog.services)
    assert stored.pop(BYSTANDER) == untouched
    assert stored.keys() <= {*DECLARED, *DELETED}
    assert {stored[name]["description"] for name in UPDATED} <= {"old", *(DECLARED[n]["description"] for n in UPDATED)}


def approve_and_disturb(
    home: AirflowHome, catalog: WatchedCatalog, folder: Path, seed: int, *, kill_the_server: bool
) -> None:
    """Kill at a write that the seed chooses, while answers are lost; then go on with the same approval."""
    chance = random.Random(seed)  # noqa: S311 - must repeat, not surprise
    untouched = dict(catalog.services)[BYSTANDER]
    with opened(catalog) as (front, url):
        plan = plan_of(catalog, url)
        approved = {"APPROVED_PLAN": plan.fingerprint}
        catalog.at, catalog.before = chance.randrange(10, CHANGES - 10), chance.random() < 0.5
        catalog.fail_randomly(0.1, seed=seed, kinds=["lost_answer", "reset"])
        with worker(home, url, catalog.bot_token, folder, "apply_approved", **approved) as attempt:
            victim = front.process if kill_the_server else attempt.process
            catalog.act = lambda: os.kill(victim.pid, signal.SIGKILL)
            attempt.wait()
            assert attempt.task_state != "success", attempt.output
        assert victim.wait() == -signal.SIGKILL
        assert_nothing_else(catalog, plan, untouched)
        assert 0 < done(catalog) < CHANGES

        catalog.stop_failing()
        if kill_the_server:
            front.start()
        attempt_here(url, catalog.bot_token, "apply_approved", **approved)
    assert_nothing_else(catalog, plan, untouched)
    assert done(catalog) == CHANGES


SEEDS = [1, *(pytest.param(seed, marks=pytest.mark.soak) for seed in range(2, 12))]


@pytest.mark.parametrize("seed", SEEDS)
def test_a_worker_is_killed(seed: int, home: AirflowHome, catalog: WatchedCatalog, tmp_path: Path) -> None:
    approve_and_disturb(home, catalog, tmp_path, seed, kill_the_server=False)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_server_is_killed(seed: int, home: AirflowHome, catalog: WatchedCatalog, tmp_path: Path) -> None:
    approve_and_disturb(home, catalog, tmp_path, seed, kill_the_server=True)
