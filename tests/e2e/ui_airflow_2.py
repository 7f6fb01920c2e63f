"""The pages of Airflow 2.11."""

from __future__ import annotations

from urllib.parse import parse_qs, quote, urlsplit

from playwright.sync_api import Locator, Page, expect

from tests.e2e.ui import EXTRA_FIELD_NAMES, TaskRun, expect_end, open_when_there


class Airflow2Ui:
    """A page of Airflow 2.11.

    :param page: of a browser.
    :param url: Airflow's address.
    """

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self._url = url

    def log_in(self, user: str, password: str) -> None:
        self.page.goto(f"{self._url}/login/")
        self.page.locator("#username").fill(user)
        self.page.locator("#password").fill(password)
        self.page.get_by_role("button", name="Sign In").click()
        expect(self.page.get_by_role("heading", name="DAGs")).to_be_visible()

    def open_new_connection(self) -> None:
        self.page.goto(f"{self._url}/connection/add")
        self.page.locator("#select2-conn_type-container").click()
        self.page.locator(".select2-results__option").get_by_text("Collate", exact=True).click()

    def open_connection(self, conn_id: str) -> None:
        self.page.goto(f"{self._url}/connection/list/")
        row = self.page.get_by_role("row").filter(has=self.page.get_by_role("cell", name=conn_id, exact=True))
        row.locator("a[href*='/connection/edit/']").click()
        expect(self.field("conn_id")).to_have_value(conn_id)

    def field(self, name: str) -> Locator:
        return self.page.locator(f"#{self._id(name)}")

    def label(self, name: str) -> Locator:
        return self.page.locator(f'label[for="{self._id(name)}"]')

    def help_text(self, name: str) -> Locator:
        return self.field(name).locator("xpath=following-sibling::span")

    def save_connection(self) -> None:
        self.page.get_by_role("button", name="Save").click()
        expect(self.page.get_by_text("Added Row").or_(self.page.get_by_text("Changed Row"))).to_be_visible()

    def test_connection(self, conn_id: str) -> str:
        with self.page.expect_response("**/connections/test"):
            self.page.get_by_role("button", name="Test").click()
        answer = self.page.locator(".alert").first
        expect(answer).not_to_contain_text("Fields that are currently populated")
        answer.scroll_into_view_if_needed()
        return str(answer.inner_text())

    def run_dag(self, dag_id: str) -> str:
        trigger = self.page.get_by_role("link", name="Trigger DAG")
        open_when_there(self.page, f"{self._url}/dags/{dag_id}/grid", trigger)
        trigger.click()
        self.page.wait_for_url("**dag_run_id=**")
        run_id = parse_qs(urlsplit(self.page.url).query)["dag_run_id"][0]
        status = self.page.get_by_role("row").filter(has=self.page.get_by_role("cell", name="Status", exact=True))
        expect_end(status.first)
        return str(run_id)

    def open_log(self, run: TaskRun) -> Locator:
        self._open_task(run, "logs")
        return self.page.locator("code")

    def open_xcom(self, run: TaskRun) -> Locator:
        self._open_task(run, "xcom")
        return self.page.get_by_role("table").filter(has_text="return_value")

    def open_rendered_template(self, run: TaskRun) -> Locator:
        self._open_task(run, "details")
        self.page.get_by_role("link", name="More Details").click()
        self.page.get_by_role("link", name="Rendered Template").click()
        return self.page.locator("body")

    def open_extra_links(self, run: TaskRun) -> None:
        self._open_task(run, "details")

    def _id(self, name: str) -> str:
        return f"extra__collate__{name}" if name in EXTRA_FIELD_NAMES else name

    def _open_task(self, run: TaskRun, tab: str) -> None:
        self.page.goto(
            f"{self._url}/dags/{run.dag_id}/grid?dag_run_id={quote(run.run_id, safe='')}"
            f"&task_id={run.task_id}&tab={tab}"
        )
