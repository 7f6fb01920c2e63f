"""What a test orders for answers: faults, for the next requests or at random from a seed, and how long they take."""

from __future__ import annotations

import json
import random
import re
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field, replace
from typing import Any, Final

from airflow_provider_collate.sandbox.exchange import Answer, Ending, Request

Refusals = Mapping[str, tuple[int, str]]

# What `RandomFaults` can do to a request.
_RANDOM: Final[Mapping[str, Mapping[str, Any]]] = {
    "429": {"status": 429, "headers": {"Retry-After": "0"}},
    "503": {"status": 503, "headers": {"Retry-After": "0"}},
    "broken_body": {"break_body": True},
    "lost_answer": {"lose_answer": True},
    "reset": {"reset": True},
}


@dataclass
class Fault:
    """Something that happens to the next API requests that fit.

    :param times: to how many requests; to all from now on if None.
    :param skip: how many fitting requests pass unharmed before.
    :param status: answer with it, and do nothing else; None lets the request take effect.
    :param headers: added to the answer, or replacing those it has.
    :param body: the answer's body: text, bytes, or a JSON document.
    :param method: only requests of this method.
    :param path: only requests whose path holds a match of this regular expression.
    :param latency: seconds until the answer.
    :param lose_answer: the request takes effect, then the connection closes without an answer.
    :param break_body: the request takes effect, then the answer breaks off in the middle.
    :param reset: the connection is reset before the request takes effect.
    :param bulk_rows: rows of bulk requests that are refused: name → status and message; other requests do not fit.
    :raises ValueError: for more than one of `lose_answer`, `break_body` and `reset`.
    """

    times: int | None = 1
    _: KW_ONLY
    skip: int = 0
    status: int | None = None
    headers: Mapping[str, str] | None = None
    body: object = None
    method: str | None = None
    path: str | None = None
    latency: float = 0.0
    lose_answer: bool = False
    break_body: bool = False
    reset: bool = False
    bulk_rows: Refusals | None = None
    hits: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        wanted = {Ending.LOST: self.lose_answer, Ending.CUT: self.break_body, Ending.RESET: self.reset}
        if sum(wanted.values()) > 1:
            raise ValueError("a fault has one ending: lose_answer, break_body or reset")
        self.ending = next((ending for ending, is_wanted in wanted.items() if is_wanted), Ending.WHOLE)

    @property
    def prevents(self) -> bool:
        """Whether the request does not take effect."""
        return self.status is not None or self.reset

    def draw(self, request: Request) -> Fault | None:
        """Return itself if it happens to this request, and count that."""
        fits = (
            (self.times is None or self.hits < self.times)
            and (self.method is None or self.method.upper() == request.method)
            and (self.path is None or bool(re.search(self.path, request.path)))
            and (not self.bulk_rows or request.path.endswith("/bulk"))
        )
        if fits and self.skip > 0:
            self.skip -= 1
            return None
        self.hits += fits
        return self if fits else None

    def answer(self, made: Answer | None = None) -> Answer:
        """Return the catalog's answer as it travels under this fault, or the one that is given instead."""
        status, body = self.status or 500, self.body
        if made is None and body is None:
            # Any other text of a 409 would be a lock's.
            message = "Entity already exists" if status == 409 else f"Ordered fault {status}"
            body = {"code": status, "message": message}
        answer = made or Answer(status)
        if body is not None:
            text = body if isinstance(body, (str, bytes)) else json.dumps(body)
            answer = replace(answer, body=text if isinstance(text, bytes) else text.encode())
            answer = answer.with_headers({"Content-Type": "text/html" if text is body else "application/json"})
        return replace(answer.with_headers(self.headers or {}), delay=answer.delay + self.latency, ending=self.ending)


@dataclass
class RandomFaults:
    """Faults that happen to a share of all API requests, the same for the same seed and order; `counts` counts them.

    :param rate: share of the requests, 0 to 1.
    :param kinds: of `429`, `503`, `broken_body`, `lost_answer`, `reset`.
    :param method: only requests of this method.
    :param path: only requests whose path holds a match of this regular expression.
    :raises ValueError: for no kinds, or unknown ones.
    """

    rate: float
    _: KW_ONLY
    seed: int = 0
    kinds: Sequence[str] = tuple(_RANDOM)
    method: str | None = None
    path: str | None = None
    counts: Counter[str] = field(default_factory=Counter, init=False)

    def __post_init__(self) -> None:
        unknown = set(self.kinds) - set(_RANDOM)
        if unknown or not self.kinds:
            raise ValueError(f"kinds must be some of {', '.join(_RANDOM)}, not {sorted(unknown)}")
        self._random = random.Random(self.seed)  # noqa: S311 - faults must repeat, not surprise

    def draw(self, request: Request) -> Fault | None:
        """Return the fault that happens to this request, if any, and count it."""
        if self._random.random() >= self.rate:
            return None
        kind = self._random.choice(self.kinds)
        fault = Fault(method=self.method, path=self.path, **_RANDOM[kind]).draw(request)
        self.counts[kind] += fault is not None
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


@dataclass
class Latency:
    """Tell how long each answer takes, by a monotonic clock."""

    profile: LatencyProfile
    clock: Callable[[], float] = time.monotonic
    _free_at: float = field(default=0.0, init=False)

    def delay(self, *, is_write: bool, writes: int, rows: int) -> float:
        """Return the seconds until a request is answered that writes and lists so many services."""
        profile, turn = self.profile, 0.0
        delay = profile.per_request + profile.per_row * rows
        if is_write and profile.writes_per_second is not None:
            # After all writes already accepted.
            now = self.clock()
            self._free_at = max(now, self._free_at) + max(1, writes) / profile.writes_per_second
            turn = self._free_at - now
        return delay + max(profile.per_write, turn) if is_write else delay
