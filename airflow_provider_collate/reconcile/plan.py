"""What a run would do: one decision a row, made from the declaration and what the catalog shows. Writes nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum

from airflow_provider_collate.client.services import PatchOperation
from airflow_provider_collate.exceptions import PruneRefusedError
from airflow_provider_collate.models import CreateServiceRequest
from airflow_provider_collate.models.service import Service
from airflow_provider_collate.reconcile.compare import NO_DIFFERENCE, Comparison, Difference, FieldChange
from airflow_provider_collate.reconcile.options import RunOptions
from airflow_provider_collate.reconcile.scope import prune_refusal

FIRST_VERSION = 0.1
# Recorded on 1.2: a POST is answered with 201, and its tags are not there.
DROPPED_BY_POST = frozenset({"tags"})
EXISTS_ADVICE = 'Use if_exists="update" to make it as declared, if_exists="ignore" to leave it, or another name.'
_DELETED_ADVICE = 'Use if_exists="update" to restore it and make it as declared, or delete it for good first.'
_TYPE_ADVICE = "Delete the service first, or give the declaration another name."
_HOLDS_ADVICE = "Change the declaration, or upgrade the server."


class Action(str, Enum):
    """What is to be done about a row."""

    CREATE = "create"
    RESTORE = "restore"
    UPDATE = "update"
    KEEP = "keep"
    PRUNE = "prune"
    CONFLICT = "conflict"
    IGNORE = "ignore"
    UNCHANGED = "unchanged"

    @property
    def writes(self) -> bool:
        """Whether something is to be sent."""
        return self in _WRITING


_WRITING = frozenset({Action.CREATE, Action.RESTORE, Action.UPDATE, Action.PRUNE})


@dataclass(slots=True)  # never changed; but to freeze thousands would take as long as to compare them
class RowPlan:
    """The decision about one service.

    :param row: its number in the declaration, from 0; None for a service that is to be pruned.
    :param name: its name.
    :param action: what is to be done.
    :param service_type: the declared type, or the one it has.
    :param request: the declaration; None for a service that is to be pruned.
    :param service_id: its id, where it exists.
    :param version: its version, where it exists.
    :param updated_at: when it was changed last, in milliseconds since the epoch, where it exists.
    :param difference: what differs.
    :param reason: why, for a conflict.
    :param advice: what to do about a conflict.
    """

    row: int | None
    name: str
    action: Action
    service_type: str
    request: CreateServiceRequest | None = None
    service_id: str | None = None
    version: float | None = None
    updated_at: int | None = None
    difference: Difference = NO_DIFFERENCE
    reason: str = ""
    advice: str = ""

    @property
    def kept(self) -> tuple[FieldChange, ...]:
        """The fields that stay as they are against the declaration."""
        return self.difference.kept

    @property
    def guard(self) -> tuple[PatchOperation, ...]:
        """Tests by which a patch is refused if anyone has edited the service since it was read.

        Most edits raise the version; a person's further ones within ten minutes keep it (server source).
        """
        seen = (("/version", self.version), ("/updatedAt", self.updated_at))
        return tuple(PatchOperation("test", path, value) for path, value in seen if value is not None)


@dataclass(frozen=True, slots=True)
class Plan:
    """A decision for each declared service, and for each that is to be pruned.

    :param rows: the decisions, in the order of the declaration, then those to prune by name.
    :param in_scope: how many services of the catalog are in the prune scope.
    :param refusal: why it is not to be carried out: more would be pruned than may be.
    :param notes: what is to be said beside the rows.
    """

    rows: tuple[RowPlan, ...]
    in_scope: int = 0
    refusal: PruneRefusedError | None = None
    notes: tuple[str, ...] = ()

    @property
    def writing(self) -> tuple[RowPlan, ...]:
        """The rows that something is to be sent for."""
        return tuple(row for row in self.rows if row.action.writes)

    def counts(self) -> dict[str, int]:
        """How many rows each action has."""
        return dict(Counter(row.action.value for row in self.rows))


def make_plan(
    requests: Sequence[CreateServiceRequest],
    services: Iterable[Service],
    comparison: Comparison,
    options: RunOptions,
) -> Plan:
    """Decide about every row. Each service is let go of as soon as it is compared.

    :param requests: the declared services, valid and each name once.
    :param services: what the catalog shows: all that are declared, soft-deleted ones too, and all in the prune scope.
    :param comparison: compares one with the other.
    :param options: the run's options.
    """
    numbers = {request.name: number for number, request in enumerate(requests)}
    planned: list[RowPlan | None] = [None] * len(requests)
    doomed: dict[str, RowPlan] = {}
    in_scope: set[str] = set()
    for service in services:
        number = numbers.get(service.name)
        if number is not None:
            planned[number] = plan_row(number, requests[number], service, comparison, options)
        if is_in_scope(service, options):
            in_scope.add(service.name)
            if number is None:
                doomed[service.name] = plan_removal(service, options)
    if options.prune and not requests and not options.allow_empty:
        note = (
            f"Nothing is declared, so none of the {len(in_scope):,} services in scope is pruned: allow_empty=True does"
        )
        return Plan((), len(in_scope), notes=(note,))
    refusal = prune_refusal(len(doomed), len(in_scope), options.max_prune)
    rows = (row or plan_row(number, requests[number], None, comparison, options) for number, row in enumerate(planned))
    return Plan(
        (*rows, *(doomed[name] for name in sorted(doomed))),
        len(in_scope),
        refusal,
        (f"A run would be refused: {refusal.message}",) if refusal else (),
    )


def plan_row(
    number: int | None,
    request: CreateServiceRequest,
    service: Service | None,
    comparison: Comparison,
    options: RunOptions,
) -> RowPlan:
    """Decide about one row."""
    if service is None:
        reason = comparison.cannot_hold(request)
        action = Action.CONFLICT if reason else Action.CREATE
        advice = _HOLDS_ADVICE if reason else ""
        return RowPlan(number, request.name, action, request.service_type, request, reason=reason, advice=advice)
    difference = NO_DIFFERENCE
    if service.service_type == request.service_type:
        difference = comparison.difference(request.declared(), service)
    action, reason, advice = _decide(request, service, difference, options)
    return RowPlan(
        number,
        request.name,
        action,
        request.service_type,
        request,
        service.id,
        service.version,
        service.updated_at,
        difference,
        reason,
        advice,
    )


def _decide(
    request: CreateServiceRequest, service: Service, difference: Difference, options: RunOptions
) -> tuple[Action, str, str]:
    """What is to be done, and for a conflict why and what to do about it."""
    if service.service_type != request.service_type:
        reason = f"is a {service.service_type} service, and a service's type cannot be changed"
        return Action.CONFLICT, reason, _TYPE_ADVICE
    if options.if_exists == "update" or (
        options.retried and not service.deleted and is_our_creation(service.version, difference)
    ):
        return _decide_existing(service, difference), "", ""
    if options.if_exists == "ignore" and not service.deleted:
        return Action.IGNORE, "", ""
    if service.deleted:
        return Action.CONFLICT, "exists, soft-deleted", _DELETED_ADVICE
    return Action.CONFLICT, "exists already", EXISTS_ADVICE


def is_our_creation(version: float | None, difference: Difference) -> bool:
    """Whether a service may be what an earlier attempt created: as declared, but for what a POST may drop (tags)."""
    dropped = all(change.field in DROPPED_BY_POST for change in difference.changes)
    return not difference.changes or (dropped and version == FIRST_VERSION)


def _decide_existing(service: Service, difference: Difference) -> Action:
    if service.deleted:
        return Action.RESTORE
    if difference is NO_DIFFERENCE:
        return Action.UNCHANGED
    if difference.writable:
        return Action.UPDATE
    return Action.KEEP if difference.kept else Action.UNCHANGED


def is_in_scope(service: Service, options: RunOptions) -> bool:
    """Whether the declaration is the whole truth for a service, so that it is pruned when it is not declared."""
    scope = options.prune_scope if options.prune else None
    return scope is not None and not service.deleted and scope.holds(service)


def plan_removal(service: Service, options: RunOptions) -> RowPlan:
    """The decision to delete a service."""
    return RowPlan(
        row=None,
        name=service.name,
        action=Action.PRUNE,
        service_type=service.service_type,
        service_id=service.id,
        version=service.version,
        updated_at=service.updated_at,
        reason=f"{options.prune} delete",
    )
