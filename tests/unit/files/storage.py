"""Put a file system behind a scheme, as the provider of a cloud does."""

from __future__ import annotations

from typing import Any

import fsspec  # type: ignore[import-untyped]

try:
    from airflow.sdk.io import attach as _attach
except ImportError:  # Airflow 2.11
    from airflow.io.store import attach as _attach  # type: ignore[import-not-found,no-redef]


def attach(scheme: str, system: Any) -> None:
    fsspec.register_implementation(scheme, type(system), clobber=True)
    _attach(scheme, fs=system)
