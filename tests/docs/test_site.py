"""A crawler over the built site: nothing that only its sources understand, and nothing that leads nowhere."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from scripts.docs_pages import ROOT

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("mkdocs") is None, reason="mkdocs is not installed: make docs, or .venv/.ready-docs"
)


@dataclass
class Page(HTMLParser):
    """What a crawler sees of a page: its anchors, links, pictures, text, and blocks of Python."""

    anchors: set[str] = field(default_factory=set)
    links: list[str] = field(default_factory=list)
    pictures: list[str] = field(default_factory=list)
    text: str = ""
    python: list[str] = field(default_factory=list)
    _block_depth: int = 0
    _in_code: bool = False

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.anchors |= {given[name] for name in ("id", "name") if name in given}
        if tag == "a" and "href" in given:
            self.links.append(given["href"])
        if tag == "img":
            self.pictures.append(given["src"])
        if tag == "div" and (self._block_depth or "language-python" in given.get("class", "")):
            self._block_depth += 1
        if tag == "code" and self._block_depth:
            self.python.append("")
            self._in_code = True

    def handle_endtag(self, tag: str) -> None:
        if tag == "div" and self._block_depth:
            self._block_depth -= 1
        if tag == "code":
            self._in_code = False

    def handle_data(self, data: str) -> None:
        self.text += data
        if self._in_code:
            self.python[-1] += data


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> dict[Path, Page]:
    """All pages of the built site, by their paths."""
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = {}
    for path in folder.rglob("*.html"):
        found[path] = page = Page()
        page.feed(path.read_text())
    return found


def test_every_page_of_the_sources_is_there(site: dict[Path, Page]) -> None:
    sources = {path.stem for path in (ROOT / "docs").rglob("*.md")}

    assert sources <= {path.stem for path in site}


def test_no_page_shows_a_directive_or_a_mark(site: dict[Path, Page]) -> None:
    marks = ("!quote", "\n:::", "<!--", "-->", "```", "](")

    shown = {path.name: mark for path, page in site.items() for mark in marks if mark in page.text}
    assert shown == {}


def test_no_link_and_no_picture_leads_nowhere(site: dict[Path, Page]) -> None:
    broken = [
        f"{path.name}: {target}"
        for path, page in site.items()
        if path.name != "404.html"  # its links are from the root of a server
        for target in page.links + page.pictures
        if not urlsplit(target).scheme and not arrives(path, target, site)
    ]

    assert broken == []


def arrives(path: Path, target: str, site: dict[Path, Page]) -> bool:
    parts = urlsplit(target)
    to = (path.parent / unquote(parts.path)).resolve() if parts.path else path
    to = to / "index.html" if to.is_dir() else to
    return to.exists() and (not parts.fragment or to not in site or unquote(parts.fragment) in site[to].anchors)


def test_every_block_of_python_has_its_imports(site: dict[Path, Page], tmp_path: Path) -> None:
    if (ruff := shutil.which("ruff", path=str(Path(sys.executable).parent))) is None:
        pytest.skip("ruff is not installed here")
    blocks = [(path, text) for path, page in site.items() for text in page.python]
    for number, (path, text) in enumerate(blocks):
        (tmp_path / f"{path.stem}_{number}.py").write_text(text)

    said = subprocess.run(
        [ruff, "check", "--isolated", "--no-cache", "--select", "F821,F401,E9", "--output-format", "concise", tmp_path],
        capture_output=True,
        text=True,
        check=False,
    )
    assert len(blocks) > 20
    assert said.returncode == 0, said.stdout


def test_a_crawler_sees_what_is_broken() -> None:
    page = Page()
    page.feed(
        '<div class="language-python highlight"><code><span>DAG</span>()</code></div><img src="no.png"><p id="a">'
    )

    assert (page.python, page.pictures, page.anchors) == (["DAG()"], ["no.png"], {"a"})
    assert not arrives(Path("/nowhere/page.html"), "other.html", {})
