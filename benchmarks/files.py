"""Declarations in files: the memory of many lines, the time of checking YAML, and how fast the command starts."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import yaml

from airflow_provider_collate.files.conn_ids import UnresolvedConnections
from airflow_provider_collate.files.path import ServicesPath
from airflow_provider_collate.files.services import read_files
from airflow_provider_collate.kinds import find_kind
from benchmarks.rows import make_rows
from benchmarks.table import Table

_LINES = 100_000
_MOST_MB = 150
_ROWS = 1_000
_RUNS = 5
_MOST_LOADER, _MOST_MICROSECONDS, _MOST_VALIDATIONS = 1.5, 50, 5
MOST_IMPORTS = 4


def measure() -> Iterator[Table]:
    """One table for each."""
    yield _memory()
    yield _checking()
    yield _starting()


def _memory() -> Table:
    title = f"{_LINES:,} lines of JSON Lines against a catalog of {_LINES:,}, all unchanged"
    table = Table(title, ("run", "peak MB", "processor time, s", "validating alone, s", "and holding the models, s"))
    peaks, ratio = {}, 0.0
    for lines in (1, _LINES):
        command = [sys.executable, "-m", "benchmarks.files_roles", str(lines)]
        printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        peaks[lines], *times = map(float, printed.split())
        ratio = times[0] / times[1]
        table.add(f"{lines:,} lines", f"{peaks[lines]:.0f}", *(f"{seconds:.1f}" for seconds in times))
    beyond = peaks[_LINES] - peaks[1]
    table.ask(f"≤ {_MOST_MB} MB beyond the run of one line ({beyond:.0f} MB)", beyond <= _MOST_MB)
    table.ask(f"≤ {_MOST_VALIDATIONS} × the processor time of validating ({ratio:.1f})", ratio <= _MOST_VALIDATIONS)
    return table


def _checking() -> Table:
    table = Table(f"Checking {_ROWS:,} rows of YAML", ("what", "ms"))
    text = yaml.safe_dump(make_rows(_ROWS), sort_keys=False)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "services.yaml"
        file.write_text(text)
        loading = _least(lambda: yaml.load(text, Loader=yaml.CSafeLoader))
        checking = _least(lambda: _check(file))
    table.add("PyYAML's C loader alone", f"{loading:.0f}")
    table.add("check", f"{checking:.0f}")
    most = _MOST_LOADER * loading + _ROWS * _MOST_MICROSECONDS / 1000
    asked = f"≤ {_MOST_LOADER} × the loader + {_MOST_MICROSECONDS} µs a row ({most:.0f} ms)"
    table.ask(asked, checking <= most)
    return table


def _check(file: Path) -> None:
    kind = find_kind("mlmodelServices")
    services = read_files([ServicesPath(str(file))], kind, UnresolvedConnections(kind))
    assert len(services) == _ROWS
    assert not services.problems


def _least(call: Callable[[], object]) -> float:
    times = []
    for _ in range(_RUNS):
        began = time.process_time()
        call()
        times.append(time.process_time() - began)
    return min(times) * 1000


def _starting() -> Table:
    table = Table("Starting", ("process", "ms of processor time"))
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "services.json"
        file.write_text(json.dumps(make_rows(1)))
        pydantic, check = times_to_start(file)
    table.add("import pydantic", f"{pydantic:.0f}")
    table.add("airflow-collate check", f"{check:.0f}")
    table.ask(f"≤ {MOST_IMPORTS} × ({check / pydantic:.1f})", check <= MOST_IMPORTS * pydantic)
    return table


def times_to_start(file: Path) -> tuple[float, float]:
    """Return milliseconds of processor time of `import pydantic` and of checking a file: the least of runs in turns.

    :param file: a file without a problem.
    """
    commands = (["-c", "import pydantic"], ["-m", "airflow_provider_collate", "check", str(file)])
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(_RUNS):
        for command, spent in zip(commands, times, strict=True):
            before = _children_seconds()
            subprocess.run([sys.executable, *command], env=environment, capture_output=True, check=True)
            spent.append(_children_seconds() - before)
    return min(times[0]) * 1000, min(times[1]) * 1000


def _children_seconds() -> float:
    # Finer than `os.times`, which counts in hundredths of a second.
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
