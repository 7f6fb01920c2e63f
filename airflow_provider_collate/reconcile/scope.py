"""Which services a declaration covers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from airflow_provider_collate.exceptions import InvalidDeclarationError

if TYPE_CHECKING:
    from airflow_provider_collate.models.service import Service, ShownReference

GLOSSARY = "glossary:"
_KEYS = ("tag", "owner", "domain", "name_prefix")
_FIELD_OF = {"tag": "tags", "owner": "owners", "domain": "domains"}


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
