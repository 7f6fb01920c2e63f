"""Write what changes say, and only that."""

from __future__ import annotations

import logging
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import dataclass, field

from airflow_provider_collate.client.client import CollateClient
from airflow_provider_collate.client.failures import refused_row
from airflow_provider_collate.client.messages import Secrets
from airflow_provider_collate.client.redaction import clean_message
from airflow_provider_collate.client.services import Services, fqn_of
from airflow_provider_collate.exceptions import (
    AnswerError,
    AuthenticationError,
    BadRequestError,
    ChangedMeanwhileError,
    CollateError,
    InvalidConnectionError,
    LimitExceededError,
    MissingEndpointError,
    NoAnswerError,
    NotFoundError,
    OutcomeError,
    RedirectError,
    RequestError,
    ServerError,
    StoppedError,
    TooManyRequestsError,
)
from airflow_provider_collate.models.bulk_result import BulkOperationResult
from airflow_provider_collate.reconcile.changes import Action, Change, Existing, existing_of, is_gone
from airflow_provider_collate.reconcile.facts import ServerFacts
from airflow_provider_collate.reconcile.options import RunOptions
from airflow_provider_collate.reconcile.progress import Progress
from airflow_provider_collate.reconcile.workers import Workers

log = logging.getLogger(__name__)

# What the first row meets, every other one meets too.
_MET_BY_EVERY_ROW = (AuthenticationError, InvalidConnectionError, StoppedError, LimitExceededError, RedirectError)

Result = tuple[Change, "CollateError | None"]


@dataclass(slots=True)
class CircuitBreaker:
    """End a run against a server that is down, because the rest would only wait for it.

    A row that a bulk request refused has no request of its own, and says nothing of the server.

    :param limit: how many requests in a row may fail, each after its own retries.
    """

    limit: int = 10
    _failed: set[str] = field(default_factory=set)

    def count(self, error: CollateError | None) -> OutcomeError | None:
        """Count one answer, and return the end of the run when one too many in a row told of a server that is down."""
        request_id = error.request_id if isinstance(error, RequestError) else ""
        if error is not None and not request_id:
            return None
        if not isinstance(error, NoAnswerError | AnswerError | ServerError | TooManyRequestsError):
            self._failed.clear()  # also a refusal shows that the server is there
            return None
        self._failed.add(request_id)
        if len(self._failed) < self.limit:
            return None
        return OutcomeError(
            f"{self.limit} requests in a row failed, so the rest was not sent. The last failed with: {error.message}",
            advice="The server seems to be down; the next attempt sends only what is missing.",
            retryable=True,
        )


def _end_of_run(error: CollateError | None) -> CollateError | None:
    """Return an error that every other row would meet too."""
    is_final = isinstance(error, NoAnswerError) and not error.retryable
    if isinstance(error, LimitExceededError) and not error.code:
        return None  # not the plan's limit: this one row is too large for the server, or for a proxy
    return error if is_final or isinstance(error, _MET_BY_EVERY_ROW) else None


