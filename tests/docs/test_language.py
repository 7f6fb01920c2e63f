"""The words of pages, messages and docstrings are those that users of Airflow and Collate know."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from scripts.docs_pages import ROOT, pages

# Words and phrases that nobody in this field uses for what was meant.
STRANGE = re.compile(
    r"\b(anew|answers that are none|are to be|bears|dearer|doomed|in truth|is to be|kept because|manners"
    r"|mend(s|ed|ing)?|patient(ly)?|rooms?|speaks? for|was to be|were to be|whole truth)\b",
    re.IGNORECASE,
)
SOURCES = [*(ROOT / "airflow_provider_collate").rglob("*.py"), *(ROOT / "example_dags").rglob("*.py")]
READ_BY_USERS = [*pages(), ROOT / "CHANGELOG.md", *SOURCES]


@pytest.mark.parametrize("path", READ_BY_USERS, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_strange_word(path: Path) -> None:
    lines = enumerate(path.read_text().splitlines(), start=1)

    assert [f"{number}: {line.strip()}" for number, line in lines if STRANGE.search(line)] == []
