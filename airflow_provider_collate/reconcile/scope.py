"""Which services a declaration speaks for, and how many of them a run may delete."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING

from airflow_provider_collate.exceptions import InvalidDeclarationError, PruneRefusedError

if TYPE_CHECKING:
    from airflow_provider_collate.models.service import Service, ShownReference

GLOSSARY = "glossary:"
_KEYS = ("tag", "owner", "domain", "name_prefix")
_FIELD_OF = {"tag": "tags", "owner": "owners", "domain": "domains"}
_PERCENTAGE = re.compile(r"\s*([0-9]{1,3}(?:\.[0-9]{1,6})?)\s*%\s*")


@dataclass(frozen=True, slots=True)
class PruneScope:
    """Services that have all of what is given.

    :param tag: a tag that is on the service itself, such as `Tier.Tier1` or `glossary:Business.Churn`.
    :param owner: an owner of the service itself, as a declaration has it: `ml-platform`, `user:ana`,
        `team:ml-platform`, `ana@acme.example` or an id; one inherited from its domain does not count.
    :param domain: the fully qualified name of a domain, in the same way.
    :param name_prefix: what the service's name begins with.
    :param owner_id: the owner's id, once it was looked up.
    """

    tag: str | None = None
    owner: str | None = None
    domain: str | None = None
    name_prefix: str | None = None
    owner_id: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        if not any(getattr(self, key) for key in _KEYS):
            raise InvalidDeclarationError([f"prune_scope: is empty, but must have one of {', '.join(_KEYS)}"])

    @classmethod
    def parse(cls, given: Mapping[str, object]) -> PruneScope:
        """Read a scope from plain data such as `{"tag": "Team.ml"}`.

        :raises InvalidDeclarationError: when it has other keys, or a value that is not a text.
        """
        problems = [
            f"prune_scope.{key}: unknown, must be one of {', '.join(_KEYS)}" for key in given if key not in _KEYS
        ]
        problems += [
            f"prune_scope.{key}: must be a text that is not empty"
            for key in _KEYS
            if key in given and not (isinstance(text := given[key], str) and text.strip())
        ]
        if problems:
            raise InvalidDeclarationError(problems)
        return cls(**{str(key): str(value) for key, value in given.items()})

    @property
    def fields(self) -> frozenset[str]:
        """The fields of a service that must be read to judge it."""
        return frozenset(field for key, field in _FIELD_OF.items() if getattr(self, key))

    @property
    def tag_key(self) -> tuple[str, str]:
        """The fully qualified name of the tag, and what it is one of."""
        tag = self.tag or ""
        name = tag.removeprefix(GLOSSARY)
        return name, "Classification" if name == tag else "Glossary"

    def holds(self, service: Service) -> bool:
        """Return whether a service is in scope."""
        if self.name_prefix and not service.name.startswith(self.name_prefix):
            return False
        tags = ((tag.tag_fqn, tag.source) for tag in service.tags or () if tag.is_ours)
        if self.tag and self.tag_key not in tags:
            return False
        if self.owner and not any(self._is_owner(ref) for ref in service.owners or () if not ref.inherited):
            return False
        return not self.domain or any(ref.label == self.domain for ref in service.domains or () if not ref.inherited)

    def _is_owner(self, owner: ShownReference) -> bool:
        if owner.id.lower() == (self.owner_id or self.owner or "").lower():
            return True
        if self.owner_id:
            return False
        return self.owner in (owner.name, f"{owner.type}:{owner.name}")

    def __str__(self) -> str:
        return ", ".join(f"{key} {getattr(self, key)!r}" for key in _KEYS if getattr(self, key))


def prune_refusal(deletions: int, in_scope: int, limit: int | str) -> PruneRefusedError | None:
    """Return the error of a run that would delete more than the limit, or None.

    :param deletions: services that would be deleted.
    :param in_scope: services in scope, those that would be deleted among them.
    :param limit: a number, or a percentage of those in scope.
    """
    allowed = parse_limit(limit, in_scope)
    if deletions <= allowed:
        return None
    are = "is" if deletions == 1 else "are"
    return PruneRefusedError(
        f"{deletions:,} of {in_scope:,} services in scope {are} no longer declared, but with max_prune={limit!r} "
        f"at most {allowed:,} may be deleted; nothing was written",
        advice=f"Look at the plan with plan_only=True; if it is right, run with max_prune={deletions}.",
    )


def parse_limit(limit: int | str, in_scope: int) -> int:
    """Return how many services a limit allows: the number, or the percentage of those in scope, rounded down.

    A percentage above 0 allows at least one, or small scopes would never be pruned.

    :raises InvalidDeclarationError: when it is neither a number nor a percentage.
    """
    if problem := limit_problem(limit):
        raise InvalidDeclarationError([f"max_prune: {problem}"])
    if isinstance(limit, int):
        return limit
    # An exact fraction: as floats, 29% of 100 would be 28.
    share = Fraction(limit.strip().rstrip("% ")) / 100
    return max(int(share * in_scope), 1) if share else 0


def limit_problem(limit: object) -> str:
    """Return what is wrong with a limit; empty when nothing is."""
    if isinstance(limit, int) and not isinstance(limit, bool) and limit >= 0:
        return ""
    percentage = _PERCENTAGE.fullmatch(limit) if isinstance(limit, str) else None
    if percentage and Fraction(percentage[1]) <= 100:
        return ""
    return f'is {limit!r}, but must be a number of at least 0 or a percentage such as "10%"'
