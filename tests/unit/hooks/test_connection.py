"""Tokens, secrets, and all faults of a connection at once."""

from __future__ import annotations

import json
import re
from datetime import datetime, timezone
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_collate.exceptions import InvalidConnectionError
from airflow_provider_collate.hooks.connection import connection_secrets, parse_connection
from airflow_provider_collate.sandbox import INGESTION_BOT, make_token
from tests.unit.hooks.collate_connections import TOKEN, bare_connection, connection, problems_of


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


@pytest.mark.parametrize("conn_type", ["collate", "openmetadata", "generic", "http", ""])
def test_a_type_that_may_lead_to_collate(conn_type: str) -> None:
    assert parse_connection(bare_connection(conn_type=conn_type)).token == TOKEN


def test_the_connection_of_something_else_is_refused() -> None:
    """Its password would be sent to its host."""
    conn = connection(conn_type="postgres")

    assert problems_of(conn) == (
        "type: the connection \"collate_default\" is of type 'postgres'; give one of type collate",
    )


class TestExpiry:
    EXPIRED = make_token(INGESTION_BOT, expires_at=datetime(2026, 1, 2, 3, 4, tzinfo=timezone.utc))
    NOW = datetime(2026, 2, 1, tzinfo=timezone.utc)
    PROBLEM = "password: the token of ingestion-bot (bot) expired on 2026-01-02 03:04 UTC"
    RENEWAL = (
        "Make a new one in Collate under Settings > Bots > ingestion-bot, and put it into the connection's password."
    )

    def test_an_expired_token_is_named_with_the_other_problems(self) -> None:
        with pytest.raises(InvalidConnectionError) as caught:
            parse_connection(connection(password=self.EXPIRED, extra={"verify": 3}), request_retries=-1, now=self.NOW)

        assert len(caught.value.problems) == 3
        assert self.PROBLEM in caught.value.problems
        for advice in (self.RENEWAL, "Edit the rest under Admin > Connections", "the task's parameters"):
            assert advice in caught.value.advice

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

        assert connection_secrets(connection(extra=extra)) == [TOKEN]

    def test_a_proxys_password_is_secret_as_written_and_decoded_and_so_is_the_extra(self) -> None:
        extra = json.dumps({"proxy": "http://ana:p%40ss%2Fword@proxy.acme.example:3128"})

        assert connection_secrets(connection(extra=extra)) == [TOKEN, "p%40ss%2Fword", "p@ss/word", extra]

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
