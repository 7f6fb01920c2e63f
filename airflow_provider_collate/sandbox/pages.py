"""The small pages where a demo ends: a list of services, and one service with its fields."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import datetime, timezone
from pathlib import Path
from urllib.parse import quote, urlsplit

from jinja2 import Environment, FileSystemLoader

from airflow_provider_collate.kinds import ServiceKind
from airflow_provider_collate.models import ConnectionPart
from airflow_provider_collate.sandbox.exchange import Answer, Request
from airflow_provider_collate.sandbox.services import StoredService
from airflow_provider_collate.sandbox.state import State

_HEADERS = {
    "Content-Type": "text/html; charset=utf-8",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'",
}
_TEMPLATES = Environment(loader=FileSystemLoader(Path(__file__).parent), autoescape=True)


def page(request: Request, state: State) -> Answer:
    """Return the page at a path outside the API: `/`, a kind's `list_page` or `/service/{collection}/{fqn}`."""
    if request.method not in ("GET", "HEAD"):
        return _html(405, "This page can only be read")
    segments = request.segments
    for kind in state.served_kinds:
        services = state.store_of(kind.collection)
        if "/".join(segments) in ("", kind.list_page):
            return _list(kind, [service for name, _ in services.ordered() if (service := services.get(name))])
        if segments[:2] == ("service", kind.collection) and len(segments) >= 3:
            for service in services:
                if service.fqn == segments[2]:
                    note = "deleted" if service.deleted else kind.label
                    return _html(200, service.display_name or service.name, note, facts=_facts(kind, service))
    return _html(404, "There is nothing here", "No such page or service.")


def _list(kind: ServiceKind, services: list[StoredService]) -> Answer:
    rows = [(f"/service/{one.collection}/{quote(one.fqn, safe='')}", _facts(kind, one)) for one in services]
    count = f"{len(services)} service{'' if len(services) == 1 else 's'}"
    return _html(200, f"{kind.label}s", count, rows=rows)


def _facts(kind: ServiceKind, service: StoredService) -> dict[str, str | list[str]]:
    """Return what is shown of a service; a list is shown as pills."""
    updated = datetime.fromtimestamp(service.updated_at / 1000, tz=timezone.utc)
    config = (service.connection or {}).get("config") or {}
    return {
        "Name": service.name,
        "Display name": service.display_name or "",
        "Fully qualified name": service.fqn,
        "Type": service.service_type,
        "Description": service.description or "",
        "Owners": [owner["name"] for owner in service.owners],
        "Domains": [domain["name"] for domain in service.domains],
        "Data products": [product["name"] for product in service.data_products],
        "Tags": [tag["tagFQN"] for tag in service.tags],
        "Version": str(service.version),
        "Updated": f"{updated:%Y-%m-%d %H:%M:%S} UTC",
        "Updated by": service.updated_by,
        "Connection": "\n".join(_settings(config, kind.request_model.connection_types[service.service_type])) or "none",
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


def _html(status: int, title: str, note: str = "", **content: object) -> Answer:
    text = _TEMPLATES.get_template("page.html").render(title=title, note=note, **content)
    return Answer(status, text.encode(), _HEADERS)
