"""Find files, here or wherever Airflow's ObjectStoragePath reaches."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from airflow_provider_collate.files.problem import FileError, FileProblem

if TYPE_CHECKING:
    from airflow_provider_collate.files.path import ServicesPath

SUFFIXES = (".yaml", ".yml", ".json", ".jsonl", ".ndjson")

_MAGIC = re.compile(r"[*?\[]")


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file that can be read; its name is how messages call it."""

    name: str
    open: Callable[[], BinaryIO] = field(repr=False)

    @property
    def suffix(self) -> str:
        """Return its suffix in lower case, which says what it holds."""
        return Path(self.name).suffix.lower()

    def read(self, largest: int) -> str:
        """Return its text.

        :param largest: bytes that it may have; of a larger one, no more is read.
        :raises FileError: when it cannot be read, is too large or is not UTF-8.
        """
        with self.opened() as stream:
            content = stream.read(largest + 1)
        if len(content) > largest:
            raise FileError(f"is larger than {largest >> 20} MiB; JSON Lines (.jsonl) are read line by line")
        return decoded(content)

    @contextmanager
    def opened(self) -> Iterator[BinaryIO]:
        """Return the file for a `with` block, in which errors of reading name what happened."""
        try:
            with self.open() as stream:
                yield stream
                return
        except (OSError, ImportError, ValueError) as error:
            reason = reason_of(error)
        # Raised out here, so that the error of opening, whose frames know the storage, is no part of it.
        raise FileError(reason)


def decoded(content: bytes, first_line: int = 1) -> str:
    """Return UTF-8 as text, without a byte order mark.

    :param first_line: the number of the line that they begin with.
    :raises FileError: when they are something else.
    """
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = first_line + content.count(b"\n", 0, error.start)
    # Raised out here, so that the decoder's error, which has the bytes, is no part of it.
    raise FileError("is not UTF-8; save the file as UTF-8", line)


def reason_of(error: Exception) -> str:
    """Return why a file cannot be read, on one line."""
    said = error.strerror if isinstance(error, OSError) and error.strerror else str(error) or type(error).__name__
    return f"cannot be read: {' '.join(said.split())[:300]}"


def find_files(paths: Iterable[ServicesPath], problems: list[FileProblem]) -> list[SourceFile]:
    """Return the files of paths and globs, each once, those of a glob sorted; add what is wrong to the problems."""
    found: dict[str, SourceFile] = {}
    for where in paths:
        try:
            found.update({file.name: file for file in _found(where) if file.name not in found})
        except FileError as error:  # noqa: PERF203 - what is wrong with each path is told
            problems.append(FileProblem(where.path, error.line, "", error.text))
    return list(found.values())


def _found(where: ServicesPath) -> Iterator[SourceFile]:
    if not where.path.strip():
        raise FileError("services_path is empty")
    try:
        at, pattern = _split(where)
        # A link that leads nowhere, or to itself, is no folder: opening it says what is wrong with it.
        paths = sorted((path for path in at.glob(pattern) if not path.is_dir()), key=str) if pattern else [at]
        if not paths:
            _raise_if_closed(at)
        if not pattern and at.is_dir():
            raise FileError(f"is a folder; give a glob such as {where.path.rstrip('/')}/*.yaml")
    except (OSError, ImportError, ValueError, NotImplementedError) as error:
        raise FileError(reason_of(error)) from None
    if not paths:
        raise FileError("matches no file")
    for path in paths:
        yield SourceFile(str(path), lambda path=path: path.open("rb"))  # type: ignore[misc]  # bound as it is now


def _split(where: ServicesPath) -> tuple[Any, str]:
    """Return the path up to the first part with a wildcard, and the pattern below it."""
    scheme, mark, rest = where.path.rpartition("://")
    parts = rest.split("/")
    magic = next((number for number, part in enumerate(parts) if _MAGIC.search(part)), len(parts))
    above, pattern = "/".join(parts[:magic]), "/".join(parts[magic:])
    if mark:
        return _object_storage_path()(f"{scheme}{mark}{above}", conn_id=where.conn_id), pattern
    return Path(above or ("/" if rest.startswith("/") else ".")), pattern


def _raise_if_closed(folder: Any) -> None:
    """Raise what a glob does not tell: that it may not look into a folder, or that there is none."""
    if isinstance(folder, Path):
        next(folder.iterdir(), None)
    else:
        folder.fs.ls(folder.path, detail=False)


def _object_storage_path() -> Any:
    try:
        from airflow.sdk import ObjectStoragePath
    except ImportError:  # Airflow 2.11
        from airflow.io.path import ObjectStoragePath  # type: ignore[import-not-found,no-redef]
    return ObjectStoragePath
