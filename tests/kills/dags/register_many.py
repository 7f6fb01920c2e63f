"""Register many services; how, the environment says."""

from __future__ import annotations

import os
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from airflow.providers.common.compat.sdk import DAG

from airflow_provider_collate.operators.mlmodel_service import BulkUpsertMlModelServicesOperator
from tests.kills.declared import SERVICES


def note_the_time(_: Any) -> None:
    Path(os.environ["FAILED_AT"]).write_text(str(time.time()))


with DAG("register_many", start_date=datetime(2026, 1, 1, tzinfo=timezone.utc), schedule=None) as dag:
    BulkUpsertMlModelServicesOperator(
        task_id="register",
        services=SERVICES,
        on_conflict="overwrite",
        chunk_size=25,
        execution_timeout=timedelta(seconds=float(os.environ.get("EXECUTION_TIMEOUT", "600"))),
        on_failure_callback=note_the_time,
    )
