"""A table in Markdown, with what is asked of some of its rows."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Table:
    """What was measured.

    :param title: what of.
    :param columns: their heads.
    """

    title: str
    columns: tuple[str, ...]
    rows: list[tuple[str, ...]] = field(default_factory=list)
    asked: list[tuple[str, bool]] = field(default_factory=list)

    def add(self, *cells: str) -> None:
        """Add a row."""
        self.rows.append(cells)

    def ask(self, what: str, met: bool) -> None:
        """Note something that is asked for, and whether it is so."""
        self.asked.append((what, met))

    @property
    def missed(self) -> int:
        """How much of what is asked is not so."""
        return sum(not met for _, met in self.asked)

    def __str__(self) -> str:
        lines = [self.columns, tuple("---" for _ in self.columns), *self.rows]
        table = "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
        asked = "\n".join(f"- {what}: {'yes' if met else '**NO**'}" for what, met in self.asked)
        return f"### {self.title}\n\n{table}\n\n{asked}"
