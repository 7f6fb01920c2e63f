"""Say in the log how far a run is, so that a long step of it is not silent."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

log = logging.getLogger(__name__)

_SECONDS_BETWEEN_LINES = 5.0


class Progress:
    """Log how far the steps of a run are: every five seconds while one goes on, and once with its time when it ends.

    :param clock: a monotonic clock in seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self._told_at = clock()

    def tell(self, text: str, *counts: int) -> None:
        """Log the counts, unless a line was logged within the last seconds.

        :param text: a format, with a field for each count.
        """
        now = self.clock()
        if now - self._told_at >= _SECONDS_BETWEEN_LINES:
            self._told_at = now
            log.info("%s", text.format(*counts))

    def end(self, text: str, began_at: float) -> None:
        """Log what a step did, and how long it took.

        :param began_at: when it began, by the clock.
        """
        self._told_at = self.clock()
        log.info("%s in %.1f s", text, self._told_at - began_at)
