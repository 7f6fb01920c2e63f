"""Read the Airflow connections that declared services name, when the task runs.

`connection={"conn_id": "aws_prod"}` stands for what the kind of service makes of that connection. Keys beside
`conn_id` override it: fields of the config (`mlModelFilterPattern`), fields of its credentials (`awsRegion`,
`projectId`), or a whole `config`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from airflow.providers.common.compat import sdk

from airflow_provider_collate.exceptions import InvalidDeclarationError
from airflow_provider_collate.hooks.lookup import find_connection
from airflow_provider_collate.kinds import ServiceKind
from airflow_provider_collate.kinds.airflow_connection import (
    ConnectionFields,
    UnusableConnectionError,
    is_conn_id_key,
    json_object,
)
from airflow_provider_collate.models import LiteralConfig
from airflow_provider_collate.models.declared import scalar_problem

GetConnection = Callable[[str], sdk.Connection]


def resolve_services(
    rows: list[object], get_connection: GetConnection, *, kind: ServiceKind, single: bool = False
) -> tuple[list[object], list[str]]:
    """Resolve every `conn_id` in declared services, each Airflow connection being looked up once.

    :param rows: declared services; those without a `conn_id` are returned as they are.
    :param get_connection: returns the Airflow connection of an id.
    :param kind: the kind of the services.
    :param single: whether the one row is not part of a list, so that problems are named without an index.
    :return: the rows, and the secrets in them, which must be masked before anything else happens.
    :raises InvalidDeclarationError: names the problems of all rows.
    """
    # The traceback of an error holds this frame: what was resolved is kept where printing cannot reach it.
    resolver = _Resolver(kind, get_connection)
    for index, row in enumerate(rows):
        resolver.add(row, "connection" if single else f"services[{index}].connection")
    if resolver.problems:
        raise InvalidDeclarationError(resolver.problems)
    return resolver.rows, list(resolver.secrets)


@dataclass
class _Resolver:
    """Looks each Airflow connection up once, and remembers why one cannot be used."""

    kind: ServiceKind
    get_connection: GetConnection = field(repr=False)
    rows: list[object] = field(default_factory=list, repr=False)
    secrets: dict[str, None] = field(default_factory=dict, repr=False)
    problems: list[str] = field(default_factory=list)
    known: dict[str, ConnectionFields | str] = field(default_factory=dict, repr=False)

    def add(self, row: object, path: str) -> None:
        """Add a row, resolved where it names Airflow connections, or what is wrong with it."""
        declared = row.get("connection") if isinstance(row, Mapping) else None
        if not (isinstance(row, Mapping) and isinstance(declared, Mapping) and any(map(is_conn_id_key, declared))):
            self.rows.append(row)
            return
        found = {key: self._look_up(conn_id) for key, conn_id in declared.items() if is_conn_id_key(key)}
        sources = {key: source for key, source in found.items() if isinstance(source, ConnectionFields)}
        if faults := [f"{path}.{key}: {fault}" for key, fault in found.items() if isinstance(fault, str)]:
            self.problems.extend(faults)
            return
        service_type = row.get("serviceType", row.get("service_type"))
        try:
            if not isinstance(service_type, str):
                raise UnusableConnectionError(_NO_TYPE)
            _refuse_unknown_places(sources)
            config = LiteralConfig(self.kind.config_from(service_type, declared, sources))
        except UnusableConnectionError as fault:
            key = fault.key or next(iter(sources))
            self.problems.append(f"{path}.{key}: {fault}{self._hint(service_type, sources[key])}")
            return
        self.rows.append({**row, "connection": {"config": config}})
        self.secrets.update(dict.fromkeys(source.password for source in sources.values() if source.password))
        self.secrets.update(dict.fromkeys(self.kind.secret_values(service_type, {"config": config})))

    def _hint(self, service_type: object, source: ConnectionFields) -> str:
        """Return how a connection gets its own type, where Airflow may have replaced it."""
        mappings = [mapping for mapping in self.kind.mappings if mapping.service_type == service_type]
        accepted = [conn_type for mapping in mappings for conn_type in mapping.conn_types]
        if source.conn_type != "generic" or accepted in ([], ["generic"]):
            return ""
        own = ", ".join(conn_type for conn_type in accepted if conn_type != "generic")
        return (
            f'. "{source.conn_id}" is of type "generic", which Airflow stores when --conn-type names a type whose '
            f"provider is not installed: add it by --conn-uri or --conn-json, with one of {own}"
        )

    def _look_up(self, conn_id: object) -> ConnectionFields | str:
        if not isinstance(conn_id, str) or not conn_id.strip():
            return "must be the id of an Airflow connection"
        if problem := scalar_problem(conn_id):
            return problem
        if conn_id not in self.known:
            self.known[conn_id] = _read(conn_id, self.get_connection)
        return self.known[conn_id]


_NO_TYPE = "serviceType must be given, because it decides what the connection becomes"


def _refuse_unknown_places(sources: Mapping[str, ConnectionFields]) -> None:
    """Refuse a second connection that could be a web server as well as a database: the wrong one would be declared."""
    for key, source in sources.items():
        is_web = "://" in source.host or source.schema in ("http", "https")
        if key != "conn_id" and source.conn_type == "generic" and not is_web:
            fault = UnusableConnectionError("it does not say what it leads to; a web server's begins with https://")
            fault.key = key
            raise fault


def _read(conn_id: str, get_connection: GetConnection) -> ConnectionFields | str:
    try:
        connection = find_connection(conn_id, get_connection)
    except (sdk.AirflowException, ValueError):
        # The texts of these carry the connection's URI.
        return f'Airflow cannot read the connection "{conn_id}"; its JSON or URI is faulty'
    if connection is None:
        return f'there is no Airflow connection "{conn_id}"; add it under Admin > Connections, or name another'
    extra = json_object(connection.extra or "{}")
    if extra is None:
        return f'the extra of the connection "{conn_id}" is not a JSON object'
    return ConnectionFields(
        conn_id,
        (connection.conn_type or "").lower().replace("-", "_"),
        (connection.host or "").strip(),
        (connection.schema or "").strip(),
        connection.login or "",
        connection.password or "",
        connection.port,
        _short_keys(extra),
    )


def _short_keys(extra: Mapping[str, object]) -> dict[str, object]:
    short = {key: value for key, value in extra.items() if not key.startswith("extra__")}
    for key, value in extra.items():
        if key.startswith("extra__") and key.count("__") > 1:
            short.setdefault(key.split("__", 2)[2], value)
    return short
