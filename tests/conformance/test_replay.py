"""The sandbox answers as the real server did, exchange by exchange."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Iterator
from contextlib import ExitStack
from types import ModuleType

import httpx
import pytest

from airflow_provider_collate.sandbox import Catalog, InProcessTransport
from airflow_provider_collate.sandbox.server import serve_in_thread
from tests.conformance.shared import needs, shared

CONFORMANCE = shared("conformance")
RECORDINGS = CONFORMANCE / "openmetadata-1.2"
STEPS = {"mlmodel_services": 72, "references": 105, "history": 43}

pytestmark = needs(CONFORMANCE)


@pytest.fixture
def exchange() -> ModuleType:
    spec = importlib.util.spec_from_file_location("exchange", CONFORMANCE / "exchange.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(params=["in process", "over a socket"])
def client(request: pytest.FixtureRequest) -> Iterator[httpx.Client]:
    catalog = Catalog("1.2", bot_token="bot-token", admin_token="admin-token")
    with ExitStack() as stack:
        if request.param == "in process":
            url, transport = "http://sandbox.example", InProcessTransport(catalog)
        else:
            url, transport = stack.enter_context(serve_in_thread(catalog)), None
        yield stack.enter_context(httpx.Client(base_url=f"{url}/api", transport=transport))


@pytest.mark.parametrize("recording", STEPS)
def test_all_recorded_exchanges_of_openmetadata_1_2(client: httpx.Client, exchange: ModuleType, recording: str) -> None:
    lines = (RECORDINGS / f"{recording}.jsonl").read_text(encoding="utf-8").splitlines()
    steps = [json.loads(line) for line in lines]
    tokens = {"bot": "bot-token", "admin": "admin-token"}
    ids = exchange.Placeholders(str(client.base_url))

    found = {
        step["step"]: differences
        for step in steps
        if (differences := exchange.differences(step["response"], exchange.send(client, tokens, step, ids)))
    }

    assert found == {}
    assert len(steps) == STEPS[recording]
