"""What is wrong with a file, and where in it."""

from __future__ import annotations

import re
from dataclasses import dataclass

_PLAIN_KEY = re.compile(r"[\w.$-]{1,64}")


class FileError(Exception):
    """Why a file cannot be used, without a value from it.

    :param line: where, from 1; None for the file as a whole.
    """

    def __init__(self, text: str, line: int | None = None) -> None:
        super().__init__(text)
        self.text = text
        self.line = line


@dataclass(frozen=True, slots=True)
class FileProblem:
    """What is wrong somewhere in a file.

    :param line: from 1; None for the file as a whole.
    :param path: the service and field, such as `services[2].serviceType`; empty for the file as a whole.
    :param text: what is wrong, without any value but a name or a type.
    """

    file: str
    line: int | None
    path: str
    text: str

    @property
    def place(self) -> str:
        """Return file, line and path as a person reads them: `services.yaml:14 services[2].serviceType`."""
        at = self.file if self.line is None else f"{self.file}:{self.line}"
        return f"{at} {self.path}" if self.path else at

    @property
    def position(self) -> tuple[str, int]:
        """Return what sorts problems by where they are."""
        return self.file, self.line or 0

    def annotation(self, level: str) -> str:
        """Return it as a line by which GitHub annotates a file in a pull request.

        :param level: `error` or `warning`.
        """
        line = "" if self.line is None else f",line={self.line}"
        said = f"{self.path}: {self.text}" if self.path else self.text
        return f"::{level} file={_escaped(self.file, ':,')}{line}::{_escaped(said)}"

    def __str__(self) -> str:
        return f"{self.place}: {self.text}"


def given_twice(key: object) -> str:
    """Say that an object has a key twice; a key that is no plain word is not shown."""
    named = isinstance(key, str) and _PLAIN_KEY.fullmatch(key)
    return f"the key {key} is given twice" if named else "a key is given twice"


def _escaped(text: str, further: str = "") -> str:
    return "".join(f"%{ord(sign):02X}" if sign in f"%\r\n{further}" else sign for sign in text)
