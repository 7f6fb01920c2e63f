"""Doing many small things at once."""

from __future__ import annotations

import threading
from itertools import islice

import pytest

from airflow_provider_collate.exceptions import CollateError, StoppedError
from airflow_provider_collate.reconcile.workers import Workers
from tests.unit.reconcile.workbench import Task


def square(number: int) -> int:
    return number * number


@pytest.mark.parametrize("max_workers", [1, 3, 50])
@pytest.mark.parametrize("count", [0, 1, 2, 40])
def test_every_item_is_worked_on_once(count: int, max_workers: int) -> None:
    results = list(Workers(max_workers, Task()).each(range(count), square))
    assert sorted(results) == [(number, number * number) for number in range(count)]


def test_one_worker_keeps_the_order() -> None:
    results = Workers(1, Task()).each(range(20), square)
    assert [item for item, _ in results] == list(range(20))


def test_results_come_in_the_order_in_which_they_end() -> None:
    last_is_done = threading.Event()

    def work(item: str) -> str:
        if item == "slow":
            assert last_is_done.wait(10)
        return item

    results = Workers(2, Task()).each(["slow", "quick"], work)
    assert next(results)[0] == "quick"
    last_is_done.set()
    assert next(results)[0] == "slow"


def test_no_more_are_in_flight_than_there_are_workers() -> None:
    barrier = threading.Barrier(4, timeout=10)
    in_flight: list[int] = []
    most: list[int] = []

    def work(item: int) -> None:
        in_flight.append(item)
        most.append(len(in_flight))
        barrier.wait()
        in_flight.remove(item)
        barrier.wait()

    list(Workers(4, Task()).each(range(20), work))
    assert max(most) == 4


@pytest.mark.parametrize("max_workers", [1, 3])
def test_our_own_errors_are_results(max_workers: int) -> None:
    error = CollateError("no")

    def work(item: int) -> int:
        if item == 2:
            raise error
        return item

    results = dict(Workers(max_workers, Task()).each(range(5), work))
    assert results == {0: 0, 1: 1, 2: error, 3: 3, 4: 4}


@pytest.mark.parametrize("max_workers", [1, 3])
@pytest.mark.parametrize("kind", [ZeroDivisionError, KeyboardInterrupt])
def test_any_other_error_is_raised_in_the_caller(max_workers: int, kind: type[BaseException]) -> None:
    def work(item: int) -> None:
        raise kind

    with pytest.raises(kind):
        list(Workers(max_workers, Task()).each(range(5), work))


@pytest.mark.parametrize("max_workers", [1, 4])
def test_when_the_caller_leaves_no_further_item_is_begun(max_workers: int) -> None:
    begun: list[int] = []
    may_end = threading.Event()

    def work(item: int) -> None:
        begun.append(item)
        if item > 3:
            assert may_end.wait(10)

    def leave() -> None:
        for item, _ in Workers(max_workers, Task()).each(range(1_000), work):
            if item == 0:
                raise LookupError

    with pytest.raises(LookupError):
        leave()
    seen = len(begun)
    may_end.set()
    for thread in threading.enumerate():
        if thread.name.startswith("collate-"):
            thread.join(10)
    assert len(begun) == seen


def test_a_slow_caller_holds_the_workers_back() -> None:
    begun: list[int] = []
    results = Workers(4, Task()).each(range(1_000), begun.append)
    assert len(list(islice(results, 10))) == 10
    results.close()
    assert len(begun) <= 10 + 2 * 4


@pytest.mark.parametrize("max_workers", [1, 4])
def test_a_stop_begins_nothing_more(max_workers: int) -> None:
    task = Task()
    begun: list[int] = []

    def work(item: int) -> None:
        begun.append(item)
        if len(begun) == 5:
            task.stopped = True

    with pytest.raises(StoppedError):
        list(Workers(max_workers, task).each(range(1_000), work))
    assert len(begun) <= 5 + 4


def test_a_stop_does_not_wait_for_an_answer_that_does_not_come() -> None:
    task, answer = Task(), threading.Event()

    def work(item: int) -> None:
        task.stopped = True
        answer.wait(10)

    with pytest.raises(StoppedError):
        list(Workers(2, task).each(range(4), work))
    assert not answer.is_set()
    answer.set()


def test_the_threads_do_not_keep_the_process_alive() -> None:
    daemons: list[bool] = []

    def work(item: int) -> None:
        daemons.append(threading.current_thread().daemon)

    list(Workers(2, Task()).each(range(4), work))
    assert daemons == [True] * 4
