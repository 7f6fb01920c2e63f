"""Validate rows as a person declares them: services, or one error that names all that is wrong with them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from pydantic import BaseModel, ValidationError

from airflow_provider_collate.exceptions import InvalidDeclarationError
from airflow_provider_collate.models.connection import ConnectionConfig, short_secrets
from airflow_provider_collate.models.declared_service import DeclaredService
from airflow_provider_collate.models.problems import (
    Path,
    Problem,
    counted,
    did_you_mean,
    kind_of,
    path_text,
    problems_of,
    quoted,
)
from airflow_provider_collate.models.request import CreateServiceRequest

_RENDERED_TO_TEXT = "Set render_template_as_native_obj=True on the DAG, or pass the upstream task's output itself."
_NOT_GIVEN = (
    "not given; the server takes the service without it, but the documented schema requires it: "
    "expect its ingestion and its connection test to fail"
)
_TOO_SHORT = "the secret in it has fewer than {} characters, so Airflow does not mask it where other code prints it"
_LONG_TEXT = 100_000

RowProblem = tuple[int, Path, str]
"""The number of a row, the path in it, and what is wrong there."""


@dataclass(frozen=True)
class ValidatedServices:
    """Services that may be sent, in the order of the rows, and the warnings about them.

    :param services: a declared service for each row.
    :param warnings: a line for each kind of finding, without any value of a connection.
    :param unfinished: the numbers of services that cannot be applied as they are, with why; the others can.
    """

    services: Sequence[DeclaredService]
    warnings: list[str]
    unfinished: Mapping[int, str] = field(default_factory=dict)


def validate_services(
    rows: Iterable[object], *, model: type[CreateServiceRequest], single: bool = False, shortest_secret: int = 0
) -> ValidatedServices:
    """Check all rows before anything is sent.

    :param rows: mappings, with documented or Python names, or instances of the model.
    :param model: the request model of the kind of service.
    :param single: the only row is the task's own; paths start at its fields instead of at `services[0]`.
    :param shortest_secret: characters that a secret must have to be masked; a shorter one is a warning.
    :raises InvalidDeclarationError: names every fault of every row, and no value but a name or a type.
    """
    given = _listed(rows)
    services, problems = checked_rows(given, model=model)
    if not problems and len({service.name for service in services}) == len(services):
        findings = Findings(model, shortest_secret)
        for index, service in enumerate(services):
            findings.add(index, service)
        return ValidatedServices(services, _lines(findings.found(), single))
    problems = sorted([*problems, *_given_twice(given)], key=lambda problem: problem[0])
    raise InvalidDeclarationError(_lines(problems, single))


def checked_rows(
    given: Sequence[object], *, model: type[CreateServiceRequest]
) -> tuple[list[DeclaredService], list[RowProblem]]:
    """Return a service for each row, or what is wrong with them; whether a name is given twice is not looked at."""
    services: list[DeclaredService] = []
    problems: list[RowProblem] = []
    for index, row in enumerate(given):
        try:
            services.append(model.model_validate(row).declared())
        except ValidationError as error:  # noqa: PERF203 - the faults of all rows are told
            # Not raised: pydantic's error has the values.
            problems += [(index, path, text) for path, text in problems_of(error, model)]
    return ([] if problems else services), problems


def row_path(index: int, path: Path, *, single: bool = False) -> str:
    """Return where something is, as messages say it: `services[2].tags[0]`; a single row needs no number."""
    if single:
        return path_text(path) or "the service"
    return path_text(("services", index, *path))


def name_of(row: object) -> str | None:
    """Return the name of a declared service, which need not be valid yet."""
    name = row.get("name") if isinstance(row, dict) else getattr(row, "name", None)
    return name if isinstance(name, str) else None


def given_already(name: str, place: str) -> str:
    """Say that a name was given before, and in which place."""
    return f"{quoted(name)} was given already by {place}"


class Findings:
    """Collect what is odd about services but no fault: each kind once, with the first row and how many more have it.

    :param model: as for `validate_services`.
    :param shortest_secret: as for `validate_services`.
    """

    def __init__(self, model: type[CreateServiceRequest], shortest_secret: int = 0) -> None:
        self._types = model.connection_types
        self._shortest_secret = shortest_secret
        self._found: dict[tuple[Path, str], tuple[int, int]] = {}

    def add(self, index: int, service: DeclaredService) -> None:
        """Look at a service."""
        for path, text in _findings(service, self._types, self._shortest_secret):
            first, count = self._found.get((path, text), (index, 0))
            self._found[path, text] = first, count + 1

    def found(self) -> Iterator[RowProblem]:
        """Yield each kind of finding, with where it is found first."""
        for (path, text), (index, count) in self._found.items():
            yield index, path, f"{text} (and {counted(count - 1, 'more row')})" if count > 1 else text


def _lines(problems: Iterable[RowProblem], single: bool) -> list[str]:
    return [f"{row_path(row, path, single=single)}: {text}" for row, path, text in problems]


def _listed(rows: object) -> list[object]:
    if isinstance(rows, str | bytes | Mapping | BaseModel) or not isinstance(rows, Iterable):
        advice = _RENDERED_TO_TEXT if isinstance(rows, str) else ""
        raise InvalidDeclarationError([f"services: must be a list, not {kind_of(rows)}"], advice=advice)
    return [dict(row) if isinstance(row, Mapping) and not isinstance(row, dict) else row for row in rows]


def _given_twice(rows: Sequence[object]) -> Iterable[RowProblem]:
    first: dict[str, int] = {}
    for index, name in enumerate(map(name_of, rows)):
        if name is not None and first.setdefault(name, index) != index:
            yield index, ("name",), given_already(name, row_path(first[name], ()))


def _findings(service: DeclaredService, types: Collection[str], shortest_secret: int) -> Iterator[Problem]:
    text = str(service.fields.get("description") or "")
    # No letter takes more than four bytes.
    if len(text) > _LONG_TEXT // 4 and len(text.encode()) > _LONG_TEXT:
        yield (
            ("description",),
            f"is longer than {_LONG_TEXT // 1000} kB; each version in its history keeps a copy of it",
        )
    config, model = service.config, service.config_model
    if config is None:
        return
    if issubclass(model, ConnectionConfig):
        for name in model.documented_as_required:
            documented = model.fields_by_key[name].documented
            if config.get(documented) is None:
                yield ("connection", "config", documented), _NOT_GIVEN
    elif types:
        meant = did_you_mean(service.service_type, types)
        yield ("serviceType",), f"{quoted(service.service_type)} is not known to this version; sent as it is{meant}"
    if shortest_secret:
        for path in sorted(short_secrets(model, config, shortest_secret)):
            yield ("connection", "config", *path), _TOO_SHORT.format(shortest_secret)
