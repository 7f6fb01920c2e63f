"""What came of a run: one outcome for each service, for the log, the XCom and the error."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from pydantic import JsonValue

from airflow_provider_collate.exceptions import CollateError, OutcomeError, StatusError

_MOST_DETAILS = 1000
_MOST_RETURNED = 20
_MOST_ROWS_IN_ERROR = 20
_MOST_CHANGES = 20
_MOST_ROWS_IN_LOG = 500
_CONFLICT_ADVICE = (
    'Take it out of the declaration, leave it to others with on_conflict="keep", '
    'or replace what they did with on_conflict="overwrite".'
)
_UNAPPLIED_ADVICE = (
    "The server answered the write with success and did not apply it: look whether the token's role may edit the "
    "field, and whether this release of the server can hold the value."
)


class Outcome(str, Enum):
    """What came of one service."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    RESTORED = "restored"
    DELETED = "deleted"
    IGNORED = "ignored"
    KEPT = "kept"
    CONFLICT = "conflict"
    UNAPPLIED = "unapplied"
    FAILED = "failed"
    NOT_SENT = "not_sent"

    @property
    def is_change(self) -> bool:
        """Whether the catalog was changed."""
        return self in (Outcome.CREATED, Outcome.UPDATED, Outcome.RESTORED, Outcome.DELETED)


_FAILURES = frozenset({Outcome.CONFLICT, Outcome.UNAPPLIED, Outcome.FAILED, Outcome.NOT_SENT})


@dataclass(frozen=True, slots=True)
class RowResult:
    """What came of one service.

    :param row: its number in the declaration, from 0; None for a deleted service.
    :param name: the service's name.
    :param outcome: what came of it.
    :param changes: what was changed, or stayed as it was, in words without a secret.
    :param service_id: its id, where it exists.
    :param fqn: its fully qualified name.
    :param service_type: its type.
    :param version: its version as read after the run.
    :param url: its page in the UI, for a run of one service.
    :param error: what went wrong.
    :param wrote: whether something of it was written, also where the outcome is not one of success.
    """

    row: int | None
    name: str
    outcome: Outcome
    fqn: str
    service_type: str
    changes: tuple[str, ...] = ()
    service_id: str | None = None
    version: float | None = None
    url: str = ""
    error: CollateError | None = None
    wrote: bool = False

    @property
    def is_failure(self) -> bool:
        """Whether the catalog is not as declared."""
        return self.outcome in _FAILURES

    def to_json(self) -> dict[str, JsonValue]:
        """Return the service as an XCom: small, plain, and without any value of its connection."""
        return {
            "id": self.service_id,
            "name": self.name,
            "fullyQualifiedName": self.fqn,
            "serviceType": self.service_type,
            "version": self.version,
            "url": self.url,
            "outcome": self.outcome.value,
        }

    def details(self) -> dict[str, JsonValue]:
        """Return the service as the report has it."""
        details: dict[str, JsonValue] = {"row": self.row, "name": self.name, "outcome": self.outcome.value}
        if self.changes:
            details["changes"] = list(self._bounded_changes())
        if self.error is not None:
            details["status"] = self.error.status if isinstance(self.error, StatusError) else None
            details["message"] = self.error.message
        return details

    def numbered(self) -> str:
        """Return the result as a line with its number in the declaration."""
        return str(self) if self.row is None else f"services[{self.row}] {self}"

    def __str__(self) -> str:
        said = [self.error.message] if self.error is not None else self._bounded_changes()
        return f"{self.name}: {self.outcome.value}{': ' if said else ''}{'; '.join(said)}"

    def _bounded_changes(self) -> list[str]:
        more = len(self.changes) - _MOST_CHANGES
        return [*self.changes[:_MOST_CHANGES], *([f"and {more:,} more"] if more > 0 else [])]


