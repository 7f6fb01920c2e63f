"""The pages that people read, and the blocks in them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from docs.hooks.quotes import QUOTE, ROOT

LANGUAGES = {"console", "json", "python", "sh", "text"}
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
    """README and documentation."""
    return [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def blocks(*languages: str) -> list[Block]:
    """The blocks in some languages, those of the same text once."""
    found: dict[tuple[str, str], Block] = {}
    for page in pages():
        text = page.read_text()
        for fence in _FENCE.finditer(text):
            line = text.count("\n", 0, fence.start("text")) + 1
            block = Block(str(page.relative_to(ROOT)), line, fence["language"], fence["text"])
            if block.language in languages:
                found.setdefault((block.language, block.text), block)
    return list(found.values())
