"""Write docs/benchmarks.md and its plots: `python -m benchmarks.page`, or `--small` to try it at a fiftieth."""

from __future__ import annotations

import argparse
import os
import platform
import sys
import time
from collections.abc import Iterable
from datetime import datetime, timezone
from itertools import chain
from pathlib import Path

from benchmarks import comparing
from benchmarks.__main__ import MEASUREMENTS
from benchmarks.comparing import Point
from benchmarks.plots import plot_one, plot_scale, plot_ways
from benchmarks.table import Table
from scripts.marked_parts import write_part

PAGE = Path(__file__).resolve().parent.parent / "docs" / "benchmarks.md"
README = PAGE.parent.parent / "README.md"
SMALL_SERVICES = 20
OTHERS = tuple(measure for name, measure in MEASUREMENTS.items() if name != "size")

_HEAD = """\
# Benchmarks

<!-- Written by `make bench`. Do not edit it here. -->

{services:,} MLflow services of 300 bytes are brought to a catalog, by this package and by what one would write
instead: a loop of `httpx.Client.put`, the same by Airflow's `HttpHook`, and 8 threads of the first. The server is the
in-memory catalog in a process of its own, so that the figures show the clients and not Collate. The other ways send a
PUT for each service and believe its status; this package reads the catalog, writes what differs, and reads again what
it wrote.

Run on {date} in {minutes:.0f} minutes: Python {python}, {cores} cores, {machine}.

![Seconds by way, latency, changed share and size of the catalog](images/benchmark-ways.svg)

![Seconds for unchanged services, up to {largest:,}](images/benchmark-scale.svg)
"""

_REPOSITORY = "airflow-provider-collate/airflow-provider-collate"
_PLOT = f"""\
![Seconds for 1,000 services, by four ways](https://raw.githubusercontent.com/{_REPOSITORY}/main/docs/images/benchmark-readme.svg)

[All benchmarks](https://github.com/{_REPOSITORY}/blob/main/docs/benchmarks.md)
"""


def main() -> int:
    """Measure and write.

    :return: the exit code; 1 when something is not as it is asked to be.
    """
    parser = argparse.ArgumentParser(prog="python -m benchmarks.page", description=__doc__)
    parser.add_argument("--small", action="store_true", help="few services, nothing else, to try the code")
    is_small = parser.parse_args().small
    services = SMALL_SERVICES if is_small else comparing.SERVICES
    largest = comparing.SCALE[0 if is_small else -1]
    started = time.monotonic()
    tables: list[Table] = []
    points = _kept(comparing.measure(services), tables)
    scaled = _kept(comparing.measure_scale(largest), tables)
    for table in chain.from_iterable(measure() for measure in (() if is_small else OTHERS)):
        _keep(table, tables)
    plot_ways(points)
    plot_one(points)
    plot_scale(scaled)
    head = _HEAD.format(
        services=services,
        largest=largest,
        date=datetime.now(timezone.utc).strftime("%Y-%m-%d"),
        minutes=(time.monotonic() - started) / 60,
        python=platform.python_version(),
        cores=os.cpu_count(),
        machine=platform.machine(),
    )
    PAGE.write_text("\n".join([head, *(f"{table}\n" for table in tables)]).replace("\n### ", "\n## "))
    write_part(README, "benchmark", _PLOT)
    return 1 if any(table.missed for table in tables) else 0


def _kept(measured: Iterable[tuple[Table, list[Point]]], tables: list[Table]) -> list[Point]:
    """Keep the tables as they come, and return the points of all."""
    points = []
    for table, found in measured:
        _keep(table, tables)
        points += found
    return points


def _keep(table: Table, tables: list[Table]) -> None:
    print(f"{table}\n", flush=True)
    tables.append(table)


if __name__ == "__main__":
    sys.exit(main())
