"""Write into the pages what is taken from elsewhere: example files, tables made from the code, the API.

`make docs-quotes` runs this. In a page such a part is between two comments, which nobody sees where the page is read:

    <!-- example: example_dags/retire_service.py -->
    …
    <!-- end -->

An example is a whole file, so that it runs where it is copied to; a table is one of `scripts.docs_tables`.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
_PART = re.compile(
    r"^(?P<begin><!-- (?P<kind>example|table): (?P<name>\S+) -->\n).*?^(?P<end><!-- end -->)$", re.MULTILINE | re.DOTALL
)
_LANGUAGES = {".py": "python", ".toml": "toml", ".yaml": "yaml"}
# A user's project is shown as if the page's reader stood in it.
_PROJECT = "tests/user_project/project/"


def main() -> None:
    """Write all pages."""
    from scripts import docs_api, write_faults_table

    for page in pages():
        page.write_text(with_parts(page.read_text()), encoding="utf-8")
    docs_api.PAGE.write_text(docs_api.render(), encoding="utf-8")
    write_faults_table.main()


def pages() -> list[Path]:
    """Return the pages that people read."""
    return [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "SECURITY.md", *sorted((ROOT / "docs").rglob("*.md"))]


def with_parts(text: str) -> str:
    """Return a page with its parts as they are now where they come from.

    :param text: the page.
    :raises FileNotFoundError: when there is no such example.
    :raises KeyError: when there is no such table, or an example of another language.
    """
    return _PART.sub(lambda part: part["begin"] + _part(part["kind"], part["name"]) + part["end"], text)


def examples(text: str) -> list[str]:
    """Return the paths of the examples in a page.

    :param text: the page.
    """
    return [part["name"] for part in _PART.finditer(text) if part["kind"] == "example"]


def _part(kind: str, name: str) -> str:
    if kind == "table":
        from scripts.docs_tables import TABLES

        return TABLES[name]()
    path = ROOT / name
    language = _LANGUAGES[path.suffix]
    return f'```{language} title="{name.removeprefix(_PROJECT)}"\n{path.read_text().strip()}\n```\n'


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    main()
