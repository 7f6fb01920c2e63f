from __future__ import annotations

import json
import os
import re
from datetime import datetime, timedelta, timezone
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast
from urllib.parse import quote

import pytest
from airflow.models.connection import Connection as StoredConnection  # not every SDK's takes a URI
from airflow.providers.common.compat.sdk import Connection
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_collate.exceptions import InvalidConnectionError, InvalidDeclarationError
from airflow_provider_collate.hooks.connection import connection_secrets, parse_connection
from airflow_provider_collate.sandbox import INGESTION_BOT, make_token

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
    fields = {"conn_type": "collate", "host": HOST, "schema": None, "port": None, "login": None, "password": TOKEN}
    return cast("Connection", SimpleNamespace(**(fields | {"extra": None} | given)))


def problems_of(conn: Connection) -> tuple[str, ...]:
    with pytest.raises(InvalidConnectionError) as caught:
        parse_connection(conn)
    return tuple(caught.value.problems)


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
        parsed = parse_connection(connection(host))

        assert parsed.config.url == "https://acme.getcollate.io/api"
        assert parsed.ui_url == "https://acme.getcollate.io"

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


class TestToken:
    @pytest.mark.parametrize(
        "password, problem",
        [
            (None, "is missing; it must be the token (JWT) from Settings > Bots > ingestion-bot in Collate"),
            (" \n", "is missing"),
            (f"Bearer {TOKEN}", 'begins with "Bearer"'),
            (f"{TOKEN}\n", "begins or ends with a blank or a line break"),
            (f" {TOKEN}", "begins or ends with a blank or a line break"),
            (f"{TOKEN[:9]}\n{TOKEN[9:]}", "that no token has"),
            (f"{TOKEN[:9]} {TOKEN[9:]}", "that no token has"),
            (f"{TOKEN}ä", "that no token has"),
        ],
    )
    def test_a_faulty_token_is_refused(self, password: str | None, problem: str) -> None:
        [named] = problems_of(connection(password=password))

        assert named.startswith("password: ")
        assert problem in named
        assert TOKEN[:9] not in named

    def test_a_token_in_the_login_is_found(self) -> None:
        assert "from the login; move it to the password" in problems_of(connection(password=None, login=TOKEN))[0]


