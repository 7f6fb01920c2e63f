"""Connections of servers and databases become the config of an Mlflow service."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.hooks.declared_connections import (
    ENCODED,
    PASSWORD,
    Connections,
    config_of,
    problem_of,
    problems_of,
    resolve,
)


@pytest.mark.parametrize(
    "connection, expected",
    [
        ({"conn_type": "http", "host": "mlflow.acme.example"}, "http://mlflow.acme.example"),
        ({"conn_type": "https", "host": "mlflow.acme.example"}, "https://mlflow.acme.example"),
        ({"conn_type": "mlflow", "host": "mlflow", "schema": "https", "port": 5000}, "https://mlflow:5000"),
        ({"conn_type": "generic", "host": "https://mlflow/base/", "port": 5000}, "https://mlflow:5000/base/"),
        ({"conn_type": "http", "host": "http://mlflow:5000", "port": 5000}, "http://mlflow:5000"),
        ({"conn_type": "http", "host": "::1", "port": 5000}, "http://[::1]:5000"),
        ({"conn_type": "http", "host": "[::1]", "port": 5000}, "http://[::1]:5000"),
        (
            {"conn_type": "http", "host": "mlflow", "port": 5000, "login": "ana@acme", "password": PASSWORD},
            f"http://ana%40acme:{ENCODED}@mlflow:5000",
        ),
        ({"conn_type": "http", "host": "http://u:p@mlflow", "login": "ana"}, "http://ana@mlflow"),
        ({"conn_type": "http", "host": "http://u:p@mlflow"}, "http://u:p@mlflow"),
    ],
)
def test_a_server_becomes_the_tracking_uri(connection: dict[str, object], expected: str) -> None:
    assert config_of("Mlflow", connection) == {"trackingUri": expected}


@pytest.mark.parametrize("key", ["registry_uri", "registryUri"])
def test_the_registry_uri_of_the_extra(key: str) -> None:
    connection = {"conn_type": "http", "host": "mlflow", "extra": {key: "sqlite:////data/ml.db"}}

    assert config_of("Mlflow", connection) == {"trackingUri": "http://mlflow", "registryUri": "sqlite:////data/ml.db"}


DATABASE = {"host": "db", "port": 3307, "schema": "ml", "login": "ana", "password": PASSWORD}


DATABASES = [
    ({**DATABASE, "conn_type": "mysql"}, f"mysql+pymysql://ana:{ENCODED}@db:3307/ml"),
    (
        {**DATABASE, "conn_type": "postgres", "extra": {"sslmode": "require"}},
        f"postgresql+psycopg2://ana:{ENCODED}@db:3307/ml?sslmode=require",
    ),
    ({**DATABASE, "conn_type": "postgresql"}, f"postgresql+psycopg2://ana:{ENCODED}@db:3307/ml"),
    (
        {**DATABASE, "conn_type": "postgres", "extra": {"sqlalchemy_query": {"application_name": "a b"}}},
        f"postgresql+psycopg2://ana:{ENCODED}@db:3307/ml?application_name=a+b",
    ),
    (
        {**DATABASE, "conn_type": "mssql", "extra": {"sqlalchemy_scheme": "mssql+pyodbc"}},
        f"mssql+pyodbc://ana:{ENCODED}@db:3307/ml",
    ),
    ({**DATABASE, "conn_type": "mssql"}, f"mssql+pymssql://ana:{ENCODED}@db:3307/ml"),
    (
        {**DATABASE, "conn_type": "oracle", "port": None, "extra": {"service_name": "S"}},
        f"oracle+oracledb://ana:{ENCODED}@db:1521?service_name=S",
    ),
    ({**DATABASE, "conn_type": "oracle", "extra": {"sid": "X"}}, f"oracle+oracledb://ana:{ENCODED}@db:3307/X"),
    ({"conn_type": "oracle", "host": "h", "schema": "xe"}, "oracle+oracledb://h:1521/xe"),
    (
        {**DATABASE, "conn_type": "snowflake", "schema": None, "extra": {"account": "ac"}},
        f"snowflake://ana:{ENCODED}@ac",
    ),
    (
        {
            **DATABASE,
            "conn_type": "snowflake",
            "extra": {"extra__snowflake__account": "ac", "region": "eu", "database": "D", "warehouse": "W"},
        },
        f"snowflake://ana:{ENCODED}@ac.eu/D/ml?warehouse=W",
    ),
    ({"conn_type": "sqlite", "host": "/data/ml.db"}, "sqlite:////data/ml.db"),
    ({"conn_type": "sqlite", "host": "data", "schema": "ml.db"}, "sqlite:///data/ml.db"),
    ({"conn_type": "postgres", "host": "::1", "schema": "ml"}, "postgresql+psycopg2://[::1]/ml"),
    ({"conn_type": "postgres", "host": "h", "extra": {"region": "eu"}}, "postgresql+psycopg2://h"),
]


@pytest.mark.parametrize("registry, expected", DATABASES)
def test_a_database_becomes_the_registry_uri(registry: dict[str, Any], expected: str) -> None:
    tracking = {"conn_type": "http", "host": "mlflow", "extra": {"registry_uri": "http://overridden"}}

    config = config_of("Mlflow", tracking, registry)

    assert config == {"trackingUri": "http://mlflow", "registryUri": expected}


@pytest.mark.parametrize("registry, _", DATABASES)
def test_sqlalchemy_reads_the_registry_uri_back(registry: dict[str, Any], _: str) -> None:
    engine = pytest.importorskip("sqlalchemy.engine", reason="SQLAlchemy reads the URIs back")

    uri = config_of("Mlflow", {"conn_type": "http", "host": "mlflow"}, registry)["registryUri"]
    url = engine.make_url(uri)

    assert (url.username, url.password) == (registry.get("login"), registry.get("password"))
    if registry["conn_type"] not in ("snowflake", "sqlite"):
        assert (url.host, url.port) == (
            registry["host"],
            registry.get("port") or (1521 if registry["conn_type"] == "oracle" else None),
        )


def test_the_extra_of_a_server_that_is_the_registry_comes_first() -> None:
    registry = {"conn_type": "http", "host": "h", "extra": {"registry_uri": "mysql://x"}}

    assert config_of("Mlflow", {"conn_type": "http", "host": "mlflow"}, registry)["registryUri"] == "mysql://x"


def test_a_server_may_be_the_registry_and_a_database_may_be_the_conn_id() -> None:
    server, database = {"conn_type": "http", "host": "mlflow"}, {**DATABASE, "conn_type": "mysql"}

    assert config_of("Mlflow", server, {"conn_type": "https", "host": "registry"}) == {
        "trackingUri": "http://mlflow",
        "registryUri": "https://registry",
    }
    assert config_of("Mlflow", database, trackingUri="http://mlflow") == {
        "trackingUri": "http://mlflow",
        "registryUri": f"mysql+pymysql://ana:{ENCODED}@db:3307/ml",
    }


def test_a_registry_conn_id_alone_takes_its_tracking_uri_from_beside() -> None:
    declared: dict[str, object] = {"registry_conn_id": "db", "tracking_uri": "http://mlflow"}
    connections = Connections(db={**DATABASE, "conn_type": "mysql"})

    config, _ = resolve(declared, "Mlflow", connections)

    assert config == {"trackingUri": "http://mlflow", "registryUri": f"mysql+pymysql://ana:{ENCODED}@db:3307/ml"}


@pytest.mark.parametrize(
    "connection, expected",
    [
        ({"conn_type": "http"}, 'the connection "one" has no host'),
        ({"conn_type": "http", "host": "canary host"}, "host, port and schema do not make an address"),
        ({"conn_type": "http", "host": "http://[canary"}, "host, port and schema do not make an address"),
        ({"conn_type": "http", "host": "h:canary"}, "host, port and schema do not make an address"),
        ({"conn_type": "http", "host": "h:1", "port": 2}, "host, port and schema do not make an address"),
        ({"conn_type": "http", "host": "h", "schema": "canary"}, 'schema must be "http" or "https"'),
        ({"conn_type": "http", "host": "h", "password": "canary"}, "a password without a login has no place in a URI"),
        (
            {**DATABASE, "conn_type": "mysql"},
            "trackingUri is missing: give it beside, or name a server by conn_id and this one by registry_conn_id",
        ),
        ({**DATABASE, "conn_type": "mysql", "host": None}, 'the connection "one" has no host'),
        ({**DATABASE, "conn_type": "postgres", "host": "/canary"}, "host is not the name of a host"),
        ({**DATABASE, "conn_type": "mysql", "schema": "ca?nary"}, "host and schema do not make an address"),
        ({**DATABASE, "conn_type": "postgres", "extra": {"iam": True}}, "a registry URI has no place for extra.iam"),
        ({**DATABASE, "conn_type": "snowflake"}, 'the connection "one" has no extra.account'),
        (
            {"conn_type": "snowflake", "login": "ana", "extra": {"account": "a"}},
            "a registry URI of Snowflake takes login and password, and one is missing",
        ),
        ({"conn_type": "sqlite"}, 'the connection "one" has no path in its host'),
        (
            {**DATABASE, "conn_type": "oracle", "extra": {"dsn": "canary"}},
            "a registry URI has no place for extra.dsn; use host, port and service_name",
        ),
    ],
)
def test_an_mlflow_connection_that_cannot_be_used(connection: dict[str, Any], expected: str) -> None:
    assert problem_of("Mlflow", connection) == f"connection.conn_id: {expected}"


def test_a_faulty_registry_is_named_by_its_own_key() -> None:
    server = {"conn_type": "http", "host": "mlflow"}

    (problem,) = problems_of(lambda: config_of("Mlflow", server, {"conn_type": "http", "host": "canary host"}))

    assert problem.startswith("connection.registry_conn_id: ")
    assert "canary" not in problem
