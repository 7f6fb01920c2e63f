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

## Whom to wake

A failed task can be run again at any time: what was written is found unchanged, and only the rest is sent.
"""
_HOW_TO_READ = """\

## How to read the tables

How a task ends when the network, or Collate itself, is at fault. Each cell of the tables is a test: a real operator, or
the connection form's Test button, against a server that misbehaves on real sockets.

* **ok**: the task succeeds, and the catalog shows what was declared; it is read again after every write.
* **retry**: the task fails with a retryable error, so Airflow's `retries` apply.
* **fail**: the task fails with `AirflowFailException`, which Airflow does not retry, because somebody has to change
  something first.

The number says how many requests met the fault (or connections, where no request arrives); 0 where nothing reaches the
server; – is for a task that cannot meet the fault. The tests allow one retry in the client (`max_retries: 1`; the
default is 3). A row that still fails is written once more at the end of the run, so the number of writes can be twice
as high. The Test button does not retry, and waits at most 10 s for an answer.

Each cell also tests that there is:

* no success unless the catalog shows what was declared;
* no service that is created twice, and no version that goes up more than once;
* no hang. An attempt ends after `timeout` seconds, even if the server goes on sending, and there are at most
  `max_retries` further attempts. Between them the client waits a random time that grows (at most 0.5 s, 1 s, 2 s, …
  60 s), or as long as `Retry-After` says. If that is more than two minutes, the task fails and Airflow's `retry_delay`
  applies. The time that the system takes to look up a host's name is not counted.

`Bulk` is against a server with the bulk endpoint, `Bulk, one by one` against one without it. `Sync` creates, changes
and deletes services. The last column is the beginning of the task's message; then follow the request, its id (sent as
`X-Request-Id`) and what to do. `…` stands for what differs from run to run.
"""
_AT_NIGHT = (
    ("is up for retry", "nothing; Airflow tries again", "nobody"),
    (
        "has no retries left, `cannot be reached`, `did not answer in time` or 5xx",
        "look whether Collate is up, then clear the task",
        "who runs Collate",
    ),
    (
        "`401`, or the token has expired",
        "renew the bot's token, put it into the Airflow connection, clear the task",
        "who runs Collate",
    ),
    ("`403`", "nothing until morning: the token's role may not do it", "who gives roles in Collate"),
    ("`413` or `429`, a limit of the plan", "nothing until morning", "who has the contract"),
    (
        "certificate, redirect, or `something that is not JSON`",
        "look at what was changed in front of Collate: a proxy, a login page, a certificate",
        "who runs the network",
    ),
    ("`conflict`", "nothing until morning: a person wrote another text, and it is kept", "the DAG's author"),
    ("`unapplied`", "nothing until morning: the server said yes and did not do it", "the DAG's author"),
    (
        "`but with max_prune=… at most`",
        "nothing: no service was deleted; an upstream task may have returned half a list",
        "the DAG's author",
    ),
    (
        "`nothing was sent`, or a name `is not in the catalog`",
        "nothing: the message names the mistake in the declaration or the connection",
        "the DAG's author",
    ),
)
_END = """
## Proxies and the environment

The proxy is that of the connection's extra, or else that of the environment: `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY`,
and `NO_PROXY` for exceptions. `SSL_CERT_FILE` and `SSL_CERT_DIR` name the authorities to trust, as the extra's
`verify` does. `.netrc` is not read. No redirect is followed, so the token is not sent to another address.

Every request carries `User-Agent: airflow-provider-collate/VERSION airflow/VERSION python/VERSION`. At most 32
connections are open at a time, of which a task uses `max_workers`.

## Tasks that are killed

A worker that is killed in the middle of a run leaves some services written and others not. The next attempt reads the
catalog and writes only what is missing; a service that an earlier attempt of the same run created is not an error.
`tests/kills` kills real task processes at random moments and then compares the catalog with the declaration. On
SIGTERM, and after `execution_timeout`, no further request is sent, and no thread keeps the process alive.
"""


def main() -> None:
    """Write the page."""
    (ROOT / PAGE).write_text(render(), encoding="utf-8")


def render() -> str:
    """Return the page."""
    return "".join([_INTRODUCTION, *_at_night(), _HOW_TO_READ, *_tables(), _END])


def _at_night() -> Iterator[str]:
    yield "\n"
    yield from map(_row, [["the task", "what to do at night", "who"], ["---"] * 3, *map(list, _AT_NIGHT)])


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
            yield _row([fault.what, *cells, _shown(" … ".join(filter(None, (fault.message, fault.advice))))])


def _row(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |\n"


def _shown(message: str) -> str:
    text = message.replace("{url}", "https://acme.getcollate.io").replace("|", r"\|")
    return f"`{text}`" if text else ""


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    main()