@dataclass(frozen=True, slots=True)
class Report:
    """What came of a run.

    :param rows: one result for each service.
    :param url: the UI's page of all services of the kind.
    :param unreadable_secrets: declared secrets that the token cannot see, so that they cannot be compared.
    :param notes: what a reader should know beside the rows, one sentence each.
    :param abort: what ended the run before all services were written and read again.
    """

    rows: tuple[RowResult, ...]
    url: str = ""
    unreadable_secrets: int = 0
    notes: tuple[str, ...] = ()
    abort: CollateError | None = None

    @property
    def counts(self) -> dict[str, int]:
        """How many services each outcome has; outcomes that no service has are left out."""
        counted = Counter(row.outcome for row in self.rows)
        return {outcome.value: counted[outcome] for outcome in Outcome if counted[outcome]}

    @property
    def changed(self) -> tuple[RowResult, ...]:
        """The services that the run changed."""
        return tuple(row for row in self.rows if row.outcome.is_change or row.wrote)

    @property
    def is_failure(self) -> bool:
        """Whether the catalog is not as declared, or the run ended early."""
        return self.abort is not None or any(row.is_failure for row in self.rows)

    def headline(self) -> str:
        """Return how the run ended, e.g. `Done: 2 created, 1,998 unchanged`."""
        return f"{'Failed' if self.is_failure else 'Done'}: {self.summary()}"

    def summary(self) -> str:
        """Return the counts in words, e.g. `2 created, 1,998 unchanged`."""
        return ", ".join(f"{count:,} {name}" for name, count in self.counts.items()) or "no services declared"

    def log_warnings(self) -> list[str]:
        """Return what the log has as warnings: services that stay as somebody else made them, at most 500."""
        return self._bounded_lines([row for row in self.rows if row.outcome is Outcome.KEPT])

    def log_lines(self) -> list[str]:
        """Return the rest of the services for the log: those that are not unchanged, failures first and at most 500."""
        counted_only = (Outcome.KEPT, Outcome.UNCHANGED) if len(self.rows) > 1 else (Outcome.KEPT,)
        told = [row for row in self.rows if row.outcome not in counted_only]
        return self._bounded_lines(sorted(told, key=lambda row: not row.is_failure))

    def _bounded_lines(self, rows: Sequence[RowResult]) -> list[str]:
        lines = [row.numbered() if len(self.rows) > 1 else str(row) for row in rows[:_MOST_ROWS_IN_LOG]]
        if len(rows) > _MOST_ROWS_IN_LOG:
            lines.append(f"… and {len(rows) - _MOST_ROWS_IN_LOG:,} more services")
        return lines

    def to_json(self, most: int = _MOST_DETAILS) -> dict[str, JsonValue]:
        """Return the report as an XCom: counts in full, details of services that are not unchanged, failures first.

        :param most: how many details at most.
        """
        told = sorted(
            (row for row in self.rows if row.outcome is not Outcome.UNCHANGED), key=lambda row: not row.is_failure
        )
        return {
            "counts": dict(self.counts),
            "rows": [row.details() for row in told[:most]],
            "rows_left_out": max(0, len(told) - most),
            "unreadable_secrets": self.unreadable_secrets,
            "url": self.url,
        }

    def shortened(self) -> dict[str, JsonValue]:
        """Return the report as a task of many services returns it, with few details."""
        return self.to_json(_MOST_RETURNED)

    def error(self) -> CollateError | None:
        """Return why the run is a failure, or None.

        :return: for a single service its own error; else one that counts, names the first 20 failures, and is
            retryable if any of them is.
        """
        failed = [row for row in self.rows if row.is_failure]
        if self.abort is not None:
            return _with_rows(self.abort, failed)
        if not failed:
            return None
        if len(self.rows) == 1 and failed[0].error is not None:
            return failed[0].error
        said = f"{self.summary()}{_lines(failed)}" if len(self.rows) > 1 else str(failed[0])
        return OutcomeError(
            f"The catalog is not as declared: {said}",
            advice=_advice(failed),
            retryable=any(row.error is not None and row.error.retryable for row in failed),
        )


def _with_rows(abort: CollateError, failed: Sequence[RowResult]) -> CollateError:
    """Return what ended the run, with the services that failed before: the last one's error alone would hide them."""
    others = [row for row in failed if row.outcome is not Outcome.NOT_SENT and row.error is not abort]
    return abort.followed_by(f"These failed before:{_lines(others)}") if others else abort


def _lines(rows: Sequence[RowResult]) -> str:
    lines = "".join(f"\n  {row.numbered()}" for row in rows[:_MOST_ROWS_IN_ERROR])
    more = len(rows) - _MOST_ROWS_IN_ERROR
    return lines + (f"\n  … and {more:,} more, see the task's log and its XCom `report`" if more > 0 else "")


def _advice(failed: Sequence[RowResult]) -> str:
    """Return what to do, once for each kind of failure; each row has its own message anyway."""
    outcomes = {row.outcome for row in failed}
    advice = [_CONFLICT_ADVICE] if Outcome.CONFLICT in outcomes else []
    if Outcome.UNAPPLIED in outcomes:
        advice.append(_UNAPPLIED_ADVICE)
    of_rows = {row.error.advice for row in failed if row.error is not None and row.outcome is Outcome.FAILED}
    if len(of_rows) == 1:
        advice += of_rows
    return " ".join(filter(None, advice))
