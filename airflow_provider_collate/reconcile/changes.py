"""Decide what to do about one service: a pure comparison of a declaration with what the catalog shows."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import NamedTuple

from pydantic import JsonValue

from airflow_provider_collate.client.services import PatchOperation
from airflow_provider_collate.models import ConnectionConfig, DeclaredService
from airflow_provider_collate.models.digests import MASK
from airflow_provider_collate.models.service import Service
from airflow_provider_collate.reconcile.comparison import Comparison, items
from airflow_provider_collate.reconcile.connection_changes import has_mask
from airflow_provider_collate.reconcile.facts import Authors, ServerFacts
from airflow_provider_collate.reconcile.field_change import ABSENT, FieldChange, Status
from airflow_provider_collate.reconcile.options import RunOptions

_FIRST_VERSION = 0.1
EXISTS_ADVICE = 'Use if_exists="update" to make it as declared, if_exists="ignore" to leave it, or another name.'
_DELETED_ADVICE = 'Use if_exists="update" to restore it and make it as declared, or delete it for good first.'
_TYPE_ADVICE = "Delete the service first, or give the declaration another name."
_HOLDS_ADVICE = "Change the declaration, or upgrade the server."
_MASK_ADVICE = "Give the secret itself, or a conn_id that has it."
_BROKEN_ADVICE = "Ask the server's operator to repair the reference: such a service can be neither changed nor deleted."
_ABSENT_ADVICE = "Correct the name in the declaration, or create it in the catalog first."
_PROBLEM_ADVICE = "Correct the declaration; nothing was sent for this service."


class Action(str, Enum):
    """What to do about a service."""

    CREATE = "create"
    RESTORE = "restore"
    UPDATE = "update"
    DELETE = "delete"
    KEEP = "keep"
    CONFLICT = "conflict"
    IGNORE = "ignore"
    NONE = "unchanged"


_NOT_KNOWN = FieldChange("createdBy", "is not known yet", status=Status.UNDECIDED)
WRITING = frozenset({Action.CREATE, Action.RESTORE, Action.UPDATE, Action.DELETE})


@dataclass(frozen=True, slots=True)
class Desired:
    """One declared service.

    :param all_declared: all that is declared; the services of a file may be read each time they are asked for.
    :param resolved: fields that named something, as the references that the names stand for.
    :param problems: names in it that are not in the catalog, each as a line with its path.
    """

    row: int
    all_declared: Sequence[DeclaredService] = field(repr=False, compare=False)
    name: str
    resolved: Mapping[str, JsonValue] | None = None
    problems: tuple[str, ...] = ()

    @property
    def declared(self) -> DeclaredService:
        """Return the declaration."""
        return self.all_declared[self.row]

    def payload(self) -> dict[str, JsonValue]:
        """Return the body of a request that creates the service: owners as references, domains by name."""
        payload = self.declared.payload()
        if self.resolved and "owners" in self.resolved:
            owners = items(self.resolved["owners"])
            payload["owners"] = [{"id": owner["id"], "type": owner["type"]} for owner in owners]
        return payload


@dataclass(slots=True)  # never changed; but to freeze thousands would take as long as to compare them
class Change:
    """What to do about one service.

    :param service_type: the declared type, or the one it has.
    :param desired: the declaration; None for a service to delete.
    :param existing: what the catalog shows, reduced to what a write needs; None where there is no such service.
    :param fields: each field that is not as declared.
    :param reason: why, for a conflict or a deletion.
    :param advice: what to do about a conflict.
    """

    name: str
    action: Action
    service_type: str
    desired: Desired | None = None
    existing: Existing | None = None
    fields: tuple[FieldChange, ...] = ()
    reason: str = ""
    advice: str = ""

    writable: tuple[FieldChange, ...] = field(init=False, default=())
    """The fields that are written; secrets that cannot be compared go along with any other."""
    conflicts: tuple[FieldChange, ...] = field(init=False, default=())
    """The fields that somebody else set to another value, which is kept."""
    is_undecided: bool = field(init=False, default=False)
    """Whether the service's history must be read to decide."""
    writes: bool = field(init=False, default=False)
    """Whether something must be sent."""

    def __post_init__(self) -> None:
        rewritten: tuple[FieldChange, ...] = ()
        if self.fields:
            rewritten = self.having(Status.REWRITE)
            self.writable = self.having(Status.WRITE) + rewritten
            self.conflicts = self.having(Status.CONFLICT)
            self.is_undecided = any(one.status is Status.UNDECIDED for one in self.fields)
        self.writes = self.action in WRITING or (bool(rewritten) and self.action is not Action.CONFLICT)

    def having(self, status: Status) -> tuple[FieldChange, ...]:
        """Return the fields of a status."""
        return tuple(one for one in self.fields if one.status is status)

    @property
    def values(self) -> set[str]:
        """What its operations set, without what they test."""
        operations = (operation for one in self.writable for operation in one.operations)
        return {json.dumps(operation.to_json(), sort_keys=True) for operation in operations if operation.op != "test"}


@dataclass(frozen=True, slots=True)
class Existing:
    """What of a service in the catalog a write needs.

    :param version: raised by most edits, but not by the same user's further ones within ten minutes (server source).
    :param updated_at: milliseconds since the epoch, moved by every edit.
    """

    id: str
    version: float | None
    updated_at: int | None
    updated_by: str | None = None

    def is_new_by(self, user: str) -> bool:
        """Return whether it is in its first version, and that a user's."""
        return self.version == _FIRST_VERSION and self.updated_by == user

    @property
    def guard(self) -> tuple[PatchOperation, ...]:
        """Tests by which a patch is refused if anyone has edited the service since it was read."""
        seen = (("/version", self.version), ("/updatedAt", self.updated_at))
        return tuple(PatchOperation("test", path, value) for path, value in seen if value is not None)


