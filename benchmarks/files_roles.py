"""The process that is measured: it plans and applies a file of JSON Lines to a catalog that is as declared.

The catalog is made up page by page, so that nothing of it stays in the memory that is measured.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path

import httpx

from airflow_provider_collate.client.client import CollateClient
from airflow_provider_collate.client.config import ClientConfig
from airflow_provider_collate.files.conn_ids import UnresolvedConnections
from airflow_provider_collate.files.path import ServicesPath
from airflow_provider_collate.files.services import read_files
from airflow_provider_collate.kinds import find_kind
from airflow_provider_collate.kinds.mlmodel import CreateMlModelServiceRequest
from airflow_provider_collate.reconcile.engine import Reconciler
from airflow_provider_collate.reconcile.options import RunOptions
from benchmarks.rows import Row, make_rows
from benchmarks.ways import quietly

_ID = "00000000-0000-4000-8000-{:012}"


class MadeUpCatalog(httpx.BaseTransport):
    """Answers as a catalog that has just the declared services.

    :param count: how many.
    """

    def __init__(self, count: int) -> None:
        self._count = count
        self.seconds = 0.0
        """Processor time that the answers have taken."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Answer what a run of unchanged services asks."""
        began = time.thread_time()
        body = json.dumps(self._answer(request.url)).encode()
        self.seconds += time.thread_time() - began
        return httpx.Response(200, headers={"Content-Type": "application/json"}, stream=httpx.ByteStream(body))

    def _answer(self, url: httpx.URL) -> object:
        if url.path.endswith("/system/version"):
            return {"version": "2.0.6"}
        if url.path.endswith("/users/loggedInUser"):
            return {"name": "ingestion-bot", "isBot": True}
        if "/name/" in url.path:
            return _shown(int(url.path[-6:]))
        first, limit = int(url.params.get("after", 0)), int(url.params["limit"])
        last = min(first + limit, self._count)
        paging = {"total": self._count, **({"after": str(last)} if last < self._count else {})}
        return {"data": [_shown(number) for number in range(first, last)], "paging": paging}


def _row(number: int) -> Row:
    [row] = make_rows(1)
    return {**row, "name": f"mlflow_{number:06}"}


def _shown(number: int) -> Row:
    return {**_row(number), "id": _ID.format(number), "version": 0.1, "updatedAt": 1, "updatedBy": "ingestion-bot"}


def main(count: int) -> None:
    """Run, and print the peak of the resident memory in MB, and the processor time of the run and of validating.

    Validating is measured twice: each model is let go of at once, as a run does, or all are held in a list.

    :param count: how many lines.
    """
    quietly()
    catalog = MadeUpCatalog(count)
    kind = find_kind("mlmodelServices")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "services.jsonl"
        with file.open("w") as lines:
            lines.writelines(f"{json.dumps(_row(number))}\n" for number in range(count))
        began = time.process_time()
        services = read_files([ServicesPath(str(file))], kind, UnresolvedConnections(kind))
        services.raise_if_faulty()
        config = ClientConfig("https://acme.example/api")
        with CollateClient(config, lambda: "token", http=catalog) as client:
            report = Reconciler(client, kind, RunOptions()).run(services)
        took = time.process_time() - began - catalog.seconds
    assert report.counts == {"unchanged": count}
    # Not `getrusage`: its peak begins with that of the process that started this one.
    status = Path("/proc/self/status").read_text()
    print(int(status.partition("VmHWM:")[2].split()[0]) / 1024, took, *_validating(count))


def _validating(count: int) -> tuple[float, float]:
    """Processor time that it takes to parse as many lines and to validate each by pydantic, without and with a list."""
    line = json.dumps(_row(0))
    began = time.process_time()
    for _ in range(count):
        CreateMlModelServiceRequest.model_validate(json.loads(line))
    without = time.process_time() - began
    began = time.process_time()
    held = [CreateMlModelServiceRequest.model_validate(json.loads(line)) for _ in range(count)]
    assert len(held) == count
    return without, time.process_time() - began


if __name__ == "__main__":
    main(int(sys.argv[1]))
