"""The services of a JSON Lines file, one a line, of which one is in memory at a time."""

from __future__ import annotations

import json
import os
from array import array
from collections.abc import Iterator

from airflow_provider_collate.files.json_text import read_json
from airflow_provider_collate.files.problem import FileError
from airflow_provider_collate.files.source import SourceFile, decoded

LONGEST = 4 * 1024 * 1024
_IS_EMPTY = "is empty; declare no service by a file of YAML or JSON: services: []"


class JsonLines:
    """The lines of a file, kept on the disk: what was checked is what is sent, whatever becomes of the file.

    :param file: the file, which is copied to a temporary one that no other process sees.
    :raises FileError: when it cannot be read.
    """

    def __init__(self, file: SourceFile) -> None:
        import tempfile  # most files are no JSON Lines, and it takes long

        self._copy = tempfile.TemporaryFile()  # noqa: SIM115 - open as long as its lines are needed
        self._starts, self._numbers = array("Q"), array("Q")
        with file.opened() as lines:
            at = number = 0
            while line := lines.readline(LONGEST + 1):
                number += 1
                if len(line) > LONGEST:
                    raise FileError(f"is longer than {LONGEST >> 20} MiB", number)
                if line.strip():
                    self._starts.append(at)
                    self._numbers.append(number)
                    at += self._copy.write(line)
        self._starts.append(at)
        self._copy.flush()
        if not self._numbers:
            raise FileError(_IS_EMPTY)

    def __len__(self) -> int:
        return len(self._numbers)

    def line(self, row: int) -> int:
        """Return the line of a service, by its number in the file."""
        return self._numbers[row]

    def row(self, row: int) -> object:
        """Return a service as it is declared, of a line that `checked_rows` has read; any thread may ask."""
        return json.loads(self._content(row).decode("utf-8-sig"))

    def checked_rows(self, first: int, count: int) -> Iterator[object]:
        """Yield some services as they are declared, with the error in the place of one that cannot be read."""
        for row in range(first, min(first + count, len(self))):
            number = self._numbers[row]
            try:
                yield read_json(decoded(self._content(row), number), number)
            except FileError as error:
                yield error

    def _content(self, row: int) -> bytes:
        start = self._starts[row]
        return os.pread(self._copy.fileno(), self._starts[row + 1] - start, start)
