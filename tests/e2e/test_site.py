"""The documentation's pages in a browser, as wide as a desk's screen and as narrow as a telephone's."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import Browser

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("mkdocs") is None, reason="mkdocs is not installed: make docs does"
)
BROKEN_PICTURES = "[...document.images].filter(one => one.complete && !one.naturalWidth).map(one => one.src)"
IS_WIDER_THAN_THE_WINDOW = "document.documentElement.scrollWidth > window.innerWidth"


@pytest.fixture(scope="module")
def site(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(folder)],
        cwd=root,
        check=True,
        capture_output=True,
    )
    return folder


@pytest.mark.parametrize("width", [1280, 390])
def test_pages_fit_and_show_their_pictures(browser: Browser, site: Path, width: int) -> None:
    window = browser.new_page(viewport={"width": width, "height": 900})
    wrong = []
    for path in sorted(site.rglob("*.html")):
        window.goto(path.as_uri())
        wrong += [f"{path.name}: {source}" for source in window.evaluate(BROKEN_PICTURES)]
        if window.evaluate(IS_WIDER_THAN_THE_WINDOW):
            wrong.append(f"{path.name}: wider than {width}")
    window.close()

    assert wrong == []
