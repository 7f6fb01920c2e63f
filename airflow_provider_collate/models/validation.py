"""Validate rows as a person declares them: models, or one error that names all that is wrong with them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Generic, TypeVar

from pydantic import BaseModel, TypeAdapter, ValidationError

from airflow_provider_collate.exceptions import InvalidDeclarationError
from airflow_provider_collate.models.connection import ConnectionConfig
from airflow_provider_collate.models.problems import (
    Path,
    Problem,
    did_you_mean,
    documented_name,
    kind_of,
    path_text,
    problems_of,
    quoted,
)
from airflow_provider_collate.models.request import CreateServiceRequest

R = TypeVar("R", bound=CreateServiceRequest)

_RENDERED_TO_TEXT = "Set render_template_as_native_obj=True on the DAG, or pass the upstream task's output itself."
_NOT_GIVEN = (
    "not given; the server takes the service without it, but the documented schema requires it: "
    "expect its ingestion and its connection test to fail"
)
_LONG_TEXT = 100_000


@dataclass(frozen=True)
class ValidatedServices(Generic[R]):
    """Services that may be sent, in the order of the rows, and the warnings about them.

    :param services: one model for each row.
    :param warnings: a line for each kind of finding, without any value of a connection.
    """

    services: list[R]
    warnings: list[str]


def validate_services(rows: Iterable[object], *, model: type[R], single: bool = False) -> ValidatedServices[R]:
    """Check all rows before anything is sent.

    :param rows: mappings, with documented or Python names, or instances of the model.
    :param model: the request model of the kind of service.
    :param single: the only row is the task's own; paths start at its fields instead of at `services[0]`.
    :raises InvalidDeclarationError: names every fault of every row, and no value but a name or a type.
    """
    given = _listed(rows)
    problems: list[Problem] = []
    services: list[R] = []
    try:
        services = _adapter(model).validate_python(given)
    except ValidationError as error:
        problems = list(problems_of(error, model))
    # Raised out here, so that pydantic's error, which has the values, is no part of it.
    if problems := sorted([*problems, *_given_twice(given)], key=lambda problem: problem[0][0]):
        raise InvalidDeclarationError([f"{_place(path, single)}: {text}" for path, text in problems])
    return ValidatedServices(services, _warnings(services, single))


@cache
def _adapter(model: type[R]) -> TypeAdapter[list[R]]:
    return TypeAdapter(list[model])  # type: ignore[valid-type]  # known when it runs


def _listed(rows: object) -> list[object]:
    if isinstance(rows, str | bytes | Mapping | BaseModel) or not isinstance(rows, Iterable):
        advice = _RENDERED_TO_TEXT if isinstance(rows, str) else ""
        raise InvalidDeclarationError([f"services: must be a list, not {kind_of(rows)}"], advice=advice)
    return [dict(row) if isinstance(row, Mapping) and not isinstance(row, dict) else row for row in rows]


def _place(path: Path, single: bool) -> str:
    return (path_text(path[1:]) or "the service") if single else path_text(("services", *path))


def _given_twice(rows: Sequence[object]) -> Iterator[Problem]:
    first: dict[str, int] = {}
    for index, row in enumerate(rows):
        name = row.get("name") if isinstance(row, dict) else getattr(row, "name", None)
        if isinstance(name, str) and first.setdefault(name, index) != index:
            yield (index, "name"), f"{quoted(name)} was given already by services[{first[name]}]"


def _warnings(services: Sequence[CreateServiceRequest], single: bool) -> list[str]:
    """Return a line for each kind of finding, with the first row that has it and how many more do."""
    found: dict[Problem, list[int]] = {}
    for index, service in enumerate(services):
        for finding in _findings(service):
            found.setdefault(finding, []).append(index)
    lines = []
    for (path, text), (first, *more) in found.items():
        rest = f" (and {len(more):,} more row{'s' if more[1:] else ''})" if more else ""
        lines.append(f"{_place((first, *path), single)}: {text}{rest}")
    return lines


def _findings(service: CreateServiceRequest) -> Iterator[Problem]:
    text = service.description or ""
    # No letter takes more than four bytes.
    if len(text) > _LONG_TEXT // 4 and len(text.encode()) > _LONG_TEXT:
        yield (
            ("description",),
            f"is longer than {_LONG_TEXT // 1000} kB; each version in its history keeps a copy of it",
        )
    config = service.connection.config if service.connection is not None else None
    if isinstance(config, ConnectionConfig):
        for name in config.documented_as_required:
            if getattr(config, name) is None:
                yield ("connection", "config", documented_name(name)), _NOT_GIVEN
    elif config is not None and service.connection_types:
        meant = did_you_mean(service.service_type, service.connection_types)
        yield ("serviceType",), f"{quoted(service.service_type)} is not known to this version; sent as it is{meant}"
