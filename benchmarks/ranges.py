"""Services declared in a catalog of 20,000 of others, on a server as slow as a real one was measured."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from benchmarks.rows import Row, make_rows
from benchmarks.served import OPENMETADATA, Server, served
from benchmarks.table import Table
from benchmarks.ways import put_in_threads, quietly, reconcile, timed

OTHERS = 20_000
SERVICES = 1_000
_COLUMNS = ("case", "8 threads of PUT, s", "ours, s", "ratio", "requests that the server saw", "rows listed at most")


def measure() -> Iterator[Table]:
    """A table for each release: they make their cursors in different ways."""
    quietly()
    for release in ("1.2", "2.x"):
        yield _table(release)


def _table(release: str) -> Table:
    rows = make_rows(SERVICES)
    theirs = [{**row, "name": row["name"].replace("mlflow", "mlops")} for row in rows]
    table = Table(f"{SERVICES:,} services among {OTHERS:,} of others, no bulk endpoint (release {release})", _COLUMNS)
    with served(release, OPENMETADATA) as server:
        server.fill_others(OTHERS)
        ratio, listed = _side_by_side(table, "new", server, rows, theirs)
        table.ask("new: at most 1.3 × the time of 8 threads of PUT", ratio <= 1.3)
        table.ask("new: at most 2.5 rows listed for each, twice", listed <= 2 * 2.5 * SERVICES)
        ratio, listed = _side_by_side(table, "unchanged", server, rows, theirs)
        table.ask("unchanged: at least 5 × faster than 8 threads of PUT", ratio <= 1 / 5)
        table.ask("unchanged: at most 2.5 rows listed for each", listed <= 2.5 * SERVICES)
    return table


def _side_by_side(
    table: Table, case: str, server: Server, rows: Sequence[Row], theirs: Sequence[Row]
) -> tuple[float, int]:
    """Measure both ways, each with names of its own.

    :return: our time by that of the threads, and how many rows our lists may have shown.
    """
    threads = timed(put_in_threads, server, theirs)
    server.counts()
    ours = timed(reconcile, server, rows)
    listed, counts = server.most_rows(), server.counts()
    seen = ", ".join(f"{count:,} {kind}" for kind, count in counts.items())
    ratio = ours / threads
    table.add(case, f"{threads:.2f}", f"{ours:.2f}", f"{ratio:.2f}", seen, f"{listed:,}")
    return ratio, listed
