"""Server messages with a canary in them, whole, cut off, or inside of something that was encoded."""

from __future__ import annotations

import base64

import pytest

from airflow_provider_collate.client.redaction import Redactor, clean_message
from tests.secrets.canaries import CANARIES, findings
from tests.secrets.test_canaries import FORMS


@pytest.mark.parametrize("form", [form for form in FORMS if form != "hexadecimal"])
@pytest.mark.parametrize("name", CANARIES)
def test_every_form_is_hidden(name: str, form: str) -> None:
    secret = CANARIES[name]
    said = f"Invalid value {FORMS[form](secret)} for field x"
    assert not list(findings(clean_message(said, [secret])))
    assert "for field x" in Redactor([secret]).hide(said)


@pytest.mark.parametrize("kept", [0.95, 0.5, 0.3])
@pytest.mark.parametrize("name", CANARIES)
def test_what_is_left_of_a_secret_that_was_cut_off_is_hidden(name: str, kept: float) -> None:
    secret = CANARIES[name]
    for form in ("raw", "url", "json"):
        printed = FORMS[form](secret)
        cut = printed[: max(12, int(len(printed) * kept))]
        said = clean_message(f"Invalid value {cut}… for field x", [secret])
        assert not list(findings(said)), said


def test_a_password_inside_an_encoded_pair_is_hidden() -> None:
    secret = CANARIES["proxy password"]
    for user in ("u", "us", "use"):
        pair = base64.b64encode(f"{user}:{secret}".encode()).decode()
        assert not list(findings(Redactor([secret]).hide(f"Proxy-Authorization: Basic {pair}")))


def test_the_beginning_of_an_address_is_no_secret() -> None:
    address = "https://hooks.acme.example/T0123/B4567"
    assert clean_message("See https://docs.acme.example/errors", [address]) == "See https://docs.acme.example/errors"
