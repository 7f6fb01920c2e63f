"""The one place where this package's errors become Airflow's."""

from __future__ import annotations

import functools
import traceback
from collections.abc import Callable, Iterator
from typing import NoReturn, ParamSpec, TypeVar

from airflow.providers.common.compat.sdk import AirflowFailException

from airflow_provider_collate.exceptions import CollateError

P = ParamSpec("P")
R = TypeVar("R")


def fails_the_task(method: Callable[P, R]) -> Callable[P, R]:
    """Let errors that no retry can mend fail the task at once, and the others be retried by Airflow.

    The error's own traceback ends here: its frames hold the declared rows, and with them secrets. Any other
    error, such as Airflow's timeout in the middle of a request, keeps its traceback, and its frames are emptied.
    """

    @functools.wraps(method)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return method(*args, **kwargs)
        except CollateError as error:
            failure = error
        except BaseException as error:
            del args, kwargs
            empty_frames(error)
            raise
        del args, kwargs
        _raise(failure)

    return call


def fails_the_task_while_iterating(method: Callable[P, Iterator[R]]) -> Callable[P, Iterator[R]]:
    """The same for a method that yields."""

    @functools.wraps(method)
    def iterate(*args: P.args, **kwargs: P.kwargs) -> Iterator[R]:
        try:
            yield from method(*args, **kwargs)
        except CollateError as error:
            failure = error
        except BaseException as error:
            del args, kwargs
            empty_frames(error)
            raise
        else:
            return
        del args, kwargs
        _raise(failure)

    return iterate


def _raise(error: CollateError) -> NoReturn:
    empty_frames(error)
    error = error.with_traceback(None)
    if error.retryable:
        raise error
    raise AirflowFailException(str(error)) from error


def empty_frames(error: BaseException) -> None:
    """Drop the local variables of all frames that an error, and those behind it, have gone through.

    :param error: an error that was caught; its text and its lines of code stay.
    """
    behind: BaseException | None = error
    seen: set[int] = set()
    while behind is not None and id(behind) not in seen:
        seen.add(id(behind))
        traceback.clear_frames(behind.__traceback__)
        behind = behind.__cause__ or behind.__context__
