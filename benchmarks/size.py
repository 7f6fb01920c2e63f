"""How long the code is: lines of every kind, blank ones and comments too, against the limits of this project."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from pathlib import Path

from benchmarks.table import Table

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "airflow_provider_collate"
PACKAGE_LINES = 7_300
SANDBOX_LINES = 2_800
TESTS_PER_PACKAGE = 1.4
FILE_LINES = 400
FUNCTION_LINES = 50


def measure() -> Iterator[Table]:
    """One table."""
    files = set(PACKAGE.rglob("*.py"))
    sandbox = set((PACKAGE / "sandbox").rglob("*.py"))
    package = _lines(files - sandbox - {PACKAGE / "pytest_plugin.py"})
    everything, tests = _lines(files), _lines((ROOT / "tests").rglob("*.py"))
    table = Table("Lines", ("of", "lines", "at most"))
    for name, lines, limit in (
        ("the package without the sandbox and the pytest plugin", package, PACKAGE_LINES),
        ("the sandbox", _lines(sandbox), SANDBOX_LINES),
        ("the tests", tests, int(everything * TESTS_PER_PACKAGE)),
    ):
        table.add(name, f"{lines:,}", f"{limit:,}")
        table.ask(f"{name}: at most {limit:,} lines", lines <= limit)
    for too_long in (*long_files(), *long_functions()):
        table.add(*too_long)
        table.ask(f"{too_long[0]}: at most {too_long[2]} lines", met=False)
    yield table


def long_files() -> list[tuple[str, str, str]]:
    """Return the files of the package over the limit: path, lines, limit."""
    files = sorted(PACKAGE.rglob("*.py"))
    counted = ((path, _lines([path])) for path in files)
    return [(str(path.relative_to(ROOT)), str(lines), str(FILE_LINES)) for path, lines in counted if lines > FILE_LINES]


def long_functions() -> list[tuple[str, str, str]]:
    """Return the package's functions over the limit, decorators and docstring included: place, lines, limit."""
    return [
        (f"{path.relative_to(ROOT)}:{node.lineno} {node.name}", str(lines), str(FUNCTION_LINES))
        for path in sorted(PACKAGE.rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
        and (lines := (node.end_lineno or node.lineno) - node.lineno + 1) > FUNCTION_LINES
    ]


def _lines(files: Iterable[Path]) -> int:
    return sum(len(path.read_text().splitlines()) for path in files)
