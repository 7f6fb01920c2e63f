"""Send requests: a JSON answer is returned, anything else raised, after retries of transient errors."""

from __future__ import annotations

import logging
import secrets as random_source
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

import httpx
import tenacity

from airflow_provider_collate.client.config import ClientConfig
from airflow_provider_collate.client.exchange import Exchange
from airflow_provider_collate.client.messages import Answer, ApiRequest, Attempt
from airflow_provider_collate.exceptions import AuthenticationError, RequestError, ServerError, StoppedError

log = logging.getLogger(__name__)

LONGEST_WAIT = 60.0
LONGEST_RETRY_AFTER = 120.0
_SLEEP_SLICE = 0.5
_BACKOFF = tenacity.wait_random_exponential(multiplier=0.5, max=LONGEST_WAIT)
_SAME_ADVICE = (
    "The server answered the same, word for word, to each attempt: it may be this very request that it cannot take. "
    "Airflow's retries will try again; if it persists, ask the server's operator, and look for what is special in it."
)


@dataclass(slots=True)
class _Call:
    """What is remembered from attempt to attempt of one request."""

    request: ApiRequest
    attempts: int = 0
    maybe_applied: bool = False
    messages: set[str] = field(default_factory=set)

    def noted(self, error: RequestError) -> RequestError:
        """Return the error of the latest attempt, with what the earlier ones add to it."""
        self.maybe_applied = error.maybe_applied = self.maybe_applied or error.maybe_applied
        self.messages.add(error.message)
        error.attempts = self.attempts
        if self.attempts > 1 and len(self.messages) == 1 and isinstance(error, ServerError) and error.status == 500:
            error.advice = _SAME_ADVICE
        return error


class _Token:
    """Hand out the token; read it again, once for all threads, when the server refuses it."""

    def __init__(self, read: Callable[[], str], token: str | None) -> None:
        self._read = read
        self._lock = threading.Lock()
        self._token = token
        self._refused: str | None = None

    def current(self) -> str:
        with self._lock:
            if self._token is None:
                self._token = self._read()
            return self._token

    def is_renewed(self, refused: str) -> bool:
        """Return whether there is another one to try, after reading it, once for each token that was refused."""
        with self._lock:
            if refused not in (self._refused, self._token):
                return True
            if refused != self._refused:
                self._refused = refused
                self._token = self._read()
            return self._token != refused


class Transport:
    """Send requests to one server, one token on each, and nothing to anywhere else.

    :param config: where the server is, and the limits of a request.
    :param read_token: returns the token as it is now, e.g. by reading the Airflow connection; called again when the
        server refuses the token.
    :param token: the token, where it was read already.
    :param http: the network, or what stands in for it.
    :param clock: a monotonic clock in seconds.
    :param sleep: waits for seconds between attempts.
    """

    def __init__(
        self,
        config: ClientConfig,
        read_token: Callable[[], str],
        *,
        token: str | None = None,
        http: httpx.BaseTransport | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._token = _Token(read_token, token)
        self._sleep = sleep
        self._exchange = Exchange(config, http, clock)
        self._retrying = tenacity.Retrying(
            stop=tenacity.stop_after_attempt(config.max_retries + 1),
            retry=tenacity.retry_if_exception(self._is_worth_another_attempt),
            wait=_wait,
            sleep=self.pause,
            before_sleep=_log_retry,
            reraise=True,
        )
        self.stopped = False
        """Whether `stop` was called."""

    @property
    def clock_ahead(self) -> timedelta:
        """Return how far the server's clock is ahead of this machine's, by the latest answer that has a `Date`."""
        return self._exchange.clock_ahead

    def close(self) -> None:
        """Close all connections."""
        self._exchange.close()

    def stop(self) -> None:
        """Send nothing more; safe to call from a signal handler."""
        self.stopped = True

    def send(self, request: ApiRequest) -> Answer:
        """Send a request, and again after transient errors.

        :param request: what to send.
        :return: the 2xx answer.
        :raises RequestError: one of its kinds, as in `exceptions`, when the last attempt failed.
        :raises StoppedError: after `stop`.
        """
        return self._retrying(self._attempt, _Call(request))

    def _attempt(self, call: _Call) -> Answer:
        token = self._token.current() if call.request.authenticated else ""
        try:
            return self._once(call, token)
        except AuthenticationError:
            # A token may be rotated in the middle of a run; the old one stops working at once (documented).
            if not token or not self._token.is_renewed(token):
                raise
        log.info("Collate refused the token; the connection has a newer one, which is used from now on.")
        return self._once(call, self._token.current())

    def _once(self, call: _Call, token: str) -> Answer:
        if self.stopped:
            raise StoppedError
        call.attempts += 1
        answer = self._exchange.send(Attempt(call.request, random_source.token_hex(8), token))
        if isinstance(answer, RequestError):
            raise call.noted(answer)
        return answer

    def _is_worth_another_attempt(self, error: BaseException) -> bool:
        if self.stopped or not isinstance(error, RequestError) or not error.retryable:
            return False
        return error.retry_after is None or error.retry_after <= LONGEST_RETRY_AFTER

    def pause(self, seconds: float) -> None:
        """Wait, unless the task is told to stop."""
        # In slices, because a signal handler that sets the flag does not end a sleep.
        while seconds > 0 and not self.stopped:
            self._sleep(min(seconds, _SLEEP_SLICE))
            seconds -= _SLEEP_SLICE


def _wait(state: tenacity.RetryCallState) -> float:
    asked = error.retry_after if (error := _error_of(state)) else None
    return asked if asked is not None else _BACKOFF(state)


def _log_retry(state: tenacity.RetryCallState) -> None:
    wait = state.next_action.sleep if state.next_action else 0.0
    if error := _error_of(state):
        log.warning("%s [trying again in %.1f s, attempt %d]", error.message, wait, state.attempt_number + 1)


def _error_of(state: tenacity.RetryCallState) -> RequestError | None:
    error = state.outcome.exception() if state.outcome else None
    return error if isinstance(error, RequestError) else None
