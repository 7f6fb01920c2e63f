"""What a server's release calls the fields that were renamed on the way."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from pydantic import JsonValue

from airflow_provider_collate.exceptions import InvalidDeclarationError

# Documented: `owner` became `owners` in 1.5, `domain` became `domains` in 1.9. Recorded: 1.2 refuses the new names.
_MANY_SINCE = {"owners": (1, 5), "domains": (1, 9)}
_SINGULAR = {"owners": "owner", "domains": "domain"}


@dataclass(frozen=True, slots=True)
class Release:
    """A server's release.

    :param text: as the server says it, e.g. `1.12.3`.
    """

    text: str

    @property
    def number(self) -> tuple[int, int] | None:
        """Major and minor number; None where the text has none, which is taken for today's release."""
        found = re.match(r"v?(\d+)\.(\d+)", self.text)
        return (int(found[1]), int(found[2])) if found else None

    def has_many(self, field: str) -> bool:
        """Whether the release holds several values in `owners` or `domains`."""
        return self.number is None or self.number >= _MANY_SINCE.get(field, (0, 0))

    def name_of(self, field: str) -> str:
        """The name under which the release has a field."""
        return field if self.has_many(field) else _SINGULAR[field]

    def fields(self, names: Iterable[str]) -> str:
        """The value of the `fields` parameter that asks for these fields."""
        return ",".join(self.name_of(name) for name in sorted(names))

    def payload(self, declared: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
        """A create request under the names and shapes of the release.

        :raises InvalidDeclarationError: when several values are given where the release holds one.
        """
        return {self.name_of(name): self.shape(name, value) for name, value in declared.items()}

    def shape(self, field: str, value: JsonValue) -> JsonValue:
        """A field's value in the shape of the release: a list, or the one value that old releases hold.

        :raises InvalidDeclarationError: when several values are given where the release holds one.
        """
        if self.has_many(field) or not isinstance(value, list):
            return value
        if len(value) > 1:
            problem = f"{field}: {len(value)} given, but Collate {self.text} holds one"
            raise InvalidDeclarationError([problem], advice="Give one, or upgrade the server.")
        return value[0] if value else None
