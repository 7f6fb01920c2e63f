"""How long answers take."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock


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
    """Tells how long each answer is to take.

    :param clock: seconds, monotonic.
    """

    def __init__(self, profile: LatencyProfile, clock: Callable[[], float] = time.monotonic) -> None:
        self.profile = profile
        self._clock = clock
        self._lock = Lock()
        self._free_at = 0.0

    def delay(self, *, is_write: bool, writes: int, rows: int) -> float:
        """Seconds until the answer to a request is sent.

        :param is_write: whether the method writes.
        :param writes: services written.
        :param rows: services listed.
        """
        profile = self.profile
        delay = profile.per_request + profile.per_row * rows
        if not is_write:
            return delay
        return delay + max(profile.per_write, self._wait_for_turn(max(1, writes)))

    def _wait_for_turn(self, writes: int) -> float:
        """Seconds until this many writes are done at the profile's rate, after those already accepted."""
        if self.profile.writes_per_second is None:
            return 0.0
        with self._lock:
            now = self._clock()
            self._free_at = max(now, self._free_at) + writes / self.profile.writes_per_second
            return self._free_at - now
