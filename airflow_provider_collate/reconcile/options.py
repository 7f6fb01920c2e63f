"""How a run treats what it finds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from airflow_provider_collate.exceptions import InvalidDeclarationError
from airflow_provider_collate.reconcile.scope import PruneScope, limit_problem

OnUnapplied = Literal["fail", "warn", "enforce"]
IfExists = Literal["fail", "ignore", "update"]
Prune = Literal["soft", "hard"]

_CHOICES = {
    "on_unapplied": ("fail", "warn", "enforce"),
    "if_exists": ("fail", "ignore", "update"),
    "prune": (None, "soft", "hard"),
}


@dataclass(frozen=True, slots=True)
class RunOptions:
    """Options of one run.

    :param on_unapplied: what to do about fields that the catalog keeps against the declaration.
    :param if_exists: what to do about services that exist already.
    :param rewrite_secrets: write secrets that the catalog shows only masked, though nothing else differs.
    :param chunk_size: rows in one bulk request.
    :param max_workers: single writes in flight at once.
    :param retried: whether this is a later attempt of the same task.
    :param prune: how to delete services in scope that are not declared; None deletes nothing.
    :param prune_scope: which services the declaration is the whole truth for.
    :param max_prune: how many services may go: a number, or a percentage of those in scope such as `"10%"`.
    :param allow_empty: whether an empty declaration may prune.
    """

    on_unapplied: OnUnapplied = "fail"
    if_exists: IfExists = "update"
    rewrite_secrets: bool = False
    chunk_size: int = 100
    max_workers: int = 8
    retried: bool = False
    prune: Prune | None = None
    prune_scope: PruneScope | None = None
    max_prune: int | str = "10%"
    allow_empty: bool = False

    def __post_init__(self) -> None:
        problems = [
            f"{name}: is {getattr(self, name)!r}, but must be one of {', '.join(map(repr, allowed))}"
            for name, allowed in _CHOICES.items()
            if getattr(self, name) not in allowed
        ]
        problems += [
            f"{name}: must be a whole number of at least 1"
            for name in ("chunk_size", "max_workers")
            if not _is_count(getattr(self, name))
        ]
        problems += [
            f"{name}: must be True or False, not {type(getattr(self, name)).__name__}"
            for name in ("rewrite_secrets", "retried", "allow_empty")
            if not isinstance(getattr(self, name), bool)
        ]
        problems += limit_problem(self.max_prune)
        if self.prune and self.prune_scope is None:
            problems.append("prune_scope: must be given to prune, or services of other teams would go too")
        if problems:
            raise InvalidDeclarationError(problems)

    @property
    def enforce(self) -> bool:
        """Whether fields that the catalog keeps are overridden."""
        return self.on_unapplied == "enforce"


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1
