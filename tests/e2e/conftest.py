"""A real Airflow, a real browser, and the sandbox for a Collate."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize, expect, sync_playwright

from airflow_provider_collate.sandbox import DEFAULT_BOT_TOKEN, Catalog
from airflow_provider_collate.sandbox.server import serve_in_thread
from tests.e2e.airflow_server import IS_AIRFLOW_3, AirflowServer, airflow_server
from tests.e2e.ui import AirflowUi, fill_connection
from tests.e2e.ui_airflow_2 import Airflow2Ui
from tests.e2e.ui_airflow_3 import Airflow3Ui

HERE = Path(__file__).parent
EXAMPLES = ("approve_then_apply.py", "react_to_changes.py", "register_mlflow_service.py")
CANARY = "canary4f1d8eofthetests"  # one word, so that no syntax highlighter splits it
SETTINGS = {
    "AIRFLOW_CONN_MLFLOW_REGISTRY": f"postgres://mlflow:{CANARY}@db.acme.example:5432/mlflow",
    "AIRFLOW_CONN_MLFLOW_TRACKING": f"http://mlflow:{CANARY}@mlflow.acme.example:5000",
    "AIRFLOW_VAR_MLFLOW_ADDRESS": f"https://mlflow:{CANARY}@mlflow.acme.example",
}
WINDOW: ViewportSize = {"width": 1280, "height": 1080}
CHROMIUM_ARGUMENTS = [
    "--disable-gpu",
    "--no-sandbox",  # which root cannot have
    # Without these, Chromium looks for hosts of its maker's at every start.
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-quic",
    "--disable-sync",
    "--no-first-run",
]

SHOWN_OF_AIRFLOW_2 = ("connection-form", "connection-test", "task-links")
PATIENCE = 20_000  # milliseconds for what a page does at once when the machine is idle

_context = pytest.StashKey[BrowserContext]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Keep what the browser showed when a test failed."""
    report = yield
    context = item.session.stash.get(_context, None)
    if report.failed and context is not None:
        folder = Path(tempfile.mkdtemp(prefix="collate-e2e-"))
        for number, page in enumerate(context.pages):
            page.screenshot(path=folder / f"page-{number}.png")
            (folder / f"page-{number}.html").write_text(page.content())
            report.sections.append(("browser", f"{page.url}\nscreenshot and source: {folder}/page-{number}.*"))
    return report


@pytest.fixture(scope="session")
def chromium() -> str:
    """Path of the browser."""
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found:
        return found
    reason = "there is no chromium; Debian and Ubuntu have it as a package of that name"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def browser(chromium: str) -> Iterator[Browser]:
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=CHROMIUM_ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def catalog() -> Catalog:
    """What the Collate knows."""
    return Catalog()


@pytest.fixture(scope="session")
def collate_url(catalog: Catalog) -> Iterator[str]:
    """Address of a Collate."""
    with serve_in_thread(catalog) as url:
        yield url


@pytest.fixture(scope="session")
def collate_address(collate_url: str) -> dict[str, str]:
    """The same as it is typed into the form: Airflow 3.3.1 and 3.3.2 test only connections that have a port."""
    parts = urlsplit(collate_url)
    return {"host": f"{parts.scheme}://{parts.hostname}", "port": str(parts.port)}


@pytest.fixture(scope="session")
def airflow(chromium: str, root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[AirflowServer]:
    """An Airflow with some DAGs."""
    home = tmp_path_factory.mktemp("airflow")
    dags = home / "dags"
    dags.mkdir()
    for file in (*(root / "example_dags" / name for name in EXAMPLES), *(HERE / "dags").glob("*.py")):
        shutil.copy(file, dags)
    with airflow_server(home, dags, SETTINGS) as server:
        yield server


@pytest.fixture(scope="session")
def logged_in(browser: Browser, airflow: AirflowServer, request: pytest.FixtureRequest) -> Iterator[BrowserContext]:
    """The browser of a person who has logged in."""
    context = browser.new_context(viewport=WINDOW, locale="en-US", timezone_id="UTC")
    request.session.stash[_context] = context
    page = context.new_page()
    _ui_in(page, airflow).log_in(airflow.user, airflow.password)
    page.close()
    yield context
    del request.session.stash[_context]
    context.close()


@pytest.fixture(scope="session")
def open_ui(logged_in: BrowserContext, airflow: AirflowServer) -> Callable[[], AirflowUi]:
    """Open a new page of Airflow."""
    return lambda: _ui_in(logged_in.new_page(), airflow)


@pytest.fixture
def ui(open_ui: Callable[[], AirflowUi]) -> Iterator[AirflowUi]:
    """A new page of Airflow."""
    ui = open_ui()
    yield ui
    ui.page.close()


@pytest.fixture(scope="session")
def saved_connection(open_ui: Callable[[], AirflowUi], collate_address: dict[str, str]) -> str:
    """The connection that the DAGs use, typed in, saved, and saved again without a change."""
    ui = open_ui()
    ui.open_new_connection()
    # Without `verify`: of a typed "true" Airflow 3.3 says in each log that it is too short a secret to be masked.
    given = {"password": DEFAULT_BOT_TOKEN, "timeout": "12", "max_retries": "2"}
    fill_connection(ui, {"conn_id": "collate_default", **collate_address, **given})
    ui.save_connection()
    ui.open_connection("collate_default")
    ui.save_connection()
    ui.page.close()
    return "collate_default"


@pytest.fixture(scope="session")
def shoot(root: Path, airflow: AirflowServer) -> Callable[[Page, str], None]:
    """Take a picture for the documentation, when asked to by COLLATE_SCREENSHOTS=1."""
    folder = root / "docs" / "images"

    def take(page: Page, name: str) -> None:
        if os.environ.get("COLLATE_SCREENSHOTS") != "1" or not (IS_AIRFLOW_3 or name in SHOWN_OF_AIRFLOW_2):
            return
        if page.url.startswith(airflow.url):
            name += "-airflow-3" if IS_AIRFLOW_3 else "-airflow-2.11"
        folder.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=folder / f"{name}.png", animations="disabled", full_page=True)

    return take


def _ui_in(page: Page, airflow: AirflowServer) -> AirflowUi:
    return Airflow3Ui(page, airflow.url) if IS_AIRFLOW_3 else Airflow2Ui(page, airflow.url)
