"""A catalog that keeps one chunk waiting in the middle of its writes."""

from __future__ import annotations

import json
import threading
from collections import Counter
from dataclasses import dataclass, replace

from airflow_provider_collate.sandbox import Answer, Catalog, Request
from tests.fleet.declared import chunk_of

FOR_GOOD = 3_600.0
_COLLECTION = "/api/v1/services/mlmodelServices"


@dataclass(frozen=True)
class Hold:
    """Which chunk waits.

    :param first_chunk: the first one that comes, from this number on.
    :param after: how many of its services are created before.
    """

    first_chunk: int
    after: int


class HeldCatalog(Catalog):
    """A catalog whose answers to one chunk's creations do not come, from some row on; the rows are created."""

    def __init__(self) -> None:
        super().__init__()
        self.held = threading.Event()
        self.chunk = -1
        self._hold: Hold | None = None
        self._seen: Counter[int] = Counter()
        self._counting = threading.Lock()

    def hold(self, first_chunk: int, after: int) -> None:
        """Keep the answers of a chunk back from now on."""
        self.held.clear()
        self.chunk = -1
        self._seen.clear()
        self._hold = Hold(first_chunk, after)

    def let_through(self) -> None:
        """Answer what comes from now on; whoever waits, waits on."""
        self._hold = None

    def handle(self, request: Request) -> Answer:
        """Answer a request; if it creates a service of the chunk that waits, in an hour."""
        answer = super().handle(request)
        if request.method == "POST" and request.path.split("?")[0] == _COLLECTION and self._takes(request):
            return replace(answer, delay=FOR_GOOD)
        return answer

    def created(self) -> Counter[str]:
        """Return how often each service was created."""
        made = (seen for seen in self.requests if seen.method in ("POST", "PUT") and seen.status == 201)
        return Counter(json.loads(seen.content)["name"] for seen in made)

    def _takes(self, request: Request) -> bool:
        hold = self._hold
        chunk = chunk_of(json.loads(request.content)["name"])
        with self._counting:
            if hold is None or chunk < hold.first_chunk or self.chunk not in (-1, chunk):
                return False
            self._seen[chunk] += 1
            if self._seen[chunk] <= hold.after:
                return False
            self.chunk = chunk
        self.held.set()
        return True
