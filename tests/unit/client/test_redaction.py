"""No secret survives in a message, in whatever form it was printed."""

from __future__ import annotations

import base64
import html
import json
import re
import time
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from airflow_provider_collate.client.redaction import (
    LONGEST_LOOKED_AT,
    MAX_MESSAGE_LENGTH,
    Redactor,
    bounded,
    clean_message,
    first_line,
    printed_forms,
)

FORMS: dict[str, Callable[[str], str]] = {
    "raw": lambda secret: secret,
    "json": json.dumps,
    "json with its own letters": lambda secret: json.dumps(secret, ensure_ascii=False),
    "json in json": lambda secret: json.dumps(json.dumps(secret)),
    "capitals": str.upper,
    "small letters": str.lower,
    "repr": repr,
    "repr of bytes": lambda secret: repr(secret.encode()),
    "html": html.escape,
    "path": lambda secret: quote(secret, safe=""),
    "path with slashes": quote,
    "query": quote_plus,
    "path in lower case": lambda secret: re.sub("%..", lambda found: found[0].lower(), quote(secret, safe="")),
    "base64": lambda secret: base64.b64encode(secret.encode()).decode(),
    "base64 in urls": lambda secret: base64.urlsafe_b64encode(secret.encode()).decode().rstrip("="),
}  # fmt: skip
CANARIES = {
    "password": "hunter2hunter2",
    "marks of addresses": "p@ss/w:rd with blank",
    "private key": "-----BEGIN PRIVATE KEY-----\nMIIEvQ+/=\n-----END PRIVATE KEY-----\n",
    "quotes": "quote\"s and 'single' and \\ back",
    "letters beyond ASCII": "größe-ключ-🔑-secret",
    "marks of HTML": "50%-off&more=<tag>",
    "long": "x" * 4096,
}

texts = st.text(st.characters(codec="utf-8"), max_size=200)
secrets = st.text(st.characters(codec="utf-8"), min_size=8, max_size=60)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("secret", CANARIES.values(), ids=CANARIES)
def test_a_secret_is_hidden_in_every_form(form: str, secret: str) -> None:
    printed = FORMS[form](secret)

    shown = Redactor([secret]).hide(f"before {printed} after")

    core = printed.strip("\"'b")
    assert core not in shown
    assert shown.startswith("before ")
    assert shown.endswith(" after")


@pytest.mark.parametrize("form", FORMS)
@given(texts, secrets, texts)
def test_any_secret_is_hidden(form: str, before: str, secret: str, after: str) -> None:
    printed = FORMS[form](secret)
    assert secret not in Redactor([secret]).hide(before + printed + after) or secret in before + "***" + after


@given(texts, st.lists(secrets, max_size=4), texts)
def test_no_message_raises_or_grows(before: str, hidden: list[str], after: str) -> None:
    text = before + "".join(hidden) + after

    for shown in (clean_message(text, hidden), first_line(text, hidden)):
        assert len(shown) <= MAX_MESSAGE_LENGTH
        assert shown.isprintable()


def test_the_work_for_many_messages_grows_with_their_number_only() -> None:
    """400 refused rows with private keys took 57 s: each message was searched for the secrets of all rows."""
    body = base64.b64encode(bytes(range(250)) * 5).decode()

    def seconds(rows: int) -> float:
        keys = [
            f"-----BEGIN PRIVATE KEY-----\n{number:08}{body}\n-----END PRIVATE KEY-----\n" for number in range(rows)
        ]
        redactor = Redactor(keys)
        began = time.process_time()
        for key in keys:
            assert redactor.hide(f"refused {json.dumps(key)[:900]} here") == 'refused "*** here'
        return time.process_time() - began

    assert min(seconds(400) for _ in range(2)) < 8 * min(seconds(100) for _ in range(2))


def test_overlapping_secrets_leave_nothing() -> None:
    assert Redactor(["000000001"]).hide("0000000001") == "***"
    assert Redactor(["abcdefgh-ijk", "efgh-ijklmnop"]).hide("<abcdefgh-ijklmnop>") == "<***>"
    assert Redactor(["abcdefgh-12345678-tail", "12345678"]).hide("<abcdefgh-12345678-tail>") == "<***>"


def test_the_longest_secret_goes_first() -> None:
    assert Redactor(["abcd", "abcdefgh"]).hide("abcdefgh and abcd") == "*** and ***"


KEY_FILE = json.dumps({"type": "external", "keys": [{"pem": "-----canary-----"}, 5], "id": "canary-id"})


@pytest.mark.parametrize("said", ["bad key -----canary-----", "no such canary-id", f"cannot parse {KEY_FILE}"])
def test_the_texts_of_a_secret_that_is_json_are_hidden_too(said: str) -> None:
    assert "canary" not in clean_message(said, [KEY_FILE])


def test_json_of_any_depth_is_no_obstacle() -> None:
    for depth in (1, *range(950, 1_010), 100_000):
        assert clean_message("said", [f"{'[' * depth}1{']' * depth}", "{no json"]) == "said"


@pytest.mark.parametrize("short", ["", "a", "abc"])
def test_a_word_is_no_secret(short: str) -> None:
    assert printed_forms(short) == []
    assert Redactor([short]).hide("abcabc") == "abcabc"


def test_another_case_takes_no_place_of_airflows_masker() -> None:
    assert "HUNTER2" not in printed_forms("hunter2")


