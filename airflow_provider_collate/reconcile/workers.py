"""Run many small pieces of work at once, a bounded number of them in flight."""

from __future__ import annotations

import queue
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from itertools import islice
from threading import Thread
from typing import Protocol, TypeVar

from airflow_provider_collate.exceptions import CollateError, StoppedError

T = TypeVar("T")
R = TypeVar("R")

_SECONDS_BETWEEN_CHECKS = 0.2


class Stoppable(Protocol):
    """Something that a task may be told to stop, such as its client."""

    stopped: bool


@dataclass(frozen=True, slots=True)
class Workers:
    """Threads that work on many items.

    They are daemons: those of `concurrent.futures` are joined when the process ends, so a task that has reached its
    `execution_timeout` would live on until a server that hangs has answered.

    :param limit: items in flight at once.
    :param task: tells by `stopped` that nothing more may be begun or waited for.
    """

    limit: int
    task: Stoppable

    def each(
        self, items: Iterable[T], work: Callable[[T], R], enough: Callable[[], bool] = lambda: False
    ) -> Generator[tuple[T, R | CollateError], None, None]:
        """Yield each item with what came of it, in the order in which they end.

        When the caller leaves the loop, no further item is begun.

        :param work: what to do with each; a `CollateError` that it raises is yielded, any other error is raised here.
        :param enough: tells that nothing more may be begun; what is in flight is still waited for and yielded.
        :raises StoppedError: as soon as the task is told to stop.
        """
        todo = iter(items)
        if self.limit == 1:
            for item in todo:
                self.raise_if_stopped()
                yield item, _outcome(partial(work, item))
                if enough():
                    return
            return
        done: queue.SimpleQueue[tuple[T, Future[R]]] = queue.SimpleQueue()
        in_flight = sum(_begin(item, work, done) for item in islice(todo, self.limit))
        while in_flight:
            item, future = self._next(done)
            in_flight -= 1
            yield item, _outcome(future.result)
            if not enough():
                in_flight += sum(_begin(item, work, done) for item in islice(todo, 1))

    def results(self, items: Iterable[T], work: Callable[[T], R]) -> Generator[tuple[T, R], None, None]:
        """Yield each item with its result, as `each` does; raise the first `CollateError`."""
        with closing(self.each(items, work)) as outcomes:
            for item, outcome in outcomes:
                if isinstance(outcome, CollateError):
                    raise outcome
                yield item, outcome

    def raise_if_stopped(self) -> None:
        """Raise when the task was told to stop."""
        if self.task.stopped:
            raise StoppedError

    def _next(self, done: queue.SimpleQueue[T]) -> T:
        while True:
            self.raise_if_stopped()
            try:
                return done.get(timeout=_SECONDS_BETWEEN_CHECKS)
            except queue.Empty:
                continue


def _begin(item: T, work: Callable[[T], R], done: queue.SimpleQueue[tuple[T, Future[R]]]) -> int:
    future: Future[R] = Future()

    def run() -> None:
        try:
            future.set_result(work(item))
        except BaseException as error:  # noqa: BLE001 - carried to the caller's thread and raised there
            future.set_exception(error)
        done.put((item, future))

    Thread(target=run, name="collate", daemon=True).start()
    return 1


def _outcome(result: Callable[[], R]) -> R | CollateError:
    try:
        return result()
    except CollateError as error:
        return error
