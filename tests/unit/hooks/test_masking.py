"""What Airflow's masker is told."""

from __future__ import annotations

import base64
import json
import logging
from urllib.parse import quote

import pytest
from airflow.providers.common.compat.sdk import redact

from airflow_provider_collate.hooks.masking import MOST_FORMS, keep_headers_out_of_traces, mask_secrets


@pytest.mark.parametrize(
    "secret",
    [
        "plain-secret-0123",
        'quo"ted and\\slashed',
        "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBg\n-----END PRIVATE KEY-----\n",
        "per%cent/and space+plus",
        "schlüssel-für-ümlaute",
    ],
)
def test_a_secret_is_masked_in_every_form_it_is_printed_in(secret: str) -> None:
    mask_secrets([secret])
    forms = {
        "raw": secret,
        "json": json.dumps({"a": secret}),
        "json with other letters": json.dumps({"a": secret}, ensure_ascii=False),
        "json in json": json.dumps(json.dumps({"a": secret})),
        "repr": repr(secret),
        "repr of bytes": repr(secret.encode()),
        "url": f"mysql://user:{quote(secret, safe='')}@host",
        "base64": base64.b64encode(secret.encode()).decode(),
    }
    core = max(secret.replace("\\", "\n").replace('"', "\n").splitlines(), key=len)
    for name, text in forms.items():
        masked = redact(text)
        assert "***" in str(masked), name
        assert core not in str(masked), name


def test_of_thousands_of_secrets_only_so_many_are_registered() -> None:
    mask_secrets(f"secret-number-{number:06}/+" for number in range(5_000))
    assert redact("secret-number-000000/+") == "***"
    masked = sum(redact(f"secret-number-{number:06}/+") == "***" for number in range(5_000))
    assert masked <= MOST_FORMS


def test_a_secret_too_short_for_airflow_is_not_handed_over(caplog: pytest.LogCaptureFixture) -> None:
    mask_secrets(["ab", "a-secret-that-is-long-enough"])

    assert "too short" not in caplog.text
    assert redact("a-secret-that-is-long-enough") == "***"


def test_traces_of_http_show_no_headers() -> None:
    keep_headers_out_of_traces()
    keep_headers_out_of_traces()
    logger = logging.getLogger("httpcore.http11")
    assert len(logger.filters) == 1
    record = logger.makeRecord("httpcore.http11", logging.DEBUG, "f", 1, "complete %r", ((302, [(b"a", b"b")]),), None)
    assert logger.filter(record)
    assert record.getMessage() == "complete (302, […])"
    other = logger.makeRecord("httpcore.http11", logging.DEBUG, "f", 1, "connect %s%%", ("host",), None)
    assert logger.filter(other)
    assert other.getMessage() == "connect host%"


def test_one_long_key_does_not_use_up_the_masker() -> None:
    key = "-----BEGIN PRIVATE KEY-----\n" + "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEA\n" * 60
    mask_secrets([key, "another-secret-0123"])
    assert redact("another-secret-0123") == "***"
    assert redact(f"key: {key}") == "key: ***"
