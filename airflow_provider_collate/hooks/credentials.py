"""Read the Airflow connections that declared services name, when the task runs.

`connection={"conn_id": "aws_prod"}` stands for what the kind of service makes of that connection. Keys beside
`conn_id` override it: fields of the config (`mlModelFilterPattern`), fields of its credentials (`awsRegion`,
`projectId`), or a whole `config`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from airflow.providers.common.compat import sdk

from airflow_provider_collate.exceptions import InvalidDeclarationError
from airflow_provider_collate.files.conn_ids import Resolution
from airflow_provider_collate.hooks.lookup import find_connection
from airflow_provider_collate.kinds import ServiceKind
from airflow_provider_collate.kinds.airflow_connection import (
    TYPE_DECIDES,
    ConnectionFields,
    UnusableConnectionError,
    conn_id_problem,
    is_conn_id_key,
    json_object,
    names_connections,
)
from airflow_provider_collate.models import LiteralConfig
from airflow_provider_collate.models.validation import row_path

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
    resolver = ConnectionResolver(kind, get_connection)
    resolution = resolver.resolve(rows)
    if problems := resolution.problems:
        raise InvalidDeclarationError([f"{row_path(row, path, single=single)}: {text}" for row, path, text in problems])
    return resolution.rows, list(resolver.secrets)


@dataclass
class ConnectionResolver:
    """Look each Airflow connection up once, and remember why one cannot be used.

    :param kind: the kind of the services.
    :param get_connection: returns the Airflow connection of an id.
    :param secrets: the secrets that were found, which must be masked before anything else happens.
    """

    kind: ServiceKind
    get_connection: GetConnection = field(repr=False)
    secrets: dict[str, None] = field(default_factory=dict, repr=False)
    _known: dict[str, ConnectionFields | str] = field(default_factory=dict, repr=False)

    def resolve(self, rows: Sequence[object]) -> Resolution:
        """Return the rows, resolved where they name Airflow connections, and what is wrong with them.

        :param rows: declared services; those without a `conn_id` are returned as they are.
        """
        resolution = Resolution()
        for index, row in enumerate(rows):
            config = self._config(row)
            if isinstance(config, dict) and isinstance(row, Mapping):
                resolution.rows.append({**row, "connection": {"config": config}})
            else:
                resolution.rows.append(row)
                faults = config if isinstance(config, list) else []
                resolution.problems += [(index, ("connection", key), text) for key, text in faults]
        return resolution

    def _config(self, row: object) -> LiteralConfig | list[tuple[str, str]] | None:
        """Return the config of a row, or what is wrong with its keys; None if it names no Airflow connection."""
        if not (isinstance(row, Mapping) and names_connections(row)):
            return None
        declared = row["connection"]
        found = {key: self._look_up(conn_id) for key, conn_id in declared.items() if is_conn_id_key(key)}
        if faults := [(key, fault) for key, fault in found.items() if isinstance(fault, str)]:
            return faults
        sources = {key: source for key, source in found.items() if isinstance(source, ConnectionFields)}
        service_type = row.get("serviceType", row.get("service_type"))
        try:
            if not isinstance(service_type, str):
                raise UnusableConnectionError(TYPE_DECIDES)
            _refuse_unknown_places(sources)
            config = LiteralConfig(self.kind.config_from(service_type, declared, sources))
        except UnusableConnectionError as fault:
            key = fault.key or next(iter(sources))
            return [(key, f"{fault}{self._hint(service_type, sources[key])}")]
        self.secrets.update(dict.fromkeys(source.password for source in sources.values() if source.password))
        self.secrets.update(dict.fromkeys(self.kind.secret_values(service_type, {"config": config})))
        return config

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
        problem = conn_id_problem(conn_id)
        if problem or not isinstance(conn_id, str):
            return problem
        if conn_id not in self._known:
            self._known[conn_id] = _read(conn_id, self.get_connection)
        return self._known[conn_id]


def _refuse_unknown_places(sources: Mapping[str, ConnectionFields]) -> None:
    """Refuse a second connection that could be a web server as well as a database: the wrong one would be declared."""
    for key, source in sources.items():
        is_web = "://" in source.host or source.schema in ("http", "https")
        if key != "conn_id" and source.conn_type == "generic" and not is_web:
            text = f'the host of "{source.conn_id}" may be a web server or a database; begin that of a web server with'
            raise UnusableConnectionError(f"{text} https://", key)


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
