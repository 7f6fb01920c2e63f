"""What a test orders for answers: faults, for the next requests or at random from a seed, and how long they take."""

from __future__ import annotations

import json
import random
import re
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from threading import Lock
from typing import Final

from airflow_provider_collate.sandbox.exchange import Answer, Ending, Request

Refusals = Mapping[str, tuple[int, str]]

# What `Catalog.fail_randomly` can do to a request.
RANDOM_KINDS: Final = ("429", "503", "broken_body", "lost_answer", "reset")
_RANDOM_ENDINGS = {"broken_body": Ending.CUT, "lost_answer": Ending.LOST, "reset": Ending.RESET}


@dataclass
class Fault:
    """Something that happens to the next requests that fit.

    :param times: to how many requests; to all from now on if None.
    :param skip: how many fitting requests pass unharmed before.
    :param status: answer with it, and do nothing else; None lets the request take effect.
    :param headers: added to the answer, or replacing those it has.
    :param body: the answer's body: text, bytes, or a JSON document.
    :param method: only requests of this method.
    :param path: only requests whose path holds a match of this regular expression.
    :param latency: seconds until the answer.
    :param ending: how the connection ends.
    :param bulk_rows: rows of bulk requests that are refused: name → status and message; other requests do not fit.
    :param hits: how many requests it happened to.
    """

    times: int | None = 1
    skip: int = 0
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: object = None
    method: str | None = None
    path: str | None = None
    latency: float = 0.0
    ending: Ending = Ending.WHOLE
    bulk_rows: Refusals = field(default_factory=dict)
    hits: int = 0

    @property
    def prevents(self) -> bool:
        """Whether the request does not take effect."""
        return self.status is not None or self.ending is Ending.RESET

    def takes(self, request: Request) -> bool:
        """Whether it happens to this request; counts it if so."""
        fits = (
            (self.times is None or self.hits < self.times)
            and (self.method is None or self.method.upper() == request.method)
            and (self.path is None or bool(re.search(self.path, request.path)))
            and (not self.bulk_rows or request.path.endswith("/bulk"))
        )
        if fits and self.skip > 0:
            self.skip -= 1
            return False
        self.hits += fits
        return fits

    def answer(self) -> Answer:
        """The answer instead of the catalog's, if the request does not take effect."""
        status = self.status or 500
        # Any other text of a 409 would be a lock's.
        message = "Entity already exists" if status == 409 else f"Ordered fault {status}"
        body = {"code": status, "message": message} if self.body is None else self.body
        return self._travels(_with_body(Answer(status), body))

    def change(self, answer: Answer) -> Answer:
        """The catalog's answer as it travels under this fault."""
        return self._travels(answer if self.body is None else _with_body(answer, self.body))

    def _travels(self, answer: Answer) -> Answer:
        return replace(answer.with_headers(self.headers), delay=answer.delay + self.latency, ending=self.ending)


def _with_body(answer: Answer, body: object) -> Answer:
    if isinstance(body, (str, bytes)):
        encoded, media_type = body.encode() if isinstance(body, str) else body, "text/html"
    else:
        encoded, media_type = json.dumps(body).encode(), "application/json"
    return replace(answer, body=encoded).with_headers({"Content-Type": media_type})


class RandomFaults:
    """Faults that happen to a share of all requests, the same for the same seed and order; `counts` counts them."""

    def __init__(self, rate: float, seed: int, kinds: Sequence[str], method: str | None, path: str | None) -> None:
        unknown = set(kinds) - set(RANDOM_KINDS)
        if unknown or not kinds:
            raise ValueError(f"kinds must be some of {', '.join(RANDOM_KINDS)}, not {sorted(unknown)}")
        self.rate = rate
        self.kinds = tuple(kinds)
        self.method = method
        self.path = path
        self.counts: Counter[str] = Counter()
        self._random = random.Random(seed)  # noqa: S311 - faults must repeat, not surprise

    def draw(self, request: Request) -> Fault | None:
        """The fault that happens to this request, if any."""
        if self._random.random() >= self.rate:
            return None
        kind = self._random.choice(self.kinds)
        fault = Fault(method=self.method, path=self.path)
        if kind in _RANDOM_ENDINGS:
            fault.ending = _RANDOM_ENDINGS[kind]
        else:
            fault.status, fault.headers = int(kind), {"Retry-After": "0"}
        if not fault.takes(request):
            return None
        self.counts[kind] += 1
        return fault


@dataclass(frozen=True)
class LatencyProfile:
    """What the time of an answer is made of.

    :param per_request: seconds for any request.
    :param per_write: seconds for a request that writes.
    :param per_row: seconds for each listed service.
    :param writes_per_second: services written a second at most, by all clients together; no limit if None.
    """

    per_request: float = 0.0
    per_write: float = 0.0
    per_row: float = 0.0
    writes_per_second: float | None = None


# Measured on a real OpenMetadata 1.2 with PostgreSQL on 2 cores.
PROFILES = {
    "none": LatencyProfile(),
    "openmetadata": LatencyProfile(per_write=0.030, per_row=0.0007, writes_per_second=110),
}


class Latency:
    """Tells how long each answer is to take, by a monotonic clock."""

    def __init__(self, profile: LatencyProfile, clock: Callable[[], float] = time.monotonic) -> None:
        self.profile = profile
        self._clock = clock
        self._lock = Lock()
        self._free_at = 0.0

    def delay(self, *, is_write: bool, writes: int, rows: int) -> float:
        """Return the seconds until a request is answered that writes and lists so many services."""
        profile = self.profile
        delay = profile.per_request + profile.per_row * rows
        return delay + max(profile.per_write, self._wait_for_turn(max(1, writes))) if is_write else delay

    def _wait_for_turn(self, writes: int) -> float:
        """Return the seconds until these writes are done at the profile's rate, after those already accepted."""
        if self.profile.writes_per_second is None:
            return 0.0
        with self._lock:
            now = self._clock()
            self._free_at = max(now, self._free_at) + writes / self.profile.writes_per_second
            return self._free_at - now
