from __future__ import annotations

import base64
import contextlib
import json
from datetime import datetime, timedelta, timezone

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_collate.client.token_claims import check_token, read_claims
from airflow_provider_collate.exceptions import InvalidConnectionError

NOW = datetime(2026, 5, 1, 12, 0, tzinfo=timezone.utc)
BOT = {"sub": "ingestion-bot", "email": "bot@acme.example", "isBot": True, "tokenType": "BOT"}
PERSON = {"sub": "ana", "email": "ana@acme.example", "isBot": False, "tokenType": "PERSONAL_ACCESS"}


def token(claims: object) -> str:
    """A signed token, also of claims that PyJWT would refuse to sign."""
    parts = [{"alg": "HS256", "typ": "JWT"}, claims]
    encoded = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in parts]
    return ".".join([*encoded, "c2lnbmF0dXJl"])


def expiring(after: timedelta, claims: dict[str, object]) -> str:
    return token(claims | {"exp": int((NOW + after).timestamp())})


def test_reads_the_claims_of_a_signed_token() -> None:
    signed = jwt.encode(BOT | {"exp": 1_800_000_000}, "a key that nobody else has, of 32 bytes", algorithm="HS256")

    claims = read_claims(signed)

    assert claims is not None
    assert (claims.subject, claims.email, claims.is_bot) == ("ingestion-bot", "bot@acme.example", True)
    assert claims.expires_at == datetime(2027, 1, 15, 8, 0, tzinfo=timezone.utc)
    assert not claims.never_expires


@pytest.mark.parametrize("claims", [BOT, BOT | {"exp": None}])
def test_a_token_without_expiry_never_expires(claims: dict[str, object]) -> None:
    read = read_claims(token(claims))

    assert read is not None
    assert read.expires_at is None
    assert read.lifetime == "never expires"
    assert check_token(token(claims), NOW) == []


@pytest.mark.parametrize("text", ["", "abc", "a.b.c", "ey.ey.ey", "\ud800", "x" * 5_000, token([1]), token("claims")])
def test_what_is_no_jwt_is_warned_about(text: str) -> None:
    assert check_token(text, NOW) == ["The connection's password is not a JWT; Collate is likely to refuse it."]


def test_an_expired_bot_token_is_refused_with_the_page_to_renew_it() -> None:
    expired = expiring(timedelta(days=-3), BOT)

    with pytest.raises(InvalidConnectionError) as caught:
        check_token(expired, NOW)

    assert caught.value.problems == ("password: the token of ingestion-bot (bot) expired on 2026-04-28 12:00 UTC",)
    assert caught.value.advice == (
        "Make a new one in Collate under Settings > Bots > ingestion-bot, and put it into the connection's password."
    )
    assert expired not in str(caught.value)


def test_an_expired_token_of_a_person_is_renewed_in_the_profile() -> None:
    with pytest.raises(InvalidConnectionError, match=r"token of ana expired on .*\n.*your profile > Access Token"):
        check_token(expiring(timedelta(minutes=-2), PERSON), NOW)


def test_a_minute_of_leeway() -> None:
    check_token(expiring(timedelta(seconds=-60), BOT), NOW)
    with pytest.raises(InvalidConnectionError):
        check_token(expiring(timedelta(seconds=-61), BOT), NOW)


def test_a_token_that_expires_within_a_week_is_warned_about() -> None:
    [warning] = check_token(expiring(timedelta(days=7), BOT), NOW)

    assert warning.startswith("The token of ingestion-bot (bot) expires on 2026-05-08 12:00 UTC. Make a new one")
    assert check_token(expiring(timedelta(days=7, seconds=1), BOT), NOW) == []


@pytest.mark.parametrize("expiry", ["soon", True, [], {}, 1e300, -1e300, float("nan"), 10**400, "1800000000"])
def test_an_expiry_that_cannot_be_read_is_warned_about(expiry: object) -> None:
    [warning] = check_token(token(BOT | {"exp": expiry}), NOW)

    assert warning == "The token of ingestion-bot (bot) expires at a time that cannot be read."


@pytest.mark.parametrize(
    "claims, owner",
    [
        ({"sub": 7, "email": ["x"], "isBot": "true", "tokenType": {}}, "an unnamed user"),
        ({"sub": "", "email": "ana@acme.example"}, "ana@acme.example"),
        ({"sub": "nightly", "tokenType": "BOT"}, "nightly (bot)"),
        ({"sub": "a\nb" + "x" * 500}, "ab" + "x" * 98),
    ],
    ids=["wrong types", "by e-mail", "a bot by its type", "one bounded line"],
)
def test_the_owner_in_a_message(claims: dict[str, object], owner: str) -> None:
    read = read_claims(token(claims))

    assert read is not None
    assert read.owner == owner


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)


@given(
    st.dictionaries(st.sampled_from(["sub", "email", "isBot", "tokenType", "exp", "iat", "nbf", "iss", "aud"]), JSON)
)
def test_any_claims_are_read_or_refused_by_our_own_error(claims: dict[str, object]) -> None:
    with contextlib.suppress(InvalidConnectionError):
        check_token(token(claims), NOW)


@given(st.text() | st.binary().map(lambda raw: "eyJhbGciOiJub25lIn0." + base64.urlsafe_b64encode(raw).decode() + "."))
def test_any_text_is_read_or_no_jwt(text: str) -> None:
    read_claims(text)


def test_json_nested_too_deep_is_no_jwt() -> None:
    nested = base64.urlsafe_b64encode(b'{"sub":' + b"[" * 100_000).rstrip(b"=").decode()

    assert read_claims(f"eyJhbGciOiJIUzI1NiJ9.{nested}.c2ln") is None
