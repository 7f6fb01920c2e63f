"""Every fault of the table, through the real operators and hook, and that the documentation shows the table."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from scripts.write_faults_table import PAGE, render
from tests.faults.fault import SHORT, Fault
from tests.faults.lies import LIES
from tests.faults.rig import SECRET, Ended, Operation, Surroundings, created_twice, is_as_declared, run, surroundings
from tests.faults.table import FAULTS

CASES = [
    pytest.param(fault, operation, id=f"{operation.name.lower()}: {fault.what}")
    for faults in FAULTS.values()
    for fault in faults
    for operation in Operation
    if fault.cell(operation)
]
# What is said of the catalog, or of several answers, names no request.
ABOUT_THE_CATALOG = ("though the server answered", "exists already", "created, but", "was asked for the", "The list ")
# What a loaded machine may add: less than the 60 seconds that one attempt takes which hangs, 10 of the Test button.
SLACK = 45.0
SLACK_OF_TEST = 9.0


@pytest.mark.parametrize("fault, operation", CASES)
def test_fault(fault: Fault, operation: Operation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with surroundings(operation, tmp_path, monkeypatch) as around:
        fault.prepare(around)
        ended = run(operation, around)

    assert ended.cell == fault.cell(operation), ended.message
    assert_no_false_success(ended, operation, around)
    assert_message(fault, operation, ended)
    assert_nothing_leaked(ended, around)
    assert_no_hang(ended, operation, around)
    if fault.waits and operation is Operation.CREATE:
        assert fault.waits[0] <= ended.waits <= fault.waits[1]


def assert_no_false_success(ended: Ended, operation: Operation, around: Surroundings) -> None:
    assert ended.outcome != "ok" or is_as_declared(operation, around.catalog)
    assert created_twice(around.catalog, around.edits) == []


def assert_message(fault: Fault, operation: Operation, ended: Ended) -> None:
    """A create says the message itself; a report of many rows says it of the rows."""
    if ended.outcome == "ok":
        return
    is_report = ended.message.startswith("The catalog is not as declared: ")
    expected = (fault.of_rows or fault.message) if is_report else fault.message
    pattern = ".*".join(re.escape(part) for part in expected.replace("{url}", ended.url).split("…"))
    assert re.search(pattern if is_report else f"^{pattern}", ended.message), ended.message
    assert operation is Operation.TEST or fault.advice in ended.message, ended.message
    is_of_a_request = not any(text in expected for text in ABOUT_THE_CATALOG)
    if not is_report and operation is not Operation.TEST and is_of_a_request:
        assert re.search(r" \[[A-Z]+ /v1/\S+(, \d+ attempts)?, request [0-9a-f]{16}\]\n\S", ended.message), (
            ended.message
        )


def assert_nothing_leaked(ended: Ended, around: Surroundings) -> None:
    assert SECRET not in ended.message
    assert around.catalog.bot_token not in ended.message
    for other in around.also:
        assert (other.connections, bytes(other.captured)) == (0, b"")


def assert_no_hang(ended: Ended, operation: Operation, around: Surroundings) -> None:
    timeout = around.extra["timeout"]
    assert isinstance(timeout, float | int)
    each = SHORT if timeout == SHORT else 0
    slack = SLACK_OF_TEST if operation is Operation.TEST else SLACK
    assert ended.seconds <= (ended.exchanges + 1) * each + slack


def test_the_documentation_shows_the_table(root: Path) -> None:
    assert (root / PAGE).read_text() == render(), "run: python scripts/write_faults_table.py"


def test_every_task_meets_every_fault_of_the_network_and_no_row_is_there_twice() -> None:
    faults = [fault for faults in FAULTS.values() for fault in faults]

    assert len(faults) == len({fault.what for fault in faults})
    rows = [fault for title, faults in FAULTS.items() if title not in LIES for fault in faults]
    assert all(fault.cell(task) for fault in rows for task in Operation if task is not Operation.TEST)
    assert all(any(map(fault.cell, Operation)) for fault in faults)
