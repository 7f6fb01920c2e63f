"""The extra of a connection, and what a task gives instead."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from airflow_provider_collate.exceptions import InvalidConnectionError, InvalidDeclarationError
from airflow_provider_collate.hooks.connection import parse_connection
from tests.unit.hooks.collate_connections import bare_connection, connection, problems_of


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
            ("{", "extra: is not a JSON object"),
            ("[1]", "extra: is not a JSON object"),
            ('"text"', "extra: is not a JSON object"),
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

        assert problems_of(conn) == ("extra: is not a JSON object",)

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
