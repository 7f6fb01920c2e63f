"""2,000 services on a server as slow as a real one was measured: nothing changed, one in a hundred, all new."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from benchmarks.rows import Row, make_rows, with_changes
from benchmarks.served import OPENMETADATA, Server, served
from benchmarks.table import Table
from benchmarks.ways import put_in_threads, put_one_by_one, quietly, reconcile, timed

SERVICES = 2_000
_COLUMNS = ("way", "seconds", "against (a)", "against (b)", "requests the server saw")
_MOST_OTHERS = 5


def measure() -> Iterator[Table]:
    """A table for each case."""
    quietly()
    rows = make_rows(SERVICES)
    changed = with_changes(rows, 0.01)
    with served("1.2", OPENMETADATA) as server:
        new, counts = _side_by_side("all new, no bulk endpoint (release 1.2)", server, rows, empty=True)
        _ask_new(new, counts, "writes", SERVICES)
        yield new
        same, counts = _side_by_side("all unchanged", server, rows)
        same.ask("≥ 20 × faster than (a)", _ratio(same, 2) >= 20)
        same.ask("≥ 8 × faster than (b)", _ratio(same, 3) >= 8)
        same.ask("0 writes", counts["writes"] + counts["bulk"] == 0)
        yield same
        some, counts = _side_by_side("1 % changed", server, changed, before=rows)
        some.ask("≥ 12 × faster than (a)", _ratio(some, 2) >= 12)
        some.ask("exactly 20 writes", counts["writes"] == 20)
        yield some
    with served("2.x", OPENMETADATA, has_bulk=True) as server:
        new, counts = _side_by_side("all new, by the bulk endpoint (documented)", server, rows, empty=True)
        _ask_new(new, counts, "bulk", SERVICES // 100)
        yield new


def _side_by_side(
    title: str, server: Server, rows: Sequence[Row], *, empty: bool = False, before: Sequence[Row] = ()
) -> tuple[Table, Counter[str]]:
    """Measure each way from the same start.

    :param empty: start with an empty catalog.
    :param before: what the catalog is brought to before each way; nothing when it is empty already.
    """
    table = Table(f"{len(rows):,} services, {title}", _COLUMNS)
    seconds: dict[str, float] = {}
    counts: dict[str, Counter[str]] = {}
    ways = {"(a) PUTs one by one": put_one_by_one, "(b) PUTs in 8 threads": put_in_threads, "ours": reconcile}
    for name, way in ways.items():
        if empty:
            server.clear()
        if before:
            reconcile(server, before)
        server.counts()
        seconds[name] = timed(way, server, rows)
        counts[name] = server.counts()
    first, second, ours = ways
    for name in ways:
        ratios = [f"{seconds[peer] / seconds[name]:.1f} ×" for peer in (first, second)]
        seen = ", ".join(f"{count:,} {kind}" for kind, count in counts[name].items())
        table.add(name, f"{seconds[name]:.2f}", *ratios, seen)
    return table, counts[ours]


def _ask_new(table: Table, counts: Counter[str], kind: str, expected: int) -> None:
    others = sum(counts.values()) - counts[kind] - counts["lists"]
    table.ask(f"exactly {expected:,} {kind}", counts[kind] == expected)
    table.ask(f"at most {_MOST_OTHERS} requests beside them and the list", others <= _MOST_OTHERS)


def _ratio(table: Table, column: int) -> float:
    return float(table.rows[-1][column].removesuffix(" ×"))
