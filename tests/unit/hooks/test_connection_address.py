"""Where the server is, however a connection says it."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest
from airflow.models.connection import Connection as StoredConnection  # not every SDK's takes a URI

from airflow_provider_collate.hooks.connection import parse_connection
from tests.unit.hooks.collate_connections import HOST, TOKEN, connection, problems_of


class TestHost:
    @pytest.mark.parametrize(
        "host",
        [
            "https://acme.getcollate.io",
            "https://acme.getcollate.io/",
            "https://acme.getcollate.io/api",
            "https://acme.getcollate.io/api/",
            "https://acme.getcollate.io/api/v1",
            "https://acme.getcollate.io/api/v1/",
            "HTTPS://Acme.GetCollate.io",
            "  https://acme.getcollate.io\n",
            "acme.getcollate.io",
            "acme.getcollate.io/api",
        ],
    )
    def test_the_api_is_found_however_the_host_is_written(self, host: str) -> None:
        assert parse_connection(connection(host)).config.url == "https://acme.getcollate.io/api"

    @pytest.mark.parametrize(
        "host, schema, port, url",
        [
            ("openmetadata", "http", 8585, "http://openmetadata:8585/api"),
            ("openmetadata", "HTTPS", None, "https://openmetadata/api"),
            ("openmetadata", "https", 0, "https://openmetadata/api"),  # what the form sends for an empty port
            ("openmetadata", None, 8585, "https://openmetadata:8585/api"),
            ("openmetadata:8585", "http", None, "http://openmetadata:8585/api"),
            ("openmetadata:8585", "http", 8585, "http://openmetadata:8585/api"),
            ("https://openmetadata", "https", 8585, "https://openmetadata:8585/api"),
            ("127.0.0.1", "http", 8585, "http://127.0.0.1:8585/api"),
            ("::1", "http", 8585, "http://[::1]:8585/api"),
            ("[::1]:8585", "http", None, "http://[::1]:8585/api"),
            ("open_metadata-server", "http", None, "http://open_metadata-server/api"),
        ],
    )
    def test_a_bare_host_with_scheme_and_port(self, host: str, schema: str | None, port: int | None, url: str) -> None:
        assert parse_connection(connection(host, schema=schema, port=port)).config.url == url

    @pytest.mark.parametrize(
        "uri, url",
        [
            (f"collate://:{TOKEN}@acme.example", "https://acme.example/api"),
            (f"collate://:{TOKEN}@acme.example:8585/http", "http://acme.example:8585/api"),
            (f"collate://https://:{TOKEN}@acme.example:8585/api", "https://acme.example:8585/api"),
            (f"collate://http://:{TOKEN}@localhost:8585", "http://localhost:8585/api"),
            (f"http://:{TOKEN}@localhost:8585", "http://localhost:8585/api"),
            (f"https://:{TOKEN}@acme.example/api", "https://acme.example/api"),
            (f"collate://:{TOKEN}@{quote(HOST, safe='')}", "https://acme.getcollate.io/api"),
        ],
    )
    def test_a_connection_written_as_a_uri(self, uri: str, url: str) -> None:
        parsed = parse_connection(StoredConnection(conn_id="collate_default", uri=uri))

        assert parsed.config.url == url
        assert parsed.token == TOKEN

    @pytest.mark.parametrize(
        "given, problem",
        [
            ({"host": None}, "host: is missing"),
            ({"host": "  "}, "host: is missing"),
            ({"host": "ftp://acme.example"}, "host: must begin with https:// or http://"),
            ({"host": HOST + "/settings/bots"}, "host: has a path other than /api"),
            ({"host": HOST + "/?a=b"}, "host: has a query or a fragment"),
            ({"host": HOST + "/#top"}, "host: has a query or a fragment"),
            ({"host": "https://ana:hunter2secret@acme.example"}, "host: has credentials in it"),
            *(
                ({"host": host}, "host: is not an address")
                for host in ("https://", "https://{{ host }}", "https://acme .example", "https://ac\nme.example",
                             "http://[acme", "https://xn--.example")
            ),
            ({"schema": "ftp"}, "schema: must be http, https or empty"),
            ({"schema": "http"}, "schema: is not the scheme that the host begins with"),
            ({"host": HOST + ":99999"}, "port: must be a number from 1 to 65535"),
            ({"host": HOST + ":abc"}, "port: must be a number"),
            ({"port": -1}, "port: must be a number"),
            ({"port": 70_000}, "port: must be a number"),
            ({"host": HOST + ":8585", "port": 8586}, "port: is not the one in the host"),
        ],
    )  # fmt: skip
    def test_a_faulty_address_is_refused(self, given: dict[str, Any], problem: str) -> None:
        [named] = problems_of(connection(**given))

        assert named.startswith(problem)
        assert "hunter2secret" not in named

    def test_plain_http_to_another_machine_is_warned_about(self) -> None:
        [warning] = parse_connection(connection("http://acme.example:8585")).warnings

        assert warning == (
            "The token goes to acme.example by plain http, where others can read it; use an https:// address."
        )

    @pytest.mark.parametrize("host", ["localhost", "om.localhost", "127.0.0.1", "127.1.2.3", "::1"])
    def test_plain_http_on_this_machine_is_fine(self, host: str) -> None:
        assert parse_connection(connection(host, schema="http", port=8585)).warnings == ()
