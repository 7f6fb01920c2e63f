"""What a catalog holds, as a person would declare it, without a secret."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import yaml
from pydantic import JsonValue, model_validator

from airflow_provider_collate.files.conn_ids import TO_DO
from airflow_provider_collate.kinds import ServiceKind
from airflow_provider_collate.models.connection import UndocumentedConnection, secret_values
from airflow_provider_collate.models.declared import ConnectionPart, OpenConnectionPart
from airflow_provider_collate.models.service import Service, ShownReference, ShownTag
from airflow_provider_collate.models.stored_text import is_stored_form

FIELDS = ("dataProducts", "domains", "owners", "tags")
"""The fields that services must be read with."""

_CERTIFICATIONS = "Certification."
_WIDTH = 110
_TO_DO_LINE = re.compile(rf"^ *conn_id: {TO_DO}$", re.MULTILINE)
_EMPTY: tuple[object, ...] = (None, "", [], {})

Values = dict[str, JsonValue]


@dataclass(frozen=True)
class ShownConnection:
    """What of a connection may be shown.

    :param config: the values that are no secrets, without what the server fills in by itself.
    :param secrets: the fields that are left out because they are secret, as paths in the config.
    :param is_there: whether there is a connection at all.
    """

    config: Values = field(default_factory=dict)
    secrets: tuple[str, ...] = ()
    is_there: bool = False


class ExportedService(Service):
    """A service as the catalog shows it, with what of its connection may be shown; the rest is dropped here."""

    kind: ClassVar[ServiceKind]
    shown: ShownConnection = ShownConnection()

    @model_validator(mode="before")
    @classmethod
    def _reduce(cls, data: object) -> object:
        if not isinstance(data, dict):
            return data
        return {**data, "shown": shown_connection(cls.kind, data.get("serviceType"), data.get("connection"))}

    def declaration(self) -> Values:
        """Return the service as it would be declared."""
        tags = [tag for tag in self.tags or () if tag.is_ours and not tag.tag_fqn.startswith(_CERTIFICATIONS)]
        declared: Values = {
            "name": self.name,
            "displayName": self.display_name,
            "serviceType": self.service_type,
            "connection": self._connection(),
            "description": _as_written(self.description or ""),
            "owners": [f"{owner.type}:{owner.name}" for owner in _own(self.owners)],
            "domains": [domain.label for domain in _own(self.domains)],
            "dataProducts": [product.label for product in _own(self.data_products)],
            "tags": [*sorted(map(_tag, tags))],
            "style": {key: value for key, value in (self.style or {}).items() if value is not None},
        }
        if self.ingestion_runner is not None:
            declared["ingestionRunner"] = {"id": self.ingestion_runner.id, "type": self.ingestion_runner.type}
        return {key: value for key, value in declared.items() if key == "connection" or value not in _EMPTY}

    def _connection(self) -> JsonValue:
        if self.shown.secrets:
            return {"conn_id": TO_DO, **{key: value for key, value in self.shown.config.items() if key != "type"}}
        return {"config": self.shown.config} if self.shown.is_there else None


def exported_model(kind: ServiceKind) -> type[ExportedService]:
    """Return the model by which services of a kind are read to be exported."""
    return type("ExportedService", (ExportedService,), {"kind": kind, "__module__": __name__})


def to_yaml(services: Iterable[ExportedService]) -> Iterator[str]:
    """Yield a declaration of services, part by part, by their names."""
    empty = True
    for service in sorted(services, key=lambda service: service.name):
        yield "services:\n" if empty else "\n"
        empty = False
        yield _row(service)
    if empty:
        yield "services: []\n"


def _row(service: ExportedService) -> str:
    dumped: str = yaml.dump(
        [service.declaration()], Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=_WIDTH, indent=2
    )
    if service.shown.secrets:
        secrets = ", ".join(service.shown.secrets)
        dumped = _TO_DO_LINE.sub(lambda found: f"{found[0]}  # for what is secret: {secrets}", dumped, count=1)
    return "".join(f"  {line}" if line.strip() else line for line in dumped.splitlines(keepends=True))


class _Dumper(yaml.SafeDumper):
    """Write texts of several lines as such, and lists below their key."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, indentless=False)


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.Node:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _text)


def shown_connection(kind: ServiceKind, service_type: object, connection: object) -> ShownConnection:
    """Reduce a connection, as the server shows it with its secrets, to what may be shown."""
    config = connection.get("config") if isinstance(connection, Mapping) else None
    if not isinstance(config, Mapping):
        return ShownConnection()
    part = kind.request_model.connection_types.get(str(service_type), UndocumentedConnection)
    secrets: list[str] = []
    return ShownConnection(_plain(part, config, "", secrets), tuple(secrets), is_there=True)


def _plain(part: type[ConnectionPart], values: Mapping[str, Any], at: str, secrets: list[str]) -> Values:
    """Return the plain values of a part of a connection in the order of its fields; note the paths of the others."""
    plain: Values = {}
    known = part.fields_by_key
    places = {known[name].documented: place for place, name in enumerate(part.model_fields)}
    for key in sorted(values, key=lambda key: (places.get(key, len(places)), key)):
        value, facts, path = values[key], known[key], f"{at}{key}"
        below = facts.part_of(value)
        if value in _EMPTY or (key != "type" and facts.server_default is not None and value == facts.server_default):
            continue
        if below is not None and isinstance(value, Mapping):
            if inner := _plain(below, value, f"{path}.", secrets):
                plain[key] = inner
        elif key not in known and not issubclass(part, OpenConnectionPart):
            continue  # a later release has it; a declaration leaves it alone
        elif not facts.plain or any(secret_values(part, {key: value})):
            secrets.append(path)
        else:
            plain[key] = value
    return plain


def _own(references: tuple[ShownReference, ...] | None) -> list[ShownReference]:
    return sorted((one for one in references or () if not one.inherited), key=lambda one: (one.type, one.label))


def _tag(tag: ShownTag) -> str:
    return f"glossary:{tag.tag_fqn}" if tag.source == "Glossary" else tag.tag_fqn


def _as_written(text: str) -> str:
    """Return a text as a person writes it, where the server stores just that in the form that it shows."""
    written = html.unescape(text.replace("\r\n", "\n"))
    return written if is_stored_form(written, text) else text
