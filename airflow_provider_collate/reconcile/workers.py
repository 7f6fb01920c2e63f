"""Run many small pieces of work at once, a bounded number of them in flight."""

from __future__ import annotations

import queue
from collections.abc import Callable, Generator, Iterable
from contextlib import closing
from functools import partial
from itertools import islice
from threading import Thread
from typing import NoReturn, TypeVar

from airflow_provider_collate.exceptions import CollateError, StoppedError

T = TypeVar("T")
R = TypeVar("R")

_SECONDS_BETWEEN_CHECKS = 0.2


def _never() -> bool:
    return False


def each(
    items: Iterable[T],
    work: Callable[[T], R],
    *,
    max_workers: int,
    stopped: Callable[[], bool],
    enough: Callable[[], bool] = _never,
) -> Generator[tuple[T, R | CollateError], None, None]:
    """Yield each item with what came of it, in the order in which they end.

    When the caller leaves the loop, no further item is begun. The threads are daemons: those of `concurrent.futures`
    are joined when the process ends, so a task that has reached its `execution_timeout` would live on until a server
    that hangs has answered.

    :param items: what to work on.
    :param work: what to do with each; a `CollateError` that it raises is yielded, any other error is raised here.
    :param max_workers: items in flight at once.
    :param stopped: tells that nothing more may be begun or waited for.
    :param enough: tells that nothing more may be begun; what is in flight is still waited for and yielded.
    :raises StoppedError: as soon as `stopped` says so.
    """
    todo = iter(items)
    if max_workers == 1:
        for item in todo:
            raise_if_stopped(stopped)
            yield item, _outcome(partial(work, item))
            if enough():
                return
        return
    done: queue.SimpleQueue[tuple[T, Callable[[], R]]] = queue.SimpleQueue()
    in_flight = sum(_begin(item, work, done) for item in islice(todo, max_workers))
    while in_flight:
        item, result = _next(done, stopped)
        in_flight -= 1
        yield item, _outcome(result)
        if not enough():
            in_flight += sum(_begin(item, work, done) for item in islice(todo, 1))


def each_result(
    items: Iterable[T], work: Callable[[T], R], *, max_workers: int, stopped: Callable[[], bool]
) -> Generator[tuple[T, R], None, None]:
    """Yield each item with its result, as `each` does; the first error ends it.

    :raises CollateError: what `work` raised first, or StoppedError as soon as `stopped` says so.
    """
    with closing(each(items, work, max_workers=max_workers, stopped=stopped)) as results:
        for item, result in results:
            if isinstance(result, CollateError):
                raise result
            yield item, result


def raise_if_stopped(stopped: Callable[[], bool]) -> None:
    """Raise when the task was told to stop."""
    if stopped():
        raise StoppedError("The task was told to stop; no further request was sent")


def _begin(item: T, work: Callable[[T], R], done: queue.SimpleQueue[tuple[T, Callable[[], R]]]) -> int:
    def run() -> None:
        try:
            result = work(item)
        except BaseException as error:  # noqa: BLE001 - carried to the caller's thread and raised there
            done.put((item, partial(_raise, error)))
        else:
            done.put((item, lambda: result))

    Thread(target=run, name="collate", daemon=True).start()
    return 1


def _next(done: queue.SimpleQueue[tuple[T, Callable[[], R]]], stopped: Callable[[], bool]) -> tuple[T, Callable[[], R]]:
    while True:
        raise_if_stopped(stopped)
        try:
            return done.get(timeout=_SECONDS_BETWEEN_CHECKS)
        except queue.Empty:
            continue


def _raise(error: BaseException) -> NoReturn:
    raise error


def _outcome(result: Callable[[], R]) -> R | CollateError:
    try:
        return result()
    except CollateError as error:
        return error
