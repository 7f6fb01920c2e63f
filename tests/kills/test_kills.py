"""Task processes that are killed while they register 500 services, and what the next attempt makes of it."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_collate.sandbox import Catalog
from airflow_provider_collate.sandbox.server import serve_in_thread
from tests.dags.airflow_home import AirflowHome
from tests.kills.declared import NAMES, SERVICES
from tests.kills.workers import WatchedCatalog, Worker, attempt_here, worker

# Requests that may still come: one of each worker and of the main thread, and as many again twice, because Python
# tells the main thread of a signal only when it gets its turn among the workers.
STILL_TO_COME = 3 * 9


def is_as_declared(catalog: Catalog) -> bool:
    stored: dict[str, Any] = dict(catalog.services)
    return stored.keys() == set(NAMES) and all(
        stored[service["name"]]["description"] == service["description"]
        and stored[service["name"]]["connection"]["config"]["trackingUri"]
        == service["connection"]["config"]["trackingUri"]
        for service in SERVICES
    )


@dataclass(frozen=True)
class Undisturbed:
    """A run that nobody kills."""

    requests: int
    versions: dict[str, float]


@pytest.fixture(scope="module")
def undisturbed() -> dict[bool, Undisturbed]:
    """What a run that nobody kills does, with the bulk endpoint and without."""
    runs = {}
    for has_bulk in (True, False):
        catalog = WatchedCatalog(has_bulk=has_bulk)
        with serve_in_thread(catalog) as url:
            attempt_here(url, catalog.bot_token)
        assert is_as_declared(catalog)
        runs[has_bulk] = Undisturbed(len(catalog.came_at), catalog.versions())
    return runs


def seeds(in_ci: int, by_hand: int) -> list[Any]:
    """The first run always, the others by `make soak`. The first two of SIGKILL are one without bulk and one with."""
    return [*range(in_ci), *(pytest.param(seed, marks=pytest.mark.soak) for seed in range(in_ci, by_hand))]


def killed(
    number: signal.Signals, seed: int, home: AirflowHome, undisturbed: Mapping[bool, Undisturbed], folder: Path
) -> Iterator[tuple[WatchedCatalog, Worker]]:
    """Kill a worker at a request that the seed chooses; go on when the process is gone; then try again and compare."""
    chance = random.Random(seed)  # noqa: S311 - must repeat, not surprise
    catalog = WatchedCatalog(has_bulk=chance.random() < 0.3)
    clean = undisturbed[not catalog.lacks_bulk]
    catalog.at, catalog.before = chance.randrange(1, clean.requests), chance.random() < 0.5
    with serve_in_thread(catalog) as url:
        with worker(home, url, catalog.bot_token, folder) as attempt:
            catalog.act = lambda: os.kill(attempt.process.pid, number)
            attempt.wait()
            yield catalog, attempt
        catalog.at = 0
        attempt_here(url, catalog.bot_token)
    assert is_as_declared(catalog)
    bumps = {name: version - clean.versions[name] for name, version in catalog.versions().items()}
    assert max(bumps.values()) < 0.15, bumps


@pytest.mark.parametrize("seed", seeds(2, 25))
def test_sigkill(seed: int, home: AirflowHome, undisturbed: dict[bool, Undisturbed], tmp_path: Path) -> None:
    for _, attempt in killed(signal.SIGKILL, seed, home, undisturbed, tmp_path):
        assert attempt.process.returncode == -signal.SIGKILL, attempt.output


@pytest.mark.parametrize("seed", seeds(1, 10))
def test_sigterm(seed: int, home: AirflowHome, undisturbed: dict[bool, Undisturbed], tmp_path: Path) -> None:
    for catalog, attempt in killed(signal.SIGTERM, 1000 + seed, home, undisturbed, tmp_path):
        assert len(catalog.came_at) <= catalog.at + STILL_TO_COME
        assert attempt.task_state in ("failed", "up_for_retry"), attempt.output


def test_after_execution_timeout_nothing_is_sent_and_nothing_lives_on(home: AirflowHome, tmp_path: Path) -> None:
    """All workers wait for answers that would take a minute, when the time of the task is over."""
    catalog = WatchedCatalog(has_bulk=False)
    held = catalog.fail(times=None, skip=20, method="POST", latency=60)
    with (
        serve_in_thread(catalog) as url,
        worker(home, url, catalog.bot_token, tmp_path, EXECUTION_TIMEOUT="6") as attempt,
    ):
        attempt.wait()
        ended = time.time()
        failed = float(attempt.failed_at.read_text())
        assert held.hits == 8
        assert attempt.task_state == "failed", attempt.output
    assert max(catalog.came_at) < failed
    assert ended - failed < 30
