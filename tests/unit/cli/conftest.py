"""Commands set logging up for a process of their own; here it is as before afterwards."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

LOGGERS = ("airflow", "airflow_provider_collate", "httpcore", "httpx")


@pytest.fixture(autouse=True)
def logging_as_before() -> Iterator[None]:
    loggers = [logging.getLogger(name) for name in LOGGERS]
    before = [(log.handlers, log.propagate, log.level) for log in loggers]
    yield
    for log, (handlers, propagate, level) in zip(loggers, before, strict=True):
        log.handlers, log.propagate = handlers, propagate
        log.setLevel(level)
