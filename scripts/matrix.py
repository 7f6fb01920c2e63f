"""Run the unit and DAG tests from the built wheel on each Airflow and Python, and write the table in the README.

`make matrix` runs every cell; `make matrix CELL=3.1-3.12` runs one, and `CELL='3.1-*'` some. Results are kept in
`.make/matrix/results.json`, so that a table can grow over several runs; the README shows nothing that was not run.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timezone
from fnmatch import fnmatch
from importlib.metadata import requires
from pathlib import Path

from scripts.matrix_table import (
    AIRFLOWS,
    BEFORE,
    FOLDER,
    RELEASES,
    RESOLUTIONS,
    ROOT,
    TESTS,
    Cell,
    Result,
    all_cells,
    keep_result,
    write_table,
)

TREE = FOLDER / "tree"
PACKAGE = "airflow_provider_collate"
MOST_SECONDS = 3_600
_MOST_REASON = 200
_NEWER_THAN_AIRFLOWS = ("apache-airflow-providers-common-compat", "apache-airflow-providers-openlineage", "pyjwt")
_IN_ENVIRONMENT = """\
import sys
from importlib.metadata import metadata
from packaging.specifiers import SpecifierSet
import airflow_provider_collate
assert "site-packages" in airflow_provider_collate.__file__, airflow_provider_collate.__file__
needed = metadata("apache-airflow")["Requires-Python"]
if sys.version_info[:2] not in [(3, n) for n in range(30) if f"3.{n}.0" in SpecifierSet(needed)]:
    sys.exit(f"it needs Python {needed}")
"""


class CannotInstallError(Exception):
    """Why a cell cannot be installed."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run cells.

    :returns: the exit code; 1 when a cell's tests failed.
    """
    options = _parser().parse_args(arguments)
    cells = [cell for cell in all_cells() if any(fnmatch(str(cell), pattern) for pattern in options.cells or ["*"])]
    if not cells:
        sys.exit(f"no such cell; all: {' '.join(map(str, all_cells()))}")
    wheel = build_wheel()
    lay_out_tree()
    failed = 0
    for cell in cells:
        result = run(cell, wheel, options.tests)
        keep_result(cell, result)
        failed += bool(result.failed)
        print(f"{cell}: {result}{' ' if result.reason else ''}{result.reason} ({result.seconds:.0f} s)", flush=True)
    if not options.cells:
        write_table()
    return 1 if failed else 0


def run(cell: Cell, wheel: Path, tests: Sequence[str]) -> Result:
    """Install a cell and run its tests."""
    today = datetime.now(timezone.utc).strftime("%Y-%m-%d")
    known = Result(today, _ran("git", "describe", "--always", "--dirty").stdout.strip(), " ".join(tests))
    try:
        python = install(cell, wheel)
    except CannotInstallError as error:
        return replace(known, reason=str(error))
    started = time.monotonic()
    report = FOLDER / f"{cell}.xml"
    report.unlink(missing_ok=True)
    command = [str(python), "-m", "pytest", "-q", "-n", "2", "--dist", "loadfile", f"--junitxml={report}", *tests]
    with (FOLDER / f"{cell}.log").open("w") as log:
        subprocess.run(command, cwd=TREE, env=_environment(), stdout=log, stderr=log, timeout=MOST_SECONDS, check=False)
    return judged(report, known, time.monotonic() - started)


def install(cell: Cell, wheel: Path) -> Path:
    """Make the environment of a cell and return its Python.

    :raises CannotInstallError: with the reason.
    """
    folder = FOLDER / "environments" / str(cell)
    minor = cell.python.partition(".")[2]
    found = _ran("sh", "scripts/find_python.sh", minor, minor)
    if found.returncode:
        raise CannotInstallError(f"There is no Python {cell.python} on this machine.")
    _uv("venv", "--clear", "--python", found.stdout.strip(), str(folder))
    python = folder / "bin" / "python"
    lowest = ["--resolution", "lowest-direct"] if cell.resolution == RESOLUTIONS[1] else []
    version = AIRFLOWS[cell.airflow]
    wanted = [f"apache-airflow=={version}", f"{PACKAGE.replace('_', '-')}[testing] @ {wheel.as_uri()}"]
    direct = [
        "-r",
        "pyproject.toml",
        "--extra",
        "testing",
        "--group",
        "test",
    ]  # else none of what the wheel needs would be its lowest
    constraints = _constraints_of_airflow(cell)
    _uv("pip", "install", "--python", str(python), "--constraint", str(constraints), *lowest, *wanted, *direct)
    checked = _ran(str(python), "-c", _IN_ENVIRONMENT, folder=FOLDER)
    if checked.returncode:
        said = checked.stderr.strip().splitlines()[-1]
        raise CannotInstallError(f"Airflow {version} does not run on Python {cell.python}: {said}.")
    return python


def _constraints_of_airflow(cell: Cell) -> Path:
    """Pin what a cell's Airflow brings to versions of its time, but for what this package needs newer."""
    wanted, pins = FOLDER / f"{cell}.in", FOLDER / f"{cell}.txt"
    wanted.write_text(f"apache-airflow=={AIRFLOWS[cell.airflow]}\n")
    shape = ("--no-annotate", "--no-header", "--python-version", cell.python, "--exclude-newer", BEFORE[cell.airflow])
    _uv("pip", "compile", *shape, "--output-file", str(pins), str(wanted))
    free = {*_NEWER_THAN_AIRFLOWS, *(_own_dependencies() if cell.resolution == RESOLUTIONS[1] else ())}
    pins.write_text("".join(line for line in pins.open() if line.partition("==")[0] not in free))
    return pins


