"""Send requests over HTTP: a JSON answer is returned, anything else raised, after retries of transient errors."""

from __future__ import annotations

import logging
import secrets as random_source
import ssl
import time
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from email.utils import parsedate_to_datetime

import httpx
import tenacity
from pydantic import JsonValue

from airflow_provider_collate.client import failures
from airflow_provider_collate.client.bodies import (
    ACCEPTED_ENCODING,
    MAX_BYTES,
    BodyEncodingError,
    BodyTooLargeError,
    NotJsonError,
    parse_json,
    read_body,
)
from airflow_provider_collate.client.config import ClientConfig
from airflow_provider_collate.client.deadline import Deadline
from airflow_provider_collate.client.messages import Answer, ApiRequest, Attempt
from airflow_provider_collate.client.network import name_of_server, network, proxy_url
from airflow_provider_collate.client.token_source import BearerAuth, TokenSource
from airflow_provider_collate.exceptions import (
    AuthenticationError,
    CollateError,
    RequestError,
    ServerError,
    StoppedError,
)

log = logging.getLogger(__name__)

LONGEST_WAIT = 60.0
LONGEST_RETRY_AFTER = 120.0
_SLEEP_SLICE = 0.5
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
        self.maybe_applied = self.maybe_applied or error.maybe_applied
        self.messages.add(error.message)
        error.maybe_applied = self.maybe_applied
        error.attempts = self.attempts
        if self.attempts > 1 and len(self.messages) == 1 and isinstance(error, ServerError) and error.status == 500:
            error.advice = _SAME_ADVICE
        return error


