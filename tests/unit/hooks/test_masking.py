"""What Airflow's masker is told."""

from __future__ import annotations

import base64
import json
import logging
from collections.abc import Iterator
from urllib.parse import quote

import pytest
from airflow.providers.common.compat.sdk import redact

from airflow_provider_collate.client.client import CollateClient
from airflow_provider_collate.client.config import ClientConfig
from airflow_provider_collate.client.messages import ApiRequest
from airflow_provider_collate.exceptions import RedirectError
from airflow_provider_collate.hooks.masking import MOST_FORMS, mask_secrets, quieten_http_logs
from tests.faults.behaviours import answers
from tests.faults.server import FaultServer


@pytest.fixture
def quiet_again() -> Iterator[None]:
    """Leave the levels of the loggers as they were."""
    loggers = [logging.getLogger(name) for name in ("httpx", "httpcore")]
    levels = [logger.level for logger in loggers]
    yield
    for logger, level in zip(loggers, levels, strict=True):
        logger.setLevel(level)


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


def test_traces_of_http_show_no_headers(caplog: pytest.LogCaptureFixture, quiet_again: None) -> None:
    """With a real request, so that it is noticed when httpcore logs by other names."""
    logging.getLogger("httpcore").setLevel(logging.DEBUG)
    with FaultServer(lambda _: answers(302, headers={"Location": "/login?state=hunter2hunter2"})) as server:
        transport = CollateClient(ClientConfig(f"{server.url}/api", max_retries=0), lambda: "a-token")
        for printed in (True, False):
            with caplog.at_level(logging.DEBUG), pytest.raises(RedirectError):
                transport.send(ApiRequest("GET", "/v1/a"))
            assert ("hunter2hunter2" in caplog.text) is printed
            caplog.clear()
            quieten_http_logs()


def test_a_level_that_is_higher_already_stays(quiet_again: None) -> None:
    logging.getLogger("httpcore").setLevel(logging.ERROR)
    logging.getLogger("httpx").setLevel(logging.DEBUG)

    quieten_http_logs()

    assert logging.getLogger("httpcore").level == logging.ERROR
    assert logging.getLogger("httpx").level == logging.DEBUG


def test_one_long_key_does_not_use_up_the_masker() -> None:
    key = "-----BEGIN PRIVATE KEY-----\n" + "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEA\n" * 60
    mask_secrets([key, "another-secret-0123"])
    assert redact("another-secret-0123") == "***"
    assert redact(f"key: {key}") == "key: ***"
