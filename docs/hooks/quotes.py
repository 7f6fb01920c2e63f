"""Quote marked sections of the checkout's files in the documentation's pages; a hook of mkdocs.

A line `!quote example_dags/retire_service.py retire_service` stands for what is between the lines
`# [START retire_service]` and `# [END retire_service]` of that file; without a section, for the whole file.
"""

from __future__ import annotations

import re
from pathlib import Path
from textwrap import dedent

ROOT = Path(__file__).resolve().parent.parent.parent
QUOTE = re.compile(r"^!quote (?P<path>\S+)(?: (?P<section>\w+))?$", re.MULTILINE)


def on_page_markdown(markdown: str, **_: object) -> str:
    """Replace the quotes of a page, as mkdocs calls it.

    :param markdown: the page's source.
    """
    return QUOTE.sub(lambda found: quoted(found["path"], found["section"]), markdown)


def quoted(path: str, section: str | None = None) -> str:
    """The text of a section of a file, or of all of it.

    :param path: of the file, from the checkout's root.
    :param section: the name in its markers.
    :raises ValueError: when the file has no such section.
    """
    text = (ROOT / path).read_text()
    if section is not None:
        found = re.search(rf"^ *# \[START {section}\]\n(.*?)^ *# \[END {section}\]$", text, re.MULTILINE | re.DOTALL)
        if found is None:
            raise ValueError(f"{path} has no section {section}")
        text = found[1]
    return dedent(text).strip("\n")
