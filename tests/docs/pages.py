"""The pages that people read, and the blocks in them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from airflow import __version__ as airflow_version

from scripts.docs_pages import ROOT, pages

LANGUAGES = {"console", "json", "python", "sh", "text", "toml", "yaml"}
IMPORTS_ON_AIRFLOW_2 = {
    "from airflow.sdk import DAG": "from airflow import DAG",
    "from airflow.sdk import dag, task": "from airflow.decorators import dag, task",
}
# Python blocks that are not run here, by what is in them, and why.
NOT_RUN = {
    "def test_": "a test of the user's project: tests/user_project runs it there",
    "services_path=": "reads files beside it: tests/dags runs it in its folder",
    "ApprovalOperator": "waits for a person: tests/e2e answers it",
    "from metadata.": "shows the vendor's SDK: run by hand with its 2.0.6 beside Airflow 3.3.2",
}
HTTP_PROVIDER = "airflow.providers.http"
IS_AIRFLOW_3 = int(airflow_version.split(".", maxsplit=1)[0]) >= 3
_FENCE = re.compile(
    r"^(?P<indent> *)```(?P<language>\w*)(?: title=\"(?P<title>[^\"]+)\")?\n(?P<text>.*?)^ *```$",
    re.MULTILINE | re.DOTALL,
)


@dataclass(frozen=True)
class Block:
    """A block of a page.

    :param page: the page's path from the checkout's root.
    :param line: where its text begins.
    :param language: what its fence says.
    """

    page: str
    line: int
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"

    @property
    def commands(self) -> list[str]:
        """The commands, without prompts, output and comments; open quotes and a backslash at the end go on."""
        prompt = "$ " if self.language == "console" else ""
        found: list[str] = []
        for line in self.text.replace("\\\n", " ").splitlines():
            if found and found[-1].count("'") % 2:
                found[-1] += f"\n{line}"
            elif line.strip().startswith(prompt) and line.strip():
                found.append(line.strip().removeprefix(prompt))
        return [re.sub(r"\s+# .*$", "", command).strip() for command in found]

    @property
    def has_dag(self) -> bool:
        """Whether it defines a DAG."""
        return re.search(r"^ *(with DAG\(|@dag\b)", self.text, re.MULTILINE) is not None

    @property
    def why_not_run(self) -> str:
        """Why it is not run here; empty if it is."""
        if "AssetAlias" in self.text and not IS_AIRFLOW_3:
            return "asset events need Airflow 3"
        if HTTP_PROVIDER in self.text and find_spec(HTTP_PROVIDER) is None:
            return "shows the HTTP provider: make test-providers has it"
        return next((reason for mark, reason in NOT_RUN.items() if mark in self.text), "")

    @property
    def text_for_here(self) -> str:
        """The text; on Airflow 2.11, with the imports that the page on upgrading names for it."""
        text = self.text
        for new, old in {} if IS_AIRFLOW_3 else IMPORTS_ON_AIRFLOW_2.items():
            text = text.replace(new, old)
        return text


def blocks_of(page: Path) -> list[Block]:
    """Return the blocks of a page, in its order."""
    text, name = page.read_text(), str(page.relative_to(ROOT))
    return [
        Block(name, text.count("\n", 0, fence.start("text")) + 1, fence["language"], fence["text"])
        for fence in _FENCE.finditer(text)
    ]


def blocks(*languages: str) -> list[Block]:
    """Return the blocks of all pages in some languages, those of the same text once."""
    found: dict[tuple[str, str], Block] = {}
    for page in pages():
        for block in blocks_of(page):
            if block.language in languages:
                found.setdefault((block.language, block.text), block)
    return list(found.values())


def commands(start: str = "") -> list[str]:
    """Return the commands of all pages that begin in some way, each once."""
    found = [command for block in blocks("console", "sh") for command in block.commands]
    return list(dict.fromkeys(command for command in found if command.startswith(start)))
