"""Somebody who has the package and its pages, and nothing else, does what each page says."""

from __future__ import annotations

from pathlib import Path

import pytest

from scripts.docs_pages import ROOT, examples, pages
from tests.docs.conftest import BROKEN, name_of
from tests.docs.pages import IMPORTS_ON_AIRFLOW_2, Block, blocks
from tests.docs.steps import brings_its_connections, steps_of

GUIDES_THAT_START_FROM_NOTHING = {
    "README.md",
    "docs/index.md",
    *(f"docs/guides/{name}.md" for name in ("mlflow", "sagemaker", "vertexai", "sklearn", "custom")),
}


@pytest.mark.parametrize("page", [page for page in pages() if steps_of(page)], ids=lambda page: page.stem)
def test_page_can_be_followed(page: Path, outcomes: dict[str, str]) -> None:
    assert outcomes[name_of(page)] == ""


@pytest.mark.parametrize("name", BROKEN)
def test_a_step_that_fails_is_seen(name: str, outcomes: dict[str, str]) -> None:
    assert "a page: " in outcomes[name]


def test_the_package_is_that_of_the_wheel(outcomes: dict[str, str]) -> None:
    assert outcomes["test_the_package_is_that_of_the_wheel"] == ""


@pytest.mark.parametrize("page", sorted(GUIDES_THAT_START_FROM_NOTHING))
def test_a_guide_goes_from_connections_to_the_catalog(page: str) -> None:
    steps = steps_of(ROOT / page)

    assert brings_its_connections(steps)
    assert {"command", "file", "shown"} <= {step.kind for step in steps}


@pytest.mark.parametrize("block", blocks("python"), ids=str)
def test_block_is_run_or_says_why_not(block: Block) -> None:
    steps = [step.at for step in steps_of(ROOT / block.page)]

    assert (str(block) in steps) != bool(block.why_not_run)


def test_the_imports_of_airflow_2_are_documented() -> None:
    page = (ROOT / "docs" / "upgrade.md").read_text()

    for new, old in IMPORTS_ON_AIRFLOW_2.items():
        assert f"| `{new}` | `{old}` |" in page


def test_all_examples_are_on_a_page() -> None:
    shown = {path for page in pages() for path in examples(page.read_text())}
    files = {f"example_dags/{path.name}" for path in (ROOT / "example_dags").glob("*.py")}

    assert files - shown <= {"example_dags/fails_on_purpose.py"}
