"""Make Airflow's log masker know a secret in every form in which it may be printed."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain, islice

from airflow.providers.common.compat.sdk import conf

from airflow_provider_collate.client.redaction import printed_forms

try:
    from airflow.sdk.log import mask_secret  # what common-compat exports, but not in its versions for Python 3.10
except ImportError:  # Airflow 2.11
    from airflow.utils.log.secrets_masker import mask_secret  # type: ignore[no-redef]

# Airflow compiles all its patterns anew for each one that is added, and tries them all on each line of the log.
# Measured on Airflow 3.3 and 2.11: 100 forms take 0.4 s and 0.1 s, 600 take 24 s and 4 s. Nothing of this package
# prints a declared secret anyway; the masker is the second line.
MOST_FORMS = 100
SHORTEST_ON_AIRFLOW_2 = 3


def mask_secrets(secrets: Iterable[str]) -> None:
    """Register secrets with Airflow's masker: raw, and escaped for JSON, Python, URLs and base64.

    :param secrets: the values, the most important first; of many, the first 100 forms are registered, the raw ones
        before the escaped.
    """
    # Airflow warns of each secret that it will not mask because it is too short; nobody can do anything about it.
    shortest = conf.getint("logging", "min_length_masked_secret", fallback=SHORTEST_ON_AIRFLOW_2)
    long_enough = (secret for secret in secrets if len(secret) >= shortest)
    forms = {secret: printed_forms(secret) for secret in islice(dict.fromkeys(long_enough), MOST_FORMS)}
    for form in islice(dict.fromkeys(chain(forms, chain.from_iterable(forms.values()))), MOST_FORMS):
        mask_secret(form)