def _own_dependencies() -> set[str]:
    """Return the names of what this package itself needs, which is at its lowest where Airflow takes that."""
    return {re.split(r"[^\w.-]", line)[0].lower() for line in requires(PACKAGE) or ()} - {"apache-airflow"}


def judged(report: Path, known: Result, seconds: float) -> Result:
    """Return what a report of pytest says.

    :param report: in JUnit's form; it is not there when pytest did not get so far.
    """
    if not report.exists():
        return replace(known, reason="pytest ended without a report.", failed=1)
    counts = {"passed": 0, "failed": 0, "skipped": 0}
    releases = {release: [0, 0] for release in RELEASES}
    for case in ET.parse(report).iter("testcase"):  # noqa: S314 - our own pytest wrote it
        ends = {child.tag for child in case}
        end = "failed" if ends & {"failure", "error"} else "skipped" if "skipped" in ends else "passed"
        counts[end] += 1
        for release in set(re.split(r"[\[\]-]", case.get("name", ""))) & releases.keys():
            releases[release][0] += end == "passed"
            releases[release][1] += end == "failed"
    passed, failed, skipped = counts.values()
    return replace(known, passed=passed, failed=failed, skipped=skipped, seconds=seconds, releases=releases)


def build_wheel() -> Path:
    """Build the wheel and return its file."""
    shutil.rmtree(FOLDER / "dist", ignore_errors=True)
    _uv("build", "--wheel", "--python", sys.executable, "--out-dir", str(FOLDER / "dist"))
    [wheel] = (FOLDER / "dist").glob("*.whl")
    return wheel


def lay_out_tree() -> None:
    """Copy the checkout but for the package, so that only the installed one can be imported."""
    listed = _ran("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard").stdout.split("\0")
    shutil.rmtree(TREE, ignore_errors=True)
    for name in filter(None, listed):
        if not name.startswith(f"{PACKAGE}/") and (ROOT / name).is_file():
            (TREE / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, TREE / name)
    shared = FOLDER / "shared"
    if not shared.exists() and (ROOT.parent / "shared").is_dir():
        shared.symlink_to(ROOT.parent / "shared")


def _uv(*arguments: str) -> None:
    """Run uv.

    :raises CannotInstallError: with what it said, in one line.
    """
    done = _ran(str(ROOT / ".make" / "bin" / "uv"), "--quiet", *arguments)
    if done.returncode:
        said = " ".join(done.stderr.replace(str(ROOT), ".").split())
        raise CannotInstallError(said if len(said) <= _MOST_REASON else f"{said[:_MOST_REASON]} …")


def _environment() -> dict[str, str]:
    """Return the environment of the tests: what is there, without the settings of another Airflow or Python."""
    foreign = ("AIRFLOW_", "PYTHONDONTWRITEBYTECODE", "PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV")
    return {name: value for name, value in os.environ.items() if not name.startswith(foreign)}


def _ran(*command: str, folder: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return subprocess.run(command, cwd=folder, env=_environment(), capture_output=True, text=True, check=False)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m scripts.matrix", description=__doc__)
    parser.add_argument("cells", nargs="*", help="e.g. 3.1-3.12, 3.1-3.12-lowest or '3.1-*'; default: all")
    parser.add_argument(
        "--tests", nargs="+", default=TESTS, metavar="PATH", help="files and folders; default: %(default)s"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
