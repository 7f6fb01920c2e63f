"""What a row of the fault table is, and how its fault is made to happen."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass

from tests.faults.behaviours import answers
from tests.faults.rig import Operation, Surroundings
from tests.faults.server import JSON, Behaviour, Exchange, Received

SHORT = 0.4
HTML = {"Content-Type": "text/html"}
_READS = ("GET",)

Prepare = Callable[[Surroundings], None]


@dataclass(frozen=True)
class Fault:
    """One row of the table.

    :param what: what happens, as the documentation says it.
    :param prepare: lets it happen.
    :param cells: outcome and requests that met the fault, for each operation.
    :param message: what a task that fails says; `{url}` is the server's address, `…` stands for anything.
    :param waits: the least and most seconds that a create waits, where the server asks for some.
    :param of_rows: what a report of many rows says instead.
    :param advice: what a task that asked more than once says further on.
    """

    what: str
    prepare: Prepare
    cells: str
    message: str = ""
    waits: tuple[float, float] | None = None
    of_rows: str = ""
    advice: str = ""

    def cell(self, operation: Operation) -> str:
        """The cell of an operation; empty if it cannot meet the fault."""
        return self._cells[operation].strip("– ")

    @property
    def _cells(self) -> dict[Operation, str]:
        return dict(zip(Operation, self.cells.split("|"), strict=True))


def every_request(behaviour: Behaviour, **extra: object) -> Prepare:
    """Each request meets it."""

    def prepare(around: Surroundings) -> None:
        around.extra |= extra
        around.behave = lambda received: behaviour

    return prepare


def every_write(behaviour: Behaviour, **extra: object) -> Prepare:
    """Each request that writes meets it, bulk requests too where the server takes them."""

    def prepare(around: Surroundings) -> None:
        around.extra |= extra
        around.behave = lambda received: behaviour if writes(received, around) else None

    return prepare


def first_write(*behaviours: Behaviour) -> Prepare:
    """The first requests that write meet one each."""

    def prepare(around: Surroundings) -> None:
        left = list(behaviours)
        around.behave = lambda received: left.pop(0) if left and writes(received, around) else None

    return prepare


def writes(received: Received, around: Surroundings) -> bool:
    is_missing = received.target.endswith("/bulk") and not around.catalog.state.has_bulk
    return received.method not in _READS and not is_missing


def error(status: int, message: str, **headers: str) -> Behaviour:
    """Answer with an error as the API makes them; `Retry_After` is the header `Retry-After`."""
    document = json.dumps({"code": status, "message": message}).encode()
    return answers(status, document, {**JSON, **{name.replace("_", "-"): value for name, value in headers.items()}})


def truth(exchange: Exchange) -> None:
    exchange.answer(exchange.truth())
