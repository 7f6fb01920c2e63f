"""Show the docstrings that classes have when they are imported; an extension of griffe, which reads the source alone.

Operators and sensors take the descriptions of their parameters from their bases and options when they are defined.
"""

from __future__ import annotations

import inspect
from importlib import import_module

import griffe  # type: ignore[import-not-found, unused-ignore]  # comes with what builds the site, not with linting

MODULES = ("airflow_provider_collate.operators.mlmodel_service", "airflow_provider_collate.sensors.mlmodel_service")


class ImportedDocstrings(griffe.Extension):  # type: ignore[misc, unused-ignore]
    """Replace the docstrings of the classes in `MODULES`."""

    def on_class(self, *, cls: griffe.Class, **_: object) -> None:
        """Replace the docstring of one class; griffe calls this for each that it has read."""
        if cls.module.path in MODULES and cls.docstring:
            cls.docstring.value = inspect.getdoc(getattr(import_module(cls.module.path), cls.name)) or ""
