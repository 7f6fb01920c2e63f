"""Where declarations are: light enough to be imported by a DAG file."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ServicesPath:
    """Stands for the services that files declare.

    :param path: a file, or a glob such as `s3://bucket/services/*.yaml`; YAML, JSON or JSON Lines by suffix.
    :param conn_id: the Airflow connection by which a path with a scheme is read; None for Airflow's default of it.
    """

    path: str
    conn_id: str | None = None
