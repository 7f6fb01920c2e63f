from __future__ import annotations

from collections.abc import Iterator
from itertools import count

import httpx
import pytest

from airflow_provider_collate.sandbox import Catalog, InProcessTransport
from airflow_provider_collate.sandbox.releases import DEFAULT_RELEASE
from airflow_provider_collate.sandbox.server import serve_in_thread

ROOT = "http://sandbox.example/api/v1"


@pytest.fixture
def release() -> str:
    """Today's; `parametrize` gives another one to a test."""
    return DEFAULT_RELEASE


@pytest.fixture
def catalog(release: str) -> Catalog:
    """A server of the release; each request comes a second after the one before."""
    seconds = count(1_700_000_000)
    return Catalog(release, clock=lambda: float(next(seconds)))


@pytest.fixture
def bot(catalog: Catalog) -> Iterator[httpx.Client]:
    with _client(catalog, catalog.bot_token) as client:
        yield client


@pytest.fixture
def admin(catalog: Catalog) -> Iterator[httpx.Client]:
    with _client(catalog, catalog.admin_token) as client:
        yield client


@pytest.fixture
def online(catalog: Catalog) -> Iterator[httpx.Client]:
    headers = {"Authorization": f"Bearer {catalog.bot_token}"}
    with (
        serve_in_thread(catalog) as url,
        httpx.Client(base_url=f"{url}/api/v1/services/mlmodelServices", headers=headers) as client,
    ):
        yield client


def _client(catalog: Catalog, token: str) -> httpx.Client:
    return httpx.Client(
        base_url=f"{ROOT}/services/mlmodelServices",
        transport=InProcessTransport(catalog),
        headers={"Authorization": f"Bearer {token}"},
    )
