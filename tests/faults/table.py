"""The faults that are survived, as data: the tests run it, and docs/faults.md shows it.

A cell says what comes of an operation under a fault, and how many requests met the fault: `ok 2` is a success after
two of them, `retry 2` a failure that Airflow tries again, `fail 1` one that it does not. The cells of a row are those
of `Operation`, in order; `–` is an operation that cannot meet the fault.
"""

from __future__ import annotations

from tests.faults.answers import ANSWERS
from tests.faults.fault import Fault
from tests.faults.lies import LIES
from tests.faults.network import NETWORK

FAULTS: dict[str, tuple[Fault, ...]] = {**NETWORK, **ANSWERS, **LIES}
