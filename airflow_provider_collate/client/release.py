"""Name fields as a server's release does: some were renamed from one release to another."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from pydantic import JsonValue

from airflow_provider_collate.exceptions import InvalidDeclarationError

# Documented: `owner` became `owners` in 1.5, `domain` became `domains` in 1.9. Recorded: 1.2 refuses the new names.
_MANY_SINCE = {"owners": (1, 5), "domains": (1, 9)}
_SANITISES_SINCE = (1, 13)
_LIMITS_OWNERS_SINCE = (1, 12)
_SINGULAR = {"owners": "owner", "domains": "domain"}


@dataclass(frozen=True)
class Release:
    """A server's release.

    :param text: as the server says it, e.g. `1.12.3`.
    """

    text: str

    @cached_property
    def number(self) -> tuple[int, int] | None:
        """Return the major and minor number; None where the text has none, which counts as today's release."""
        found = re.match(r"v?(\d+)\.(\d+)", self.text)
        return (int(found[1]), int(found[2])) if found else None

    @cached_property
    def sanitises(self) -> bool:
        """Whether the release stores descriptions in a sanitised form (server source, since 1.13)."""
        return self.is_since(_SANITISES_SINCE)

    @property
    def limits_owners(self) -> bool:
        """Whether the release takes several users or one team as owners, and nothing else (server source)."""
        return self.is_since(_LIMITS_OWNERS_SINCE)

    def is_since(self, number: tuple[int, int]) -> bool:
        """Return whether it is a release or a later one; one that has no number is today's."""
        return self.number is None or self.number >= number

    def has_many(self, field: str) -> bool:
        """Return whether the release holds several values in `owners` or `domains`."""
        return self.is_since(_MANY_SINCE.get(field, (0, 0)))

    def name_of(self, field: str) -> str:
        """Return the name under which the release has a field."""
        return field if self.has_many(field) else _SINGULAR[field]

    def fields(self, names: Iterable[str]) -> str:
        """Return the value of the `fields` parameter that asks for these fields."""
        return ",".join(self.name_of(name) for name in sorted(names))

    def payload(self, declared: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
        """Return a create request under the names and shapes of the release.

        :raises InvalidDeclarationError: when several values are given where the release holds one.
        """
        return {self.name_of(name): self.shape(name, value) for name, value in declared.items()}

    def shape(self, field: str, value: JsonValue) -> JsonValue:
        """Return a field's value in the shape of the release: a list, or the one value that old releases hold.

        :raises InvalidDeclarationError: when several values are given where the release holds one.
        """
        if self.has_many(field) or not isinstance(value, list):
            return value
        if len(value) > 1:
            problem = f"{field}: {len(value)} given, but Collate {self.text} holds one"
            raise InvalidDeclarationError([problem], advice="Give one, or upgrade the server.")
        return value[0] if value else None
