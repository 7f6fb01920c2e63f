"""Tasks that leak on purpose, one for each place, so that the suite proves that it would see it."""

from __future__ import annotations

import logging
import sys
from collections.abc import Sequence
from datetime import datetime, timezone
from typing import Any

from airflow import __version__ as airflow_version
from airflow.providers.common.compat.sdk import DAG, Asset, AssetAlias, BaseOperator, task

from tests.secrets.canaries import PROBE
from tests.secrets.dags.by_reference.by_reference import note_traceback

IS_AIRFLOW_3 = int(airflow_version.split(".", maxsplit=1)[0]) >= 3


class LeakyOperator(BaseOperator):
    """Leaks through a rendered field, plain or mapped."""

    template_fields: Sequence[str] = ("connection",)

    def __init__(self, *, connection: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.connection = connection

    def execute(self, context: Any) -> None:
        """Do nothing."""


with DAG(
    "probes",
    start_date=datetime(2026, 1, 1, tzinfo=timezone.utc),
    schedule=None,
    default_args={"retries": 0, "on_failure_callback": note_traceback},
):

    @task
    def log() -> None:
        logging.getLogger("tests.probe").debug("log-probe %s", PROBE)

    @task
    def stdout() -> None:
        print("stdout-probe", PROBE)  # noqa: T201 - the leak

    @task
    def stderr() -> None:
        print("stderr-probe", PROBE, file=sys.stderr)  # noqa: T201 - the leak

    @task
    def xcom() -> str:
        return PROBE

    @task
    def exception_text() -> None:
        raise ValueError(PROBE)

    @task
    def local_variable() -> None:
        inner = [PROBE]
        raise ValueError(len(inner))

    @task
    def cause() -> None:
        try:
            raise ValueError(PROBE)
        except ValueError as error:
            raise RuntimeError("x") from error

    for leak in (log, stdout, stderr, xcom, exception_text, local_variable, cause):
        leak()
    LeakyOperator(task_id="rendered", connection={"password_uri": "{{ var.value.probe }}"})
    LeakyOperator.partial(task_id="rendered_mapped").expand(connection=[{"uri": "{{ var.value.probe }}"}])

    if IS_AIRFLOW_3:

        @task(outlets=[AssetAlias("probes")])
        def event(*, outlet_events: Any = None) -> None:
            outlet_events[AssetAlias("probes")].add(Asset("collate://probe"), extra={"secret": PROBE})

        event()
