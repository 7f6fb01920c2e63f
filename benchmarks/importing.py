"""What a DAG file pays for importing the operators, beside what it would pay for other ways.

Each row is the median of fresh processes, timed inside of the process after `airflow.sdk` and
common-compat's `sdk` are loaded, with the bytecode compiled.
"""

from __future__ import annotations

import importlib.util
import json
import os
import statistics
import subprocess
import sys
from collections.abc import Iterator

from benchmarks.table import Table

RUNS = 5
GOAL_MS = 40.0
PROGRAM = """
import json, sys, time
import airflow.providers.common.compat.sdk as sdk
sdk.BaseOperator, sdk.BaseOperatorLink, sdk.BaseSensorOperator, sdk.Asset, sdk.AssetAlias, sdk.XCom, sdk.XComArg
before, started = set(sys.modules), time.perf_counter()
import {module}
print(json.dumps([(time.perf_counter() - started) * 1000, sorted(set(sys.modules) - before)]))
"""
WAYS = {
    "operators": "airflow_provider_collate.operators.mlmodel_service",
    "sensor": "airflow_provider_collate.sensors.mlmodel_service",
    "hook (in a running task)": "airflow_provider_collate.hooks.collate",
    "HttpOperator": "airflow.providers.http.operators.http",
}


def measure() -> Iterator[Table]:
    """One table; ways that are not installed are left out."""
    table = Table("Imports over `airflow.sdk`", ("import", "median ms", "modules"))
    for name, module in WAYS.items():
        if not _is_installed(module):
            continue
        milliseconds, loaded = _measure(module)
        table.add(name, f"{milliseconds:.1f}", str(len(loaded)))
        if name == "operators":
            table.ask(f"operators ≤ {GOAL_MS:.0f} ms", milliseconds <= GOAL_MS)
            ours = [found for found in loaded if found.startswith("airflow_provider_collate.client")]
            table.ask("our client is not loaded by them", not ours)
    yield table


def _is_installed(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ImportError:
        return False


def _measure(module: str) -> tuple[float, list[str]]:
    program = PROGRAM.format(module=module)
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    times, loaded = [], []
    for _ in range(RUNS + 1):  # the first one compiles
        done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, check=True)
        milliseconds, loaded = json.loads(done.stdout.splitlines()[-1])
        times.append(milliseconds)
    return statistics.median(times[1:]), loaded
