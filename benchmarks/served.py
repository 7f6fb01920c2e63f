"""The sandbox in a process of its own, so that it and what is measured do not share an interpreter."""

from __future__ import annotations

import json
import multiprocessing
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection

from airflow_provider_collate.sandbox import PROFILES, Catalog, LatencyProfile, Request
from airflow_provider_collate.sandbox.latency import Latency
from airflow_provider_collate.sandbox.server import serve_in_thread
from benchmarks.rows import Row

COLLECTION = "/api/v1/services/mlmodelServices"
OPENMETADATA = PROFILES["openmetadata"]


@dataclass(frozen=True)
class Server:
    """A served sandbox.

    :param url: its API root.
    :param token: the bot's token.
    """

    url: str
    token: str
    _pipe: Connection

    def clear(self) -> None:
        """Forget all services and requests."""
        self._pipe.send("clear")
        self._pipe.recv()

    def fill(self, rows: Sequence[Row]) -> None:
        """Let services be there, as if the bot had created them, and forget all requests."""
        self._pipe.send(list(rows))
        self._pipe.recv()

    def counts(self) -> Counter[str]:
        """The requests since the last call, as the server saw them: writes, bulk requests, lists, others."""
        self._pipe.send("counts")
        counted: Counter[str] = self._pipe.recv()
        return counted


@contextmanager
def served(release: str, latency: LatencyProfile, *, has_bulk: bool = False) -> Iterator[Server]:
    """Serve for the length of a `with` block.

    :param release: whose behaviour, `today` or `1.2`.
    :param latency: how long answers take.
    :param has_bulk: whether there is a bulk endpoint.
    """
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(release, latency, has_bulk, theirs), daemon=True)
    process.start()
    try:
        url, token = ours.recv()
        yield Server(f"{url}/api", token, ours)
    finally:
        ours.close()
        process.join(10)
        process.kill()


def _serve(release: str, latency: LatencyProfile, has_bulk: bool, pipe: Connection) -> None:
    catalog = Catalog(release, latency=latency, has_bulk=has_bulk)
    with serve_in_thread(catalog) as url:
        pipe.send((url, catalog.bot_token))
        while True:
            try:
                asked = pipe.recv()
            except EOFError:
                return
            if asked == "clear":
                catalog.clear()
                pipe.send(None)
            elif asked == "counts":
                pipe.send(_counts(catalog))
            else:
                _fill(catalog, asked)
                pipe.send(None)


def _fill(catalog: Catalog, rows: Sequence[Row]) -> None:
    kept = catalog.latency
    catalog.latency = Latency(LatencyProfile())
    headers = {"authorization": f"Bearer {catalog.bot_token}", "content-type": "application/json"}
    for row in rows:
        answer = catalog.handle(Request("PUT", COLLECTION, headers, json.dumps(row).encode()))
        assert answer.status in (200, 201), answer
    catalog.latency = kept
    catalog.requests.clear()


def _counts(catalog: Catalog) -> Counter[str]:
    counted: Counter[str] = Counter()
    for seen in catalog.requests:
        if seen.path == f"{COLLECTION}/bulk":
            counted["bulk" if seen.status == 200 else "bulk refused"] += 1
        elif seen.is_write:
            counted["writes"] += 1
        else:
            counted["lists" if seen.path == COLLECTION else "other"] += 1
    catalog.requests.clear()
    return counted
