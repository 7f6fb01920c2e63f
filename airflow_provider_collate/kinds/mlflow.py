"""What an Airflow connection to an MLflow server, or to the database of its registry, becomes."""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import quote, urlencode, urlsplit

from airflow_provider_collate.kinds.airflow_connection import (
    Config,
    ConnectionFields,
    ConnectionMapping,
    UnusableConnectionError,
    given,
)

_TLS = ("sslmode", "sslrootcert", "sslcert", "sslkey")
# Connection type → the scheme of such a database in SQLAlchemy, and keys of the extra that its URL can hold.
_DATABASES: dict[str, tuple[str, tuple[str, ...]]] = {
    "postgres": ("postgresql+psycopg2", _TLS),
    "postgresql": ("postgresql+psycopg2", _TLS),
    "mysql": ("mysql+pymysql", ("charset",)),
    "mssql": ("mssql+pymssql", ("charset",)),
    "oracle": ("oracle+oracledb", ("service_name",)),
    "snowflake": ("snowflake", ("warehouse", "role")),
    "sqlite": ("sqlite", ()),
}
_NOT_IN_A_HOST = re.compile(r"[\s/?#@\\:%\[\]]")


def _mlflow_server(source: ConnectionFields) -> Config:
    registry = source.text("registry_uri") or source.text("registryUri")
    return {"trackingUri": _server_uri(source), **given(registryUri=registry)}


def _server_uri(source: ConnectionFields) -> str:
    if not source.host:
        raise UnusableConnectionError(f'the connection "{source.conn_id}" has no host')
    scheme, mark, rest = source.host.rpartition("://")
    if not mark:
        scheme = source.schema or ("https" if source.conn_type == "https" else "http")
        if scheme not in ("http", "https"):
            raise UnusableConnectionError('schema must be "http" or "https"')
    authority, slash, tail = rest.partition("/")
    userinfo, _, place = authority.rpartition("@")
    if _is_ipv6(place):
        place = f"[{place}]"
    if source.port and (":" not in place or place.endswith("]")):
        place = f"{place}:{source.port}"
    userinfo = _userinfo(source) or (f"{userinfo}@" if userinfo else "")
    uri = f"{scheme}://{userinfo}{place}{slash}{tail}"
    if not _is_address(uri, source.port):
        raise UnusableConnectionError("host, port and schema do not make an address")
    return uri


def _is_address(uri: str, port: int | None) -> bool:
    try:
        parts = urlsplit(uri)
        found = parts.port
    except ValueError:
        return False
    return bool(parts.hostname) and found == (port or found) and not re.search(r"\s", uri)


def _is_ipv6(host: str) -> bool:
    try:
        ipaddress.IPv6Address(host)
    except ValueError:
        return False
    return True


def _userinfo(source: ConnectionFields) -> str:
    if source.password and not source.login:
        raise UnusableConnectionError("a password without a login has no place in a URI")
    if not source.login:
        return ""
    password = f":{quote(source.password, safe='')}" if source.password else ""
    return f"{quote(source.login, safe='')}{password}@"


def _mlflow_database(source: ConnectionFields) -> Config:
    usual_scheme, keys = _DATABASES[source.conn_type]
    scheme = source.text("sqlalchemy_scheme") or usual_scheme
    if source.extra.get("iam"):
        raise UnusableConnectionError("a registry URI has no place for extra.iam")
    if source.conn_type == "sqlite":
        userinfo, place = "", "/" + (f"{source.host}/{source.schema}" if source.schema else source.host)
        if place == "/":
            raise UnusableConnectionError(f'the connection "{source.conn_id}" has no path in its host')
    else:
        userinfo, place = _userinfo(source), f"{_database_host(source)}{_database_name(source)}"
    query = {key: source.text(key) for key in keys if source.text(key)}
    for key in source.mapping("sqlalchemy_query"):
        query[key] = source.text("sqlalchemy_query", key)
    # SQLAlchemy before 2.1 takes a database's name as it stands, so what it cannot hold is refused.
    if re.search(r"[\s?#%]", place):
        raise UnusableConnectionError("host and schema do not make an address")
    return {"registryUri": f"{scheme}://{userinfo}{place}" + (f"?{urlencode(query)}" if query else "")}


def _database_host(source: ConnectionFields) -> str:
    key = "extra.account" if source.conn_type == "snowflake" else "host"
    host = source.text("account") if source.conn_type == "snowflake" else source.host
    if source.conn_type == "snowflake" and host and source.text("region"):
        host = f"{host}.{source.text('region')}"
    if not host:
        raise UnusableConnectionError(f'the connection "{source.conn_id}" has no {key}')
    if _is_ipv6(host):
        host = f"[{host}]"
    elif _NOT_IN_A_HOST.search(host):
        raise UnusableConnectionError(f"{key} is not the name of a host")
    port = source.port or (1521 if source.conn_type == "oracle" else None)
    return f"{host}:{port}" if port and source.conn_type != "snowflake" else host


def _database_name(source: ConnectionFields) -> str:
    names = [source.schema]
    if source.conn_type == "snowflake":
        if not (source.login and source.password):
            raise UnusableConnectionError("a registry URI of Snowflake takes login and password, and one is missing")
        names = [source.text("database"), source.schema]
    elif source.conn_type == "oracle":
        if source.text("dsn"):
            raise UnusableConnectionError("a registry URI has no place for extra.dsn; use host, port and service_name")
        names = [source.text("sid") or ("" if source.text("service_name") else source.schema)]
    path = "/".join(name for name in names if name)
    return f"/{path}" if path else ""


def _as_registry(config: Config) -> Config:
    return {"registryUri": config.get("registryUri") or config["trackingUri"]}


MLFLOW_MAPPINGS = tuple(
    ConnectionMapping(
        "Mlflow",
        conn_types,
        build,
        needed=("trackingUri",),
        advice="trackingUri is missing: give it beside, or name a server by conn_id and this one by registry_conn_id",
        further={"registry_conn_id": _as_registry},
    )
    for conn_types, build in (
        (("http", "https", "mlflow", "generic"), _mlflow_server),
        (tuple(_DATABASES), _mlflow_database),
    )
)
