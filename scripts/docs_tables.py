"""Make the tables of the documentation that come from the code."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

from airflow_provider_collate.hooks.connection_form import EXTRA_FIELDS
from airflow_provider_collate.kinds.mlmodel import ML_MODEL, CreateMlModelServiceRequest
from airflow_provider_collate.operators import mlmodel_service
from airflow_provider_collate.operators._collate_task import CollateTask
from airflow_provider_collate.reconcile.options import DeleteOptions, RunOptions, option_texts
from airflow_provider_collate.sandbox.releases import RELEASES, Release
from airflow_provider_collate.sensors.mlmodel_service import MlModelServiceSensor

ROOT = Path(__file__).resolve().parent.parent


def extra_table() -> str:
    """Return the fields of a Collate connection's extra."""
    rows = ((f"`{field.name}`", field.label, field.description) for field in EXTRA_FIELDS)
    return table(("extra", "in the form", "what goes in"), rows)


def options_table() -> str:
    """Return the options of the operators: which operators have one, its default, and what it does."""
    return table(("option", "of", "default", "what it does"), _options())


def template_fields_table() -> str:
    """Return the template fields of the operators and the sensor."""
    tasks: list[type[CollateTask]] = [*_operators(), MlModelServiceSensor]
    rows = ((f"`{task.__name__}`", ", ".join(f"`{name}`" for name in task.template_fields)) for task in tasks)
    return table(("class", "its template fields"), rows)


def releases_table() -> str:
    """Return what the sandbox knows of each release of the server."""
    head = ("release", "how we know", "service types", "owners", "domains", "tags by POST", "longest name")
    return table(head, map(_release, RELEASES.values()))


def airflows_table() -> str:
    """Return the versions of Airflow that the tests run on, with their Pythons."""
    pins = {name: (ROOT / "constraints" / f"airflow-{name}.txt").read_text() for name in ("3.3", "2.11")}
    tested = {name: re.findall(r"^apache-airflow==(\S+)", text, re.MULTILINE)[0] for name, text in pins.items()}
    rows = [
        (f"Airflow {tested['3.3']}", "3.10 to 3.13", "`make test`"),
        (f"Airflow {tested['2.11']}", "3.10 to 3.12", "`make test-2.11`"),
        ("the lowest versions in `pyproject.toml`", "3.10", "`make test-floor`"),
    ]
    return table(("tested on", "Python", "by"), rows)


def service_types_table() -> str:
    """Return the service types, and the types of Airflow connections that each takes."""
    return table(("service type", "`conn_id` may be of type"), _service_types())


TABLES: Mapping[str, Callable[[], str]] = {
    "airflows": airflows_table,
    "extra": extra_table,
    "options": options_table,
    "releases": releases_table,
    "service_types": service_types_table,
    "template_fields": template_fields_table,
}


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Return a table in Markdown.

    :param head: the names of its columns.
    :param rows: their cells.
    """
    names = list(head)
    lines = [names, ["---"] * len(names), *rows]
    return "".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |\n" for line in lines)


def _operators() -> list[type[CollateTask]]:
    return [value for name, value in vars(mlmodel_service).items() if name in mlmodel_service.__all__]


def _options() -> Iterator[tuple[str, str, str, str]]:
    operators = _operators()
    of_all = option_texts(CollateTask)  # type: ignore[arg-type]  # it reads the docstring alone
    for name, text in {**option_texts(RunOptions), **option_texts(DeleteOptions), **of_all}.items():
        having = [operator for operator in operators if name in (*operator.option_names, *operator.connection_params)]
        if having:
            of = "all" if having == operators else ", ".join(_short_name(operator) for operator in having)
            default = _default(having[0], name)
            yield f"`{name}`", of, "" if default == "<not given>" else f"`{default}`", text[0].upper() + text[1:]


def _release(release: Release) -> tuple[str, ...]:
    types = [name for name in CreateMlModelServiceRequest.connection_types if name not in release.absent_types]
    known, owners, tags = (
        ("recorded on a real server", "one", "dropped; written by PATCH")
        if release.is_old
        else ("the server's source", "several users, or one team", "applied")
    )
    domains = "one" if release.is_old else "one, unless its rule is off"
    return f"`{release.name}`", known, ", ".join(types), owners, domains, tags, str(release.name_limit)


def _service_types() -> Iterator[tuple[str, str]]:
    for service_type in CreateMlModelServiceRequest.connection_types:
        mappings = [mapping for mapping in ML_MODEL.mappings if mapping.service_type == service_type]
        conn_types = [f"`{conn_type}`" for mapping in mappings for conn_type in mapping.conn_types]
        yield f"`{service_type}`", ", ".join(conn_types) or "none: there is nothing to connect to"


def _short_name(operator: type) -> str:
    return operator.__name__.partition("MlModelService")[0]


def _default(operator: type, name: str) -> str:
    signatures = (
        inspect.signature(vars(base)["__init__"]).parameters for base in operator.__mro__ if "__init__" in vars(base)
    )
    return next(repr(parameters[name].default) for parameters in signatures if name in parameters).replace("'", '"')
