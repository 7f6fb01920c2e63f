"""HTTP: one request in, one JSON answer or one of this package's errors out, with retries above the errors."""

from __future__ import annotations

import logging
import secrets as random_source
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timezone

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
from airflow_provider_collate.client.messages import Answer, ApiRequest
from airflow_provider_collate.client.network import name_of_server, network, proxy_url
from airflow_provider_collate.client.tokens import BearerAuth, TokenSource
from airflow_provider_collate.exceptions import (
    AuthenticationError,
    CollateError,
    RequestError,
    StoppedError,
)

log = logging.getLogger(__name__)

LONGEST_WAIT = 60.0
LONGEST_RETRY_AFTER = 120.0
_SLEEP_SLICE = 0.5


@dataclass(slots=True)
class _Call:
    """What is remembered from attempt to attempt of one request."""

    request: ApiRequest
    attempts: int = 0
    maybe_applied: bool = False


@dataclass(frozen=True, slots=True)
class _RawAnswer:
    response: httpx.Response
    body: bytes = field(repr=False)


class Transport:
    """Send requests to one server, one token on each, and nothing to anywhere else.

    :param config: where the server is and how patient to be.
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
        """Whether `stop` was called."""
        return self._stopped

    def send(self, request: ApiRequest) -> Answer:
        """Send a request, again after passing faults.

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
            sleep=self._pause,
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
        request_id = random_source.token_hex(8)
        raw = self._exchange(call.request, request_id, token)
        outcome = self._judge(raw, call.request, request_id, token) if isinstance(raw, _RawAnswer) else raw
        if isinstance(outcome, RequestError):
            # Raised here, outside of any `except`, so that no frame or context of httpx travels along:
            # their locals hold the body and the token.
            call.maybe_applied = call.maybe_applied or outcome.maybe_applied
            outcome.maybe_applied = call.maybe_applied
            outcome.attempts = call.attempts
            raise outcome
        return outcome

    def _exchange(self, request: ApiRequest, request_id: str, token: str) -> _RawAnswer | RequestError:
        try:
            with (
                self._deadline.within(self._config.timeout),
                self._open(request, request_id, token) as response,
            ):
                return _RawAnswer(response, read_body(response))
        except BodyTooLargeError:
            return failures.too_large(request, request_id, MAX_BYTES)
        except BodyEncodingError:
            return failures.undecodable(request, request_id)
        except (httpx.HTTPError, httpx.InvalidURL, ssl.SSLError, UnicodeError) as error:
            return failures.no_answer(error, request, request_id, where=self._where, secrets=(token,))

    def _open(self, request: ApiRequest, request_id: str, token: str) -> _Streamed:
        headers = {"X-Request-Id": request_id}
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
        return _Streamed(self._http, prepared, BearerAuth(token) if token else None)

    def _judge(self, raw: _RawAnswer, request: ApiRequest, request_id: str, token: str) -> Answer | RequestError:
        status = raw.response.status_code
        data: JsonValue = None
        fault: NotJsonError | None = None
        try:
            data = parse_json(raw.body) if raw.body else None
        except NotJsonError as error:
            fault = error
        if 200 <= status < 300 and fault is None and (raw.body or status in (202, 204)):
            change = raw.response.headers.get("X-OpenMetadata-Change", "")
            return Answer(status, request, data, change, request_id)
        text = raw.body.decode("utf-8", "replace")
        # A 404 that broke off does not tell whether the service or the whole API is not there.
        if 200 <= status < 300 or (status == 404 and fault is not None and fault.cut_off):
            return failures.not_json(status, fault, text, request, request_id, token)
        return failures.error_answer(
            raw.response,
            text,
            data,
            request,
            request_id=request_id,
            token=token,
            now=datetime.now(timezone.utc),
        )

    def _is_worth_another_attempt(self, error: BaseException) -> bool:
        if self._stopped or not isinstance(error, RequestError) or not error.retryable:
            return False
        return error.retry_after is None or error.retry_after <= LONGEST_RETRY_AFTER

    def _wait(self, state: tenacity.RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        asked = error.retry_after if isinstance(error, RequestError) else None
        return asked if asked is not None else self._backoff(state)

    def _pause(self, seconds: float) -> None:
        # In slices, because a signal handler that sets the flag does not end a sleep.
        while seconds > 0 and not self._stopped:
            self._sleep(min(seconds, _SLEEP_SLICE))
            seconds -= _SLEEP_SLICE


class _Streamed:
    """An open answer; a context manager without httpx's own generator frames."""

    def __init__(self, http: httpx.Client, request: httpx.Request, auth: httpx.Auth | None) -> None:
        self._http = http
        self._request = request
        self._auth = auth
        self._response: httpx.Response | None = None

    def __enter__(self) -> httpx.Response:
        self._response = self._http.send(self._request, auth=self._auth, stream=True)
        return self._response

    def __exit__(self, *_: object) -> None:
        if self._response is not None:
            self._response.close()


def _log_retry(state: tenacity.RetryCallState) -> None:
    error = state.outcome.exception() if state.outcome else None
    wait = state.next_action.sleep if state.next_action else 0.0
    if isinstance(error, CollateError):
        log.warning("%s [trying again in %.1f s, attempt %d]", error.message, wait, state.attempt_number + 1)