class TestExtra:
    def test_without_an_extra_the_defaults_hold(self) -> None:
        config = parse_connection(connection()).config

        assert (config.verify, config.client_cert, config.proxy) == (True, None, None)
        assert (config.timeout, config.max_retries) == (30.0, 3)

    def test_every_field_is_read(self, tmp_path: Path) -> None:
        certificate, key = tmp_path / "cert.pem", tmp_path / "key.pem"
        certificate.touch()
        key.touch()
        extra = {
            "verify": str(tmp_path),
            "client_cert": [str(certificate), str(key)],
            "timeout": 2.5,
            "max_retries": 0,
            "proxy": "http://proxy.acme.example:3128",
        }

        config = parse_connection(connection(extra=extra)).config

        assert config.verify == str(tmp_path)
        assert config.client_cert == (str(certificate), str(key))
        assert (config.timeout, config.max_retries) == (2.5, 0)
        assert config.proxy == "http://proxy.acme.example:3128"

    def test_strings_and_blanks_of_the_form_are_read(self) -> None:
        extra = {"verify": "False", "client_cert": "", "timeout": " 5 ", "max_retries": "7", "proxy": None}

        config = parse_connection(connection(extra=extra)).config

        assert (config.verify, config.client_cert, config.proxy) == (False, None, None)
        assert (config.timeout, config.max_retries) == (5.0, 7)

    def test_keys_of_old_forms_are_read_and_plain_ones_win(self) -> None:
        extra = {"extra__collate__timeout": 5, "extra__collate__max_retries": 1, "max_retries": 2}

        config = parse_connection(connection(extra=extra)).config

        assert (config.timeout, config.max_retries) == (5.0, 2)

    @pytest.mark.parametrize("joined", ["{0},{1}", "{0} , {1}"])
    def test_two_paths_of_a_client_certificate_in_one_text(self, tmp_path: Path, joined: str) -> None:
        certificate, key = tmp_path / "cert.pem", tmp_path / "key.pem"
        certificate.touch()
        key.touch()

        config = parse_connection(connection(extra={"client_cert": joined.format(certificate, key)})).config

        assert config.client_cert == (str(certificate), str(key))

    def test_one_path_of_a_client_certificate_may_hold_a_comma(self, tmp_path: Path) -> None:
        certificate = tmp_path / "acme, inc.pem"
        certificate.touch()

        config = parse_connection(connection(extra={"client_cert": str(certificate)})).config

        assert config.client_cert == str(certificate)

    @pytest.mark.parametrize(
        "extra, problem",
        [
            ("{", "extra: is not JSON"),
            ("[1]", "extra: must be a JSON object"),
            ('"text"', "extra: must be a JSON object"),
            ({"verify": 1}, "extra.verify: must be true, false or the path"),
            *(({"verify": path}, "extra.verify: cannot be read") for path in ("/no/ca.pem", "a\0b", "x" * 10_000)),
            *(({"client_cert": path}, "extra.client_cert: cannot be read") for path in ("/no/cert.pem", "/")),
            *(({"client_cert": no}, "extra.client_cert: must be a path") for no in (5, [], "a,b,c", ["a", 1])),
            *(({"max_retries": no}, "extra.max_retries: must be a whole number") for no in (-1, 1.5, True, "many")),
            ({"tiemout": 5}, "extra.tiemout: unknown field, did you mean timeout?"),
            ({"Verify": False}, "extra.Verify: unknown field, did you mean verify?"),
            ({"a\nb": 5}, "extra.a?b: unknown field, there are verify, client_cert"),
        ],
    )
    def test_a_faulty_extra_is_refused(self, extra: object, problem: str) -> None:
        [named] = problems_of(connection(extra=extra))

        assert named.startswith(problem)

    @pytest.mark.parametrize("value", [0, -1, True, "soon", [], 10**400, 86_401, "nan", "inf", float("nan")])
    def test_a_timeout_that_is_no_time_is_refused(self, value: object) -> None:
        [problem] = problems_of(connection(extra={"timeout": value}))

        assert problem == "extra.timeout: must be a number of seconds above 0, at most 86400"

    @pytest.mark.parametrize(
        "value",
        [
            5,
            "proxy.acme.example:3128",
            "socks5://proxy.acme.example",
            "http://",
            "http://proxy.acme.example/path",
            "http://proxy.acme.example:99999",
            "http://[proxy",
        ],
    )
    def test_a_proxy_that_is_none_is_refused(self, value: object) -> None:
        [problem] = problems_of(connection(extra={"proxy": value}))

        assert problem == "extra.proxy: must be a URL such as http://proxy.acme.example:3128"

    def test_an_extra_nested_too_deep_is_refused(self) -> None:
        conn = bare_connection(extra="[" * 100_000)

        assert problems_of(conn) == ("extra: is not JSON",)

    def test_thousands_of_unknown_fields_are_counted(self) -> None:
        problems = problems_of(connection(extra={f"field{number}": 1 for number in range(2_000)}))

        assert len(problems) == 11
        assert problems[-1] == "extra: 1990 more unknown fields"

    def test_verify_false_is_warned_about(self) -> None:
        [warning] = parse_connection(connection(extra={"verify": False})).warnings

        assert warning == (
            "The certificate of acme.getcollate.io is not checked (verify is false); anyone can pose as it."
        )

    @pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
    def test_what_would_block_is_not_read(self, tmp_path: Path) -> None:
        pipe = tmp_path / "pipe"
        os.mkfifo(pipe)

        assert problems_of(connection(extra={"verify": str(pipe)})) == ("extra.verify: cannot be read",)


class TestOverrides:
    def test_a_task_can_override_timeout_and_retries(self) -> None:
        config = parse_connection(connection(extra={"timeout": 5}), request_timeout="60", request_retries=0).config

        assert (config.timeout, config.max_retries) == (60.0, 0)

    def test_a_rendered_blank_overrides_nothing(self) -> None:
        config = parse_connection(connection(extra={"timeout": 5}), request_timeout="", request_retries="").config

        assert (config.timeout, config.max_retries) == (5.0, 3)

    def test_faulty_overrides_are_named_as_the_task_has_them(self) -> None:
        with pytest.raises(InvalidDeclarationError) as caught:
            parse_connection(connection(), request_timeout="x", request_retries="x")

        assert [problem.partition(":")[0] for problem in caught.value.problems] == [
            "task parameter request_timeout",
            "task parameter request_retries",
        ]
        assert caught.value.advice == "Correct the task's parameters in the DAG."

    def test_problems_of_task_and_connection_are_named_together(self) -> None:
        with pytest.raises(InvalidConnectionError) as caught:
            parse_connection(connection(extra={"verify": 3}), request_timeout=0)

        assert sorted(problem.partition(":")[0] for problem in caught.value.problems) == [
            "extra.verify",
            "task parameter request_timeout",
        ]
        assert "Edit it under Admin > Connections" in caught.value.advice
        assert "the task's parameters" in caught.value.advice


