"""The services of a JSON Lines file, one a line, of which a few are in memory at a time."""

from __future__ import annotations

import os
from array import array
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from pydantic import JsonValue
from pydantic_core import from_json, to_json

from airflow_provider_collate.files.json_text import read_json
from airflow_provider_collate.files.problem import FileError
from airflow_provider_collate.files.source import SourceFile, decoded

LONGEST = 4 * 1024 * 1024
_IS_EMPTY = "is empty; declare no service by a file of YAML or JSON: services: []"


class JsonLines:
    """Services of a file, stored on the disk: what was checked is what is sent, whatever becomes of the file.

    :raises FileError: when no temporary file can be made.
    """

    def __init__(self) -> None:
        import tempfile  # most files are no JSON Lines, and it takes long

        with _on_this_disk():
            self._copy = tempfile.TemporaryFile()  # noqa: SIM115 - open as long as its services are needed
        self._starts, self._numbers = array("Q", [0]), array("Q")

    def __len__(self) -> int:
        return len(self._numbers)

    def line(self, row: int) -> int:
        """Return the line of a service, by its number in the file."""
        return self._numbers[row]

    def read(self, file: SourceFile, count: int) -> Iterator[list[object]]:
        """Yield some services at a time as they are declared, with the error in the place of one that cannot be read.

        :param count: how many at a time.
        :raises FileError: when the file cannot be read, or a line is too long; what is before it comes first.
        """
        rows: list[object] = []
        too_long: int | None = None
        with file.opened() as stream:
            for number, line in enumerate(iter(lambda: stream.readline(LONGEST + 1), b""), start=1):
                if len(line) > LONGEST:
                    too_long = number
                    break
                if line.strip():
                    self._numbers.append(number)
                    rows.append(_row(line, number))
                if len(rows) == count:
                    yield rows
                    rows = []
        if rows:
            yield rows
        if too_long is not None:
            raise FileError(
                f"the line is longer than {LONGEST >> 20} MiB; what comes after it is not checked", too_long
            )
        if not self._numbers:
            raise FileError(_IS_EMPTY)

    def store(self, services: Iterable[object]) -> None:
        """Store the next services, each as what `stored` shall return.

        :raises FileError: when the temporary file cannot be written.
        """
        with _on_this_disk():
            for service in services:
                self._starts.append(self._starts[-1] + self._copy.write(to_json(service)))
            self._copy.flush()

    def stored(self, row: int) -> dict[str, JsonValue]:
        """Return what was stored of a service, by its number in the file; any thread may ask."""
        start = self._starts[row]
        found: dict[str, JsonValue] = from_json(os.pread(self._copy.fileno(), self._starts[row + 1] - start, start))
        return found


@contextmanager
def _on_this_disk() -> Iterator[None]:
    try:
        yield
        return
    except OSError as error:
        reason = error.strerror or type(error).__name__
    raise FileError(f"cannot be checked, because a temporary file cannot be written: {reason}")


def _row(line: bytes, number: int) -> object:
    try:
        return read_json(decoded(line, number), number)
    except FileError as error:
        return error
