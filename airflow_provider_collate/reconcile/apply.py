"""Write what a plan says, and only that."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import dataclass

from pydantic import JsonValue

from airflow_provider_collate.client.client import CollateClient
from airflow_provider_collate.client.failures import refused_row
from airflow_provider_collate.client.redaction import clean_message
from airflow_provider_collate.client.services import Services, fqn_of
from airflow_provider_collate.exceptions import (
    AnswerError,
    AuthenticationError,
    BadRequestError,
    CollateError,
    InvalidConnectionError,
    LimitExceededError,
    MissingEndpointError,
    NoAnswerError,
    NotFoundError,
    OutcomeError,
    RedirectError,
    ServerError,
    StoppedError,
    TooManyRequestsError,
)
from airflow_provider_collate.models import BulkOperationResult, BulkRow
from airflow_provider_collate.reconcile.options import RunOptions
from airflow_provider_collate.reconcile.plan import Action, RowPlan
from airflow_provider_collate.reconcile.workers import each

log = logging.getLogger(__name__)

PROGRESS_EVERY = 5.0
# A server that fails so many rows in a row, each after its retries, is down: the rest would only wait.
GIVE_UP_AFTER = 10
_SIGNS_OF_DEATH = (NoAnswerError, AnswerError, ServerError, TooManyRequestsError)
# What the first row meets, every other one meets too.
_HOPELESS = (AuthenticationError, InvalidConnectionError, StoppedError, LimitExceededError, RedirectError)

Replan = Callable[[RowPlan], RowPlan]
Written = dict[str, "CollateError | None"]
"""Name of each row that was sent → what went wrong, or None."""


@dataclass(slots=True)
class Progress:
    """Says every few seconds how far a long run is.

    :param total: rows to write.
    :param clock: a monotonic clock in seconds.
    """

    total: int
    clock: Callable[[], float]
    done: int = 0
    failed: int = 0
    _told_at: float | None = None

    def count(self, failed: bool) -> None:
        """Count one row."""
        self.done += 1
        self.failed += failed
        now = self.clock()
        if self._told_at is None:
            self._told_at = now
        elif now - self._told_at >= PROGRESS_EVERY:
            self._told_at = now
            log.info("%s of %s rows sent, %s failed", f"{self.done:,}", f"{self.total:,}", f"{self.failed:,}")


class Writer:
    """Writes the rows of a plan for one kind of service.

    :param client: the server.
    :param services: the endpoints of the kind.
    :param options: the run's options.
    :param replan: looks at a row again; needed where a restore changes the service before its patch.
    :param clock: a monotonic clock in seconds.
    """

    def __init__(
        self,
        client: CollateClient,
        services: Services,
        options: RunOptions,
        replan: Replan,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client = client
        self._services = services
        self._options = options
        self._replan = replan
        self._clock = clock
        self.written: Written = {}

    def write(self, rows: Sequence[RowPlan]) -> None:
        """Send every row; `written` has what went wrong with each that was sent, or None where nothing did.

        :raises AuthenticationError: when the token is refused; no further row is sent.
        :raises OutcomeError: when the server fails row after row; no further row is sent.
        :raises StoppedError: when the task was told to stop.
        """
        progress = Progress(len(rows), self._clock)
        written = self.written
        failed_requests: dict[str, CollateError] = {}
        with closing(self._results(rows)) as results:
            for name, error in results:
                written[name] = error
                _raise_if_hopeless(error)
                progress.count(error is not None)
                # A row refused inside of a bulk answer has no request of its own, and says nothing of the server.
                if isinstance(error, _SIGNS_OF_DEATH) and error.request_id:
                    failed_requests[error.request_id] = error
                elif error is None:
                    failed_requests.clear()
                if error is not None and len(failed_requests) >= GIVE_UP_AFTER and len(written) < len(rows):
                    raise _given_up(len(failed_requests), error)

    def _results(self, rows: Sequence[RowPlan]) -> Generator[tuple[str, CollateError | None], None, None]:
        creates = [row for row in rows if row.action is Action.CREATE]
        others = [row for row in rows if row.action is not Action.CREATE]
        while len(creates) > 1 and self._may_send_bulk():
            chunk, creates = creates[: self._options.chunk_size], creates[self._options.chunk_size :]
            results = self._bulk(chunk)
            if results is None:
                others = [*chunk, *others]
            else:
                yield from results
        singly = each(
            [*creates, *others],
            self._send,
            max_workers=self._options.max_workers,
            stopped=lambda: self._client.stopped,
        )
        with closing(singly):
            for row, result in singly:
                yield row.name, result

    def _may_send_bulk(self) -> bool:
        """Whether new rows may go out by the bulk endpoint.

        It is a PUT, and so overwrites what someone created meanwhile: only `update` allows that, and only a bot's
        PUT keeps the texts that a person wrote (recorded).
        """
        if self._options.if_exists != "update" or self._client.bulk_is_missing:
            return False
        return self._client.identity().is_bot

    def _send(self, row: RowPlan) -> None:
        if row.action is Action.CREATE and row.request is not None:
            # POST, not PUT: if someone has created the service meanwhile, a PUT would overwrite it and, by a
            # person's token, clear what the declaration does not mention (recorded). A 409 is settled by reading.
            self._services.create(row.request.to_payload(), row.request.secrets())
        elif row.action is Action.PRUNE:
            self._prune(row)
        elif row.action is Action.RESTORE and row.service_id is not None:
            self._restore(row, row.service_id)
        else:
            self._patch(row)

    def _prune(self, row: RowPlan) -> None:
        """Delete a service, unless it is gone or another one than the plan saw: a deletion has no guard of its own."""
        now = self._replan(row)
        if now.action is Action.UNCHANGED or now.service_id is None:
            return
        if now.guard != row.guard or now.action is not Action.PRUNE:
            raise OutcomeError(
                f"{row.name!r} was changed by someone meanwhile, and is not pruned",
                advice="Run the task again to plan anew.",
            )
        self._services.delete(now.service_id, hard=self._options.prune == "hard")

    def _restore(self, row: RowPlan, service_id: str) -> None:
        refused: NotFoundError | None = None
        try:
            self._services.restore(service_id)
        except NotFoundError as error:
            # Not deleted any more: an earlier attempt's answer was lost, or someone else restored it meanwhile.
            refused = error
        now = self._replan(row)
        if refused is not None and now.action in (Action.RESTORE, Action.CREATE):
            raise refused
        self._patch(now)

    def _patch(self, row: RowPlan) -> None:
        operations = [operation for change in row.difference.writable for operation in change.operations]
        if operations and row.service_id is not None and row.request is not None:
            self._services.patch(row.service_id, [*row.guard, *operations], row.request.secrets())

    def _bulk(self, rows: Sequence[RowPlan]) -> list[tuple[str, CollateError | None]] | None:
        """One bulk request; None where the rows are to be sent one by one instead."""
        if self._client.stopped:
            raise StoppedError("The task was told to stop; no further request was sent")
        requests = [row.request for row in rows if row.request is not None]
        payloads: list[dict[str, JsonValue]] = [request.to_payload() for request in requests]
        secrets = tuple(value for request in requests for value in request.secrets())
        try:
            result = self._services.put_bulk(payloads, secrets)
        except MissingEndpointError:
            log.info(
                "This server has no bulk endpoint; sending rows one by one, %d at a time",
                self._options.max_workers,
            )
            self._client.bulk_is_missing = True
            return None
        except (BadRequestError, NotFoundError) as error:
            # One row that the server cannot read refuses them all: alone, each gets an answer of its own.
            log.warning("A bulk request was refused as a whole, sending its rows one by one: %s", error.message)
            return None
        except CollateError as error:
            return [(row.name, error) for row in rows]
        _log_abort(result, secrets)
        failed = {row.name: row for row in result.failed_request}
        outcomes = []
        for plan in rows:
            refused = failed.get(plan.name) or failed.get(fqn_of(plan.name))
            outcomes.append((plan.name, _row_error(refused, self._services, secrets) if refused else None))
        return outcomes


def _row_error(row: BulkRow, services: Services, secrets: Sequence[str]) -> CollateError:
    """The error for a row that a bulk request refused; its message can echo the row."""
    return refused_row(row.status or 400, row.message or "no message", f"{services.kind.path}/bulk", secrets)


def _raise_if_hopeless(error: CollateError | None) -> None:
    """Raise what would meet every other row too."""
    if isinstance(error, _HOPELESS) or (isinstance(error, NoAnswerError) and not error.retryable):
        raise error


def _log_abort(result: BulkOperationResult, secrets: Sequence[str]) -> None:
    if result.abort_reason:
        log.warning("Collate aborted a bulk request: %s", clean_message(result.abort_reason, secrets))


def _given_up(requests: int, error: CollateError) -> OutcomeError:
    return OutcomeError(
        f"{requests} requests in a row failed, so the rest was not sent. The last failed with: {error.message}",
        advice="The server seems to be down; the next attempt sends only what is missing.",
        retryable=True,
    )
