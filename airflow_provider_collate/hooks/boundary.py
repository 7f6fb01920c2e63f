"""Turn this package's errors into Airflow's, in one place."""

from __future__ import annotations

import functools
import sys
import traceback
from collections.abc import Callable, Iterator
from typing import ParamSpec, TypeVar

from airflow.providers.common.compat.sdk import AirflowFailException

from airflow_provider_collate.exceptions import CollateError

P = ParamSpec("P")
R = TypeVar("R")

_END = object()


def fails_the_task(method: Callable[P, R]) -> Callable[P, R]:
    """Let a non-retryable error fail the task at once, and leave the others to Airflow's retries.

    Our errors end with their own traceback: its frames hold the declared rows, and with them secrets. Any other
    error, such as Airflow's timeout in the middle of a request, keeps its traceback, with its variables dropped.
    """

    @functools.wraps(method)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        outside = sys.exc_info()[1]
        try:
            return method(*args, **kwargs)
        except CollateError as error:
            failure = _failure_of(error, outside)
        except BaseException as error:
            del args, kwargs
            empty_frames(error, outside)
            raise
        del args, kwargs
        raise failure

    return call


def fails_the_task_while_iterating(method: Callable[P, Iterator[R]]) -> Callable[P, Iterator[R]]:
    """Do the same for a method that yields."""

    @functools.wraps(method)
    def iterate(*args: P.args, **kwargs: P.kwargs) -> Iterator[R]:
        step: Callable[[], R | object] = functools.partial(next, method(*args, **kwargs), _END)
        del args, kwargs
        yield from iter(fails_the_task(step), _END)  # type: ignore[misc] # what is not the end is a result

    return iterate


def _failure_of(error: CollateError, outside: BaseException | None) -> Exception:
    empty_frames(error, outside)
    error = error.with_traceback(None)
    if error.retryable:
        return error
    failure = AirflowFailException(str(error))
    failure.__cause__ = error
    return failure


def empty_frames(error: BaseException, outside: BaseException | None = None) -> None:
    """Drop the local variables of the frames that an error, and those behind it, have gone through.

    Whatever prints a traceback with its variables (rich tracebacks, error trackers) would print secrets otherwise.
    It is `traceback.clear_frames` of the standard library; frames that still run keep theirs.

    :param error: an error that was caught; its text and its lines of code stay.
    :param outside: an error that was being handled before: it and those behind it are not ours and stay as they are.
    """
    behind: BaseException | None = error
    seen = {id(outside)}
    while behind is not None and id(behind) not in seen:
        seen.add(id(behind))
        traceback.clear_frames(behind.__traceback__)
        behind = behind.__cause__ or behind.__context__
