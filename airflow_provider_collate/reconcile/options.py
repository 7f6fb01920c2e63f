"""The options of a run, each declared and described once; operators and hook take them from here.

Importing this loads no client and no models, so that a DAG file can be parsed with its options checked.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from typing import TYPE_CHECKING, Literal

from airflow_provider_collate.exceptions import InvalidDeclarationError
from airflow_provider_collate.reconcile.approval import fingerprint_problem
from airflow_provider_collate.reconcile.scope import PruneScope

if TYPE_CHECKING:
    from typing_extensions import Self

IfExists = Literal["fail", "ignore", "update"]
OnConflict = Literal["fail", "keep", "overwrite"]
Prune = Literal["soft", "hard"]
IfMissing = Literal["ignore", "fail"]

PRUNE_OPTIONS = ("prune", "prune_scope", "max_prune")
_DEFAULT_MAX_PRUNE = "10%"
_ANY_SCOPE = PruneScope(name_prefix="any")
_PERCENTAGE = re.compile(r"\s*([0-9]{1,3}(?:\.[0-9]{1,6})?)\s*%\s*")
_WORDS = {"true": True, "false": False}
OFF = (None, "", "None", "none")
"""What a template renders to that switches an option off."""


class _Options:
    """Options that are checked when they are made."""

    __slots__ = ()

    def __post_init__(self) -> None:
        given = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}  # type: ignore[arg-type]
        problems = [f"{name}: {problem}" for name, value in given.items() if (problem := _CHECKS[name](value))]
        problems += _prune_problems(**{name: value for name, value in given.items() if name in PRUNE_OPTIONS})
        if given.get("fail_on_changes") and not given["plan_only"]:
            problems.append("fail_on_changes: needs plan_only=True; a run without it makes the catalog as declared")
        if given.get("approved_plan") and given["plan_only"]:
            problems.append("approved_plan: is for a run that writes, so plan_only must be False")
        if problems:
            raise InvalidDeclarationError(problems)

    @classmethod
    def parse(cls, given: Mapping[str, object]) -> Self:
        """Read options as plain data, such as a task has them when its templates are rendered.

        :param given: options by name; a scope is a mapping, and a flag may be the text `"true"` or `"false"`.
        :raises InvalidDeclarationError: when one of them is not what it must be.
        """
        return cls(**{name: _read(name, value) for name, value in given.items()})

    @classmethod
    def check(cls, given: Mapping[str, object], *, unrendered: Collection[str] = ()) -> None:
        """Refuse options that can never be right, where some are templates that will be rendered later.

        :param given: options by name.
        :param unrendered: names of those that hold templates; what depends on them is not judged.
        :raises InvalidDeclarationError: when one of the others is not what it must be.
        """
        known = {name: value for name, value in given.items() if name not in unrendered}
        if "plan_only" in unrendered:
            known.pop("fail_on_changes", None)
        if "prune" in unrendered:
            known["prune"] = "soft"
        if "prune" in unrendered or "prune_scope" in unrendered:
            known["prune_scope"] = known.get("prune_scope") or _ANY_SCOPE
        cls.parse(known)


@dataclass(frozen=True, slots=True)
class RunOptions(_Options):
    """Say how a run treats what it finds.

    :param if_exists: what to do about a service that exists already: `fail`, `ignore` it, or `update` it.
    :param on_conflict: what to do about a field that somebody else set to another value: `fail` the task, `keep`
        their value (the task succeeds and reports it), or `overwrite` it.
    :param rewrite_secrets: secrets that the token sees only masked cannot be compared. None writes them again, which
        changes nothing where they are the same; False leaves them; True also writes those in a secrets manager again.
    :param plan_only: return the plan and write nothing.
    :param fail_on_changes: with `plan_only`, fail if the catalog is not as declared, with the plan as the message.
    :param approved_plan: the `fingerprint` that a task with `plan_only` has returned: plan again, and fail before any
        write if there is a change that is not in it. No row is planned a second time.
    :param chunk_size: rows in one bulk request, where the server has a bulk endpoint.
    :param max_workers: requests in flight at once.
    :param prune: delete services in scope that are not declared: `soft` (can be restored) or `hard`, which leaves
        those that were soft-deleted before; None deletes nothing.
    :param prune_scope: which services the declaration covers: a mapping with one or more of `tag`, `owner`,
        `domain` and `name_prefix`, all of which must hold. Required to prune.
    :param max_prune: how many services may be deleted: a number, or a percentage of those in scope such as `"10%"`;
        if more would be, the run fails before any write.
    :param allow_empty: whether an empty declaration may prune.
    :param created_since: on a later attempt of a task, when its DAG run began: a service that the token's user has
        created since then is the task's own, and `if_exists` does not apply to it.
    """

    if_exists: IfExists = "update"
    on_conflict: OnConflict = "fail"
    rewrite_secrets: bool | None = None
    plan_only: bool = False
    fail_on_changes: bool = False
    approved_plan: str | None = None
    chunk_size: int = 100
    max_workers: int = 8
    prune: Prune | None = None
    prune_scope: PruneScope | None = None
    max_prune: int | str = _DEFAULT_MAX_PRUNE
    allow_empty: bool = False
    created_since: datetime | None = None


@dataclass(frozen=True, slots=True)
class DeleteOptions(_Options):
    """Say how a service is deleted.

    :param hard_delete: delete the service for good, with the models that belong to it; else it can be restored.
    :param if_missing: what to do when there is no such service: `ignore` or `fail`, also where an earlier attempt of
        the task has deleted it.
    """

    hard_delete: bool = False
    if_missing: IfMissing = "ignore"


def _prune_problems(
    prune: object = None, prune_scope: object = None, max_prune: object = _DEFAULT_MAX_PRUNE
) -> Iterator[str]:
    if prune and prune_scope is None:
        yield "prune_scope: must be given to prune, or services of other teams would be deleted too"
    if not prune and prune_scope is not None:
        yield 'prune_scope: deletes nothing without prune="soft" or prune="hard"'
    if not prune and max_prune != _DEFAULT_MAX_PRUNE and not _limit(max_prune):
        yield 'max_prune: limits nothing without prune="soft" or prune="hard"'


def _read(name: str, value: object) -> object:
    if name == "prune_scope" and isinstance(value, Mapping):
        return PruneScope.parse(value)
    if name in ("prune", "rewrite_secrets") and value in OFF:
        return None
    if name == "approved_plan" and isinstance(value, str):
        return value.strip()
    if isinstance(value, str) and name in _FLAGS:
        return _WORDS.get(value.strip().lower(), value)
    if isinstance(value, str) and name in (*_COUNTS, "max_prune") and value.strip().isdecimal():
        return int(value)
    return value


def _choice(*allowed: str | None) -> Callable[[object], str]:
    text = f"must be one of {', '.join(map(repr, allowed))}"
    return lambda value: "" if value in allowed else f"is {value!r}, but {text}"


def _count(value: object) -> str:
    good = isinstance(value, int) and not isinstance(value, bool) and value >= 1
    return "" if good else "must be a whole number of at least 1"


def _flag(value: object) -> str:
    return "" if isinstance(value, bool) else f"must be True or False, not {type(value).__name__}"


def _time(value: object) -> str:
    good = value is None or (isinstance(value, datetime) and value.tzinfo is not None)
    return "" if good else "must be a time with its time zone"


def _scope(value: object) -> str:
    return "" if value is None or isinstance(value, PruneScope) else "must be a mapping"


def _limit(limit: object) -> str:
    """Return what is wrong with a limit; empty when nothing is."""
    if isinstance(limit, int) and not isinstance(limit, bool) and limit >= 0:
        return ""
    percentage = _PERCENTAGE.fullmatch(limit) if isinstance(limit, str) else None
    if percentage and Fraction(percentage[1]) <= 100:
        return ""
    return f'is {limit!r}, but must be a number of at least 0 or a percentage such as "10%"'


_FLAGS = ("rewrite_secrets", "plan_only", "fail_on_changes", "allow_empty", "hard_delete")
_COUNTS = ("chunk_size", "max_workers")
_CHECKS: Mapping[str, Callable[[object], str]] = {
    "if_exists": _choice("fail", "ignore", "update"),
    "if_missing": _choice("ignore", "fail"),
    "on_conflict": _choice("fail", "keep", "overwrite"),
    "prune": _choice(None, "soft", "hard"),
    "prune_scope": _scope,
    "max_prune": _limit,
    **dict.fromkeys(_COUNTS, _count),
    **dict.fromkeys(_FLAGS, _flag),
    "approved_plan": lambda value: "" if value is None else fingerprint_problem(value),
    "rewrite_secrets": lambda value: "" if value is None else _flag(value),
    "created_since": _time,
}


def parse_limit(limit: int | str, in_scope: int) -> int:
    """Return how many services a limit allows: the number, or the percentage of those in scope, rounded down.

    A percentage above 0 allows at least one, or small scopes would never be pruned.

    :raises InvalidDeclarationError: when it is neither a number nor a percentage.
    """
    if problem := _limit(limit):
        raise InvalidDeclarationError([f"max_prune: {problem}"])
    if isinstance(limit, int):
        return limit
    # An exact fraction: as floats, 29% of 100 would be 28.
    share = Fraction(limit.strip().rstrip("% ")) / 100
    return max(int(share * in_scope), 1) if share else 0


def option_texts(options: type[_Options] = RunOptions) -> dict[str, str]:
    """Return the description of each option, as its docstring has it."""
    texts: dict[str, str] = {}
    for part in (options.__doc__ or "").split(":param ")[1:]:
        name, _, text = part.partition(":")
        texts[name] = " ".join(text.split())
    return texts
