"""All the places where a secret may end up, searched one by one."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from tests.dags.airflow_home import AirflowHome
from tests.secrets.canaries import Finding, findings

MOST_SHOWN = 12
Exempt = Callable[[str, dict[str, Any]], bool]
"""Whether a row of a table may hold what it holds."""

_TABLES = {
    "xcom": "XCom",
    "rendered_task_instance_fields": "rendered fields",
    "asset_event": "asset events",
    "dataset_event": "asset events",
}


# `dag.test()` on Airflow 3 runs the supervisor in the same process, and logs at DEBUG what it is told to mask: each
# password of a connection, by Airflow itself, and what we add to it. A real supervisor does not. At DEBUG any
# supervisor logs an XCom that a task pushes; that of an upstream task, which has the secrets, is not ours.
_AIRFLOWS_OWN = re.compile(
    r"^.*(Sending request .*msg=MaskSecret\(|msg=SetXCom\(.*task_id='upstream\w*').*$", re.MULTILINE
)


def in_output(text: str) -> Iterator[tuple[str, Finding]]:
    """What a process printed: stdout, stderr, and the log of a run in it."""
    yield from (("output", finding) for finding in findings(_AIRFLOWS_OWN.sub("", text)))


# What Airflow 2.11 shows of its own accessor, in the context that its own frames hold: the last variable that was read.
_VARIABLE_ACCESSOR = re.compile(rb"'var': \{'json': [^}]*'value': [^}]*\}")


def in_tracebacks(folder: Path) -> Iterator[tuple[str, Finding]]:
    """What was written down along the errors of tasks."""
    for path in sorted(folder.iterdir()):
        content = _VARIABLE_ACCESSOR.sub(b"", path.read_bytes())
        yield from ((f"tracebacks: {path.name}", finding) for finding in findings(content))


def in_files(place: str, folder: Path) -> Iterator[tuple[str, Finding]]:
    """All files under a folder, such as task logs."""
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            name = str(path.relative_to(folder))
            yield from ((f"{place}: {name}", finding) for finding in (*findings(name), *findings(path.read_bytes())))


def in_database_file(home: AirflowHome) -> Iterator[tuple[str, Finding]]:
    """The metadata database as a whole, with what SQLite keeps beside it."""
    for path in sorted(home.path.glob("airflow.db*")):
        yield from (("database file", finding) for finding in findings(path.read_bytes()))


def in_tables(home: AirflowHome, exempt: Exempt = lambda table, row: False) -> Iterator[tuple[str, Finding]]:
    """The rows of every table; it says where, which the file does not."""
    tables = [row["name"] for row in home.rows("SELECT name FROM sqlite_master WHERE type = 'table'")]
    for table in tables:
        place = _TABLES.get(table, f"table {table}")
        for row in home.rows(f'SELECT * FROM "{table}"'):  # noqa: S608 - a name from the database's own list
            if exempt(table, row):
                continue
            for column, value in row.items():
                content = value if isinstance(value, bytes) else str(value)
                yield from ((f"{place}: {column}", finding) for finding in findings(content))


def assert_none(found: Iterable[tuple[str, Finding]]) -> None:
    """Fail if anything was found, and show the first of it."""
    lines = [f"{place} ({finding.form}): {finding.excerpt!r}" for place, finding in found]
    assert not lines, "\n".join([f"{len(lines)} found", *lines[:MOST_SHOWN]])
