"""Run blocks of the documentation, each with an empty catalog behind `collate_default`.

`conftest.py` copies this file beside the blocks and runs it by pytest in a process of its own.
"""

from __future__ import annotations

import json
import runpy
from pathlib import Path
from unittest.mock import MagicMock

import pytest
from airflow.cli.cli_parser import get_parser
from airflow.models import Connection, DagBag
from airflow.providers.common.compat.sdk import BaseOperator
from airflow.utils.session import create_session

from airflow_provider_collate.hooks.connection import parse_connection
from airflow_provider_collate.operators import mlmodel_service
from airflow_provider_collate.pytest_plugin import InMemoryCollate
from airflow_provider_collate.sensors.mlmodel_service import MlModelServiceSensor

HERE = Path(__file__).parent
OPERATORS = {name: getattr(mlmodel_service, name) for name in mlmodel_service.__all__}


def airflow(*arguments: str) -> None:
    parsed = get_parser().parse_args(arguments)
    parsed.func(parsed)


@pytest.fixture(scope="session", autouse=True)
def database() -> None:
    airflow("db", "migrate")


@pytest.mark.parametrize("path", sorted((HERE / "commands").glob("*.json")), ids=lambda path: path.stem)
def test_connection_is_added(path: Path) -> None:
    arguments = json.loads(path.read_text())
    airflow(*arguments)

    with create_session() as session:
        [added] = session.query(Connection).filter(Connection.conn_id == arguments[2])
        parsed = parse_connection(added)
        session.delete(added)
    assert parsed.token == arguments[arguments.index("--conn-password") + 1]
    assert parsed.config.url == arguments[arguments.index("--conn-host") + 1] + "/api"


@pytest.mark.parametrize("path", sorted((HERE / "dags").glob("*.py")), ids=lambda path: path.stem)
def test_dag(path: Path, collate: InMemoryCollate) -> None:
    bag = DagBag(str(path))
    assert bag.import_errors == {}
    assert bag.dags
    for dag in bag.dags.values():
        assert dag.test().state == "success"


@pytest.mark.parametrize("path", sorted((HERE / "tasks").glob("*.py")), ids=lambda path: path.stem)
def test_task(path: Path, collate: InMemoryCollate) -> None:
    left = runpy.run_path(str(path), init_globals={**OPERATORS, "MlModelServiceSensor": MlModelServiceSensor})
    tasks = [value for value in left.values() if isinstance(value, BaseOperator)]
    assert tasks
    for task in tasks:
        task.execute({"ti": MagicMock()})
