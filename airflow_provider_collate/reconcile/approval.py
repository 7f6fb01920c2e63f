"""Give a plan a fingerprint that a person can approve, and tell which changes another plan has beyond it.

A fingerprint is `plan1:`, eight characters that tell which token made it, `:`, and eight characters for each change.
All of them are cut from HMACs whose key is made from the token, so that nobody can guess a secret from them. A plan
of more than 10,000 changes has one digest of them all, and is approved as a whole or not at all.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from base64 import urlsafe_b64encode
from collections.abc import Iterable
from typing import TYPE_CHECKING

from airflow_provider_collate.exceptions import NotApprovedError

if TYPE_CHECKING:
    from airflow_provider_collate.reconcile.changes import Change

_FORM = re.compile(r"plan1:[\w-]{8}:(?:(?:[\w-]{8})*|all=[\w-]{32})", re.ASCII)
_LENGTH = 8
_MOST_CHANGES = 10_000
_WHOLE = "all="
LOOK_AGAIN = "Make a new plan, by plan_only or airflow-collate plan, and let it be approved."


def fingerprint_of(changes: Iterable[Change], key: bytes) -> str:
    """Return the fingerprint of what a run would write.

    :param key: a key that only the holder of the token can make.
    """
    digests = sorted({_digest(change, key) for change in changes if change.writes})
    listed = "".join(digests) if len(digests) <= _MOST_CHANGES else f"{_WHOLE}{_digest_of_all(digests, key)}"
    return f"plan1:{_mark(key)}:{listed}"


def fingerprint_problem(text: object) -> str:
    """Return what is wrong with a fingerprint; empty when nothing is."""
    if text == "":
        return "is empty: what it comes from has no fingerprint"
    if isinstance(text, str) and _FORM.fullmatch(text):
        return ""
    return 'is not the fingerprint of a plan, which begins with "plan1:"'


class Approval:
    """What was approved.

    :param fingerprint: a fingerprint without a problem.
    :param key: as it was made with.
    """

    def __init__(self, fingerprint: str, key: bytes) -> None:
        _, self._mark, self._listed = fingerprint.split(":")
        self._key = key
        self._digests = {self._listed[start : start + _LENGTH] for start in range(0, len(self._listed), _LENGTH)}

    def has(self, change: Change) -> bool:
        """Return whether this very change was approved: the same operations on the same version of the service."""
        return _digest(change, self._key) in self._digests

    def unapproved(self, changes: Iterable[Change]) -> list[Change]:
        """Return the changes of a plan that would be written and were not approved.

        :raises NotApprovedError: when the fingerprint is of another token, server or kind, and so tells nothing.
        """
        if self._mark != _mark(self._key):
            raise NotApprovedError(
                "The plan was approved with another token, or for another server or kind of service, so that no change "
                "can be compared; nothing was written",
                advice=LOOK_AGAIN,
            )
        digests = {_digest(change, self._key): change for change in changes if change.writes}
        if self._listed == f"{_WHOLE}{_digest_of_all(digests, self._key)}":
            self._digests = {*digests}
        return [change for digest, change in digests.items() if digest not in self._digests]


def _digest(change: Change, key: bytes) -> str:
    """Return a digest of all that is sent for one change, and of the version of the service that it is for.

    48 bits: with 10,000 approved changes, one of 28 billion others would pass by chance, and nobody without the token
    can look for it.
    """
    there = change.existing
    document = {
        "action": change.action.value,
        "name": change.name,
        "reason": change.reason,
        "service": [there.id, there.version, there.updated_at] if there else None,
        "operations": [operation.to_json() for one in change.writable for operation in one.operations],
        "payload": change.desired.payload() if change.desired and there is None else None,
    }
    return _text(key, json.dumps(document, sort_keys=True).encode(), _LENGTH)


def _digest_of_all(digests: Iterable[str], key: bytes) -> str:
    return _text(key, "".join(sorted(digests)).encode(), 32)


def _mark(key: bytes) -> str:
    return _text(key, b"whose token", _LENGTH)


def _text(key: bytes, message: bytes, length: int) -> str:
    return urlsafe_b64encode(hmac.digest(key, message, hashlib.sha256)).decode()[:length]
