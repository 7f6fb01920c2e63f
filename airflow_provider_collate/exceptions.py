"""What can go wrong, as one tree.

* CollateError
  * InvalidDeclarationError     the rows of a task are faulty; nothing was sent
  * InvalidConnectionError      the Airflow connection or its token is faulty; nothing was sent
  * NoAnswerError               refused, reset, timed out, no such host, bad certificate
  * AnswerError                 there was an answer, and it is not the API's: HTML, cut off, too large
    * RedirectError             the answer points elsewhere; it is never followed
  * StatusError                 the API answered with an error
    * BadRequestError           400, 422 and every other 4xx
    * AuthenticationError       401
    * PermissionDeniedError     403
    * NotFoundError             404
    * ConflictError             409
    * LimitExceededError        413, or a plan's limit
    * TooManyRequestsError      429
    * MissingEndpointError      this server has no such endpoint
    * ChangedMeanwhileError     a guarded patch met another value than the plan did
    * ServerError               5xx
  * OutcomeError                the run is over, and the catalog is not as declared
  * PruneRefusedError           a sync would remove more than it may; nothing was written
  * StoppedError                the task was told to stop

`retryable` says whether the same call may succeed later. Nothing here knows Airflow.
"""

from __future__ import annotations

from collections.abc import Sequence

__all__ = [
    "AnswerError",
    "AuthenticationError",
    "BadRequestError",
    "ChangedMeanwhileError",
    "CollateError",
    "ConflictError",
    "InvalidConnectionError",
    "InvalidDeclarationError",
    "LimitExceededError",
    "MissingEndpointError",
    "NoAnswerError",
    "NotFoundError",
    "OutcomeError",
    "PermissionDeniedError",
    "PruneRefusedError",
    "RedirectError",
    "ServerError",
    "StatusError",
    "StoppedError",
    "TooManyRequestsError",
]


MOST_PROBLEMS_SHOWN = 1000


class CollateError(Exception):
    """Anything this package raises on purpose.

    :param message: what happened, in one sentence without a secret in it.
    :param advice: what to do about it, in words.
    :param retryable: whether the same call may succeed later.
    """

    retryable = False

    def __init__(self, message: str, *, advice: str = "", retryable: bool | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.advice = advice
        if retryable is not None:
            self.retryable = retryable

    def __str__(self) -> str:
        return f"{self.message}\n{self.advice}" if self.advice else self.message


class _FaultyInputError(CollateError):
    """Input that was refused before anything was sent, with all its faults."""

    what = "The input"

    def __init__(self, problems: Sequence[str], *, advice: str = "") -> None:
        self.problems = tuple(problems)
        count = f"{len(self.problems)} problem{'' if len(self.problems) == 1 else 's'}"
        lines = "".join(f"\n  {problem}" for problem in self.problems[:MOST_PROBLEMS_SHOWN])
        if len(self.problems) > MOST_PROBLEMS_SHOWN:
            lines += f"\n  … and {len(self.problems) - MOST_PROBLEMS_SHOWN:,} more"
        super().__init__(f"{self.what} has {count}; nothing was sent:{lines}", advice=advice)


class InvalidDeclarationError(_FaultyInputError):
    """Declared services were refused before anything was sent; `problems` has a line for each fault."""

    what = "The declaration"


class InvalidConnectionError(_FaultyInputError):
    """The Airflow connection, or the token in it, cannot be used; `problems` has a line for each fault."""

    what = "The Collate connection"


class RequestError(CollateError):
    """A request that did not end well.

    :param method: HTTP method of the request.
    :param path: its path under the API root.
    :param request_id: the `X-Request-Id` that was sent with it.
    :param attempts: how often it was sent.
    :param retry_after: seconds the server asked to wait, if it did.
    :param maybe_applied: whether an earlier or this attempt may have taken effect unseen.
    """

    def __init__(
        self,
        message: str,
        *,
        method: str,
        path: str,
        request_id: str = "",
        advice: str = "",
        retryable: bool | None = None,
        retry_after: float | None = None,
        maybe_applied: bool = False,
    ) -> None:
        super().__init__(message, advice=advice, retryable=retryable)
        self.method = method
        self.path = path
        self.request_id = request_id
        self.retry_after = retry_after
        self.maybe_applied = maybe_applied
        self.attempts = 1

    def __str__(self) -> str:
        notes = [f"{self.method} {self.path}"]
        if self.attempts > 1:
            notes.append(f"{self.attempts} attempts")
        if self.request_id:
            notes.append(f"request {self.request_id}")
        text = f"{self.message} [{', '.join(notes)}]"
        return f"{text}\n{self.advice}" if self.advice else text


class NoAnswerError(RequestError):
    """No answer came: refused, reset, timed out, no such host, or a certificate that was not accepted."""

    retryable = True


class AnswerError(RequestError):
    """An answer came that is not the API's: HTML of a proxy, cut off, too large, or of the wrong shape."""


class RedirectError(AnswerError):
    """The answer points to another address; it is never followed, and the message says where it points."""


class StatusError(RequestError):
    """The API answered with an error.

    :param status: HTTP status.
    :param code: the server's own error type, if it named one.
    :param server_message: what the server said, redacted and bounded.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int,
        method: str,
        path: str,
        code: str = "",
        server_message: str = "",
        request_id: str = "",
        advice: str = "",
        retryable: bool | None = None,
        retry_after: float | None = None,
        maybe_applied: bool = False,
    ) -> None:
        super().__init__(
            message,
            method=method,
            path=path,
            request_id=request_id,
            advice=advice,
            retryable=retryable,
            retry_after=retry_after,
            maybe_applied=maybe_applied,
        )
        self.status = status
        self.code = code
        self.server_message = server_message


class BadRequestError(StatusError):
    """The server refused the request's content (400, 422 and other 4xx)."""


class AuthenticationError(StatusError):
    """The server refused the token (401)."""


class PermissionDeniedError(StatusError):
    """The token is good, but may not do this (403)."""


class NotFoundError(StatusError):
    """The service, or something the request names, does not exist (404)."""


class ConflictError(StatusError):
    """A service of that name exists already (409)."""


class LimitExceededError(StatusError):
    """The request or the plan's limit is too large for the server (413)."""


class TooManyRequestsError(StatusError):
    """The server asks for fewer requests (429)."""

    retryable = True


class MissingEndpointError(StatusError):
    """The server has no such endpoint (404, 405, or a 500 whose text says 405)."""


class ChangedMeanwhileError(StatusError):
    """A guarded patch was refused because the service is no longer as the plan saw it."""


class ServerError(StatusError):
    """The server failed (5xx)."""

    retryable = True


class OutcomeError(CollateError):
    """The run is over, and the catalog is not as declared; rows failed or fields were not applied."""


class PruneRefusedError(CollateError):
    """A sync would remove more services than it may; nothing was written."""


class StoppedError(CollateError):
    """The task was told to stop, and sent nothing more."""

    retryable = True
