"""Every Python block of the documentation runs as it stands.

A block with a DAG is run by `dag.test()`; an operator alone is executed; quotes are of files whose own tests run them;
the README's test of a DAG is that of the user's project.
"""

from __future__ import annotations

import ast
import os

import pytest

from docs.hooks.quotes import ROOT, quoted
from tests.docs.conftest import BROKEN
from tests.docs.pages import IMPORTS_ON_AIRFLOW_2, Block, blocks, is_test, name_of, runnable, written

QUOTES = [block for block in blocks("python") if block.is_quote]
RUN_BY_OTHER_TESTS = ("example_dags/", "tests/user_project/project/")


@pytest.mark.parametrize("block", runnable(), ids=str)
def test_block_runs(block: Block, outcomes: dict[str, str]) -> None:
    assert outcomes[name_of(block)] == ""


@pytest.mark.parametrize("name", BROKEN)
def test_a_block_that_fails_is_seen(name: str, outcomes: dict[str, str]) -> None:
    assert "Error" in outcomes[name]


@pytest.mark.parametrize("block", QUOTES, ids=str)
def test_quote_is_python_that_other_tests_run(block: Block) -> None:
    path, *section = block.text.split()[1:]

    assert path.startswith(RUN_BY_OTHER_TESTS)
    assert ast.parse(quoted(path, *section)).body


def test_the_imports_of_airflow_2_are_documented() -> None:
    page = (ROOT / "docs" / "upgrade.md").read_text()

    for new, old in IMPORTS_ON_AIRFLOW_2.items():
        assert f"| `{new}` | `{old}` |" in page


def test_all_examples_are_quoted() -> None:
    shown = {block.text.split()[1] for block in QUOTES}
    examples = {f"example_dags/{path.name}" for path in (ROOT / "example_dags").glob("*.py")}

    assert examples - shown <= {"example_dags/fails_on_purpose.py"}


def test_a_test_in_a_page_is_that_of_the_users_project() -> None:
    [test] = [block for block in written() if is_test(block)]

    assert test.page == "README.md"
    assert test.text == quoted("tests/user_project/project/tests/test_dags.py") + os.linesep
