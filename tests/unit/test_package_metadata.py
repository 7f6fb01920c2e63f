from __future__ import annotations

import re
from importlib.metadata import entry_points, metadata, requires
from pathlib import Path

import pytest

import airflow_provider_collate
from airflow_provider_collate.get_provider_info import get_provider_info

NAME = "airflow-provider-collate"
REQUIREMENT = re.compile(r"(?P<name>[A-Za-z0-9-]+)>=[0-9.]+$")
MARKER = r" ; (implementation_name|python_full_version|sys_platform|platform_).+"
PIN = re.compile(rf"[a-z0-9]+(-[a-z0-9]+)*==[0-9][A-Za-z0-9.+!]*({MARKER})?$")


def test_the_version_is_written_once(root: Path) -> None:
    version = airflow_provider_collate.__version__

    assert metadata(NAME)["Version"] == version
    tracked = [root / "pyproject.toml", *Path(airflow_provider_collate.__file__).parent.rglob("*.py")]
    assert [path.name for path in tracked if f'"{version}"' in path.read_text()] == ["__init__.py"]


def test_airflow_finds_the_provider_by_its_entry_point() -> None:
    [entry_point] = [
        point for point in entry_points(group="apache_airflow_provider") if point.dist and point.dist.name == NAME
    ]

    assert entry_point.name == "provider_info"
    assert entry_point.load() is get_provider_info
    assert get_provider_info()["package-name"] == NAME


def test_every_runtime_dependency_has_a_lower_bound() -> None:
    runtime = [requirement for requirement in requires(NAME) or [] if "extra ==" not in requirement]

    matches = [REQUIREMENT.match(requirement) for requirement in runtime]
    assert {match["name"].lower() for match in matches if match} == {
        "apache-airflow",
        "apache-airflow-providers-common-compat",
        "asgiref",
        "click",
        "httpx",
        "pydantic",
        "pyjwt",
        "pyyaml",
        "tenacity",
    }
    assert len(matches) == len(runtime)


def test_what_an_index_shows_of_the_package() -> None:
    classifiers = metadata(NAME).get_all("Classifier") or []

    assert "Framework :: Apache Airflow" in classifiers
    assert "Framework :: Apache Airflow :: Provider" in classifiers
    assert "Typing :: Typed" in classifiers
    assert metadata(NAME)["Requires-Python"] == "<3.14,>=3.10"
    assert metadata(NAME)["License-Expression"] == "Apache-2.0"


def test_the_licence_and_the_types_are_there(root: Path) -> None:
    assert (root / "LICENSE").read_text().split()[:2] == ["Apache", "License"]
    assert Path(airflow_provider_collate.__file__).with_name("py.typed").exists()


def test_constraints_are_plain_pins(root: Path) -> None:
    airflow = {"airflow-2.11.txt": "2.11."}
    airflow |= dict.fromkeys(("airflow-3.3.txt", "bench.txt", "fleet.txt", "providers.txt"), "3.3.")

    assert {file.name for file in (root / "constraints").iterdir()} == set(airflow)
    for name, version in airflow.items():
        text = (root / "constraints" / name).read_text()
        lines = [line for line in text.splitlines() if line and not line.startswith("#")]
        assert [line for line in lines if not PIN.match(line)] == []
        assert f"apache-airflow=={version}" in text


def test_the_changelog_begins_with_this_version(root: Path) -> None:
    first = re.search(r"^## (\S+)", (root / "CHANGELOG.md").read_text(), re.MULTILINE)

    assert first is not None
    assert first[1] == airflow_provider_collate.__version__


def test_every_room_of_tests_is_run(root: Path, pytestconfig: pytest.Config) -> None:
    rooms = {path.relative_to(root / "tests").parts[0] for path in (root / "tests").glob("*/**/test_*.py")}
    by_their_own_commands = {"e2e", "fleet"}
    assert rooms - by_their_own_commands == {Path(path).name for path in pytestconfig.getini("testpaths")}
