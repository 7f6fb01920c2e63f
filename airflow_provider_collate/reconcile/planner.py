"""Make a plan from declarations, what the catalog shows, and who set what; without any I/O."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from airflow_provider_collate.exceptions import PruneRefusedError
from airflow_provider_collate.models.service import Service, ShownReference, ShownTag
from airflow_provider_collate.models.stored_text import lost
from airflow_provider_collate.reconcile.changes import Action, Change, Desired, broken_change, change_of, deletion_of
from airflow_provider_collate.reconcile.comparison import MASKED, items, texts
from airflow_provider_collate.reconcile.facts import Authors, ServerFacts
from airflow_provider_collate.reconcile.field_change import Status, listing
from airflow_provider_collate.reconcile.options import RunOptions, parse_limit
from airflow_provider_collate.reconcile.plan import Plan


class Planner:
    """Compare services as they are read; each is let go of as soon as it is compared.

    :param warnings: what is already known to be wrong with the prune scope.
    """

    def __init__(
        self,
        desired: Sequence[Desired],
        facts: ServerFacts,
        options: RunOptions,
        warnings: Sequence[str] = (),
    ) -> None:
        self._desired = desired
        self._facts = facts
        self._options = options
        self._by_name = {one.name: one for one in desired}
        self._changes: list[Change | None] = [None] * len(desired)
        self._deletions: dict[str, Change] = {}
        self._in_scope: set[str] = set()
        self._deleted_before = 0
        self._warnings = warnings
        self._outside: list[str] = []
        self.undecided: list[tuple[Desired | None, Service]] = []
        """Declarations and their services where the plan depends on who set a field, or has created the service."""

    def add(self, service: Service, broken: str = "") -> None:
        """Compare a service that is declared, or plan the deletion of one that is in scope and not declared.

        :param broken: why the service cannot be read as it was asked for; then nothing can be written to it (recorded).
        """
        desired = self._by_name.get(service.name)
        scope = self._options.prune_scope
        is_in_scope = scope is not None and not service.deleted and scope.holds(service)
        if is_in_scope:
            self._in_scope.add(service.name)
        elif desired is not None:
            self._note_if_outside(desired, service)
        else:
            self._deleted_before += service.deleted
        if desired is not None and broken:
            self._changes[desired.row] = broken_change(desired, broken)
        elif desired is not None or is_in_scope:
            self.decide(desired, service)

    def decide(self, desired: Desired | None, service: Service, authors: Authors | None = None) -> None:
        """Compare a service, once more when it is known who set what.

        :param desired: its declaration; None for one that may be deleted.
        """
        if desired is None:
            change = self._deletions[service.name] = deletion_of(service, self._facts, self._options, authors)
        else:
            change = self._changes[desired.row] = change_of(desired, service, self._facts, self._options, authors)
        if change.is_undecided:
            self.undecided.append((desired, service))

    def plan(self) -> Plan:
        """Return the plan; what was not added does not exist, and is created."""
        in_scope = len(self._in_scope)
        if self._options.prune and not self._desired and not self._options.allow_empty:
            note = f"Nothing is declared, so none of the {in_scope:,} services in scope is deleted"
            note = f"{note}; with allow_empty=True they would be."
            return Plan((), in_scope, notes=(note,), warnings=tuple(self._scope_warnings()), is_as_declared=True)
        going = sum(change.action is Action.DELETE for change in self._deletions.values())
        refusal = prune_refusal(going, in_scope, self._options.max_prune) if going else None
        for desired in self._desired:
            if self._changes[desired.row] is None:
                self._note_if_outside(desired, None)
                self._changes[desired.row] = change_of(desired, None, self._facts, self._options)
        changes = (*filter(None, self._changes), *(self._deletions[name] for name in sorted(self._deletions)))
        fields = [field for change in changes for field in change.fields]
        count = Counter(field.status for field in fields)
        rewritten, external = count[Status.REWRITE], count[Status.EXTERNAL]
        masked = sum(field.shows == MASKED for field in fields)
        warnings = [*self._scope_warnings(), *_secret_warnings(masked, external), *label_warnings(changes)]
        if self._facts.release.sanitises:
            warnings += _description_warnings(changes)
        # The actions after which a run that does nothing else succeeds.
        accepted = {Action.NONE, Action.IGNORE, *([Action.KEEP] if self._facts.on_conflict == "keep" else [])}
        is_as_declared = all(change.action in accepted for change in changes)
        notes = tuple(self._notes(refusal, rewritten))
        return Plan(changes, in_scope, refusal, notes, tuple(warnings), rewritten + external + masked, is_as_declared)

    def _notes(self, refusal: PruneRefusedError | None, rewritten: int) -> Iterator[str]:
        if self._in_scope:
            yield f"Services in the prune scope ({self._options.prune_scope}): {len(self._in_scope):,}"
        if self._options.prune == "hard" and self._deleted_before:
            yield (
                f"Services in the prune scope that were soft-deleted before: {self._deleted_before:,}; "
                "they stay so, and can be restored or deleted for good by name with hard_delete=True"
            )
        if refusal:
            yield f"A run would be refused: {refusal.message.removesuffix('; nothing was written')}"
        if rewritten:
            secrets = _secrets(rewritten)
            yield f"{secrets} cannot be compared, because this token does not see the value; a run writes it again"

    def _scope_warnings(self) -> Iterator[str]:
        yield from self._warnings
        if self._options.prune and not self._in_scope:
            yield f"No service is in the prune scope ({self._options.prune_scope})"
        if self._outside:
            yield (
                f"Declared services outside of the prune scope: {len(self._outside):,}, such as {self._outside[0]!r}; "
                "when they are no longer declared, they are not deleted"
            )

    def _note_if_outside(self, desired: Desired, service: Service | None) -> None:
        scope = self._options.prune_scope
        if scope is not None and not desired.problems and not scope.holds(_as_declared(desired, service)):
            self._outside.append(desired.name)


def _as_declared(desired: Desired, service: Service | None) -> Service:
    """Return a service as it will be when it is as declared, as far as a scope can tell."""
    declared, resolved = desired.declared, desired.resolved or {}
    known = service or Service.model_construct(id="", name=desired.name, service_type=declared.service_type)
    fields: dict[str, object] = {}
    if tags := items(declared.fields.get("tags")):
        fields["tags"] = (*map(ShownTag.model_validate, tags), *(known.tags or ()))
    if "owners" in declared.fields:
        owners = items(resolved.get("owners"))
        fields["owners"] = tuple(ShownReference.model_validate(owner) for owner in owners)
    if "domains" in declared.fields:
        names = texts(declared.fields["domains"])
        fields["domains"] = tuple(ShownReference.model_construct(id="", name=fqn) for fqn in names)
    return known.model_copy(update=fields)


def prune_refusal(deletions: int, in_scope: int, limit: int | str) -> PruneRefusedError | None:
    """Return the error of a run that would delete more than the limit, or None."""
    allowed = parse_limit(limit, in_scope)
    if deletions <= allowed:
        return None
    are = "is" if deletions == 1 else "are"
    return PruneRefusedError(
        f"{deletions:,} of {in_scope:,} services in scope {are} no longer declared, but with max_prune={limit!r} "
        f"at most {allowed:,} may be deleted; nothing was written",
        advice=f"Look at the plan with plan_only=True; if it is right, run with max_prune={deletions}.",
    )


def _secret_warnings(masked: int, external: int) -> Iterator[str]:
    """Yield how many declared secrets cannot be compared and are not written either."""
    if masked:
        yield (
            f"{_secrets(masked)} cannot be compared, because this token does not see the value, and is not written, "
            "because of rewrite_secrets=False"
        )
    if external:
        yield (
            f"{_secrets(external)} is kept in a secrets manager and cannot be compared, so it counts as declared; "
            "rewrite_secrets=True writes it again"
        )


def _description_warnings(changes: Iterable[Change]) -> Iterator[str]:
    """Yield which descriptions lose parts when they are written to a server that sanitises them."""
    losses: list[str] = []
    for change in changes:
        is_written = change.action is Action.CREATE or any(one.field == "description" for one in change.writable)
        fields = change.desired.declared.fields if is_written and change.writes and change.desired else {}
        if parts := lost(str(fields.get("description") or "")):
            losses.append(f"{change.name}: {' '.join(parts)}")
    if losses:
        named = listing(losses)
        yield f"The server drops HTML that it does not allow from descriptions: {named}; write &lt; for a plain <"


def label_warnings(changes: Iterable[Change]) -> Iterator[str]:
    """Yield which tags have another `labelType` than the declared one."""
    told = [(one.name, field.shows) for one in changes for field in one.fields if field.status is Status.IGNORED]
    if told:
        yield f"A declared labelType is not as declared, and stays so: {listing(map(': '.join, told))}"


def _secrets(count: int) -> str:
    return "1 declared secret" if count == 1 else f"Each of {count:,} declared secrets"
