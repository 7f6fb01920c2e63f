"""`python -m benchmarks [NAME …]`: measure, and print a table for each."""

from __future__ import annotations

import argparse
import os
import platform
import sys
from collections.abc import Callable, Iterator

from benchmarks import (
    calls,
    creating,
    faults,
    files,
    importing,
    installing,
    memory,
    planning,
    ranges,
    size,
    syncing,
)
from benchmarks.table import Table

MEASUREMENTS: dict[str, Callable[[], Iterator[Table]]] = {
    "installing": installing.measure,
    "importing": importing.measure,
    "planning": planning.measure,
    "files": files.measure,
    "memory": memory.measure,
    "creating": creating.measure,
    "syncing": syncing.measure,
    "ranges": ranges.measure,
    "faults": faults.measure,
    "calls": calls.measure,
    "size": size.measure,
}


def main() -> int:
    """Measure what the command line names, or everything.

    :return: the exit code; 1 when something is not as it is asked to be.
    """
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", choices=[*MEASUREMENTS, []], help="default: all, about nine minutes")
    names = parser.parse_args().names or list(MEASUREMENTS)
    print(f"Python {platform.python_version()}, {os.cpu_count()} CPUs, {platform.machine()}\n")
    missed = 0
    for name in names:
        for table in MEASUREMENTS[name]():
            print(f"{table}\n", flush=True)
            missed += table.missed
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
