"""Tokens that look like the real ones, so that their claims can be read; their signature means nothing."""

from __future__ import annotations

import base64
import json
from datetime import datetime, timezone

from airflow_provider_collate.sandbox.directory import User

_ISSUED = datetime(2026, 1, 1, tzinfo=timezone.utc)


def make_token(user: User, *, expires_at: datetime | None = None, serial: int = 1) -> str:
    """A token in the form of a JWT with the claims that the real server puts in.

    :param expires_at: when it expires; never if None.
    :param serial: makes two tokens of the same user differ, as after a rotation.
    """
    claims = {
        "iss": "sandbox.example",
        "sub": user.name,
        "email": user.email,
        "isBot": user.is_bot,
        "tokenType": "BOT" if user.is_bot else "PERSONAL_ACCESS",
        "iat": int(_ISSUED.timestamp()) + serial,
        "exp": int(expires_at.timestamp()) if expires_at else None,
    }
    header = {"kid": "sandbox", "typ": "JWT", "alg": "RS256"}
    return ".".join((_encode(json.dumps(header)), _encode(json.dumps(claims)), _encode(f"unsigned {serial}")))


def _encode(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")