class Transport:
    """Send requests to one server, one token on each, and nothing to anywhere else.

    :param config: where the server is, and the limits of a request.
    :param tokens: where the token comes from.
    :param http: the network, or what stands in for it.
    :param clock: a monotonic clock in seconds.
    :param sleep: waits for seconds between attempts.
    """

    def __init__(
        self,
        config: ClientConfig,
        tokens: TokenSource,
        *,
        http: httpx.BaseTransport | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._config = config
        self._tokens = tokens
        self._sleep = sleep
        self._deadline = Deadline(clock)
        self._stopped = False
        self.clock_ahead = timedelta(0)
        """How far the server's clock is ahead of this machine's, by the `Date` of the latest answer that has one."""
        proxy = proxy_url(config)
        self._where = name_of_server(config, proxy)
        self._http = httpx.Client(
            transport=http or network(config, proxy, self._deadline),
            timeout=config.timeout,
            follow_redirects=False,
            trust_env=False,
            headers={
                "User-Agent": config.user_agent,
                "Accept": "application/json",
                "Accept-Encoding": ACCEPTED_ENCODING,
            },
        )
        self._backoff = tenacity.wait_random_exponential(multiplier=0.5, max=LONGEST_WAIT)

    def close(self) -> None:
        """Close all connections."""
        self._http.close()

    def stop(self) -> None:
        """Send nothing more; safe to call from a signal handler."""
        self._stopped = True

    @property
    def stopped(self) -> bool:
        """Return whether `stop` was called."""
        return self._stopped

    def send(self, request: ApiRequest) -> Answer:
        """Send a request, and again after transient errors.

        :param request: what to send.
        :return: the 2xx answer.
        :raises RequestError: one of its kinds, as in `exceptions`, when the last attempt failed.
        :raises StoppedError: after `stop`.
        """
        call = _Call(request)
        retrying = tenacity.Retrying(
            stop=tenacity.stop_after_attempt(self._config.max_retries + 1),
            retry=tenacity.retry_if_exception(self._is_worth_another_attempt),
            wait=self._wait,
            sleep=self.pause,
            before_sleep=_log_retry,
            reraise=True,
        )
        return retrying(self._attempt, call)

    def _attempt(self, call: _Call) -> Answer:
        token = self._tokens.current() if call.request.authenticated else ""
        try:
            return self._once(call, token)
        except AuthenticationError:
            # A token may be rotated in the middle of a run; the old one stops working at once (documented).
            if not token or not self._tokens.renew(token):
                raise
        log.info("Collate refused the token; the connection has a newer one, going on with that.")
        return self._once(call, self._tokens.current())

    def _once(self, call: _Call, token: str) -> Answer:
        if self._stopped:
            raise StoppedError("The task was told to stop; no further request was sent")
        call.attempts += 1
        attempt = Attempt(call.request, random_source.token_hex(8), token)
        raw = self._exchange(attempt)
        if isinstance(raw, tuple):
            self._note_time(raw[0].headers.get("Date", ""))
        outcome = raw if isinstance(raw, RequestError) else _judge(*raw, attempt)
        if isinstance(outcome, RequestError):
            # Raised here, outside of any `except`, so that no frame or context of httpx travels along:
            # their locals hold the body and the token.
            raise call.noted(outcome)
        return outcome

    def _note_time(self, date: str) -> None:
        with suppress(ValueError, TypeError, OverflowError):
            self.clock_ahead = parsedate_to_datetime(date) - datetime.now(timezone.utc)

    def _exchange(self, attempt: Attempt) -> tuple[httpx.Response, bytes] | RequestError:
        try:
            with self._deadline.within(self._config.timeout), closing(self._open(attempt)) as response:
                return response, read_body(response)
        except BodyTooLargeError:
            return failures.too_large(attempt, MAX_BYTES)
        except BodyEncodingError:
            return failures.undecodable(attempt)
        except (httpx.HTTPError, httpx.InvalidURL, ssl.SSLError, UnicodeError) as error:
            return failures.no_answer(error, attempt, where=self._where)

    def _open(self, attempt: Attempt) -> httpx.Response:
        request = attempt.request
        headers = {"X-Request-Id": attempt.request_id}
        content = request.content()
        if content is not None:
            headers["Content-Type"] = request.content_type
        prepared = self._http.build_request(
            request.method,
            self._config.url + request.path,
            params=dict(request.params) or None,
            content=content,
            headers=headers,
        )
        return self._http.send(prepared, auth=BearerAuth(attempt.token) if attempt.token else None, stream=True)

    def _is_worth_another_attempt(self, error: BaseException) -> bool:
        if self._stopped or not isinstance(error, RequestError) or not error.retryable:
            return False
        return error.retry_after is None or error.retry_after <= LONGEST_RETRY_AFTER

    def _wait(self, state: tenacity.RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        asked = error.retry_after if isinstance(error, RequestError) else None
        return asked if asked is not None else self._backoff(state)

    def pause(self, seconds: float) -> None:
        """Wait, unless the task is told to stop."""
        # In slices, because a signal handler that sets the flag does not end a sleep.
        while seconds > 0 and not self._stopped:
            self._sleep(min(seconds, _SLEEP_SLICE))
            seconds -= _SLEEP_SLICE


def _judge(response: httpx.Response, body: bytes, attempt: Attempt) -> Answer | RequestError:
    """Return the answer, or the error that it is."""
    status = response.status_code
    data: JsonValue = None
    fault: NotJsonError | None = None
    try:
        data = parse_json(body) if body else None
    except NotJsonError as error:
        fault = error
    if 200 <= status < 300 and fault is None and (body or status in (202, 204)):
        change = response.headers.get("X-OpenMetadata-Change", "")
        return Answer(status, attempt.request, data, change, attempt.request_id)
    text = body.decode("utf-8", "replace")
    # A 404 that broke off does not tell whether the service or the whole API is not there.
    if 200 <= status < 300 or (status == 404 and fault is not None and fault.cut_off):
        return failures.not_json(status, fault, text, attempt)
    return failures.error_answer(response, text, data, attempt, now=datetime.now(timezone.utc))


def _log_retry(state: tenacity.RetryCallState) -> None:
    error = state.outcome.exception() if state.outcome else None
    wait = state.next_action.sleep if state.next_action else 0.0
    if isinstance(error, CollateError):
        log.warning("%s [trying again in %.1f s, attempt %d]", error.message, wait, state.attempt_number + 1)
