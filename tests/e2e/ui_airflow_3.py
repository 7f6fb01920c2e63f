"""The pages of Airflow 3."""

from __future__ import annotations

from urllib.parse import quote

from playwright.sync_api import Locator, Page, expect

from tests.e2e.ui import EXTRA_FIELD_NAMES, RUN_SECONDS, TaskRun, expect_end, open_when_there


class Airflow3Ui:
    """A page of Airflow 3.

    :param page: of a browser.
    :param url: Airflow's address.
    """

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self._url = url

    def log_in(self, user: str, password: str) -> None:
        self.page.goto(self._url)
        self.page.get_by_label("Username").fill(user)
        self.page.get_by_label("Password").fill(password)
        self.page.get_by_role("button", name="Sign in").click()
        expect(self.page.get_by_test_id("nav-home-link")).to_be_visible()

    def open_new_connection(self) -> None:
        self.page.goto(f"{self._url}/connections")
        self.page.get_by_role("button", name="Add Connection").click()
        self._dialog.get_by_label("Connection Type").fill("Collate")
        self.page.get_by_role("option", name="Collate", exact=True).click()

    def open_connection(self, conn_id: str) -> None:
        self.page.goto(f"{self._url}/connections")
        self._row(conn_id).get_by_role("button", name="Edit Connection").click()
        expect(self._dialog.get_by_text("Standard Fields")).to_be_visible()

    def field(self, name: str) -> Locator:
        if name != "conn_id":
            self._unfold("Extra Fields" if name in EXTRA_FIELD_NAMES else "Standard Fields")
        return self._dialog.locator(_selector(name))

    def label(self, name: str) -> Locator:
        return self._group(name).locator("label")

    def help_text(self, name: str) -> Locator:
        return self._group(name).locator('[data-part="helper-text"]')

    def save_connection(self) -> None:
        self._dialog.get_by_role("button", name="Save").click()
        expect(self._dialog).to_be_hidden()

    def test_connection(self, conn_id: str) -> str:
        self.save_connection()
        self.page.goto(f"{self._url}/connections")
        self._row(conn_id).get_by_role("button", name="Test Connection").click()
        toast = self.page.get_by_role("status").filter(has_text="Test Connection")
        return str(toast.locator('[data-part="description"]').inner_text())

    def run_dag(self, dag_id: str) -> str:
        run_id = self.start_run(dag_id)
        expect_end(self.open_run(dag_id, run_id))
        return run_id

    def start_run(self, dag_id: str) -> str:
        """Press Trigger, and return the id of the run."""
        trigger = self.page.get_by_role("button", name="Trigger").first
        open_when_there(self.page, f"{self._url}/dags/{dag_id}", trigger)
        trigger.click()
        with self.page.expect_response("**/dagRuns") as answer:
            self._dialog.get_by_test_id("trigger-dag-submit").click()
        return str(answer.value.json()["dag_run_id"])

    def open_run(self, dag_id: str, run_id: str) -> Locator:
        """Open a run; returns its state."""
        self.page.goto(self._run_url(dag_id, run_id))
        return self.page.get_by_test_id("state-badge").first

    def open_question(self, run: TaskRun) -> None:
        """Open what a task asks a person, as soon as it does."""
        approve = self.page.get_by_role("button", name="Approve", exact=True)
        open_when_there(self.page, f"{self._task_url(run)}/required_actions", approve, RUN_SECONDS)

    def approve(self) -> None:
        """Press Approve in the open question, and wait until it is said to be received."""
        self.page.get_by_role("button", name="Approve", exact=True).click()
        expect(self.page.get_by_text("Response received at")).to_be_visible()

    def open_log(self, run: TaskRun) -> Locator:
        self._open_task(run)
        return self.page.get_by_test_id("virtualized-list")

    def open_xcom(self, run: TaskRun) -> Locator:
        self._open_task(run, "xcom")
        self.page.get_by_role("button", name="Expand all").click()
        return self.page.get_by_role("table")

    def open_rendered_template(self, run: TaskRun) -> Locator:
        self._open_task(run, "rendered_templates")
        return self.page.get_by_role("table")

    def open_extra_links(self, run: TaskRun) -> None:
        self._open_task(run, "details")

    @property
    def _dialog(self) -> Locator:
        return self.page.get_by_role("dialog")

    def _row(self, conn_id: str) -> Locator:
        return self.page.get_by_role("row").filter(has=self.page.get_by_role("cell", name=conn_id, exact=True))

    def _group(self, name: str) -> Locator:
        """A field with its label and help text; for the fields of the extra, the label does not name its field."""
        return self._dialog.get_by_role("group").filter(has=self.page.locator(_selector(name)))

    def _unfold(self, section: str) -> None:
        button = self._dialog.get_by_role("button", name=section, exact=True)
        if button.get_attribute("aria-expanded") != "true":
            button.click()

    def _open_task(self, run: TaskRun, tab: str = "") -> None:
        self.page.goto(f"{self._task_url(run)}/{tab}".rstrip("/"))

    def _task_url(self, run: TaskRun) -> str:
        return f"{self._run_url(run.dag_id, run.run_id)}/tasks/{run.task_id}"

    def _run_url(self, dag_id: str, run_id: str) -> str:
        return f"{self._url}/dags/{dag_id}/runs/{quote(run_id, safe='')}"


def _selector(name: str) -> str:
    if name == "conn_id":
        return '[name="connection_id"]'
    return f'[name="element_{name}"]' if name in EXTRA_FIELD_NAMES else f'[name="{name}"]'
