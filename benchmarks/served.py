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
from airflow_provider_collate.sandbox.faults import Latency
from airflow_provider_collate.sandbox.server import serve_in_thread
from benchmarks.rows import Row

COLLECTION = "/api/v1/services/mlmodelServices"
OPENMETADATA = PROFILES["openmetadata"]
_OTHER = {"config": {"type": "Sklearn"}}


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

    def fill_others(self, count: int) -> None:
        """Add services of others, half of them before and half behind those that are measured with, by name."""
        self._pipe.send(count)
        self._pipe.recv()

    def fill(self, rows: Sequence[Row]) -> None:
        """Let services be there, as if the bot had created them, and forget all requests."""
        self._pipe.send(list(rows))
        self._pipe.recv()

    def counts(self) -> Counter[str]:
        """The requests since the last call, as the server saw them: writes, bulk requests, lists, others."""
        return self._ask("counts")

    def most_rows(self) -> int:
        """How many services the lists may have shown since the last call of `counts`, by the limits they ask for."""
        return self._ask("rows")["rows"]

    def _ask(self, what: str) -> Counter[str]:
        self._pipe.send(what)
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
            elif isinstance(asked, int):
                for number in range(asked):
                    catalog.add_service(
                        f"{'risk' if number % 2 else 'fraud'}_{number:05}", "Sklearn", connection=_OTHER
                    )
                pipe.send(None)
            elif asked == "rows":
                lists = (seen for seen in catalog.requests if seen.path == COLLECTION and not seen.is_write)
                pipe.send(Counter(rows=sum(int(seen.params["limit"]) for seen in lists)))
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
