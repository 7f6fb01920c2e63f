"""Faults ordered from a test: for the next requests, or at random from a seed."""

from __future__ import annotations

import json
import random
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from airflow_provider_collate.sandbox.exchange import Answer, Ending, Request

Refusals = Mapping[str, tuple[int, str]]

# What `Catalog.fail_randomly` can do to a request.
RANDOM_KINDS: Final = ("429", "503", "broken_body", "lost_answer", "reset")


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
        if self.times is not None and self.hits >= self.times:
            return False
        if self.method is not None and self.method.upper() != request.method:
            return False
        if self.path is not None and not re.search(self.path, request.path):
            return False
        if self.bulk_rows and not request.path.endswith("/bulk"):
            return False
        if self.skip > 0:
            self.skip -= 1
            return False
        self.hits += 1
        return True

    def answer(self) -> Answer:
        """The answer instead of the catalog's, if the request does not take effect."""
        status = self.status or 500
        # Any other text of a 409 would be a lock's.
        message = "Entity already exists" if status == 409 else f"Ordered fault {status}"
        body = {"code": status, "message": message} if self.body is None else self.body
        return self.change(Answer(status, _encode(body), {"Content-Type": _content_type(body)}))

    def change(self, answer: Answer) -> Answer:
        """The catalog's answer as it travels under this fault."""
        if not self.prevents and self.body is not None:
            answer = replace(answer, body=_encode(self.body)).with_headers({"Content-Type": _content_type(self.body)})
        answer = answer.with_headers(self.headers)
        return replace(answer, delay=answer.delay + self.latency, ending=self.ending)


class RandomFaults:
    """Faults that happen to a share of all requests, the same for the same seed and order; `counts` counts them."""

    def __init__(
        self,
        rate: float,
        seed: int,
        kinds: Sequence[str] = RANDOM_KINDS,
        method: str | None = None,
        path: str | None = None,
    ) -> None:
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
        kind = self._random.choice(self.kinds) if self._random.random() < self.rate else None
        if kind is None:
            return None
        fault = _random_fault(kind, self.method, self.path)
        if not fault.takes(request):
            return None
        self.counts[kind] += 1
        return fault


def _random_fault(kind: str, method: str | None, path: str | None) -> Fault:
    endings = {"broken_body": Ending.CUT, "lost_answer": Ending.LOST, "reset": Ending.RESET}
    if kind in endings:
        return Fault(method=method, path=path, ending=endings[kind])
    return Fault(method=method, path=path, status=int(kind), headers={"Retry-After": "0"})


def _encode(body: object) -> bytes:
    if isinstance(body, bytes):
        return body
    return body.encode() if isinstance(body, str) else json.dumps(body).encode()


def _content_type(body: object) -> str:
    return "text/html" if isinstance(body, (str, bytes)) else "application/json"
