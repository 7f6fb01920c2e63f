"""One fleet for most tests, on the machine's own Redis and PostgreSQL programs."""

from __future__ import annotations

import json
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from airflow_provider_collate.sandbox import DEFAULT_BOT_TOKEN
from airflow_provider_collate.sandbox.server import serve_in_thread
from tests.conftest import ROOT
from tests.fleet.backing import MissingError, Redis, postgres, program, redis
from tests.fleet.fleet import Fleet, fleet
from tests.fleet.held import HeldCatalog


@dataclass(frozen=True)
class Backing:
    """What a fleet stands on.

    :param folder: for the data of all.
    :param postgres: `USER@HOST:PORT`.
    """

    folder: Path
    postgres: str
    redis: Redis


@pytest.fixture(scope="session")
def backing() -> Iterator[Backing]:
    """PostgreSQL and Redis."""
    try:
        for name in ("redis-server", "postgres", "initdb", "setpriv"):
            program(name)
    except MissingError as error:
        if os.environ.get("CI"):
            pytest.fail(str(error))
        pytest.skip(str(error))
    folder = _folder()
    try:
        with postgres(folder / "postgres") as address, redis(folder / "redis") as server:
            yield Backing(folder, address, server)
    finally:
        if folder.parent != ROOT / ".airflow":
            shutil.rmtree(folder)


@pytest.fixture(scope="session")
def catalog() -> HeldCatalog:
    return HeldCatalog()


@pytest.fixture(scope="session")
def connections(catalog: HeldCatalog) -> Iterator[dict[str, str]]:
    """The Airflow connections of the DAGs, as environment variables."""
    with serve_in_thread(catalog) as url:
        collate = {"conn_type": "collate", "host": url, "password": DEFAULT_BOT_TOKEN, "extra": {"timeout": 600}}
        yield {"AIRFLOW_CONN_COLLATE_DEFAULT": json.dumps(collate)}


@pytest.fixture(scope="session")
def shared_fleet(backing: Backing, connections: dict[str, str]) -> Iterator[Fleet]:
    url = f"redis://127.0.0.1:{backing.redis.port}/0"
    with fleet(backing.folder / "fleet", backing.postgres, url, connections) as made:
        yield made


@pytest.fixture
def two_workers(shared_fleet: Fleet, catalog: HeldCatalog) -> Fleet:
    """The fleet with both workers, and an empty catalog."""
    for name in ("worker-1", "worker-2"):
        if name not in shared_fleet.children:
            shared_fleet.start_worker(name)
    catalog.let_through()
    catalog.clear()
    return shared_fleet


def _folder() -> Path:
    """Return an empty folder in the checkout, or elsewhere if PostgreSQL's user cannot enter the checkout."""
    if all(path.stat().st_mode & stat.S_IXOTH for path in (ROOT, *ROOT.parents)):
        folder = ROOT / ".airflow" / "fleet"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        return folder
    folder = Path(tempfile.mkdtemp(prefix="collate-fleet-"))
    folder.chmod(0o755)
    return folder
