"""Our way beside what a user would write instead, on fast and slow servers, small and large catalogs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from airflow_provider_collate.sandbox import LatencyProfile
from benchmarks.rows import Row, make_rows, with_changes
from benchmarks.served import Server, served
from benchmarks.table import Table
from benchmarks.ways import put_by_http_hook, put_in_threads, put_one_by_one, quietly, reconcile, timed

SERVICES = 1_000
LATENCIES_MS = (0, 5, 30)
CHANGED = (0, 1, 10, 100)
CATALOGS = (1, 20)
SCALE = (1_000, 10_000, 100_000)

WAYS: dict[str, Callable[[Server, Sequence[Row]], object]] = {
    "loop of httpx PUTs": put_one_by_one,
    "HttpHook": put_by_http_hook,
    "8 threads of httpx PUTs": put_in_threads,
    "this package": reconcile,
}
_FASTEST = ("8 threads of httpx PUTs", "this package")


@dataclass(frozen=True)
class Point:
    """One measurement.

    :param way: a key of `WAYS`.
    :param latency_ms: of each request.
    :param changed: percent of the services that differ.
    :param catalog: services in the catalog for each declared one.
    """

    way: str
    services: int
    latency_ms: int
    changed: int
    catalog: int
    seconds: float


def measure(services: int = SERVICES) -> Iterator[tuple[Table, list[Point]]]:
    """A table for each latency and size of the catalog.

    :param services: how many are declared.
    """
    quietly()
    rows = make_rows(services)
    for latency_ms in LATENCIES_MS:
        with served("2.x", LatencyProfile(per_request=latency_ms / 1000)) as server:
            for catalog in CATALOGS:
                for run in WAYS.values():
                    run(server, rows[:1])  # what is done once in a process is not measured
                server.clear()
                server.fill(_of_others(services * (catalog - 1)))
                points = list(_points(server, rows, latency_ms, catalog))
                yield _table(points), points


def measure_scale(largest: int = SCALE[-1]) -> Iterator[tuple[Table, list[Point]]]:
    """One table: unchanged services, more and more of them, by the two fastest ways.

    :param largest: how many at most.
    """
    quietly()
    points: list[Point] = []
    with served("2.x", LatencyProfile()) as server:
        for services in (count for count in SCALE if count <= largest):
            rows = make_rows(services)
            server.clear()
            server.fill(rows)
            points += [Point(way, services, 0, 0, 1, timed(WAYS[way], server, rows)) for way in _FASTEST]
    table = Table("Unchanged services at 0 ms, catalog as large as the declaration", ("services", "way", "seconds"))
    for point in points:
        table.add(f"{point.services:,}", point.way, f"{point.seconds:.2f}")
    yield table, points


def _points(server: Server, rows: list[Row], latency_ms: int, catalog: int) -> Iterator[Point]:
    for changed in CHANGED:
        declared = with_changes(rows, changed / 100) if changed else rows
        for way, run in WAYS.items():
            server.fill(rows)  # what an earlier way has changed
            seconds = timed(run, server, declared)
            yield Point(way, len(rows), latency_ms, changed, catalog, seconds)


def _table(points: Sequence[Point]) -> Table:
    first = points[0]
    title = f"{first.services:,} services at {first.latency_ms} ms, catalog {first.catalog} × the declaration"
    table = Table(title, ("way", *(f"{changed} % changed" for changed in CHANGED)))
    for way in WAYS:
        seconds = [point.seconds for point in points if point.way == way]
        table.add(way, *(f"{took:.2f} s" for took in seconds))
    return table


def _of_others(count: int) -> list[Row]:
    return [{**row, "name": f"others_{row['name']}"} for row in make_rows(count)]
