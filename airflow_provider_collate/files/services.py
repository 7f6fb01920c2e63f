"""The services that files declare: all checked before anything is sent, each with its file and line."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import zip_longest
from typing import overload

from airflow_provider_collate.exceptions import MOST_PROBLEMS_SHOWN, InvalidDeclarationError
from airflow_provider_collate.files.conn_ids import TO_DO_PROBLEM, Resolver, to_do_key
from airflow_provider_collate.files.documents import read_documents
from airflow_provider_collate.files.json_lines import JsonLines
from airflow_provider_collate.files.path import ServicesPath
from airflow_provider_collate.files.problem import FileError, FileProblem
from airflow_provider_collate.files.source import SUFFIXES, SourceFile, find_files
from airflow_provider_collate.kinds import ServiceKind
from airflow_provider_collate.kinds.airflow_connection import names_connections
from airflow_provider_collate.models.declared_service import DeclaredService
from airflow_provider_collate.models.problems import MISSING, Path
from airflow_provider_collate.models.validation import (
    Findings,
    RowProblem,
    checked_rows,
    given_already,
    name_of,
    row_path,
)

_BATCH = 500
_LINES = (".jsonl", ".ndjson")
# A byte of JSON takes up to 20 in memory, and one of YAML up to 200 (measured).
LARGEST_JSON, LARGEST_YAML = 64 << 20, 8 << 20
# What comparing and writing a service asks for it again and again; 8 are in flight at once.
_KEPT = 64


@dataclass(frozen=True, slots=True)
class _Part:
    """The services of one file.

    :param first: the number of its first service among those of all files.
    :param line: returns the line of a field of a service.
    """

    file: str
    first: int
    line: Callable[[int, Path], int]
    services: list[DeclaredService] | JsonLines = field(repr=False)


class FileServices(Sequence[DeclaredService]):
    """The services of files; those of JSON Lines are read when they are asked for, and not held.

    :param shortest_secret: as for `validate_services`.
    :param problems: what is wrong; with any of it, the services cannot be used.
    :param unfinished: rows that cannot be applied as they are, with why; the others can.
    """

    def __init__(self, kind: ServiceKind, resolver: Resolver, shortest_secret: int = 0) -> None:
        self._kind, self._resolver = kind, resolver
        self._parts: list[_Part] = []
        self._count = 0
        self._findings = Findings(kind.request_model, shortest_secret)
        self._names: dict[str, int] = {}
        self.problems: list[FileProblem] = []
        self.unfinished: dict[int, FileProblem] = {}
        self._made = lru_cache(maxsize=_KEPT)(self._make)

    def __len__(self) -> int:
        return self._count

    @property
    def file_count(self) -> int:
        """Return how many files declare them."""
        return len(self._parts)

    @overload
    def __getitem__(self, index: int) -> DeclaredService: ...
    @overload
    def __getitem__(self, index: slice) -> list[DeclaredService]: ...
    def __getitem__(self, index: int | slice) -> DeclaredService | list[DeclaredService]:
        if isinstance(index, slice):
            return [self[number] for number in range(*index.indices(self._count))]
        if not 0 <= index < self._count:
            raise IndexError(index)
        return self._made(index)

    def __iter__(self) -> Iterator[DeclaredService]:
        for part in self._parts:
            if isinstance(part.services, list):
                yield from part.services
            else:
                yield from (self._from_line(part, part.services, row) for row in range(len(part.services)))

    @property
    def warnings(self) -> list[FileProblem]:
        """Return what is odd and no fault: each kind of it once."""
        return [self._problem(*finding) for finding in self._findings.found()]

    def add(self, file: SourceFile) -> None:
        """Check the services of a file, and take them in."""
        try:
            self._add(file)
        except FileError as error:
            self.problems.append(FileProblem(file.name, error.line, "", error.text))

    def raise_if_faulty(self) -> None:
        """Raise if anything is wrong.

        :raises InvalidDeclarationError: naming every fault by file, line and path.
        """
        if self.problems:
            raise InvalidDeclarationError([str(problem) for problem in self.problems])

    def _add(self, file: SourceFile) -> None:
        self._raise_if_enough()
        if file.suffix not in SUFFIXES:
            raise FileError(f"has none of the suffixes {', '.join(SUFFIXES)}, which say what a file holds")
        if file.suffix in _LINES:
            self._add_lines(file)
            return
        is_json = file.suffix == ".json"
        document = read_documents(file.read(LARGEST_JSON if is_json else LARGEST_YAML), is_json=is_json)
        services: list[DeclaredService] = []
        self._parts.append(_Part(file.name, self._count, document.line, services))
        for first in range(0, len(document.rows), _BATCH):
            services += self._check(document.rows[first : first + _BATCH])

    def _add_lines(self, file: SourceFile) -> None:
        lines = JsonLines()
        part = _Part(file.name, self._count, lambda row, _: lines.line(row), lines)
        for rows in lines.read(file, _BATCH):
            first = self._count
            if first == part.first:
                self._parts.append(part)
            pairs = zip_longest(rows, self._check(rows))
            lines.store(self._to_store(number, *pair) for number, pair in enumerate(pairs, first))

    def _to_store(self, number: int, row: object, service: DeclaredService | None) -> object:
        """Return what to store of a line: what an Airflow connection holds is not written to the disk."""
        if service is None:  # something is wrong with the rows, and nothing of them will be used
            return None
        return row if names_connections(row) and number not in self.unfinished else service.fields

    def _raise_if_enough(self) -> None:
        if len(self.problems) >= MOST_PROBLEMS_SHOWN:
            raise FileError(f"is not checked further; there are {len(self.problems):,} problems already")

    def _check(self, rows: Sequence[object]) -> list[DeclaredService]:
        """Return the next services, and note what is wrong with them."""
        self._raise_if_enough()
        first = self._count
        self._count += len(rows)
        unreadable = {first + index: row for index, row in enumerate(rows) if isinstance(row, FileError)}
        services, problems = self._validated(rows, first)
        problems = [problem for problem in problems if problem[0] not in unreadable]
        problems += [(number, (), error.text) for number, error in unreadable.items()]
        problems += self._given_twice(rows, first)
        told = sorted(problems, key=lambda problem: problem[0])[: MOST_PROBLEMS_SHOWN - len(self.problems)]
        self.problems += [self._problem(*problem) for problem in told]
        return services

    def _validated(self, rows: Sequence[object], first: int) -> tuple[list[DeclaredService], list[RowProblem]]:
        to_do = {index: key for index, row in enumerate(rows) if (key := to_do_key(row))}
        for index, key in to_do.items():
            number = first + index
            self.unfinished[number] = self._problem(number, ("connection", key), TO_DO_PROBLEM)
        without = [_without_connection(row) if index in to_do else row for index, row in enumerate(rows)]
        resolution = self._resolver.resolve(without)
        services, found = checked_rows(resolution.rows, model=self._kind.request_model)
        unresolved = {index for index, *_ in resolution.problems}
        of_unknown_type = {index for index, path, _ in found if path == ("serviceType",)}
        told = [problem for problem in resolution.problems if problem[0] not in of_unknown_type]
        for index, path, text in found:
            # A connection that cannot be read has its fault told; one that is not read may have what is missing.
            of_connection = path[:1] == ("connection",)
            if not (of_connection and (index in unresolved or (index in resolution.partial and text == MISSING))):
                told.append((index, path, text))
        for index, service in enumerate(services):
            if index not in resolution.partial and index not in to_do:
                self._findings.add(first + index, service)
        return services, [(first + index, path, text) for index, path, text in told]

    def _given_twice(self, rows: Sequence[object], first: int) -> Iterator[RowProblem]:
        for number, row in enumerate(rows, first):
            name = name_of(row)
            if name is not None and self._names.setdefault(name, number) != number:
                yield number, ("name",), given_already(name, self._problem(self._names[name], ("name",), "").place)

    def _problem(self, number: int, path: Path, text: str) -> FileProblem:
        part = self._part_of(number)
        row = number - part.first
        return FileProblem(part.file, part.line(row, path), row_path(row, path), text)

    def _part_of(self, number: int) -> _Part:
        return self._parts[bisect_right(self._parts, number, key=lambda part: part.first) - 1]

    def _make(self, number: int) -> DeclaredService:
        part = self._part_of(number)
        row = number - part.first
        return part.services[row] if isinstance(part.services, list) else self._from_line(part, part.services, row)

    def _from_line(self, part: _Part, lines: JsonLines, at: int) -> DeclaredService:
        """Return a service of a line; one that names Airflow connections is checked once more.

        :raises InvalidDeclarationError: when one of them has become unusable meanwhile.
        """
        row = lines.stored(at)
        if not names_connections(row):
            return self._kind.request_model.declared_from(row)
        resolution = self._resolver.resolve([row])
        services, found = checked_rows(resolution.rows, model=self._kind.request_model)
        if problems := resolution.problems or found:
            raise InvalidDeclarationError([str(self._problem(part.first + at, *problem[1:])) for problem in problems])
        return services[0]


def _without_connection(row: object) -> dict[str, object]:
    return {**row, "connection": None} if isinstance(row, Mapping) else {}


def read_files(
    paths: Iterable[ServicesPath], kind: ServiceKind, resolver: Resolver, *, shortest_secret: int = 0
) -> FileServices:
    """Return the services that files declare, with all that is wrong with them.

    :param resolver: puts the connections that rows name in the place of their ids.
    :param shortest_secret: as for `validate_services`.
    """
    services = FileServices(kind, resolver, shortest_secret)
    for file in find_files(paths, services.problems):
        services.add(file)
    return services
