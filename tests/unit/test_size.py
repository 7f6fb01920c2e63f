"""Files and functions stay small enough to be read at once."""

from __future__ import annotations

from benchmarks.size import long_files, long_functions


def test_no_file_is_over_400_lines() -> None:
    assert not long_files()


def test_no_function_is_over_50_lines() -> None:
    assert not long_functions()
