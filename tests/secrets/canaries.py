"""Secrets that can be found again wherever they end up, whole or in part, and however they were encoded.

Every canary is made of short pieces that begin with one mark, so that a text which was cut in the middle of a
secret still gives it away. The mark consists of letters and digits: escaping for JSON, Python, HTML or URLs
leaves it as it is; for base64 it is looked for at each of the three places where it may begin in a group.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count, cycle

from airflow_provider_collate.sandbox import DEFAULT_BOT_TOKEN

MARK = "cAnArYx7"
LONGEST_WINDOW = 40
"""Any so many characters of a canary, one after another, have a whole mark in them."""
_AROUND = 60


def spread(label: str, length: int, between: tuple[str, ...] = ("",)) -> str:
    """A secret of marked pieces: `cAnArYx7aws000`, something in between, `cAnArYx7aws001`, …

    :param label: three letters that tell this canary from others.
    :param length: its number of characters.
    :param between: what stands between the pieces, in turn.
    """
    text = ""
    for number, joiner in zip(count(), cycle(between)):
        text += f"{MARK}{label}{number:03}{joiner}"
        if len(text) >= length:
            return text[:length]
    raise AssertionError


def _pem(length: int) -> str:
    lines = [spread("pem", length, ("/", "+"))[start : start + 64] for start in range(0, length, 64)]
    return "\n".join(["-----BEGIN PRIVATE KEY-----", *lines, "-----END PRIVATE KEY-----\n"])


JWT = DEFAULT_BOT_TOKEN.rpartition(".")[0] + "." + spread("jwt", 344, ("-", "_"))
AWS_SECRET = spread("aws", 40, ("/", "+"))
AWS_SESSION = spread("ses", 1_000, ("/", "+", "="))
PRIVATE_KEY = _pem(3_979)
REGISTRY_PASSWORD = spread("reg", 48, ("@", "/", "%", ":"))
TRACKING_PASSWORD = spread("trk", 60, ("ü", "'", '"', "€"))
OPTION = spread("opt", 300, ("\n", '"', "\\", "%41", "é"))
OWN_FIELD = spread("own", 64, ("%", " ", "'", "&"))
PROXY_PASSWORD = spread("prx", 16)

CANARIES = {
    "JWT": JWT,
    "AWS secret key": AWS_SECRET,
    "AWS session token": AWS_SESSION,
    "GCP private key": PRIVATE_KEY,
    "password in registryUri": REGISTRY_PASSWORD,
    "password in trackingUri": TRACKING_PASSWORD,
    "connectionOptions": OPTION,
    "field of a custom service": OWN_FIELD,
    "proxy password": PROXY_PASSWORD,
}
PROBE = spread("prb", 64, ("-",))
"""What the deliberately leaking probes print; no masker knows it."""


@dataclass(frozen=True)
class Finding:
    """A piece of a canary.

    :param form: as what it was found.
    :param excerpt: the text around it.
    """

    form: str
    excerpt: str


def _in_base64(skip: int) -> bytes:
    """The characters that are the same whatever comes before and after the mark."""
    encoded = base64.b64encode(b"\0" * skip + MARK.encode() + b"\0\0")
    first = -(-skip * 8 // 6)
    last = (skip + len(MARK)) * 8 // 6
    return encoded[first:last]


_FORMS = {
    "text": MARK.encode(),
    "hexadecimal": MARK.encode().hex().encode(),
    **{f"base64 (offset {skip})": _in_base64(skip) for skip in range(3)},
}
_ANY = re.compile(b"|".join(re.escape(form) for form in _FORMS.values()))


def findings(data: bytes | str) -> Iterator[Finding]:
    """Every piece of a canary in a text or a file's content."""
    content = data.encode("utf-8", "surrogatepass") if isinstance(data, str) else data
    names = {form: name for name, form in _FORMS.items()}
    for found in _ANY.finditer(content):
        around = content[max(0, found.start() - _AROUND) : found.end() + _AROUND]
        yield Finding(names[found[0]], around.decode("utf-8", "replace"))
