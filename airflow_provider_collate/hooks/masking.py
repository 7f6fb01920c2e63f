"""Register secrets with Airflow's log masker, in every form in which they may be printed."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from itertools import chain, islice

from airflow.providers.common.compat.sdk import conf

from airflow_provider_collate.client.redaction import printed_forms

try:
    from airflow.sdk.log import mask_secret  # what common-compat exports, but not in its versions for Python 3.10
except ImportError:  # Airflow 2.11
    from airflow.utils.log.secrets_masker import mask_secret  # type: ignore[no-redef]

# Airflow compiles all its patterns again for each one that is added, and tries them all on each line of the log.
# Measured on Airflow 3.3 and 2.11: 100 forms take 0.4 s and 0.1 s, 600 take 24 s and 4 s; and beyond 30,000
# characters in all, the regular expressions of 2.11 complain on stderr at each line that they are out of memory.
# This package prints no declared secret; the masker is the second line of defence.
MOST_FORMS = 100
MOST_CHARACTERS = 12_000
_SHORTEST_ON_AIRFLOW_2 = 3


def shortest_masked() -> int:
    """Return how many characters a secret must have so that Airflow masks it."""
    return int(conf.getint("logging", "min_length_masked_secret", fallback=_SHORTEST_ON_AIRFLOW_2))


def mask_secrets(secrets: Iterable[str]) -> None:
    """Register secrets with Airflow's masker: raw, and escaped for JSON, Python, URLs and base64.

    :param secrets: the values, the most important first; of many, the first 100 forms are registered: the raw ones,
        then the escaped, as far as 12,000 characters go.
    """
    # Airflow warns of each secret that is too short, without saying which it is.
    shortest = shortest_masked()
    long_enough = (secret for secret in secrets if len(secret) >= shortest)
    raw = list(islice(dict.fromkeys(long_enough), MOST_FORMS))
    escaped = sorted({form for secret in raw for form in printed_forms(secret)} - set(raw), key=len)
    for form in _affordable(raw, escaped):
        mask_secret(form)


def _affordable(raw: list[str], escaped: list[str]) -> Iterator[str]:
    left = MOST_CHARACTERS
    for form in islice(chain(raw, escaped), MOST_FORMS):
        left -= len(form)
        if left < 0:
            return
        yield form


def quieten_http_logs() -> None:
    """Keep the lines of httpx for each request, and httpcore's traces of DEBUG, out of the log.

    The traces print the headers of answers, such as a redirect's address with a token in it: as bytes, which
    Airflow's masker does not look into, and in `dag.test()` of Airflow 2.11 there is no masker at all.
    """
    httpx_logger, httpcore_logger = logging.getLogger("httpx"), logging.getLogger("httpcore")
    if httpx_logger.level == logging.NOTSET:
        httpx_logger.setLevel(logging.WARNING)  # as Airflow 3 has it
    httpcore_logger.setLevel(max(httpcore_logger.level, logging.INFO))
