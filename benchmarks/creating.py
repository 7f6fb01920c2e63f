"""1,000 creates at 20 ms a request, where the server has no bulk endpoint."""

from __future__ import annotations

from collections.abc import Iterator

from airflow_provider_collate.sandbox import LatencyProfile
from benchmarks.rows import make_rows
from benchmarks.served import served
from benchmarks.table import Table
from benchmarks.ways import put_in_threads, put_one_by_one, quietly, reconcile, timed

SERVICES = 1_000


def measure() -> Iterator[Table]:
    """One table."""
    quietly()
    rows = make_rows(SERVICES)
    table = Table(
        f"{SERVICES:,} creates at 20 ms a request, no bulk endpoint", ("way", "seconds", "services/s", "ratio")
    )
    ways = {"httpx.Client.put in a loop": put_one_by_one, "the same in 8 threads": put_in_threads, "ours": reconcile}
    seconds: dict[str, float] = {}
    with served("2.x", LatencyProfile(per_request=0.020), has_bulk=False) as server:
        for name, way in ways.items():
            server.clear()
            seconds[name] = timed(way, server, rows)
    loop, _, ours = seconds.values()
    for name, took in seconds.items():
        table.add(name, f"{took:.2f}", f"{SERVICES / took:.0f}", f"{loop / took:.1f} ×")
    table.ask("≥ 6 × the loop", loop / ours >= 6)
    yield table
