"""The canaries are found in every form, and whatever is cut off."""

from __future__ import annotations

import base64
import html
import json
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest

from tests.secrets.canaries import CANARIES, LONGEST_WINDOW, MARK, PROBE, findings

FORMS: dict[str, Callable[[str], str]] = {
    "raw": str,
    "json": json.dumps,
    "json in json": lambda secret: json.dumps(json.dumps(secret)),
    "repr": repr,
    "repr of bytes": lambda secret: repr(secret.encode()),
    "html": html.escape,
    "url": lambda secret: quote(secret, safe=""),
    "form": quote_plus,
    "base64": lambda secret: base64.b64encode(secret.encode()).decode(),
    "base64 of user:secret": lambda secret: base64.b64encode(f"user:{secret}".encode()).decode(),
    "base64 of token secret": lambda secret: base64.b64encode(f"u:{secret}".encode()).decode(),
    "url-safe base64": lambda secret: base64.urlsafe_b64encode(secret.encode()).decode(),
    "hexadecimal": lambda secret: secret.encode().hex(),
}


@pytest.mark.parametrize("form", FORMS)
def test_each_canary_is_found_in_each_form(form: str) -> None:
    missed = [name for name, secret in CANARIES.items() if not list(findings(f"text {FORMS[form](secret)} and more"))]

    assert not missed


@pytest.mark.parametrize("name", CANARIES)
def test_a_part_is_found(name: str) -> None:
    secret = CANARIES[name]
    if name == "JWT":
        secret = secret.rpartition(".")[2]  # header and claims are no secret
    body = "".join(line for line in secret.splitlines(keepends=True) if "PRIVATE KEY" not in line)
    for start in range(max(1, len(body) - LONGEST_WINDOW)):
        assert list(findings(body[start : start + LONGEST_WINDOW])), start


def test_they_are_distinct_and_of_16_to_4096_characters() -> None:
    lengths = {len(secret) for secret in CANARIES.values()}
    assert (min(lengths), max(lengths)) == (16, 4_096)
    assert len(set(CANARIES.values()) | {PROBE}) == len(CANARIES) + 1
    everything = "".join(CANARIES.values())
    assert all(character in everything for character in "\n\"'\\%@/ é€")


def test_nothing_is_found_in_other_text() -> None:
    assert not list(findings(f"{MARK[:-1]} and {MARK.lower()} and {base64.b64encode(b'else').decode()}"))
