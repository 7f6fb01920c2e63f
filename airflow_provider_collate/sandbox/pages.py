"""The small pages where a demo ends: a list of services, and one service with its fields."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import datetime, timezone
from html import escape
from urllib.parse import quote, urlsplit

from airflow_provider_collate.sandbox.exchange import Answer, Request
from airflow_provider_collate.sandbox.services import Service
from airflow_provider_collate.sandbox.state import State

_LISTS = ((), ("settings", "services", "mlmodels"))
# A connection's settings that are shown, by path; of the others, only that they are set.
_SHOWN = frozenset({"type", "sourcePythonClass", "supportsMetadataExtraction"})
_SHOWN_BY_TYPE = {"SageMaker": {"awsConfig.awsRegion"}, "VertexAI": {"location"}}
_ADDRESSES = {"Mlflow": {"trackingUri"}, "SageMaker": {"awsConfig.endPointURL"}}

_STYLE = """
:root { color-scheme: light; --line: #e4e7ec; --soft: #667085; --ink: #101828; --brand: #5925dc; }
* { box-sizing: border-box; }
body { margin: 0; font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: #f9fafb; }
header { background: var(--brand); color: #fff; padding: 14px 32px; display: flex; gap: 12px;
  align-items: baseline; }
header a { color: #fff; font-weight: 600; text-decoration: none; }
header span { opacity: .75; font-size: 13px; }
main { max-width: 1040px; margin: 28px auto; padding: 0 24px; }
h1 { font-size: 24px; margin: 0 0 4px; overflow-wrap: anywhere; }
p.note { color: var(--soft); margin: 0 0 20px; }
table { width: 100%; border-collapse: collapse; background: #fff; border: 1px solid var(--line);
  border-radius: 8px; }
th, td { text-align: left; vertical-align: top; padding: 10px 14px; border-bottom: 1px solid var(--line); }
td { overflow-wrap: anywhere; }
tr:last-child > * { border-bottom: 0; }
th { color: var(--soft); font-size: 13px; font-weight: 600; white-space: nowrap; }
td a { color: var(--brand); font-weight: 600; text-decoration: none; }
.pill { display: inline-block; background: #f4f3ff; color: var(--brand); border-radius: 10px; padding: 0 9px;
  margin: 0 4px 4px 0; font-size: 13px; }
pre { margin: 0; white-space: pre-wrap; font: inherit; }
"""


def page(request: Request, state: State) -> Answer:
    """The page at a path outside the API.

    :param request: a GET of `/`, `/settings/services/mlmodels` or `/service/mlmodelServices/{fqn}`.
    """
    if request.method not in ("GET", "HEAD"):
        return _html(405, "Not allowed", "<h1>This page can only be read</h1>")
    segments = request.segments
    if segments in _LISTS:
        return _html(200, "ML model services", _list(state))
    if segments[:2] == ("service", "mlmodelServices") and len(segments) >= 3:
        fqn = segments[2]
        found = [service for service in state.store if service.fqn == fqn]
        if found:
            return _html(200, found[0].display_name or found[0].name, _service(found[0]))
    return _html(404, "Not found", "<h1>There is nothing here</h1><p class=note>No such page or service.</p>")


def page_path(fqn: str) -> str:
    """The path of a service's page."""
    return f"/service/mlmodelServices/{quote(fqn, safe='')}"


def _list(state: State) -> str:
    services = [service for name in state.store.names() if (service := state.store.get(name))]
    count = f"{len(services)} service{'' if len(services) == 1 else 's'}"
    rows = "".join(
        f'<tr><td><a href="{escape(page_path(service.fqn))}">{escape(service.name)}</a></td>'
        f"<td>{escape(service.display_name or '')}</td><td>{escape(service.service_type)}</td>"
        f"<td>{_names(service.owners)}</td><td>{_tags(service)}</td>"
        f"<td>{service.version}</td><td>{escape(service.updated_by)}</td></tr>"
        for service in services
    )
    heads = "".join(
        f"<th>{head}</th>" for head in ("Name", "Display name", "Type", "Owners", "Tags", "Version", "Updated by")
    )
    table = f"<table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>" if rows else ""
    return f"<h1>ML model services</h1><p class=note>{count}</p>{table}"


def _service(service: Service) -> str:
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
        ("Connection", f"<pre>{escape(_connection(service))}</pre>"),
    ]
    rows = "".join(f"<tr><th>{name}</th><td>{value}</td></tr>" for name, value in fields)
    note = "deleted" if service.deleted else "ML model service"
    title = escape(service.display_name or service.name)
    return f"<h1>{title}</h1><p class=note>{note}</p><table><tbody>{rows}</tbody></table>"


def _connection(service: Service) -> str:
    """The names of a connection's settings; values only of those that can hold no secret."""
    config = (service.connection or {}).get("config")
    if not isinstance(config, dict):
        return "none"
    shown = _SHOWN | _SHOWN_BY_TYPE.get(service.service_type, set())
    addresses = _ADDRESSES.get(service.service_type, set())
    lines = []
    for path, value in _flat(config):
        if path in addresses:
            text = _address(str(value))
        elif path in shown:
            text = value if isinstance(value, str) else json.dumps(value)
        else:
            text = "set"
        lines.append(f"{path}: {text}")
    return "\n".join(lines)


def _flat(config: Mapping[str, object], prefix: str = "") -> Iterator[tuple[str, object]]:
    for name, value in config.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


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


def _names(references: tuple[dict[str, object], ...]) -> str:
    return "".join(f'<span class="pill">{escape(str(ref["name"]))}</span>' for ref in references)


def _tags(service: Service) -> str:
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
