"""Which errors fail a task at once, and what of them is left to see."""

from __future__ import annotations

from collections.abc import Iterator
from traceback import walk_tb

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException

from airflow_provider_collate.exceptions import CollateError
from airflow_provider_collate.hooks.boundary import fails_the_task, fails_the_task_while_iterating
from tests.secrets.tracebacks import everything_along

SECRET = "hunter2-hunter2"


def called(error: BaseException) -> BaseException:
    """What comes out of a method that raises the error over an argument that is a secret."""

    @fails_the_task
    def method(rows: list[str]) -> None:
        inner = [*rows]
        try:
            int("".join(inner) and "x")
        except ValueError:
            raise error from None

    with pytest.raises(BaseException) as caught:  # noqa: PT011 - any error at all
        method([SECRET])
    return caught.value


def iterated(error: BaseException) -> BaseException:
    @fails_the_task_while_iterating
    def method(rows: list[str]) -> Iterator[int]:
        yield len(rows)
        raise error

    with pytest.raises(BaseException) as caught:  # noqa: PT011 - any error at all
        list(method([SECRET]))
    return caught.value


@pytest.mark.parametrize("through", [called, iterated])
class TestBothKindsOfMethod:
    def test_a_final_error_fails_the_task_with_its_text_and_cause(self, through: object) -> None:
        error = CollateError("No such thing", advice="Look again.")
        raised = through(error)  # type: ignore[operator]
        assert isinstance(raised, AirflowFailException)
        assert str(raised) == "No such thing\nLook again."
        assert raised.__cause__ is error

    def test_a_retryable_error_is_left_to_airflows_retries(self, through: object) -> None:
        error = CollateError("Down", retryable=True)
        assert through(error) is error  # type: ignore[operator]

    def test_an_error_that_is_not_ours_passes(self, through: object) -> None:
        error = KeyError("bug")
        assert through(error) is error  # type: ignore[operator]

    @pytest.mark.parametrize(
        "error",
        [CollateError("x"), CollateError("x", retryable=True), KeyError("bug"), KeyboardInterrupt()],
        ids=["final", "retryable", "bug", "signal"],
    )
    def test_no_frame_holds_the_arguments(self, through: object, error: BaseException) -> None:
        raised = through(error)  # type: ignore[operator]
        assert SECRET not in everything_along(raised)


def test_a_bug_keeps_its_traceback() -> None:
    raised = called(KeyError("bug"))
    names = []
    trace = raised.__traceback__
    while trace is not None:
        names.append(trace.tb_frame.f_code.co_name)
        trace = trace.tb_next
    assert names[-1] == "method"


def test_an_error_that_was_handled_before_keeps_its_variables() -> None:
    """It is the caller's, and so is whatever prints it."""

    @fails_the_task
    def method() -> None:
        raise KeyError("bug")

    def parse(text: str) -> int:
        return int(text)

    def handle() -> None:
        try:
            parse("not a number")
        except ValueError:
            method()

    with pytest.raises(KeyError) as caught:
        handle()

    before = caught.value.__context__
    assert before is not None
    assert [frame.f_locals for frame, _ in walk_tb(before.__traceback__)][-1] == {"text": "not a number"}


def test_results_pass() -> None:
    assert fails_the_task(lambda number: number + 1)(1) == 2
    assert list(fails_the_task_while_iterating(lambda: iter([1, 2]))()) == [1, 2]


def test_leaving_the_loop_early_ends_the_method() -> None:
    ended = []

    @fails_the_task_while_iterating
    def method() -> Iterator[int]:
        try:
            yield from range(10)
        finally:
            ended.append(True)

    numbers = method()
    assert next(numbers) == 0
    numbers.close()  # type: ignore[attr-defined]
    assert ended == [True]
