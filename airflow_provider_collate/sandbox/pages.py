"""The small pages where a demo ends: a list of services, and one service with its fields."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timezone
from functools import cache
from html import escape
from pathlib import Path
from string import Template
from urllib.parse import quote, urlsplit

from airflow_provider_collate.kinds import ServiceKind
from airflow_provider_collate.models import ConnectionPart
from airflow_provider_collate.sandbox.exchange import Answer, Request
from airflow_provider_collate.sandbox.services import StoredService
from airflow_provider_collate.sandbox.state import State

_LISTED = ("Name", "Display name", "Type", "Owners", "Tags", "Version", "Updated by")
_HEADERS = {
    "Content-Type": "text/html; charset=utf-8",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'",
}


def page(request: Request, state: State) -> Answer:
    """Return the page at a path outside the API: `/`, a kind's `list_page` or `/service/{collection}/{fqn}`."""
    if request.method not in ("GET", "HEAD"):
        return _html(405, "This page can only be read")
    segments = request.segments
    for kind in state.served_kinds:
        services = state.store_of(kind.collection)
        if "/".join(segments) in ("", kind.list_page):
            return _list(kind, [service for name in services.names() if (service := services.get(name))])
        if segments[:2] == ("service", kind.collection) and len(segments) >= 3:
            for service in services:
                if service.fqn == segments[2]:
                    return _one(kind, service)
    return _html(404, "There is nothing here", "No such page or service.")


def _list(kind: ServiceKind, services: list[StoredService]) -> Answer:
    rows = [_facts(kind, service) for service in services]
    for row, service in zip(rows, services, strict=True):
        path = f"/service/{service.collection}/{quote(service.fqn, safe='')}"
        row["Name"] = f'<a href="{path}">{row["Name"]}</a>'
    lines = [[f"<th>{name}</th>" for name in _LISTED], *([f"<td>{row[name]}</td>" for name in _LISTED] for row in rows)]
    count = f"{len(services)} service{'' if len(services) == 1 else 's'}"
    return _html(200, f"{kind.label}s", count, lines if services else ())


def _one(kind: ServiceKind, service: StoredService) -> Answer:
    facts = _facts(kind, service)
    lines = [(f"<th>{name}</th>", f"<td>{fact}</td>") for name, fact in facts.items() if name != "Display name"]
    return _html(200, service.display_name or service.name, "deleted" if service.deleted else kind.label, lines)


def _facts(kind: ServiceKind, service: StoredService) -> dict[str, str]:
    """Return what is shown of a service, as HTML."""
    updated = datetime.fromtimestamp(service.updated_at / 1000, tz=timezone.utc)
    config = (service.connection or {}).get("config") or {}
    settings = "\n".join(_settings(config, kind.request_model.connection_types[service.service_type])) or "none"
    return {
        "Name": escape(service.name),
        "Display name": escape(service.display_name or ""),
        "Fully qualified name": escape(service.fqn),
        "Type": escape(service.service_type),
        "Description": f"<pre>{escape(service.description or '')}</pre>",
        "Owners": _pills(owner["name"] for owner in service.owners),
        "Domains": _pills(domain["name"] for domain in service.domains),
        "Data products": _pills(product["name"] for product in service.data_products),
        "Tags": _pills(tag["tagFQN"] for tag in service.tags),
        "Version": str(service.version),
        "Updated": f"{updated:%Y-%m-%d %H:%M:%S} UTC",
        "Updated by": escape(service.updated_by),
        "Connection": f"<pre>{escape(settings)}</pre>",
    }


def _settings(config: Mapping[str, object], part: type[ConnectionPart], prefix: str = "") -> Iterator[str]:
    """Return the names of a connection's settings, and the values of those that the kind marks as plain."""
    for name, value in config.items():
        facts = part.fields_by_key[name]
        below = facts.part_of(value)
        if below is not None and isinstance(value, dict):
            yield from _settings(value, below, f"{prefix}{name}.")
        elif not facts.plain:
            yield f"{prefix}{name}: set"
        elif name.lower().endswith(("uri", "url")):
            yield f"{prefix}{name}: {_address(str(value))}"
        else:
            yield f"{prefix}{name}: {value if isinstance(value, str) else json.dumps(value)}"


def _address(url: str) -> str:
    """Return a URL's scheme and host, without user, password, path and query."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        return "set"
    if not parts.scheme or not host:
        return "set"
    return f"{parts.scheme}://{host}" + (f":{port}" if port else "")


def _pills(names: Iterable[object]) -> str:
    return "".join(f'<span class="pill">{escape(str(name))}</span>' for name in names)


def _html(status: int, title: str, note: str = "", lines: Iterable[Iterable[str]] = ()) -> Answer:
    rows = "".join(f"<tr>{''.join(line)}</tr>" for line in lines)
    table = f"<table>{rows}</table>" if rows else ""
    text = _template().substitute(title=escape(title), note=escape(note), table=table)
    return Answer(status, text.encode(), _HEADERS)


@cache
def _template() -> Template:
    return Template(Path(__file__).with_name("page.html").read_text(encoding="utf-8"))
