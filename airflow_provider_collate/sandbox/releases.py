"""What the server's releases differ in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import yaml
from pydantic import TypeAdapter


@dataclass(frozen=True)
class Release:
    """A release of the server.

    :param is_old: before 1.12: one owner and one domain; POST and PUT drop tags; each change is a version;
        a wrong path, method or media type is a 500; no rules of entities; all as recorded.
    :param relation_fields: fields that are shown only when asked for by `fields`.
    :param create_fields: in the order the server's messages list them.
    :param name_pattern: as Java has it.
    :param other_fields: of a service, which no create request of the oldest release gives.
    :param parts: what references and tag labels hold: field → the words that it may be, any text if none.
    :param absent_types: values of `serviceType` that came later.
    :param absent_settings: settings of connections that came later, by service type and path.
    :param bot_put_keeps: attributes of a stored service that a bot's PUT does not replace once they have a value.
    :param sanitises: methods whose descriptions are sanitised.
    :param entity_rules: the rules for entities that are on by default, with what is said of each.
    :param missing_connection: what it says to a PUT without a connection; `{type}` is the service type.
    :param null_connection: what it says where it takes a connection to be there; `{}` is what it calls that.
    """

    name: str
    version: str
    is_old: bool
    owner_field: str
    domain_field: str
    relation_fields: tuple[str, ...]
    create_fields: tuple[str, ...]
    other_fields: frozenset[str]
    parts: Mapping[str, Mapping[str, tuple[str, ...]]]
    absent_types: frozenset[str]
    absent_settings: frozenset[str]
    name_pattern: str
    name_limit: int
    bot_put_keeps: frozenset[str]
    sanitises: frozenset[str]
    entity_rules: Mapping[str, str]
    missing_connection: str
    null_connection: str

    @property
    def service_fields(self) -> frozenset[str]:
        """All fields of a service: what `fields` may ask for and a patch may set."""
        return self.other_fields | set(self.relation_fields) | set(self.create_fields)


_OLDEST_FIRST = TypeAdapter(dict[str, Release]).validate_python(
    yaml.safe_load(Path(__file__).with_name("releases.yaml").read_text(encoding="utf-8"))
)

RELEASES: Final = dict(reversed(_OLDEST_FIRST.items()))
DEFAULT_RELEASE: Final = next(iter(RELEASES))
