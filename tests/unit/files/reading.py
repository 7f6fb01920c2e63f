"""Read files, and say what is wrong with them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from airflow_provider_collate.files.conn_ids import UnresolvedConnections
from airflow_provider_collate.files.path import ServicesPath
from airflow_provider_collate.files.services import FileServices, read_files
from airflow_provider_collate.kinds import find_kind

Write = Callable[[str, str | bytes], Path]
ROW = "{name: one, serviceType: Sklearn, connection: {config: {}}}"
JSON_ROW = '{"name": "one", "serviceType": "Sklearn", "connection": {"config": {}}}'


def read(*paths: str) -> FileServices:
    kind = find_kind("mlmodelServices")
    return read_files([ServicesPath(path) for path in paths], kind, UnresolvedConnections(kind))


def problems(*paths: str) -> list[str]:
    return [str(problem) for problem in read(*paths).problems]


def names(services: FileServices) -> list[str]:
    return [service.name for service in services]
