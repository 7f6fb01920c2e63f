"""Do many small things at once, a bounded number of them in flight."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Generator, Sequence
from typing import TypeVar

from airflow_provider_collate.exceptions import CollateError, StoppedError

T = TypeVar("T")
R = TypeVar("R")

_LOOK_UP_EVERY = 0.2


def each(
    items: Sequence[T],
    work: Callable[[T], R],
    *,
    max_workers: int,
    stopped: Callable[[], bool],
) -> Generator[tuple[T, R | CollateError], None, None]:
    """Yield each item with what came of it, in the order in which they end.

    The threads are daemons, so that a task which is timed out or killed is not kept alive by an
    answer that is still awaited (the threads of `concurrent.futures` are joined at exit). When the
    caller leaves the loop, no further item is begun; while it is busy, only a few are.

    :param items: what to work on.
    :param work: what to do with each; a `CollateError` it raises is yielded, any other error is raised here.
    :param max_workers: items in flight at once.
    :param stopped: tells that nothing more is to be begun.
    :raises StoppedError: as soon as `stopped` says so.
    """
    if len(items) <= 1 or max_workers == 1:
        for item in items:
            _check(stopped)
            yield item, _outcome(work, item)
        return
    todo = iter(range(len(items)))
    done: queue.SimpleQueue[tuple[T, R | BaseException]] = queue.SimpleQueue()
    halt = threading.Event()
    lock = threading.Lock()
    # Threads may run ahead of the caller by this much only, so that little is sent after what makes the caller leave.
    ahead = threading.Semaphore(2 * max_workers)

    def run() -> None:
        while True:
            ahead.acquire()
            with lock:
                index = None if halt.is_set() or stopped() else next(todo, None)
            if index is None:
                return
            done.put((items[index], _any_outcome(work, items[index])))

    threads = [
        threading.Thread(target=run, name=f"collate-{n}", daemon=True) for n in range(min(max_workers, len(items)))
    ]
    for thread in threads:
        thread.start()
    try:
        for _ in items:
            item, result = _next(done, stopped)
            if isinstance(result, BaseException) and not isinstance(result, CollateError):
                raise result
            yield item, result
            ahead.release()
    finally:
        with lock:
            halt.set()
        ahead.release(len(threads))


def _next(
    done: queue.SimpleQueue[tuple[T, R | BaseException]], stopped: Callable[[], bool]
) -> tuple[T, R | BaseException]:
    while True:
        _check(stopped)
        try:
            return done.get(timeout=_LOOK_UP_EVERY)
        except queue.Empty:
            continue


def _check(stopped: Callable[[], bool]) -> None:
    if stopped():
        raise StoppedError("The task was told to stop; no further request was sent")


def _outcome(work: Callable[[T], R], item: T) -> R | CollateError:
    try:
        return work(item)
    except CollateError as error:
        return error


def _any_outcome(work: Callable[[T], R], item: T) -> R | BaseException:
    try:
        return work(item)
    except BaseException as error:  # noqa: BLE001 - carried to the caller's thread and raised there
        return error
