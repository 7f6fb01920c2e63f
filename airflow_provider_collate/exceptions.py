"""Name what can go wrong, as one tree.

* CollateError
  * InvalidDeclarationError     the declared rows cannot be used; nothing was sent
  * InvalidConnectionError      the Airflow connection or its token cannot be used; nothing was sent
  * RequestError                a request failed; says which one, and how often it was sent
    * NoAnswerError             refused, reset, timed out, no such host, bad certificate
    * AnswerError               an answer that is not the API's, or does not match the request: HTML, cut off, too large
      * RedirectError           the answer points elsewhere; it is never followed
      * AnswerTooLargeError     more than 64 MiB; a page of a list is asked for again by half
    * StatusError               the API answered with an error
      * BadRequestError         400, 422 and every other 4xx
      * AuthenticationError     401
      * PermissionDeniedError   403
      * NotFoundError           404
        * BrokenReferenceError  404, because a service refers to something that does not exist any more
      * ConflictError           409
      * LockedError             409, because somebody changes or deletes the service right now
      * LimitExceededError      413, or a plan's limit
      * TooManyRequestsError    429
      * MissingEndpointError    this server has no such endpoint
      * ChangedMeanwhileError   a guarded patch met another value than the plan did
      * ServerError             5xx
  * OutcomeError                the run has ended, and the catalog is not as declared
  * NotApprovedError            a run would do what was not approved
  * PruneRefusedError           a sync would delete more than it may; nothing was written
  * StoppedError                the task was told to stop

`retryable` says whether the same call may succeed later. Nothing here knows Airflow.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = [
    "AnswerError",
    "AnswerTooLargeError",
    "AuthenticationError",
    "BadRequestError",
    "BrokenReferenceError",
    "ChangedMeanwhileError",
    "CollateError",
    "ConflictError",
    "InvalidConnectionError",
    "InvalidDeclarationError",
    "LimitExceededError",
    "LockedError",
    "MissingEndpointError",
    "NoAnswerError",
    "NotApprovedError",
    "NotFoundError",
    "OutcomeError",
    "PermissionDeniedError",
    "PruneRefusedError",
    "RedirectError",
    "RequestError",
    "ServerError",
    "StatusError",
    "StoppedError",
    "TooManyRequestsError",
]


MOST_PROBLEMS_SHOWN = 1000


class CollateError(Exception):
    """Base of all errors that this package raises.

    :param message: what happened, in one sentence without a secret in it.
    :param advice: what to do about it; the class's own if empty.
    :param retryable: whether the same call may succeed later; the class's own if None.
    """

    advice = ""
    retryable = False

    def __init__(self, message: str, *, advice: str = "", retryable: bool | None = None) -> None:
        super().__init__(message)
        self.message = message
        if advice:
            self.advice = advice
        if retryable is not None:
            self.retryable = retryable

    def __str__(self) -> str:
        return f"{self.message}\n{self.advice}" if self.advice else self.message

    def followed_by(self, text: str) -> Self:
        """Return the same error with a text after its advice."""
        error = type(self).__new__(type(self), *self.args)
        error.__dict__.update(self.__dict__, advice=f"{self.advice}\n{text}".lstrip())
        return error


class _FaultyInputError(CollateError):
    """Input was refused before anything was sent; `problems` has a line for each reason."""

    what = "The input"

    def __init__(self, problems: Sequence[str], *, advice: str = "") -> None:
        self.problems = tuple(problems)
        count = f"{len(self.problems)} problem{'' if len(self.problems) == 1 else 's'}"
        lines = "".join(f"\n  {problem}" for problem in self.problems[:MOST_PROBLEMS_SHOWN])
        if len(self.problems) > MOST_PROBLEMS_SHOWN:
            lines += f"\n  … and {len(self.problems) - MOST_PROBLEMS_SHOWN:,} more"
        super().__init__(f"{self.what} has {count}; nothing was sent:{lines}", advice=advice)


class InvalidDeclarationError(_FaultyInputError):
    """Declared services were refused before anything was sent; `problems` has a line for each reason."""

    what = "The declaration"


class InvalidConnectionError(_FaultyInputError):
    """The Airflow connection, or the token in it, cannot be used; `problems` has a line for each reason."""

    what = "The Collate connection"


class RequestError(CollateError):
    """A request failed.

    :param method: HTTP method of the request.
    :param path: its path under the API root.
    :param request_id: the `X-Request-Id` that was sent with it.
    :param attempts: how often it was sent.
    :param retry_after: seconds the server asked to wait, if it did.
    :param maybe_applied: whether this attempt or an earlier one may have changed the catalog although it failed.
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

    advice = (
        "Put the address that serves the API itself into the connection's host: a redirect usually means a wrong host, "
        "http instead of https, or a login page."
    )


class AnswerTooLargeError(AnswerError):
    """The answer has more bytes than are read."""

    advice = "Check that the connection's host is a Collate or OpenMetadata server."


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

    advice = "Correct the field that the server names; it knows only the fields of its own release."


class AuthenticationError(StatusError):
    """The server refused the token (401)."""

    advice = (
        "Renew the token (Settings > Bots, or your profile > Access Token), and put it into the connection's password."
    )


class PermissionDeniedError(StatusError):
    """The token is good, but may not do this (403)."""


class NotFoundError(StatusError):
    """The service, or something the request names, does not exist (404)."""

    advice = "Check the names: what the request refers to (service, owner, tag or domain) does not exist."


class BrokenReferenceError(NotFoundError):
    """A service cannot be read or patched, because it refers to something that does not exist (404, recorded)."""


class ConflictError(StatusError):
    """A service of that name exists already (409)."""

    advice = "The server has a service of this name, but does not show it: look in Collate, or use another name."


class LockedError(StatusError):
    """The service is locked: somebody changes or deletes it right now (409, server source)."""

    advice = "Airflow's retries will try again, when the other change has ended."
    retryable = True


class LimitExceededError(StatusError):
    """The request or the plan's limit is too large for the server (413)."""

    advice = "Send less at a time (in bulk, a smaller chunk_size), or ask for a higher limit of the server or the plan."


class TooManyRequestsError(StatusError):
    """The server asks for fewer requests (429)."""

    advice = "Lower max_workers, or let Airflow's retry_delay give the server time."
    retryable = True


class MissingEndpointError(StatusError):
    """The server has no such endpoint (404, 405, or a 500 whose text says 405)."""

    advice = (
        "This release of the server does not offer the call; check that the host is a Collate or OpenMetadata server."
    )


class ChangedMeanwhileError(StatusError):
    """A guarded patch was refused because the service is no longer as the plan saw it."""

    advice = "Nothing was overwritten. Look at the service in Collate, and run the task again."


class ServerError(StatusError):
    """The server failed (5xx)."""

    advice = "The server failed; Airflow's retries will try again. If it persists, ask its operator."
    retryable = True


class OutcomeError(CollateError):
    """The run has ended, and the catalog is not as declared; rows failed or fields were not applied."""


class NotApprovedError(CollateError):
    """A run under `approved_plan` would do what was not approved; that was not written."""


class PruneRefusedError(CollateError):
    """A sync would delete more services than it may; nothing was written."""


class StoppedError(CollateError):
    """The task was told to stop, and sent nothing more."""

    retryable = True

    def __init__(self) -> None:
        super().__init__("The task was told to stop; no further request was sent")
