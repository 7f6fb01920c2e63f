"""Airflow connections to a Collate."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import cast

import pytest
from airflow.providers.common.compat.sdk import Connection

from airflow_provider_collate.exceptions import InvalidConnectionError
from airflow_provider_collate.hooks.connection import parse_connection

TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJib3QifQ.c2ln"

HOST = "https://acme.getcollate.io"


def connection(
    host: str | None = HOST,
    *,
    password: str | None = TOKEN,
    extra: object = None,
    conn_type: str = "collate",
    schema: str | None = None,
    port: int | None = None,
    login: str | None = None,
) -> Connection:
    text = extra if isinstance(extra, str) or extra is None else json.dumps(extra)
    return Connection(
        conn_id="collate_default",
        conn_type=conn_type,
        host=host,
        schema=schema,
        port=port,
        login=login,
        password=password,
        extra=text,
    )


def bare_connection(**given: object) -> Connection:
    """A connection that Airflow itself has not looked at."""
    fields = {
        "conn_id": "collate_default",
        "conn_type": "collate",
        "host": HOST,
        "schema": None,
        "port": None,
        "login": None,
        "password": TOKEN,
    }
    return cast("Connection", SimpleNamespace(**(fields | {"extra": None} | given)))


def problems_of(conn: Connection) -> tuple[str, ...]:
    with pytest.raises(InvalidConnectionError) as caught:
        parse_connection(conn)
    return tuple(caught.value.problems)
