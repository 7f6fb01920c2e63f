"""Imports point down only, and parsing a DAG file stays cheap."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import airflow_provider_collate

PACKAGE = Path(airflow_provider_collate.__file__).parent
NAME = PACKAGE.name

# What each room may import of the others. `__init__` is the package itself, which holds the version.
MAY_IMPORT = {
    "__init__": set(),
    "exceptions": set(),
    "models": {"exceptions"},
    "client": {"exceptions", "models"},
    "reconcile": {"exceptions", "models", "client"},
    "hooks": {"exceptions", "models", "client", "reconcile"},
    "links": set(),
    "triggers": {"exceptions", "models", "client", "reconcile", "hooks"},
    "operators": {"exceptions", "models", "client", "reconcile", "hooks", "links", "triggers"},
    "sensors": {"exceptions", "models", "client", "reconcile", "hooks", "links", "triggers"},
    "sandbox": {"exceptions"},
    "get_provider_info": {"hooks"},
    "pytest_plugin": {"sandbox"},
}
WITHOUT_AIRFLOW = {"__init__", "exceptions", "models", "client", "reconcile", "sandbox", "pytest_plugin"}


def modules() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def room_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports_of(path: Path) -> Iterator[str]:
    """Every module that a file imports anywhere in it, in functions and under TYPE_CHECKING too."""
    package = [NAME, *path.relative_to(PACKAGE).parts[:-1]]
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*base, *filter(None, [node.module])])
            yield from (f"{module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith(("import_module", "__import__")):
            yield from (str(argument.value) for argument in node.args if isinstance(argument, ast.Constant))


def rooms_imported_by(path: Path) -> set[str]:
    names = [name.split(".") for name in imports_of(path)]
    rooms = {parts[1] if len(parts) > 1 else "__init__" for parts in names if parts[0] == NAME}
    existing = {room_of(module) for module in modules()}
    return {room if room in existing else "__init__" for room in rooms}


def test_every_room_has_its_place_in_the_layers() -> None:
    assert {room_of(path) for path in modules()} <= MAY_IMPORT.keys()


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_point_down_only(path: Path) -> None:
    room = room_of(path)

    assert rooms_imported_by(path) <= MAY_IMPORT[room] | {room, "__init__"}


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_nothing_imports_tests(path: Path) -> None:
    assert not [name for name in imports_of(path) if name.split(".")[0] in {"tests", "conftest"}]


@pytest.mark.parametrize(
    "path",
    [path for path in modules() if room_of(path) in WITHOUT_AIRFLOW],
    ids=lambda path: str(path.relative_to(PACKAGE)),
)
def test_airflow_is_not_imported_below_the_hooks(path: Path) -> None:
    assert not [name for name in imports_of(path) if name.split(".")[0] == "airflow"]


def modules_loaded_by(first: str, then: str) -> set[str]:
    """What a second import adds to `sys.modules`, in a process of its own."""
    code = f"import sys\n{first}\nbefore = set(sys.modules)\n{then}\nprint(*(set(sys.modules) - before), sep='\\n')"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(run.stdout.split())


def modules_of_dag_files() -> list[str]:
    files = [path.relative_to(PACKAGE) for path in modules() if room_of(path) in {"operators", "sensors"}]
    return [".".join(file.with_suffix("").parts) for file in files if file.name != "__init__.py"]


def test_a_dag_file_does_not_load_the_client() -> None:
    imported = [f"{NAME}.{module}" for module in modules_of_dag_files()]
    loaded = modules_loaded_by(
        "import contextlib\n"
        "import airflow.providers.common.compat.sdk as sdk\n"
        "for name in ('BaseOperator', 'BaseSensorOperator', 'BaseHook', 'BaseOperatorLink', 'XCom', 'conf'):\n"
        "    getattr(sdk, name)\n"
        "with contextlib.suppress(ImportError):\n"
        "    import airflow.sdk",
        f"import {', '.join(imported)}",
    )

    assert loaded >= set(imported)
    never = tuple(f"{NAME}.{room}" for room in ("client", "hooks", "models", "reconcile", "sandbox"))
    assert not [name for name in loaded if name.startswith((*never, "httpx", "tenacity", "jwt"))]


def test_this_test_sees_imports_wherever_they_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(f"{__name__}.PACKAGE", tmp_path / NAME)
    source = tmp_path / NAME / "models" / "service.py"
    source.parent.mkdir(parents=True)
    source.write_text(
        "import airflow.sdk\n"
        "from ..client import tokens\n"
        "from . import request\n"
        "def late():\n"
        "    from airflow_provider_collate.hooks.collate import CollateHook\n"
        "    __import__('tests.conftest')\n"
    )

    assert set(imports_of(source)) == {
        "airflow.sdk",
        "airflow_provider_collate.client.tokens",
        "airflow_provider_collate.models.request",
        "airflow_provider_collate.hooks.collate.CollateHook",
        "tests.conftest",
    }
