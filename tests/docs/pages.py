"""The pages that people read, and the blocks in them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from airflow import __version__ as airflow_version

from docs.hooks.quotes import QUOTE, ROOT

LANGUAGES = {"console", "json", "python", "sh", "text", "yaml"}
ADD_CONNECTION = "airflow connections add "
IMPORTS_ON_AIRFLOW_2 = {
    "from airflow.sdk import DAG": "from airflow import DAG",
    "from airflow.sdk import dag, task": "from airflow.decorators import dag, task",
}
_IS_AIRFLOW_3 = int(airflow_version.split(".", maxsplit=1)[0]) >= 3
_FENCE = re.compile(r"^```(?P<language>\w*)[^\n]*\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)


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
    def is_quote(self) -> bool:
        """Whether it stands for a part of a file."""
        return QUOTE.fullmatch(self.text.strip()) is not None

    @property
    def commands(self) -> list[str]:
        """The commands, without prompts, output and comments; a line that ends in a backslash goes on."""
        lines = self.text.replace("\\\n", " ").splitlines()
        prompt = "$ " if self.language == "console" else ""
        typed = [line.removeprefix(prompt) for line in lines if line.startswith(prompt)]
        return [re.sub(r"\s+# .*$", "", line).strip() for line in typed if line.strip()]


def pages() -> list[Path]:
    """Return README and documentation."""
    return [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def blocks(*languages: str) -> list[Block]:
    """Return the blocks in some languages, those of the same text once."""
    found: dict[tuple[str, str], Block] = {}
    for page in pages():
        text = page.read_text()
        for fence in _FENCE.finditer(text):
            line = text.count("\n", 0, fence.start("text")) + 1
            block = Block(str(page.relative_to(ROOT)), line, fence["language"], fence["text"])
            if block.language in languages:
                found.setdefault((block.language, block.text), block)
    return list(found.values())


def commands(start: str = "") -> list[str]:
    """Return the commands of all pages that begin in some way, each once."""
    found = [command for block in blocks("console", "sh") for command in block.commands]
    return list(dict.fromkeys(command for command in found if command.startswith(start)))


def written() -> list[Block]:
    """Return the Python blocks that are not quotes."""
    return [block for block in blocks("python") if not block.is_quote]


def runnable() -> list[Block]:
    """Return the Python blocks that can be run by themselves on this Airflow."""
    return [block for block in written() if not is_test(block) and (_IS_AIRFLOW_3 or "AssetAlias" not in block.text)]


def is_test(block: Block) -> bool:
    """Return whether a block is a test for pytest."""
    return "def test_" in block.text


def has_dag(block: Block) -> bool:
    """Return whether a block defines a DAG."""
    return re.search(r"^(with DAG\(|@dag\b)", block.text, re.MULTILINE) is not None


def name_of(block: Block) -> str:
    """Return a name for the block's file."""
    return re.sub(r"\W", "_", str(block))


def text_for_here(block: Block) -> str:
    """Return the block; on Airflow 2.11, with the imports that the page on upgrading names for it."""
    text = block.text
    for new, old in {} if _IS_AIRFLOW_3 else IMPORTS_ON_AIRFLOW_2.items():
        text = text.replace(new, old)
    return text
