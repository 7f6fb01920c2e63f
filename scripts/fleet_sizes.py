"""Measure how a fleet is best cut: chunks, slots of the pool and `max_workers`, against a server as slow as a real one.

`make fleet-sizes` writes the table in docs/guides/fleets.md. It takes about ten minutes, and on a machine that does
anything else meanwhile its seconds mean nothing.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

from benchmarks.served import OPENMETADATA, Server, served
from scripts.marked_parts import write_part
from tests.fleet.backing import postgres, redis
from tests.fleet.fleet import Fleet, fleet

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "guides" / "fleets.md"
SERVICES = 2_000
SLOTS = 4


@dataclass(frozen=True)
class Size:
    """How a declaration is cut.

    :param rows: services in a chunk.
    :param slots: of the pool: chunks at once.
    :param max_workers: requests in flight of each chunk.
    :param dag_id: how the chunks get their rows.
    :param is_second: whether the catalog is as declared already.
    """

    rows: int
    slots: int
    max_workers: int
    dag_id: str = "keep_services"
    is_second: bool = False


SIZES = (
    Size(200, 1, 8),
    Size(200, SLOTS, 8),
    Size(200, SLOTS, 8, is_second=True),
    Size(200, SLOTS, 2),
    Size(50, SLOTS, 8),
    Size(1_000, SLOTS, 8),
    Size(200, SLOTS, 8, "keep_services_in_one_xcom"),
    Size(200, SLOTS, 8, "keep_services_in_tasks"),
)
_HEAD = ("rows in a chunk", "slots", "`max_workers`", "chunks get their rows", "catalog", "seconds", "requests")
_WAYS = {
    "keep_services": "from a mapped task",
    "keep_services_in_one_xcom": "from one XCom of all",
    "keep_services_in_tasks": "in the task itself",
}


def main() -> int:
    """Measure each size and write the table."""
    folder = ROOT / ".airflow" / "sizes"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    with (
        postgres(folder / "postgres") as address,
        redis(folder / "redis") as broker,
        served("2.x", OPENMETADATA) as server,
        fleet(folder / "fleet", address, f"redis://127.0.0.1:{broker.port}/0", _connection(server)) as airflow,
    ):
        lines = list(_measured(airflow, server))
    write_part(PAGE, "sizes", "".join(lines))
    return 0


def _measured(airflow: Fleet, server: Server) -> Iterator[str]:
    """Yield the lines of the table."""
    today = datetime.now(timezone.utc).strftime("%Y-%m-%d")
    yield f"{SERVICES:,} services, two workers of two tasks each, {os.cpu_count()} cores for all of it; {today}.\n\n"
    yield _row(*_HEAD) + _row(*["---"] * len(_HEAD))
    for size in SIZES:
        airflow.set_slots(size.slots)
        if not size.is_second:
            server.clear()
        server.counts()
        seconds = _run(airflow, size)
        catalog = "as declared" if size.is_second else "empty"
        cells = (f"{size.rows:,}", str(size.slots), str(size.max_workers), _WAYS[size.dag_id], catalog)
        line = _row(*cells, f"{seconds:.0f}", _told(server.counts()))
        print(line, end="", flush=True)
        yield line


def _run(airflow: Fleet, size: Size) -> float:
    """Run once and return the seconds from the trigger to the end."""
    started = time.monotonic()
    conf = {"chunks": SERVICES // size.rows, "rows": size.rows, "max_workers": size.max_workers}
    run_id = airflow.trigger(size.dag_id, **conf)
    state = airflow.wait_for_end(size.dag_id, run_id)
    if state != "success":
        sys.exit(f"{size}: the run ended as {state}")
    return time.monotonic() - started


def _told(counts: Counter[str]) -> str:
    return ", ".join(f"{count:,} {kind}" for kind, count in sorted(counts.items()))


def _connection(server: Server) -> dict[str, str]:
    collate = {"conn_type": "collate", "host": server.url, "password": server.token}
    return {"AIRFLOW_CONN_COLLATE_DEFAULT": json.dumps(collate)}


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |\n"


if __name__ == "__main__":
    sys.exit(main())
