"""What came of a run: one outcome a row, for the log, the XCom and the error."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum

from pydantic import JsonValue

from airflow_provider_collate.exceptions import CollateError, OutcomeError, StatusError

MOST_DETAILS = 1000
MOST_ROWS_IN_ERROR = 20
_MOST_CHANGES = 20
_MOST_ROWS_IN_LOG = 2000
_WAYS_OUT = (
    'Either let the task override them with on_unapplied="enforce" (it replaces what a person wrote), '
    "or take the fields out of the declaration."
)


class Outcome(str, Enum):
    """What came of one row."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    RESTORED = "restored"
    PRUNED = "pruned"
    DELETED = "deleted"
    IGNORED = "ignored"
    UNAPPLIED = "unapplied"
    FAILED = "failed"

    @property
    def is_change(self) -> bool:
        """Whether the catalog is another one than before."""
        return self in (Outcome.CREATED, Outcome.UPDATED, Outcome.RESTORED, Outcome.PRUNED, Outcome.DELETED)


@dataclass(frozen=True, slots=True)
class RowResult:
    """What came of one row.

    :param row: its number in the declaration, from 0; None for a pruned service.
    :param name: the service's name.
    :param outcome: what came of it.
    :param changes: what was changed, or stayed as it was, in words without a secret.
    :param service_id: its id, where it exists.
    :param fqn: its fully qualified name.
    :param service_type: its type.
    :param version: its version as read after the run.
    :param url: its page in the UI, for a run of one row.
    :param error: what went wrong.
    :param wrote: whether some fields were written, also where others were not applied.
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

    def to_json(self) -> dict[str, JsonValue]:
        """The service as an XCom: small, plain, and without any value of its connection."""
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
        """The row as the report has it."""
        details: dict[str, JsonValue] = {"row": self.row, "name": self.name, "outcome": self.outcome.value}
        if self.changes:
            details["changes"] = list(self._bounded_changes())
        if self.error is not None:
            details["status"] = self.error.status if isinstance(self.error, StatusError) else None
            details["message"] = self.error.message
        return details

    @property
    def is_bad(self) -> bool:
        """Whether the catalog is not as declared."""
        return self.outcome in (Outcome.FAILED, Outcome.UNAPPLIED)

    def numbered(self) -> str:
        """The row with its number in the declaration."""
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

    :param rows: one result a row.
    :param url: the UI's page of all services of the kind.
    :param unreadable_secrets: declared secrets that the catalog shows masked, so that nothing can be said of them.
    :param on_unapplied: how rows are judged whose fields the catalog kept.
    :param notes: what is to be said beside the rows.
    :param abort: what ended the run before all rows were sent and read again.
    """

    rows: tuple[RowResult, ...]
    url: str = ""
    unreadable_secrets: int = 0
    on_unapplied: str = "fail"
    notes: tuple[str, ...] = field(default=())
    abort: CollateError | None = None

    @property
    def counts(self) -> dict[str, int]:
        """How many rows each outcome has; outcomes that no row has are left out."""
        counted = Counter(row.outcome for row in self.rows)
        return {outcome.value: counted[outcome] for outcome in Outcome if counted[outcome]}

    @property
    def changed(self) -> tuple[RowResult, ...]:
        """The rows for which the catalog is another one than before."""
        return tuple(row for row in self.rows if row.outcome.is_change or row.wrote)

    def summary(self) -> str:
        """The counts in words, e.g. `2 created, 1,998 unchanged`."""
        return ", ".join(f"{count:,} {name}" for name, count in self.counts.items()) or "no services declared"

    def log_lines(self) -> Iterator[str]:
        """The report for the log: each row that failed, then others that are not unchanged, then the counts."""
        if len(self.rows) == 1:
            yield from (str(self.rows[0]), *self.notes)
            return
        yield from (row.numbered() for row in self.rows if row.is_bad)
        good = [row for row in self.rows if not row.is_bad and row.outcome is not Outcome.UNCHANGED]
        yield from (row.numbered() for row in good[:_MOST_ROWS_IN_LOG])
        if len(good) > _MOST_ROWS_IN_LOG:
            yield f"… and {len(good) - _MOST_ROWS_IN_LOG:,} more rows"
        yield from self.notes
        yield self.summary()

    def to_json(self) -> dict[str, JsonValue]:
        """The report as an XCom: counts in full, details of at most 1,000 rows that are not unchanged."""
        told = [row for row in self.rows if row.outcome is not Outcome.UNCHANGED]
        # Failures first: they are what somebody looks for.
        told.sort(key=lambda row: not row.is_bad)
        return {
            "counts": dict(self.counts),
            "rows": [row.details() for row in told[:MOST_DETAILS]],
            "rows_left_out": max(0, len(told) - MOST_DETAILS),
            "unreadable_secrets": self.unreadable_secrets,
            "url": self.url,
        }

    def error(self) -> CollateError | None:
        """Why the run is a failure, or None.

        :return: for a single row its own error; else one that counts, names the first 20 rows, and is
            retryable if any of the failed rows is.
        """
        if self.abort is not None:
            return self.abort
        failed = [row for row in self.rows if row.outcome is Outcome.FAILED]
        unapplied = [row for row in self.rows if row.outcome is Outcome.UNAPPLIED]
        if not failed and (not unapplied or self.on_unapplied == "warn"):
            return None
        if len(self.rows) == 1 and failed and failed[0].error is not None:
            return failed[0].error
        many = len(self.rows) > 1
        said = f"{self.summary()}{_lines(failed + unapplied)}" if many else str(self.rows[0])
        return OutcomeError(
            f"The catalog is not as declared: {said}",
            advice=_WAYS_OUT if unapplied else _advice(failed),
            retryable=any(row.error is not None and row.error.retryable for row in failed),
        )


def _lines(rows: list[RowResult]) -> str:
    lines = "".join(f"\n  {row.numbered()}" for row in rows[:MOST_ROWS_IN_ERROR])
    more = len(rows) - MOST_ROWS_IN_ERROR
    return lines + (f"\n  … and {more:,} more, in the task's log and its XCom `report`" if more > 0 else "")


def _advice(failed: list[RowResult]) -> str:
    """What to do, where all failed rows have the same advice; each row has its own message anyway."""
    advice = {row.error.advice for row in failed if row.error is not None}
    return advice.pop() if len(advice) == 1 else ""
