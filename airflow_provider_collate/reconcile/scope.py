"""Which services a declaration is the whole truth for, and how many of them may go."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from airflow_provider_collate.exceptions import InvalidDeclarationError, PruneRefusedError
from airflow_provider_collate.models.service import Service

_KEYS = ("tag", "owner", "domain", "name_prefix")
_FIELD_OF = {"tag": "tags", "owner": "owners", "domain": "domains"}
_PERCENTAGE = re.compile(r"\s*([0-9]{1,3}(?:\.[0-9]{1,6})?)\s*%\s*")


@dataclass(frozen=True, slots=True)
class PruneScope:
    """Services that have all of what is given.

    :param tag: the fully qualified name of a tag that is on the service itself.
    :param owner: the id or name of an owner of the service itself; one that its domain passes on does not count.
    :param domain: the fully qualified name of a domain, in the same way.
    :param name_prefix: what the service's name begins with.
    """

    tag: str | None = None
    owner: str | None = None
    domain: str | None = None
    name_prefix: str | None = None

    def __post_init__(self) -> None:
        if not any(getattr(self, key) for key in _KEYS):
            raise InvalidDeclarationError([f"prune_scope: is empty, but must have one of {', '.join(_KEYS)}"])

    @classmethod
    def parse(cls, given: object) -> PruneScope:
        """Read a scope from plain data such as `{"tag": "Team.ml"}`.

        :raises InvalidDeclarationError: when it is not such a mapping, or empty.
        """
        if not isinstance(given, Mapping):
            raise InvalidDeclarationError([f"prune_scope: must be a mapping with one of {', '.join(_KEYS)}"])
        problems = [
            f"prune_scope.{key}: unknown, must be one of {', '.join(_KEYS)}" for key in given if key not in _KEYS
        ]
        problems += [
            f"prune_scope.{key}: must be a text that is not empty"
            for key in _KEYS
            if key in given and not (isinstance(given[key], str) and given[key].strip())
        ]
        if problems:
            raise InvalidDeclarationError(problems)
        return cls(**{str(key): value for key, value in given.items()})

    @property
    def fields(self) -> frozenset[str]:
        """The fields of a service that must be read to judge it."""
        return frozenset(field for key, field in _FIELD_OF.items() if getattr(self, key))

    def holds(self, service: Service) -> bool:
        """Whether a service is in scope."""
        if self.name_prefix and not service.name.startswith(self.name_prefix):
            return False
        if self.tag and not any(tag.tag_fqn == self.tag and tag.is_ours for tag in service.tags or ()):
            return False
        owners = (ref for ref in service.owners or () if not ref.inherited)
        if self.owner and not any(self.owner == ref.name or self.owner.lower() == ref.id.lower() for ref in owners):
            return False
        return not self.domain or any(ref.label == self.domain for ref in service.domains or () if not ref.inherited)

    def __str__(self) -> str:
        return ", ".join(f"{key} {getattr(self, key)!r}" for key in _KEYS if getattr(self, key))


def prune_refusal(going: int, in_scope: int, limit: int | str) -> PruneRefusedError | None:
    """The error of a run that would prune more than the limit; None when it would not.

    :param going: services that would go.
    :param in_scope: services in scope, those that would go among them.
    :param limit: a number, or a percentage of those in scope.
    :raises InvalidDeclarationError: when the limit is neither.
    """
    allowed = parse_limit(limit, in_scope)
    if going <= allowed:
        return None
    return PruneRefusedError(
        f"{going:,} of {in_scope:,} services in scope are not declared any more, but max_prune={limit!r} lets "
        f"{allowed:,} go; nothing was written",
        advice=f"Look at the plan with plan_only=True; if it is right, run with max_prune={going}.",
    )


def parse_limit(limit: int | str, in_scope: int) -> int:
    """How many services a limit allows: the number, or the percentage of those in scope, rounded down.

    :raises InvalidDeclarationError: when it is neither a number nor a percentage.
    """
    if problems := limit_problem(limit):
        raise InvalidDeclarationError(problems)
    if isinstance(limit, int):
        return limit
    # An exact fraction: as floats, 29% of 100 would be 28.
    return int(Fraction(limit.strip().rstrip("% ")) * in_scope / 100)


def limit_problem(limit: object) -> list[str]:
    """What is wrong with a limit, as the lines of an `InvalidDeclarationError`; none when it is good."""
    if isinstance(limit, int) and not isinstance(limit, bool) and limit >= 0:
        return []
    percentage = _PERCENTAGE.fullmatch(limit) if isinstance(limit, str) else None
    if percentage and Fraction(percentage[1]) <= 100:
        return []
    return [f'max_prune: is {limit!r}, but must be a number of at least 0 or a percentage such as "10%"']
