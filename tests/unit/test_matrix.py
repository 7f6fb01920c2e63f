"""The matrix shows what was run, and nothing else as a pass."""

from __future__ import annotations

from pathlib import Path

import pytest

from scripts import matrix_table
from scripts.matrix import judged
from scripts.matrix_table import TESTS, Cell, Result, all_cells, keep_result, read_results, render, write_table

BEGIN, END = "<!-- matrix: begin -->\n", "<!-- matrix: end -->"
KNOWN = Result("2026-11-26", "abc1234", " ".join(TESTS))
JUNIT = """\
<testsuites><testsuite>
<testcase name="test_a[1.2-True]"/>
<testcase name="test_b[2.x]"><failure/></testcase>
<testcase name="test_c[1.12.14]"><skipped/></testcase>
<testcase name="test_d"><error/></testcase>
</testsuite></testsuites>"""


def row_of(table: str, version: str, resolution: str) -> list[str]:
    [line] = [line for line in table.splitlines() if line.startswith(f"| {version} | {resolution} |")]
    return line.strip("| ").split(" | ")[2:]


def test_a_cell_that_cannot_be_installed_is_no_pass_and_says_why() -> None:
    refused = Result(KNOWN.date, KNOWN.commit, KNOWN.tests, reason="Airflow 2.11.2 does not run on Python 3.13.")
    table = render({"2.11-3.13": refused})

    assert row_of(table, "2.11.2", "highest") == ["not run", "not run", "not run", "– (1)"]
    assert "1. Airflow 2.11.2 does not run on Python 3.13." in table
    assert not refused.is_pass


def test_a_pass_of_fewer_tests_says_which() -> None:
    some = Result(KNOWN.date, KNOWN.commit, "tests/unit/models", passed=7)
    table = render({"3.3-3.12-lowest": some})

    assert row_of(table, "3.3.2", "lowest")[2] == "7 passed (1)"
    assert "1. Only tests/unit/models was run." in table


def test_a_failure_is_shown() -> None:
    table = render({"3.0-3.12": Result(KNOWN.date, KNOWN.commit, KNOWN.tests, passed=7, failed=2)})

    assert row_of(table, "3.0.6", "highest")[2] == "**2 failed**, 7 passed"


def test_a_report_of_pytest_is_counted(tmp_path: Path) -> None:
    report = tmp_path / "report.xml"
    report.write_text(JUNIT)

    result = judged(report, KNOWN, 3.0)

    assert (result.passed, result.failed, result.skipped) == (1, 2, 1)
    assert result.releases == {"1.2": [1, 0], "1.12": [0, 0], "1.13": [0, 0], "2.x": [0, 1]}


def test_no_report_is_a_failure(tmp_path: Path) -> None:
    result = judged(tmp_path / "none.xml", KNOWN, 3.0)

    assert result.failed
    assert not result.is_pass


def test_results_are_kept_one_by_one_and_written_into_the_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = tmp_path / "README.md"
    page.write_text(f"before\n{BEGIN}old\n{END}\nafter\n")
    monkeypatch.setattr(matrix_table, "RESULTS", tmp_path / "made" / "results.json")
    monkeypatch.setattr(matrix_table, "PAGE", page)
    first, second, *_ = all_cells()
    keep_result(first, Result(KNOWN.date, KNOWN.commit, KNOWN.tests, passed=7, releases={"1.2": [2, 0]}))
    keep_result(second, Result(KNOWN.date, KNOWN.commit, KNOWN.tests, passed=8, releases={"1.2": [3, 0]}))

    write_table()

    assert read_results().keys() == {str(first), str(second)}
    text = page.read_text()
    assert text.startswith(f"before\n{BEGIN}")
    assert text.endswith(f"{END}\nafter\n")
    assert "| 1.2 | recorded | 5 passed |" in text
    assert "old" not in text


def test_each_cell_has_a_name_of_its_own() -> None:
    names = [str(cell) for cell in all_cells()]

    assert len(set(names)) == len(names)
    assert str(Cell("3.1", "3.12", "lowest")) == "3.1-3.12-lowest"
