"""Write docs/faults.md from the table that the tests in tests/faults run."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = Path("docs/faults.md")

_INTRODUCTION = """\
# Faults

<!-- Written by scripts/write_faults_table.py from tests/faults/table.py. Do not edit it here. -->

What comes of a task when the way to Collate, or Collate itself, is at fault. Each cell is a test: a real operator or
the connection form's Test button, against a server that misbehaves on real sockets.

* **ok**: the task succeeds, and the catalog holds what was declared. No answer alone makes a success: the catalog is
  read again after every write.
* **retry**: the task fails with an error that Airflow's `retries` try again.
* **fail**: the task fails with `AirflowFailException`, which Airflow does not retry: no later attempt could succeed
  before somebody has changed something.

The number is how many requests (or connections, where no request arrives) the server saw of those that met the
fault; 0 where nothing reaches it. The tests allow one retry in the client (`max_retries: 1`; the default is 3). A
row that still fails after that is written once more at the end of the run, so twice as many writes can be seen. The
Test button retries nothing, and waits at most 10 s for an answer.

Three things hold in every cell, and are tested in every cell:

* no success unless the catalog holds what was declared;
* no service is created twice, and no version goes up more than once;
* no hang: an attempt ends after `timeout` seconds, however busy the server looks, and attempts end after
  `max_retries`. Between them the client waits a random time that grows (at most 0.5 s, 1 s, 2 s, … 60 s), or as long
  as `Retry-After` asks for. Who asks for more than two minutes is left to Airflow's `retry_delay`. What the system
  takes to look up a host's name comes on top.

`Bulk` is a server with the bulk endpoint, `one by one` one without it. `Sync` creates, changes and prunes.
Wherever a message ends, the request, its id (sent as `X-Request-Id`) and what to do follow; `…` stands for what
differs from run to run.
"""
_END = """
## Proxies and the environment

The proxy is that of the connection's extra, else that of the environment: `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY`,
and `NO_PROXY` for exceptions. `SSL_CERT_FILE` and `SSL_CERT_DIR` name the authorities to trust, as the extra's
`verify` does. `.netrc` is not read. No redirect is followed, so the token never leaves for another address.

Every request carries `User-Agent: airflow-provider-collate/VERSION airflow/VERSION python/VERSION`. At most 32
connections are open at a time, of which a task uses `max_workers`.

## Tasks that are killed

A worker that is killed in the middle of a run leaves some services written and others not. The next attempt reads
the catalog, writes what is missing, and no more: a create that its own earlier attempt has made counts as done.
`tests/kills` kills real task processes at random moments and looks at the catalog afterwards. On SIGTERM, and after
`execution_timeout`, no further request is sent, and no thread keeps the process alive.
"""


def main() -> None:
    """Write the page."""
    (ROOT / PAGE).write_text(render(), encoding="utf-8")


def render() -> str:
    """The page as it is to be."""
    return "".join([_INTRODUCTION, *_tables(), _END])


def _tables() -> Iterator[str]:
    from tests.faults.rig import Operation
    from tests.faults.table import FAULTS

    head = ["", *(operation.value for operation in Operation), "The task says"]
    for title, faults in FAULTS.items():
        yield f"\n## {title}\n\n"
        yield _row(head)
        yield _row(["---"] * len(head))
        for fault in faults:
            cells = [fault.cell(operation) or "–" for operation in Operation]
            yield _row([fault.what, *cells, _shown(fault.message)])


def _row(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |\n"


def _shown(message: str) -> str:
    text = message.replace("{url}", "https://acme.getcollate.io").replace("|", r"\|")
    return f"`{text}`" if text else ""


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    main()
