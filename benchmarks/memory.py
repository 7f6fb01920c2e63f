"""The memory of a run of 10,000 rows, beyond that of a process that just holds them."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

from airflow_provider_collate.sandbox import LatencyProfile
from benchmarks.memory_roles import SERVICES, SIZE
from benchmarks.served import Server, served
from benchmarks.table import Table

_MOST_MB = 60


def measure() -> Iterator[Table]:
    """One table."""
    table = Table(
        f"{SERVICES:,} rows of {SIZE} bytes, peak resident memory in MB",
        ("process", "peak", "beyond one that just holds the rows"),
    )
    holding = _peak("hold")
    table.add("holds the rows", f"{holding:.0f}", "0")
    table.add("holds the rows, with httpx and pydantic loaded", f"{_peak('load'):.0f}", "")
    for release in ("2.x", "1.2"):
        with served(release, LatencyProfile()) as server:
            for name in ("all new", "all unchanged"):
                peak = _peak("run", server)
                table.add(f"plans and runs, {name}, release {release}", f"{peak:.0f}", f"{peak - holding:.0f}")
                table.ask(f"{name}, {release}: ≤ {_MOST_MB} MB beyond", peak - holding <= _MOST_MB)
    yield table


def _peak(role: str, server: Server | None = None) -> float:
    arguments = [server.url, server.token] if server else []
    command = [sys.executable, "-m", "benchmarks.memory_roles", role, *arguments]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