def existing_of(service: Service) -> Existing:
    """Return what of a service a write needs."""
    return Existing(service.id, service.version, service.updated_at, service.updated_by)


def change_of(
    desired: Desired,
    service: Service | None,
    facts: ServerFacts,
    options: RunOptions,
    authors: Authors | None = None,
) -> Change:
    """Compare a declaration with a service and decide what to do.

    :param authors: who set what; None while the history is not read, which a change that needs it says.
    """
    declared = desired.declared
    if conflict := _conflict(desired, declared, service, facts):
        decision = _Decision(Action.CONFLICT, (), *conflict)
    elif service is None:
        decision = _Decision(Action.CREATE)
    else:
        fields = {**declared.fields, **desired.resolved} if desired.resolved else declared.fields
        comparison = Comparison(fields, declared.config_model, service, facts, options.rewrite_secrets, authors)
        decision = _decision(comparison.changes(), service, facts, options, authors)
    existing = existing_of(service) if service is not None else None
    return Change(desired.name, decision[0], declared.service_type, desired, existing, *decision[1:])


def broken_change(desired: Desired, why: str) -> Change:
    """Return the conflict of a service that refers to something that does not exist."""
    reason, service_type = f"cannot be changed: {why}", desired.declared.service_type
    return Change(desired.name, Action.CONFLICT, service_type, desired, reason=reason, advice=_BROKEN_ADVICE)


def _conflict(
    desired: Desired, declared: DeclaredService, service: Service | None, facts: ServerFacts
) -> tuple[str, str] | None:
    """Return why a service cannot become as declared, and what to do about it."""
    if desired.problems:
        only_absent = all(ABSENT in problem for problem in desired.problems)
        return "; ".join(desired.problems), _ABSENT_ADVICE if only_absent else _PROBLEM_ADVICE
    if service is not None and service.service_type != declared.service_type:
        return f"is a {service.service_type} service, and a service's type cannot be changed", _TYPE_ADVICE
    model = declared.config_model
    if service is None and issubclass(model, ConnectionConfig) and not facts.release.is_since(model.since):
        came = f"is of type {declared.service_type}, which came with release {model.since[0]}.{model.since[1]}"
        return f"{came}, but this is Collate {facts.release.text}", _HOLDS_ADVICE
    for name in ("owners", "domains"):
        values = (desired.resolved or {}).get(name) or declared.fields.get(name)
        if isinstance(values, list) and len(values) > 1 and not facts.release.has_many(name):
            return f"declares {len(values)} {name}, but Collate {facts.release.text} holds one", _HOLDS_ADVICE
    if service is None and has_mask(declared.fields.get("connection")):
        return f'has the mask "{MASK}" where a new service needs the secret itself', _MASK_ADVICE
    return None


class _Decision(NamedTuple):
    """What to do about a service, which of its fields matter, and for a conflict why and what to do about it."""

    action: Action
    fields: tuple[FieldChange, ...] = ()
    reason: str = ""
    advice: str = ""


def _decision(
    fields: tuple[FieldChange, ...], service: Service, facts: ServerFacts, options: RunOptions, authors: Authors | None
) -> _Decision:
    """Decide about a service that exists, by what of it differs."""
    if options.if_exists == "update":
        return _update(fields, service)
    asked: tuple[FieldChange, ...] = ()
    if options.created_since is not None and not service.deleted:
        if authors is None:
            asked = (_NOT_KNOWN,)
        elif authors.was_created_for(facts, options.created_since):
            return _update(fields, service)
    if options.if_exists == "ignore" and not service.deleted:
        # What differs does not matter, and a masked secret must not be written.
        return _Decision(Action.IGNORE, asked)
    if service.deleted:
        return _Decision(Action.CONFLICT, fields, "exists, soft-deleted", _DELETED_ADVICE)
    return _Decision(Action.CONFLICT, fields + asked, "exists already", EXISTS_ADVICE)


def _update(fields: tuple[FieldChange, ...], service: Service) -> _Decision:
    conflicts = tuple(one for one in fields if one.status is Status.CONFLICT)
    if service.deleted:
        if not any(one.field == "deleted" for one in conflicts):
            return _Decision(Action.RESTORE, fields)
        return _Decision(Action.KEEP, conflicts)  # nothing can be written to it while it is deleted
    if any(one.status is Status.WRITE for one in fields):
        return _Decision(Action.UPDATE, fields)
    return _Decision(Action.KEEP if conflicts else Action.NONE, fields)


def deletion_of(service: Service, facts: ServerFacts, options: RunOptions, authors: Authors | None = None) -> Change:
    """Decide about a service that is in scope and not declared: only what the token's user has created is deleted.

    :param authors: who created it; None while the history is not read, which a change that needs it says.
    """
    reason = f"{options.prune} delete, it is not declared"
    created = authors.history.created if authors else None
    if facts.on_conflict == "overwrite" or (created is not None and created.user == facts.user):
        decision = _Decision(Action.DELETE, (), reason)
    elif authors is None:
        decision = _Decision(Action.DELETE, (_NOT_KNOWN,), reason)
    else:
        text = f"created {authors.by(created)}, is not declared, and is not deleted"
        decision = _Decision(Action.NONE, (FieldChange("service", text, status=Status.LEFT),))
    return Change(service.name, decision[0], service.service_type, None, existing_of(service), *decision[1:])


def is_gone(service: Service | None, *, hard: bool) -> bool:
    """Return whether a service counts as deleted: for good, or so that it can be restored.

    :param service: what the catalog shows with soft-deleted services included.
    :param hard: whether it must be deleted for good.
    """
    return service is None or (service.deleted and not hard)