class TestExpiry:
    EXPIRED = make_token(INGESTION_BOT, expires_at=datetime(2026, 1, 2, 3, 4, tzinfo=timezone.utc))
    NOW = datetime(2026, 2, 1, tzinfo=timezone.utc)
    PROBLEM = "password: the token of ingestion-bot (bot) expired on 2026-01-02 03:04 UTC"
    RENEWAL = (
        "Make a new one in Collate under Settings > Bots > ingestion-bot, and put it into the connection's password."
    )

    def test_an_expired_token_is_refused(self) -> None:
        with pytest.raises(InvalidConnectionError) as caught:
            parse_connection(connection(password=self.EXPIRED), now=self.NOW)

        assert (caught.value.problems, caught.value.advice) == ((self.PROBLEM,), self.RENEWAL)

    def test_an_expired_token_is_named_with_the_other_problems(self) -> None:
        with pytest.raises(InvalidConnectionError) as caught:
            parse_connection(connection(password=self.EXPIRED, extra={"verify": 3}), request_retries=-1, now=self.NOW)

        assert len(caught.value.problems) == 3
        assert self.PROBLEM in caught.value.problems
        for advice in (self.RENEWAL, "Edit the rest under Admin > Connections", "the task's parameters"):
            assert advice in caught.value.advice

    def test_a_token_about_to_expire_is_a_warning(self) -> None:
        [warning] = parse_connection(connection(password=self.EXPIRED), now=self.NOW - timedelta(days=32)).warnings

        assert warning.startswith("The token of ingestion-bot (bot) expires on 2026-01-02 03:04 UTC.")

    def test_without_the_time_no_token_has_expired(self) -> None:
        assert parse_connection(connection(password=self.EXPIRED)).token == self.EXPIRED


def test_all_faults_are_named_in_one_message() -> None:
    conn = connection(
        "ftp://ana:hunter2secret@acme.example/x?y=z",
        schema="gopher",
        port=70000,
        password="a b",
        extra={"verify": 3, "timeout": -1, "max_retries": "x", "client_cert": {}, "proxy": 9, "retries": 1},
    )

    with pytest.raises(InvalidConnectionError) as caught:
        parse_connection(conn)

    fields = [problem.partition(":")[0] for problem in caught.value.problems]
    assert sorted(fields) == [
        "extra.client_cert",
        "extra.max_retries",
        "extra.proxy",
        "extra.retries",
        "extra.timeout",
        "extra.verify",
        "host",
        "host",
        "host",
        "host",
        "password",
        "port",
        "schema",
    ]
    assert "hunter2secret" not in str(caught.value)
    assert str(caught.value).startswith("The Collate connection has 13 problems; nothing was sent:\n  host: ")


def test_nothing_secret_is_in_the_repr() -> None:
    parsed = parse_connection(connection(extra={"proxy": "http://ana:hunter2secret@proxy.acme.example"}))

    assert TOKEN not in repr(parsed)
    assert "hunter2secret" not in repr(parsed)


class TestSecrets:
    def test_the_token_is_secret_and_plain_settings_are_not(self) -> None:
        extra = {"verify": True, "timeout": 5, "proxy": "http://proxy.acme.example:3128"}

        assert parse_connection(connection(extra=extra)).secrets == (TOKEN,)

    def test_a_proxys_password_is_secret_as_written_and_decoded_and_so_is_the_extra(self) -> None:
        extra = json.dumps({"proxy": "http://ana:p%40ss%2Fword@proxy.acme.example:3128"})

        assert parse_connection(connection(extra=extra)).secrets == (TOKEN, "p%40ss%2Fword", "p@ss/word", extra)

    def test_secrets_of_a_faulty_connection_are_known_too(self) -> None:
        conn = connection("https://ana:hunter2secret@acme.example", password=f"{TOKEN}\n", extra="{broken")

        assert connection_secrets(conn) == [f"{TOKEN}\n", TOKEN, "hunter2secret", "{broken"]


@given(
    st.fixed_dictionaries(
        {"host": st.text() | st.text().map("https://".__add__) | st.none(), "password": st.text() | st.none()},
        optional={
            "schema": st.text() | st.sampled_from(["http", "https"]),
            "port": st.integers(-10, 100_000),
            "extra": st.text()
            | st.dictionaries(
                st.sampled_from(["verify", "client_cert", "timeout", "max_retries", "proxy"]) | st.text(),
                st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.text(), max_size=3),
            ),
        },
    )
)
def test_any_connection_is_read_or_refused_by_our_own_error(given: dict[str, object]) -> None:
    extra = given.pop("extra", None)
    conn = bare_connection(**given, extra=json.dumps(extra) if isinstance(extra, dict) else extra)
    connection_secrets(conn)
    try:
        parsed = parse_connection(conn)
    except InvalidConnectionError:
        return
    assert re.fullmatch(r"https?://[^/?#@\s]+/api", parsed.config.url)
    assert parsed.config.timeout > 0
    assert parsed.config.max_retries >= 0


@given(st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=8))
def test_no_message_holds_a_password_of_the_host_or_proxy(password: str) -> None:
    canary = f"CANARY{quote(password, safe='')}"
    conn = connection(f"https://ana:{canary}@acme.example:x", extra={"proxy": f"ftp://ana:{canary}@proxy.acme.example"})

    assert not any("CANARY" in problem for problem in problems_of(conn))
