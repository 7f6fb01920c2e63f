"""What a person does in Airflow's pages, in words that hold for both versions."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from playwright.sync_api import Locator, Page, expect

from airflow_provider_collate.hooks.connection_form import EXTRA_FIELDS

EXTRA_FIELD_NAMES = frozenset(field.name for field in EXTRA_FIELDS)
RUN_SECONDS = 90.0
PARSE_SECONDS = 60.0


@dataclass(frozen=True)
class TaskRun:
    """One run of one task."""

    dag_id: str
    run_id: str
    task_id: str


class AirflowUi(Protocol):
    """A browser's page with Airflow in it."""

    page: Page

    def log_in(self, user: str, password: str) -> None:
        """Log in; the whole browser context is logged in then."""

    def open_new_connection(self) -> None:
        """Open the form of a new connection and choose the type Collate."""

    def open_connection(self, conn_id: str) -> None:
        """Open the form of a saved connection."""

    def field(self, name: str) -> Locator:
        """The form's field for a part of the connection, e.g. `host`, or for a key of its extra."""

    def label(self, name: str) -> Locator:
        """What the form calls a field."""

    def help_text(self, name: str) -> Locator:
        """The text under a field."""

    def save_connection(self) -> None:
        """Press Save and wait until it is said to be saved."""

    def test_connection(self, conn_id: str) -> str:
        """Press Test with the form filled in, and read the answer. Airflow 3 has the button on saved ones only."""

    def run_dag(self, dag_id: str) -> str:
        """Press Trigger, wait until the run is over, and return its id."""

    def open_log(self, run: TaskRun) -> Locator:
        """Open the task's log; returns what is shown of it."""

    def open_xcom(self, run: TaskRun) -> Locator:
        """Open what the task returned and pushed, unfolded; returns what is shown of it."""

    def open_rendered_template(self, run: TaskRun) -> Locator:
        """Open the task's rendered template fields; returns what is shown of them."""

    def open_extra_links(self, run: TaskRun) -> None:
        """Open the page that has the buttons of the task's links."""


def fill_connection(ui: AirflowUi, values: Mapping[str, str]) -> None:
    """Type the parts of a connection into the open form."""
    for name, value in values.items():
        ui.field(name).fill(value)
        ui.field(name).press("Tab")


def open_when_there(page: Page, url: str, locator: Locator, seconds: float = PARSE_SECONDS) -> None:
    """Open a page again and again until it shows something, e.g. a DAG that has not been parsed yet."""
    step = 5.0
    while True:
        page.goto(url)
        try:
            expect(locator).to_be_visible(timeout=step * 1000)
        except AssertionError:
            seconds -= step
            if seconds <= 0:
                raise
        else:
            return


def expect_end(state: Locator, end: str = "success") -> None:
    """Wait until a run is over, and fail at once if it ended otherwise."""
    expect(state).to_have_text(re.compile("success|failed", re.IGNORECASE), timeout=RUN_SECONDS * 1000)
    expect(state).to_have_text(re.compile(end, re.IGNORECASE))
