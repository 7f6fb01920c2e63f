"""The small pages where a demo ends: a list of services, and one service with its fields."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import datetime, timezone
from html import escape
from urllib.parse import quote, urlsplit

from airflow_provider_collate.kinds import ServiceKind
from airflow_provider_collate.models import ConnectionPart
from airflow_provider_collate.sandbox.exchange import Answer, JsonObject, Request
from airflow_provider_collate.sandbox.services import StoredService
from airflow_provider_collate.sandbox.state import State

_STYLE = """
body { margin: 0; font: 15px/1.5 system-ui, sans-serif; color: #101828; background: #f9fafb; }
header { background: #5925dc; color: #fff; padding: 14px 32px; }
header a { color: #fff; font-weight: 600; text-decoration: none; margin-right: 12px; }
main { max-width: 1040px; margin: 28px auto; padding: 0 24px; }
h1 { font-size: 24px; margin: 0 0 4px; overflow-wrap: anywhere; }
p.note { color: #667085; margin: 0 0 20px; }
table { width: 100%; border-collapse: collapse; background: #fff; border: 1px solid #e4e7ec; }
th, td { text-align: left; vertical-align: top; padding: 10px 14px; border-bottom: 1px solid #e4e7ec; }
td { overflow-wrap: anywhere; }
th { color: #667085; font-size: 13px; white-space: nowrap; }
td a, .pill { color: #5925dc; text-decoration: none; }
.pill { background: #f4f3ff; border-radius: 10px; padding: 0 9px; margin-right: 4px; font-size: 13px; }
pre { margin: 0; white-space: pre-wrap; font: inherit; }
"""


def page(request: Request, state: State) -> Answer:
    """The page at a path outside the API.

    :param request: a GET of `/`, a kind's `list_page` or `/service/{collection}/{fqn}`.
    """
    if request.method not in ("GET", "HEAD"):
        return _html(405, "Not allowed", "<h1>This page can only be read</h1>")
    segments = request.segments
    for kind in state.served_kinds:
        if "/".join(segments) in ("", kind.list_page):
            return _html(200, f"{kind.label}s", _list(kind, state))
        if segments[:2] == ("service", kind.collection) and len(segments) >= 3:
            found = [service for service in state.store_of(kind.collection) if service.fqn == segments[2]]
            if found:
                return _html(200, found[0].display_name or found[0].name, _service(found[0], kind))
    return _html(404, "Not found", "<h1>There is nothing here</h1><p class=note>No such page or service.</p>")


def _list(kind: ServiceKind, state: State) -> str:
    store = state.store_of(kind.collection)
    services = [service for name in store.names() if (service := store.get(name))]
    count = f"{len(services)} service{'' if len(services) == 1 else 's'}"
    rows = "".join(
        f'<tr><td><a href="{_path(service)}">{escape(service.name)}</a></td>'
        f"<td>{escape(service.display_name or '')}</td><td>{escape(service.service_type)}</td>"
        f"<td>{_names(service.owners)}</td><td>{_tags(service)}</td>"
        f"<td>{service.version}</td><td>{escape(service.updated_by)}</td></tr>"
        for service in services
    )
    heads = "".join(
        f"<th>{head}</th>" for head in ("Name", "Display name", "Type", "Owners", "Tags", "Version", "Updated by")
    )
    table = f"<table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>" if rows else ""
    return f"<h1>{escape(kind.label)}s</h1><p class=note>{count}</p>{table}"


def _path(service: StoredService) -> str:
    return f"/service/{service.collection}/{quote(service.fqn, safe='')}"


def _service(service: StoredService, kind: ServiceKind) -> str:
    updated = datetime.fromtimestamp(service.updated_at / 1000, tz=timezone.utc)
    fields = [
        ("Name", escape(service.name)),
        ("Fully qualified name", escape(service.fqn)),
        ("Type", escape(service.service_type)),
        ("Description", f"<pre>{escape(service.description or '')}</pre>"),
        ("Owners", _names(service.owners)),
        ("Domains", _names(service.domains)),
        ("Data products", _names(service.data_products)),
        ("Tags", _tags(service)),
        ("Version", str(service.version)),
        ("Updated", f"{updated:%Y-%m-%d %H:%M:%S} UTC by {escape(service.updated_by)}"),
        ("Connection", f"<pre>{escape(_connection(service, kind))}</pre>"),
    ]
    rows = "".join(f"<tr><th>{name}</th><td>{value}</td></tr>" for name, value in fields)
    note = "deleted" if service.deleted else escape(kind.label)
    title = escape(service.display_name or service.name)
    return f"<h1>{title}</h1><p class=note>{note}</p><table><tbody>{rows}</tbody></table>"


def _connection(service: StoredService, kind: ServiceKind) -> str:
    """Return the names of a connection's settings, and the values of those that the kind marks as plain."""
    config = (service.connection or {}).get("config")
    if not isinstance(config, dict):
        return "none"
    return "\n".join(_settings(config, kind.request_model.connection_types[service.service_type]))


def _settings(config: Mapping[str, object], part: type[ConnectionPart], prefix: str = "") -> Iterator[str]:
    for name, value in config.items():
        facts = part.field_facts(name)
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
    """A URL's scheme and host, without user, password, path and query."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        return "set"
    if not parts.scheme or not host:
        return "set"
    return f"{parts.scheme}://{host}" + (f":{port}" if port else "")


def _names(references: tuple[JsonObject, ...]) -> str:
    return "".join(f'<span class="pill">{escape(str(ref["name"]))}</span>' for ref in references)


def _tags(service: StoredService) -> str:
    return "".join(f'<span class="pill">{escape(str(tag["tagFQN"]))}</span>' for tag in service.tags)


def _html(status: int, title: str, content: str) -> Answer:
    text = (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style></head>'
        f'<body><header><a href="/">Collate sandbox</a><span>in memory</span></header>'
        f"<main>{content}</main></body></html>"
    )
    headers = {
        "Content-Type": "text/html; charset=utf-8",
        "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'",
    }
    return Answer(status, text.encode(), headers)
