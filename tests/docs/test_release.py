"""The workflow that publishes does what docs/releasing.md says of it."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml

from scripts.docs_pages import ROOT

PAGE = (ROOT / "docs" / "releasing.md").read_text()


@pytest.fixture(scope="module")
def workflow() -> dict[Any, Any]:
    parsed: dict[Any, Any] = yaml.safe_load((ROOT / ".github" / "workflows" / "release.yml").read_text())
    return parsed


def test_a_tag_starts_it(workflow: dict[Any, Any]) -> None:
    assert workflow[True] == {"push": {"tags": ["v*"]}}  # YAML 1.1 reads `on` as true


def test_what_publishes_runs_nothing_of_ours_and_holds_no_password(workflow: dict[Any, Any]) -> None:
    publish = workflow["jobs"]["publish"]
    used = [step["uses"].partition("@")[0] for step in publish["steps"]]

    assert used == ["actions/download-artifact", "pypa/gh-action-pypi-publish"]
    assert publish["permissions"] == {"id-token": "write"}
    assert publish["steps"][-1]["with"] == {"attestations": True}
    assert workflow["permissions"] == {}
    assert f"`{publish['environment']}`" in PAGE


def test_what_is_published_was_checked(workflow: dict[Any, Any]) -> None:
    commands = [step.get("run", "") for step in workflow["jobs"]["build"]["steps"]]

    assert "make wheel" in commands
    assert "twine check --strict" in (ROOT / "Makefile").read_text()
    assert "`make wheel`" in PAGE


def test_its_check_finds_the_version_where_it_is(workflow: dict[Any, Any]) -> None:
    [check] = [
        step["run"] for step in workflow["jobs"]["build"]["steps"] if step.get("name") == "The tag is the version"
    ]
    file = ROOT / check.split("'s/")[1].split("' ")[1].partition(")")[0]

    assert re.search(r'^__version__ = "(.*)"$', file.read_text(), re.MULTILINE)
