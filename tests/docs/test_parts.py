"""What is written into the pages by `make docs-quotes` is as it is where it comes from, and links arrive."""

from __future__ import annotations

import inspect
import re
from importlib import import_module
from pathlib import Path

import pytest

from scripts import docs_api
from scripts.docs_pages import ROOT, pages, with_parts
from tests.docs.pages import IS_AIRFLOW_3

HINT = "run: make docs-quotes"
IMAGES = ROOT / "docs" / "images"
LINK = re.compile(r"(?<!`)\]\((?P<target>[^)\s]+)\)")
_TOML = (ROOT / "pyproject.toml").read_text()
REPOSITORY = re.findall(r'^Repository = "(\S+)"$', _TOML, re.MULTILINE)[0]


def links(page: Path) -> list[str]:
    return [found["target"] for found in LINK.finditer(re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL))]


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.stem)
def test_examples_and_tables_are_current(page: Path) -> None:
    assert page.read_text() == with_parts(page.read_text()), HINT


@pytest.mark.skipif(not IS_AIRFLOW_3, reason="the signatures of Airflow 2.11's own classes differ")
def test_the_page_of_the_api_is_current() -> None:
    assert docs_api.PAGE.read_text() == docs_api.render(), HINT


def test_a_part_that_is_nowhere_is_an_error() -> None:
    with pytest.raises(FileNotFoundError):
        with_parts("<!-- example: example_dags/nothing.py -->\n<!-- end -->")
    with pytest.raises(KeyError):
        with_parts("<!-- table: nothing -->\n<!-- end -->")


def test_an_example_is_written_in_whole() -> None:
    page = with_parts("before\n<!-- example: example_dags/retire_service.py -->\nold\n<!-- end -->\nafter")

    assert page.startswith('before\n<!-- example: example_dags/retire_service.py -->\n```python title="example_dags/')
    assert (ROOT / "example_dags" / "retire_service.py").read_text() in page
    assert page.endswith("```\n<!-- end -->\nafter")
    assert "old" not in page


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.stem)
def test_page_can_be_read_where_it_is(page: Path) -> None:
    assert re.findall(r"^(?:!quote|:::).*$", page.read_text(), re.MULTILINE) == []


def test_every_public_class_is_on_the_page_of_the_api() -> None:
    listed = {(f"{docs_api.PACKAGE}.{module}", name) for _, module, names in docs_api.SECTIONS for name in names}
    modules = [import_module(name) for name, _ in listed]
    public = {
        (module.__name__, name)
        for module in modules
        for name in getattr(module, "__all__", ())
        if inspect.isclass(getattr(module, name))
    }

    assert ("airflow_provider_collate.operators.mlmodel_service", "CreateMlModelServiceOperator") in public
    assert public - listed == set()


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.stem)
def test_links_arrive(page: Path) -> None:
    ours = [link for link in links(page) if not re.match(r"[a-z]+:|#", link)]

    assert [link for link in ours if not (page.parent / link.partition("#")[0]).exists()] == []


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.stem)
def test_links_to_the_repository_arrive_in_this_checkout(page: Path) -> None:
    raw = REPOSITORY.replace("https://github.com/", "https://raw.githubusercontent.com/")
    begins = re.compile(rf"{re.escape(REPOSITORY)}/(?:blob|tree)/main/|{re.escape(raw)}/main/")
    of_hosts = [link for link in links(page) if "github" in link]

    assert [link for link in of_hosts if not begins.match(link)] == []
    assert [link for link in of_hosts if not (ROOT / begins.sub("", link).partition("#")[0]).exists()] == []


def test_an_index_can_show_the_readme() -> None:
    assert [link for link in links(ROOT / "README.md") if not link.startswith("https://")] == []


def test_the_address_stands_in_one_place() -> None:
    urls = dict(re.findall(r'^(\w+) = "(https://github\S+)"$', _TOML, re.MULTILINE))

    assert set(urls) == {"Documentation", "Repository", "Changelog", "Issues"}
    assert [url for url in urls.values() if not url.startswith(REPOSITORY)] == []
    assert (ROOT / urls["Documentation"].removeprefix(f"{REPOSITORY}/blob/main/")).exists()


def test_airflow_links_to_the_documentation() -> None:
    """What the Providers page reads is in the package's metadata."""
    if IS_AIRFLOW_3:
        from airflow.providers_manager import ProvidersManager

        providers = ProvidersManager().providers  # type: ignore[no-untyped-call]
        shown = providers["airflow-provider-collate"].data["documentation-url"]
    else:
        from airflow.utils.docs import get_doc_url_for_provider  # type: ignore[attr-defined, unused-ignore]

        shown = get_doc_url_for_provider("airflow-provider-collate", "0")
    assert shown == f"{REPOSITORY}/blob/main/docs/index.md"


def test_every_picture_is_on_a_page() -> None:
    shown = {Path(link).name for page in pages() for link in links(page)}

    assert {path.name for path in IMAGES.iterdir()} - shown == set()
