"""Read what a token says of itself; its signature is the server's to check."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

import jwt

from airflow_provider_collate.exceptions import InvalidConnectionError

LEEWAY = timedelta(minutes=1)
WARN_BEFORE = timedelta(days=7)
MAX_NAME_LENGTH = 100
_NOT_IN_A_TOKEN = re.compile(r"[^\x21-\x7e]")


@dataclass(frozen=True, slots=True)
class TokenClaims:
    """The owner of a token, and when it expires.

    :param subject: the user's name.
    :param expires_at: when it expires; None when it never does, or when that cannot be read.
    :param never_expires: whether the token says, by no `exp` or a null one, that it never expires.
    """

    subject: str
    email: str
    is_bot: bool
    expires_at: datetime | None
    never_expires: bool

    @property
    def owner(self) -> str:
        """Return the owner as a message calls it, e.g. `ingestion-bot (bot)`."""
        name = self.subject or self.email or "an unnamed user"
        return f"{name} (bot)" if self.is_bot else name

    @property
    def lifetime(self) -> str:
        """Return when it expires, as a message says it, e.g. `never expires`."""
        if self.expires_at is not None:
            return f"expires on {self.expires_at:%Y-%m-%d %H:%M} UTC"
        return "never expires" if self.never_expires else "expires at a time that cannot be read"

    @property
    def renewal(self) -> str:
        """Return where its owner gets a new one."""
        bots_page = f"Settings > Bots > {self.subject or 'the bot'}"
        page = bots_page if self.is_bot else "your profile > Access Token"
        return f"Make a new one in Collate under {page}, and put it into the connection's password."


def read_claims(token: str) -> TokenClaims | None:
    """Read a JWT's claims without checking its signature.

    :return: its claims, or None when it is not a JWT. A claim of a wrong type counts as absent.
    """
    try:
        claims: Mapping[str, object] = jwt.decode(token, options={"verify_signature": False})
    except (jwt.PyJWTError, ValueError, RecursionError):  # not UTF-8, or JSON nested too deep for Python
        return None
    expiry = claims.get("exp")
    return TokenClaims(
        subject=_name(claims.get("sub")),
        email=_name(claims.get("email")),
        is_bot=claims.get("isBot") is True or claims.get("tokenType") == "BOT",
        expires_at=_time(expiry),
        never_expires=expiry is None,
    )


def token_problems(token: str, where: str = "") -> list[str]:
    """Return why a token cannot stand in a header.

    :param where: where it may be instead, if it is missing here.
    """
    if not token.strip():
        where = where or "Settings > Bots > ingestion-bot in Collate"
        return [f"password: is missing; it must be the token (JWT) from {where}"]
    if token.strip().lower().startswith("bearer "):
        return ['password: begins with "Bearer"; give the token alone']
    if token != token.strip():
        return ["password: begins or ends with a blank or a line break; give the token alone"]
    if _NOT_IN_A_TOKEN.search(token):
        return ["password: has a blank, a line break or a character in it that no token has"]
    return []


def check_token(token: str, now: datetime) -> list[str]:
    """Refuse a token that has expired, before any request is made with it.

    :param now: the time, with its time zone.
    :return: warnings, one sentence each, when it expires within a week or is not a JWT.
    :raises InvalidConnectionError: when it expired more than a minute ago.
    """
    claims = read_claims(token)
    if claims is None:
        return ["The connection's password is not a JWT; Collate is likely to refuse it."]
    if claims.expires_at is None:
        return [] if claims.never_expires else [f"The token of {claims.owner} {claims.lifetime}."]
    if now - claims.expires_at > LEEWAY:
        problem = f"password: the token of {claims.owner} expired on {claims.expires_at:%Y-%m-%d %H:%M} UTC"
        raise InvalidConnectionError([problem], advice=claims.renewal)
    if claims.expires_at - now <= WARN_BEFORE:
        return [f"The token of {claims.owner} {claims.lifetime}. {claims.renewal}"]
    return []


def _name(claim: object) -> str:
    """Return a claim as it may stand in a sentence: on one line, bounded."""
    if not isinstance(claim, str):
        return ""
    return "".join(character for character in claim if character.isprintable())[:MAX_NAME_LENGTH]


def _time(claim: object) -> datetime | None:
    """Return a claim as a time; None where it is none, or out of the calendar."""
    if isinstance(claim, bool) or not isinstance(claim, int | float):
        return None
    try:
        return datetime.fromtimestamp(claim, tz=timezone.utc)
    except (OverflowError, OSError, ValueError):
        return None
