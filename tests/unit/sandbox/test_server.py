"""The sandbox over a socket, and its command."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from time import monotonic

import httpx
import pytest

from airflow_provider_collate.cli.main import main
from airflow_provider_collate.sandbox import Catalog
from airflow_provider_collate.sandbox.server import serve_in_thread

SKLEARN = {"name": "a", "serviceType": "Sklearn"}
PATH = "/api/v1/services/mlmodelServices"


def test_answers_and_stops_without_a_trace(catalog: Catalog) -> None:
    before = threading.enumerate()
    headers = {"Authorization": f"Bearer {catalog.bot_token}"}
    with serve_in_thread(catalog) as url, httpx.Client(base_url=url, headers=headers) as client:
        service = client.post(PATH, json={**SKLEARN, "name": "a/b c"}).json()
        assert service["href"] == f"{url}{PATH}/{service['id']}"
        assert client.get(f"{PATH}/name/a%2Fb%20c").json()["name"] == "a/b c"
        assert "a/b c" in client.get("/").text

    assert threading.enumerate() == before
    with pytest.raises(httpx.ConnectError):
        httpx.get(url)


def test_slow_answers_overlap(online: httpx.Client, catalog: Catalog) -> None:
    latency = 0.3
    catalog.fail(8, latency=latency)
    start = monotonic()

    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(lambda _: online.get("").status_code, range(8)))

    assert statuses == [200] * 8
    assert monotonic() - start < 8 * latency  # what they would take one after another


def test_the_command_prints_its_url_and_nothing_of_requests() -> None:
    command = [sys.executable, "-m", "airflow_provider_collate", "sandbox", "--port", "0", "--release", "1.2"]
    tokens = ["--bot-token", "canary-token", "--admin-token", "canary-admin"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    process = subprocess.Popen(
        [*command, *tokens], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    )
    assert process.stdout is not None
    url = process.stdout.readline().strip()
    with httpx.Client(base_url=url, headers={"Authorization": "Bearer canary-token"}) as client:
        assert client.get("/api/v1/system/version").json()["version"] == "1.2.0"
        assert client.post(PATH, json={**SKLEARN, "description": "canary-body"}).status_code == 201
        assert client.post(PATH, content=b'{"canary-body": ').status_code == 500
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=20)

    assert url.startswith("http://127.0.0.1:")
    assert "canary" not in out + err


def test_an_address_that_is_taken(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        assert main(["sandbox", "--port", str(port)]) == 1

    assert capsys.readouterr().err == f"Error: Cannot listen on 127.0.0.1:{port}: Address already in use.\n"


@pytest.mark.parametrize("missing", ["jsonpatch", "starlette", "uvicorn"])
def test_the_extra_is_named_when_it_is_missing(missing: str) -> None:
    code = f"import sys; sys.modules[{missing!r}] = None; import airflow_provider_collate.sandbox"

    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)

    said = run.stderr.splitlines()[-1]
    assert said == f"ImportError: the sandbox needs {missing}: pip install 'airflow-provider-collate[sandbox]'"
