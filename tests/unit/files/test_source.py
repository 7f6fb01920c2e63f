from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from fsspec import AbstractFileSystem  # type: ignore[import-untyped]

from tests.unit.files.reading import ROW, Write, names, problems, read
from tests.unit.files.storage import attach


@pytest.fixture
def folder(write: Write) -> None:
    for name in ("b", "a", "below/c"):
        write(f"services/{name}.yaml", f"- {ROW}\n".replace("one", name))


@pytest.mark.parametrize(
    "pattern, found",
    [
        ("services/a.yaml", ["a"]),
        ("services/*.yaml", ["a", "b"]),
        ("services/**/*.yaml", ["a", "b", "below/c"]),
        ("./*/[b].yaml", ["b"]),
        ("services/*/../?.yaml", ["a", "b"]),
    ],
)
@pytest.mark.parametrize("is_absolute", [False, True])
@pytest.mark.usefixtures("folder")
def test_a_glob_is_read_in_sorted_order(pattern: str, found: list[str], is_absolute: bool) -> None:
    assert names(read(str(Path.cwd() / pattern) if is_absolute else pattern)) == found


@pytest.mark.usefixtures("folder")
def test_what_is_not_there_is_told() -> None:
    assert problems("services/*.yml", "services/d.yaml", "services", "") == [
        "services/*.yml: matches no file",
        "services: is a folder; give a glob such as services/*.yaml",
        ": services_path is empty",
        "services/d.yaml: cannot be read: No such file or directory",
    ]


@pytest.mark.usefixtures("folder")
def test_links_in_a_circle_do_not_hold_it_up() -> None:
    (Path("services") / "again").symlink_to(".")
    (Path("services") / "itself.yaml").symlink_to("itself.yaml")

    services = read("services/**/*.yaml")
    assert names(services) == ["a", "b", "below/c"]
    [problem] = map(str, services.problems)
    assert problem == "services/itself.yaml: cannot be read: Too many levels of symbolic links"


@pytest.mark.usefixtures("folder")
def test_a_path_with_a_scheme_is_read_by_airflow() -> None:
    at = Path.cwd().as_uri()

    assert names(read(f"{at}/services/*.yaml")) == ["a", "b"]
    assert names(read(f"{at}/services/a.yaml")) == ["a"]
    assert problems(f"{at}/services/d.yaml") == [f"{at}/services/d.yaml: cannot be read: No such file or directory"]


def test_a_scheme_that_nobody_knows_is_told() -> None:
    [problem] = problems("gopher://bucket/a.yaml")
    assert problem.startswith("gopher://bucket/a.yaml: cannot be read: ")


class Bucket(AbstractFileSystem):  # type: ignore[misc]  # fsspec has no types
    """A bucket of somebody else, behind the network."""

    protocol = "theirs"

    def ls(self, path: str, detail: bool = True, **_: Any) -> Any:
        raise PermissionError(13, "Forbidden")

    def info(self, path: str, **_: Any) -> Any:
        raise PermissionError(13, "Forbidden")

    def _open(self, path: str, mode: str = "rb", **_: Any) -> Any:
        raise PermissionError(13, "Forbidden")


@pytest.mark.parametrize("path", ["theirs://bucket/*.yaml", "theirs://bucket/a.yaml"])
def test_a_bucket_without_permission_is_told(path: str) -> None:
    attach("theirs", Bucket())

    assert problems(path) == [f"{path}: cannot be read: Forbidden"]