@pytest.mark.parametrize(
    "said, shown",
    [
        (  # recorded
            ("An exception with message ['{\"id\":\"1\",\"connection\":{\"config\":{\"registryUri\":"
            '"mysql+pymysql://u:hunter2hunter2@db/ml"}},"deleted":false}\' contains no value for name \'description\'] '
            "was thrown while processing request."),
            ("An exception with message [{…} contains no value for name 'description'] was thrown while processing "
            "request."),
        ),
        (  # recorded
            ('Unrecognized field "colour" (class org.openmetadata.schema.api.services.CreateMlModelService), not marked '  # noqa: E501
            'as ignorable (9 known properties: "owner")\n at [Source: (Stream); line: 1, column: 192] (through '
            'reference chain: CreateMlModelService["colour"])'),
            'Unrecognized field "colour"',
        ),
        (  # recorded
            "Cannot construct instance of `CreateMlModelService$MlModelServiceType`, problem: Nope\n at [Source: x]",
            "Cannot construct instance of `CreateMlModelService$MlModelServiceType`, problem: Nope",
        ),
        ("cannot read {\"password\": \"hunter2hunter2\"", "cannot read {…}"),
        ('echo: {\\"password\\":\\"hunter2hunter2\\"} refused', "echo: {…} refused"),
        ("CatalogPrincipal{name='ana'} operations [Create]", "CatalogPrincipal{name='ana'} operations [Create]"),
        ("no CreateService{name='a', connection=hunter2hunter2} here", "no CreateService{…} here"),
        ("no Service@1f2e3d[name=a,connection=hunter2hunter2] here", "no Service{…} here"),
        ("no route to mysql://root:p@ss/w@db.example/ml", "no route to mysql://***@db.example/ml"),
        ("no route to https://hunter2hunter2@db.example", "no route to https://***@db.example"),
        ("GET https://a.example/x?sig=hunter2hunter2&b=c", "GET https://a.example/x?sig=***&b=c"),
        ("stored fernet:gAAAAAB_hunter2== as it is", "stored *** as it is"),
        ("Authorization: Bearer hunter2.hunter2", "Authorization: ***"),
        ("token eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhIn0.c2ln is bad", "token *** is bad"),
        ("key -----BEGIN RSA PRIVATE KEY-----\nhunter2\n-----END RSA PRIVATE KEY----- bad", "key *** bad"),
        ("two\nlines\tand \x1b[31mcolour\x00", "two lines and [31mcolour"),
        ('name must match "^(?U)[\\w\'\\- .&()%]+$"', 'name must match "^(?U)[\\w\'\\- .&()%]+$"'),
        ("path /v1/services/{id} is unknown", "path /v1/services/{id} is unknown"),
        ("see https://docs.example/users", "see https://docs.example/users"),
        (  # PostgreSQL, of a text with U+0000 in it
            ('ERROR: unsupported Unicode escape sequence\n  Detail: \\u0000 cannot be converted to text.\n'
             '  Where: JSON data, line 1: ...{"password":"hunter2hunter2'),
            r"ERROR: unsupported Unicode escape sequence Detail: \u0000 cannot be converted to text.",
        ),
    ],
)  # fmt: skip
def test_what_servers_say_is_made_fit_to_be_shown(said: str, shown: str) -> None:
    assert clean_message(said) == shown
    assert "hunter2hunter2" not in shown


@pytest.mark.parametrize(
    "page, line",
    [
        ("<html><head><title>502 Bad Gateway</title></head><body>", "502 Bad Gateway"),
        ("<!DOCTYPE html>\n<style>a{b}</style><script>c()</script><p>Sign&nbsp;in &amp; go</p>", "Sign in & go"),
        ("upstream connect error\nsecond line", "upstream connect error"),
        ("<html></html>", ""),
        ("", ""),
        ("<p>token=hunter2hunter2</p>", "token=***"),
        ("<p>hunter2&#x27;hunter2</p>", "***"),
    ],
)
def test_the_first_readable_line_of_a_page(page: str, line: str) -> None:
    assert first_line(page, ["hunter2hunter2", "hunter2'hunter2"]) == line


@pytest.mark.parametrize("position", range(LONGEST_LOOKED_AT - 45, LONGEST_LOOKED_AT + 2, 3))
def test_a_secret_across_the_cut_is_not_shown_in_part(position: int) -> None:
    """All before it collapses to a few characters, so that the end of what is looked at would be shown."""
    secret = "first-half-of-it/second-half-of-it"
    text = "x" + " " * (position - 1) + secret + " and more"

    for shown in (clean_message(text, [secret]), first_line(text, [secret])):
        assert "first" not in shown


def test_a_message_is_cut_to_be_read() -> None:
    assert bounded("a" * 500) == "a" * 500
    assert bounded("a" * 501) == "a" * 499 + "…"
    assert clean_message("a" * 10_000) == "a" * 499 + "…"


@pytest.mark.parametrize(
    "part",
    ["<script", "<", "{a=", "a://", "?key", "-----BEGIN PRIVATE KEY-----", "@abcd[", "eyJ", "eyJaaaaaaaaaaaa.a",
     " \n\tat", "bearer ", "://a:", "passwpassw", '{"', "fernet:", " ", "\n", "{ ", "bearer", "&a"],
)  # fmt: skip
def test_no_text_takes_long(part: str) -> None:
    """Patterns that look back and forth would take 64 times as long for eight times the text."""
    short, long = (min(_cpu_seconds(part * (length // len(part))) for _ in range(2)) for length in (12_500, 100_000))

    assert long < 30 * max(short, 0.001)


def _cpu_seconds(text: str) -> float:
    began = time.thread_time()
    clean_message(text)
    first_line(text)
    return time.thread_time() - began


@example("\ud800")
@given(st.text())
def test_half_of_a_character_is_no_obstacle(text: str) -> None:
    clean_message(text, [text])
    first_line(text, [text])
