"""What the processes do whose memory is measured: hold rows, and perhaps run them."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

from benchmarks.rows import make_rows

SERVICES = 10_000
SIZE = 600


def main(role: str, *server: str) -> None:
    """Play a role and print the peak of the resident memory in MB.

    :param role: `hold`, `load` or `run`.
    :param server: for `run`, the API root and the token.
    """
    rows = make_rows(SERVICES, SIZE)
    if role == "load":
        for name in ("httpx", "pydantic.main", "tenacity"):
            importlib.import_module(name)
    elif role == "run":
        from benchmarks.ways import quietly, reconcile_at

        quietly()
        url, token = server
        assert reconcile_at(url, token, rows).error() is None
    assert len(rows) == SERVICES
    # Not `getrusage`: its peak begins with that of the process that started this one.
    status = Path("/proc/self/status").read_text()
    print(int(status.partition("VmHWM:")[2].split()[0]) / 1024)


if __name__ == "__main__":
    main(*sys.argv[1:])