@dataclass(slots=True)
class Writer:
    """Write changes of services of one kind.

    :param sent_bulk: whether a bulk request was sent, which overwrites what somebody else has created.
    """

    client: CollateClient
    services: Services
    facts: ServerFacts
    options: RunOptions
    workers: Workers
    progress: Progress
    sent_bulk: bool = False

    def write(self, changes: Sequence[Change], breaker: CircuitBreaker | None) -> Generator[Result, None, None]:
        """Send every change, and yield each with what it met.

        :param breaker: ends the run when the server is down; None where failures are expected.
        :raises AuthenticationError: when the token is refused, and in the same way for all that every row would meet.
        :raises OutcomeError: when the circuit breaker opens.
        """
        failed = 0
        end: CollateError | None = None
        with closing(self._results(changes, enough=lambda: end is not None)) as results:
            for written, (change, error) in enumerate(results, start=1):
                yield change, error
                failed += error is not None
                self.progress.tell("{:,} of {:,} services written, {:,} failed", written, len(changes), failed)
                end = end or _end_of_run(error)
                if breaker is not None and written < len(changes):
                    end = end or breaker.count(error)
        if end is not None:
            raise end

    def _results(self, changes: Sequence[Change], *, enough: Callable[[], bool]) -> Generator[Result, None, None]:
        creations = [change for change in changes if change.action is Action.CREATE]
        # First, because a plan's limit for new services would end the run before them.
        yield from self._singly([change for change in changes if change.action is not Action.CREATE], enough)
        refused: list[Change] = []
        while len(creations) > 1 and self._may_send_bulk() and not enough():
            chunk, creations = creations[: self.options.chunk_size], creations[self.options.chunk_size :]
            results = self._send_bulk(chunk)
            if results is None:
                refused += chunk
            else:
                yield from results
        yield from self._singly([*refused, *creations], enough)

    def _singly(self, changes: Sequence[Change], enough: Callable[[], bool]) -> Generator[Result, None, None]:
        if not changes or enough():
            return
        with closing(self.workers.each(changes, self._send, enough)) as results:
            yield from results

    def _may_send_bulk(self) -> bool:
        """Return whether new services may go out by the bulk endpoint.

        It is a PUT, and so overwrites what someone created meanwhile: only `update` without an approved plan allows
        that, and only a bot's PUT keeps the texts that a person wrote (recorded).
        """
        if self.options.approved_plan is not None:
            return False
        return self.options.if_exists == "update" and self.facts.is_bot and not self.client.bulk_is_missing

    def _send(self, change: Change) -> None:
        """Send one change. A restore is sent alone: it moves the version, so what differs is patched afterwards."""
        there, desired = change.existing, change.desired
        if change.action is Action.CREATE and desired is not None:
            # POST, not PUT: if someone has created the service meanwhile, a PUT would overwrite it and, by a
            # person's token, clear what the declaration does not mention (recorded).
            self.services.create(desired.payload(), desired.declared.secrets)
        elif there is None:
            return
        elif change.action is Action.DELETE:
            self._delete(change.name, there)
        elif change.action is Action.RESTORE:
            self.services.restore(there.id)
        elif desired is not None:
            operations = [operation for field in change.writable for operation in field.operations]
            self.services.patch(there.id, [*there.guard, *operations], desired.declared.secrets)

    def _delete(self, name: str, planned: Existing) -> None:
        """Delete a service as the plan saw it: a deletion has no guard of its own."""
        hard = self.options.prune == "hard"
        service = self.services.by_id(planned.id, include="all")
        if service is None or is_gone(service, hard=hard):
            return
        if existing_of(service) != planned:
            raise ChangedMeanwhileError(
                f"{name!r} was changed by someone since the plan, and was not deleted",
                status=200,
                method="GET",
                path=f"{self.services.kind.path}/{planned.id}",
                advice="Run the task again to plan with what the catalog shows now.",
            )
        self.services.delete(planned.id, hard=hard)

    def _send_bulk(self, changes: Sequence[Change]) -> list[Result] | None:
        """Send one bulk request; return None where its rows must be sent one by one instead."""
        self.workers.raise_if_stopped()
        desired = [change.desired for change in changes if change.desired is not None]

        def secrets() -> tuple[str, ...]:
            return tuple(value for one in desired for value in one.declared.secrets())

        self.sent_bulk = True
        try:
            result = self.services.put_bulk([one.payload() for one in desired], secrets)
        except MissingEndpointError:
            log.info("This server has no bulk endpoint; sending services one by one, %d at a time", self.workers.limit)
            self.client.bulk_is_missing, self.sent_bulk = True, False
            return None
        except CollateError as error:
            if _end_of_run(error) or not isinstance(error, BadRequestError | NotFoundError | LimitExceededError):
                return [(change, error) for change in changes]
            # One row that the server cannot read refuses them all: alone, each gets an answer of its own.
            log.warning("A bulk request was refused as a whole, sending its services one by one: %s", error.message)
            return None
        return self._bulk_results(changes, result, secrets)

    def _bulk_results(self, changes: Sequence[Change], result: BulkOperationResult, secrets: Secrets) -> list[Result]:
        if result.abort_reason:
            log.warning("Collate aborted a bulk request: %s", clean_message(result.abort_reason, secrets()))
        refused = {row.name: row for row in result.failed_request}
        path, label = f"{self.services.kind.path}/bulk", self.services.kind.label
        results: list[Result] = []
        for change in changes:
            row = refused.get(change.name) or refused.get(fqn_of(change.name))
            own = change.desired.declared.secrets() if row and change.desired else ()
            error = refused_row(row.status or 400, row.message or "no message", path, own, label) if row else None
            results.append((change, error))
        return results
