"""Files that are made to fill the memory, or to take forever, as large as they come."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from types import FrameType

import pytest

from airflow_provider_collate.files.services import LARGEST_JSON, LARGEST_YAML
from tests.unit.files.costs import Cost, cost_beyond
from tests.unit.files.reading import JSON_ROW, ROW, Write, problems, read

GIGABYTE = 1 << 30
MEGABYTE = 1 << 20
SMALL = {".yaml": f"- {ROW}", ".json": f"[{JSON_ROW}]", ".jsonl": JSON_ROW}
TOO_LARGE = "is larger than {} MiB; JSON Lines (.jsonl) are read line by line"
LONG_LINE = "the line is longer than 4 MiB; what comes after it is not checked"
ALIAS = "- *a\n"
# Of nine lists of nine lists, and so on: 9 to the 30th values.
LAUGHS = "\n".join(
    ["- &a0 [x, x, x, x, x, x, x, x, x]", *(f"- &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 30))]
)


def cost(write: Write, path: Path) -> Cost:
    return cost_beyond(path, write(f"small{path.suffix}", SMALL[path.suffix]))


@pytest.mark.parametrize(
    "name, begins, most_read, said",
    [
        ("a.yaml", "", 8 * MEGABYTE, f"a.yaml: {TOO_LARGE.format(8)}"),
        ("a.yaml", f"- &a x\n{ALIAS * 2_000_000}", 8 * MEGABYTE, f"a.yaml: {TOO_LARGE.format(8)}"),
        ("a.json", "[", 64 * MEGABYTE, f"a.json: {TOO_LARGE.format(64)}"),
        ("a.jsonl", "", 4 * MEGABYTE, f"a.jsonl:1: {LONG_LINE}"),
        ("a.jsonl", f"{JSON_ROW}\n", 4 * MEGABYTE, f"a.jsonl:2: {LONG_LINE}"),
    ],
    ids=["yaml", "aliases", "json", "jsonl", "second line"],
)  # fmt: skip
def test_a_gigabyte_is_refused_by_its_beginning(
    write: Write, name: str, begins: str, most_read: int, said: str
) -> None:
    path = write(name, begins)
    os.truncate(path, GIGABYTE)  # the rest takes no room on the disk

    took = cost(write, path)
    assert took.said == [said]
    assert took.read < most_read + MEGABYTE
    assert took.peak < 3 * most_read


def test_aliases_that_stand_for_more_than_any_memory_are_refused(write: Write) -> None:
    took = cost(write, write("a.yaml", LAUGHS))

    assert took.said == ["a.yaml:5: its aliases stand for more than 100,000 values"]
    assert took.peak < 10 * MEGABYTE


def test_aliases_of_a_long_text_count_by_its_length(write: Write) -> None:
    fields = "".join(f"k{number}: *long, " for number in range(20))
    options = f"connection: {{config: {{connectionOptions: {{{fields}}}}}}}"
    write("a.yaml", f"- &long {'x' * 1_000_000}\n- {{name: one, serviceType: CustomMlModel, {options}}}")

    assert problems("a.yaml") == ["a.yaml:1: its aliases stand for more than 100,000 values"]


@pytest.mark.parametrize(
    "name, begins, item, largest, most_times",
    [("a.yaml", "- &a x\n", ALIAS, LARGEST_YAML, 50), ("a.json", "[1", ",1", LARGEST_JSON // 4, 20)],
)
def test_as_many_faults_as_fit_into_a_file_do_not_fill_the_memory(
    write: Write, name: str, begins: str, item: str, largest: int, most_times: int
) -> None:
    end = "]" if begins.startswith("[") else ""
    path = write(name, begins + item * ((largest - len(begins) - len(end)) // len(item)) + end)

    took = cost(write, path)
    assert took.said[0] == f"{name}: is not checked further; there are 1,000 problems already"
    assert len(took.said) == 1_001
    assert took.peak < most_times * largest


def test_what_comes_after_too_many_faults_is_not_checked(write: Write) -> None:
    keys = ", ".join(f"k{number}: 1" for number in range(5_000))
    write("a.yaml", f"- {{name: one, serviceType: Sklearn, connection: null, {keys}}}\n" + "- 1\n" * 600)
    write("b.jsonl", JSON_ROW)

    found = problems("a.yaml", "b.jsonl")
    enough = "is not checked further; there are {} problems already"
    assert len(found) == 1_002
    assert found[0] == "a.yaml:1 services[0].k0: unknown field"
    assert found[-2:] == [f"a.yaml: {enough.format('1,000')}", f"b.jsonl: {enough.format('1,001')}"]


@pytest.mark.parametrize("suffix", [".yaml", ".json"])
def test_nine_times_as_many_faults_take_about_nine_times_as_long(write: Write, suffix: str) -> None:
    for count in (100, 900):
        rows = [JSON_ROW.replace("one", f"n{number}").replace("Sklearn", "sklearn") for number in range(count)]
        write(f"{count}{suffix}", "[" + ",\n".join(rows) + "]")

    few, many = (calls_of(f"{count}{suffix}", count) for count in (100, 900))
    assert many < 12 * few  # 81 times, if each fault took a look at the whole file


def calls_of(path: str, faults: int) -> int:
    """How many calls of Python's functions it takes to read a file that has so many faults."""
    calls = 0

    def profile(frame: FrameType, event: str, argument: object) -> None:
        nonlocal calls
        calls += event == "call"

    sys.setprofile(profile)
    try:
        services = read(path)
    finally:
        sys.setprofile(None)
    assert len(services.problems) == faults
    return calls
