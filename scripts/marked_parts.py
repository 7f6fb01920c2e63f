"""The parts of pages that are written by commands: between `<!-- name: begin -->` and `<!-- name: end -->`."""

from __future__ import annotations

from pathlib import Path


def write_part(page: Path, name: str, text: str) -> None:
    """Replace a part of a page.

    :param name: what its markers say.
    :param text: whole lines.
    :raises ValueError: when the page has no such part.
    """
    begin, end = f"<!-- {name}: begin -->\n", f"<!-- {name}: end -->"
    before, rest = page.read_text().split(begin)
    _, after = rest.split(end)
    page.write_text(f"{before}{begin}{text}{end}{after}")
