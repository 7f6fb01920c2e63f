"""What came of the matrix's cells, and the table of it in the README: `python -m scripts.matrix_table` writes it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from scripts.marked_parts import write_part

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / ".make" / "matrix"
RESULTS = FOLDER / "results.json"
PAGE = ROOT / "README.md"
TESTS = ("tests/unit", "tests/dags")
AIRFLOWS = {"2.11": "2.11.2", "3.0": "3.0.6", "3.1": "3.1.8", "3.2": "3.2.2", "3.3": "3.3.2"}
# What an Airflow brings was released before this day, as in its own constraints: 3.0 to 3.2 break under later releases.
BEFORE = {"2.11": "2026-04-15", "3.0": "2025-09-15", "3.1": "2026-04-15", "3.2": "2026-06-15", "3.3": "2026-10-15"}
PYTHONS = ("3.10", "3.11", "3.12", "3.13")
RESOLUTIONS = ("highest", "lowest")
RELEASES = {
    "1.2": "recorded",
    "1.12": "read in its source",
    "1.13": "read in its source",
    "2.x": "read in its source",
}


@dataclass(frozen=True)
class Cell:
    """What is tested together.

    :param airflow: an Airflow, by its first two numbers.
    :param python: a Python, the same.
    :param resolution: `highest` or `lowest` versions of what the package needs.
    """

    airflow: str
    python: str
    resolution: str

    def __str__(self) -> str:
        return f"{self.airflow}-{self.python}{'' if self.resolution == 'highest' else '-lowest'}"


@dataclass(frozen=True)
class Result:
    """What came of a cell.

    :param date: of the run, `YYYY-MM-DD`.
    :param commit: what was checked out.
    :param tests: the files and folders that were run.
    :param reason: why it could not be installed, or what failed first.
    :param releases: passed and failed tests that name a release of the server.
    :param seconds: of the tests.
    """

    date: str
    commit: str
    tests: str
    reason: str = ""
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    seconds: float = 0.0
    releases: Mapping[str, Sequence[int]] = field(default_factory=dict)

    @property
    def is_pass(self) -> bool:
        """Whether tests ran, and all that ran passed."""
        return self.passed > 0 and self.failed == 0 and not self.reason

    def __str__(self) -> str:
        if self.is_pass:
            return f"{self.passed:,} passed"
        return f"**{self.failed:,} failed**, {self.passed:,} passed" if self.failed else "–"


def all_cells() -> list[Cell]:
    """Return all cells: the highest versions first."""
    return [
        Cell(airflow, python, resolution) for resolution in RESOLUTIONS for airflow in AIRFLOWS for python in PYTHONS
    ]


def read_results() -> dict[str, Result]:
    """Return the results so far, by cell."""
    if not RESULTS.exists():
        return {}
    return {name: Result(**kept) for name, kept in json.loads(RESULTS.read_text()).items()}


def keep_result(cell: Cell, result: Result) -> None:
    """Add a result to those so far."""
    results = {**read_results(), str(cell): result}
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    RESULTS.write_text(json.dumps({name: asdict(kept) for name, kept in sorted(results.items())}, indent=1))


def write_table() -> None:
    """Write the results so far between the markers of the README."""
    write_part(PAGE, "matrix", render(read_results()))


def render(results: Mapping[str, Result]) -> str:
    """Return the tables in Markdown, without rows of which nothing was run; notes on cells are below them."""
    notes: list[str] = []
    lines = [_row(["Airflow", "versions", *(f"Python {python}" for python in PYTHONS)]), _row(["---"] * 6)]
    for airflow, version in AIRFLOWS.items():
        for resolution in RESOLUTIONS:
            cells = [results.get(str(Cell(airflow, python, resolution))) for python in PYTHONS]
            if any(cells):
                lines.append(_row([version, resolution, *(_shown(cell, notes) for cell in cells)]))
    lines += ["\n", *(f"{number}. {note}\n" for number, note in enumerate(notes, 1))]
    return "".join([_dated(results), *lines, *_releases(results)])


def _shown(result: Result | None, notes: list[str]) -> str:
    if result is None:
        return "not run"
    only = f"Only {result.tests} was run." if result.tests != " ".join(TESTS) else ""
    note = result.reason or only
    if not note:
        return str(result)
    if note not in notes:
        notes.append(note)
    return f"{result} ({notes.index(note) + 1})"


def _dated(results: Mapping[str, Result]) -> str:
    dates = sorted({result.date for result in results.values()})
    when = " to ".join(dict.fromkeys(dates[:1] + dates[-1:]))
    return f"{' and '.join(f'`{tests}`' for tests in TESTS)}, from the built wheel; run on {when}.\n\n"


def _releases(results: Mapping[str, Result]) -> Iterator[str]:
    """Yield a table of the server's releases, from all cells together."""
    yield "\n" + _row(["Server", "known from", "tests that name it, in all cells"]) + _row(["---"] * 3)
    for release, evidence in RELEASES.items():
        counts = [result.releases.get(release, (0, 0)) for result in results.values()]
        passed, failed = (sum(count[index] for count in counts) for index in (0, 1))
        if passed + failed:
            yield _row([release, evidence, f"{passed:,} passed" + (f", **{failed:,} failed**" if failed else "")])


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |\n"


if __name__ == "__main__":
    write_table()
