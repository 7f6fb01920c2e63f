"""What a DAG file pays for importing the operators, beside what it would pay for other ways.

`python benchmarks/import_time.py`: each row is the median of fresh processes, timed inside of the process after
`airflow.sdk` and common-compat's `sdk` are loaded, with the bytecode compiled.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import statistics
import subprocess
import sys

GOAL_MS = 40.0
PROGRAM = """
import json, sys, time
import airflow.providers.common.compat.sdk as sdk
sdk.BaseOperator, sdk.BaseOperatorLink, sdk.BaseSensorOperator, sdk.Asset, sdk.AssetAlias, sdk.XCom, sdk.XComArg
before, started = set(sys.modules), time.perf_counter()
import {module}
print(json.dumps([(time.perf_counter() - started) * 1000, sorted(set(sys.modules) - before)]))
"""
ROWS = {
    "operators": "airflow_provider_collate.operators.mlmodel_service",
    "sensor": "airflow_provider_collate.sensors.mlmodel_service",
    "hook (in a running task)": "airflow_provider_collate.hooks.collate",
    "HttpOperator": "airflow.providers.http.operators.http",
    "the vendor's SDK": "metadata.ingestion.ometa.ometa_api",
}


def main() -> int:
    """Print the table; fails if the operators cost more than the goal, or load the client."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5, help="processes for each row (default: 5)")
    runs = parser.parse_args().runs
    print(f"{'import':<26}{'median ms':>11}{'modules':>9}")
    for name, module in ROWS.items():
        if not _is_installed(module):
            print(f"{name:<26}{'not installed':>20}")
            continue
        milliseconds, loaded = _measure(module, runs)
        print(f"{name:<26}{milliseconds:>11.1f}{len(loaded):>9}")
        if name == "operators":
            assert not [found for found in loaded if found.startswith("airflow_provider_collate.client")], loaded
            assert milliseconds <= GOAL_MS, f"{milliseconds:.1f} ms, but the goal is {GOAL_MS:.0f} ms"
    return 0


def _is_installed(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ImportError:
        return False


def _measure(module: str, runs: int) -> tuple[float, list[str]]:
    program = PROGRAM.format(module=module)
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    times, loaded = [], []
    for _ in range(runs + 1):  # the first one compiles
        done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, check=True)
        milliseconds, loaded = json.loads(done.stdout.splitlines()[-1])
        times.append(milliseconds)
    return statistics.median(times[1:]), loaded


if __name__ == "__main__":
    sys.exit(main())
