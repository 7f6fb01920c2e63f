"""What a person sees of this package in Airflow's pages."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timezone

import jwt
import pytest
from playwright.sync_api import Page, expect

from airflow_provider_collate.hooks import connection_form
from airflow_provider_collate.sandbox import DEFAULT_BOT_TOKEN
from tests.e2e.conftest import CANARY
from tests.e2e.processes import free_ports
from tests.e2e.ui import AirflowUi, TaskRun, fill_connection

Shoot = Callable[[Page, str], None]
OpenUi = Callable[[], AirflowUi]

EXPIRED_TOKEN = jwt.encode(
    {"sub": "ingestion-bot", "isBot": True, "tokenType": "BOT", "exp": datetime(2026, 1, 31, 12, tzinfo=timezone.utc)},
    "a key that only this test knows, of at least 32 bytes",
    algorithm="HS256",
)
# What the picture of the form shows; the token is one of dots.
FILLED_IN = {"host": "https://acme.getcollate.io", "port": "443", "password": DEFAULT_BOT_TOKEN}


@pytest.fixture(scope="module")
def example_run(open_ui: OpenUi, saved_connection: str) -> TaskRun:
    """A run of the example DAG, which names Airflow connections."""
    return _run(open_ui, "register_mlflow_service")


@pytest.fixture(scope="module")
def canary_run(open_ui: OpenUi, saved_connection: str) -> TaskRun:
    """A run of a DAG that puts a password into a template."""
    return _run(open_ui, "register_from_variable")


def _run(open_ui: OpenUi, dag_id: str) -> TaskRun:
    ui = open_ui()
    run_id = ui.run_dag(dag_id)
    ui.page.close()
    return TaskRun(dag_id, run_id, "register")


def test_form_shows_the_standard_fields(ui: AirflowUi, shoot: Shoot) -> None:
    ui.open_new_connection()
    form = connection_form.ui_field_behaviour()
    for name, label in form["relabeling"].items():
        expect(ui.field(name)).to_be_visible()
        expect(ui.label(name)).to_have_text(label)
    for name, placeholder in form["placeholders"].items():
        expect(ui.field(name)).to_have_attribute("placeholder", placeholder)
    for name in form["hidden_fields"]:
        expect(ui.field(name)).to_be_hidden()
    expect(ui.field("password")).to_have_attribute("type", "password")
    fill_connection(ui, {"conn_id": "collate_default", **FILLED_IN})
    shoot(ui.page, "connection-form")


def test_form_shows_the_fields_of_the_extra(ui: AirflowUi) -> None:
    ui.open_new_connection()
    for field in connection_form.EXTRA_FIELDS:
        expect(ui.field(field.name)).to_be_visible()
        expect(ui.label(field.name)).to_have_text(field.label)
        expect(ui.help_text(field.name)).to_have_text(field.description)
        if field.is_secret:
            expect(ui.field(field.name)).to_have_attribute("type", "password")


def test_saved_connection_is_as_typed_and_does_not_show_its_token(
    ui: AirflowUi, saved_connection: str, collate_address: dict[str, str], shoot: Shoot
) -> None:
    ui.open_connection(saved_connection)
    for name, value in {**collate_address, "timeout": "12", "max_retries": "2"}.items():
        expect(ui.field(name)).to_have_value(value)
    shoot(ui.page, "connection-extra")
    assert ui.field("password").input_value() in ("", "***")
    assert DEFAULT_BOT_TOKEN not in ui.page.content()


def test_test_button_names_server_and_user(ui: AirflowUi, collate_address: dict[str, str], shoot: Shoot) -> None:
    answer = _tested(ui, "collate_tested", {**collate_address, "password": DEFAULT_BOT_TOKEN})
    shoot(ui.page, "connection-test")
    assert answer == "Connected to Collate 2.0.6 as ingestion-bot (bot, token never expires)"


def test_test_button_says_when_a_token_expired(ui: AirflowUi, collate_address: dict[str, str], shoot: Shoot) -> None:
    answer = _tested(ui, "collate_expired", {**collate_address, "password": EXPIRED_TOKEN})
    shoot(ui.page, "connection-test-expired")
    assert "the token of ingestion-bot (bot) expired on 2026-01-31 12:00 UTC" in answer
    assert "Settings > Bots > ingestion-bot" in answer


def test_test_button_says_when_there_is_no_such_server(ui: AirflowUi, shoot: Shoot) -> None:
    [port] = free_ports(1)
    nobody = {"host": "http://localhost", "port": str(port), "password": DEFAULT_BOT_TOKEN, "max_retries": "0"}
    answer = _tested(ui, "collate_nobody", nobody)
    shoot(ui.page, "connection-test-wrong-host")
    assert f"localhost:{port}" in answer
    assert "refused" in answer
    assert DEFAULT_BOT_TOKEN not in answer


def _tested(ui: AirflowUi, conn_id: str, values: dict[str, str]) -> str:
    ui.open_new_connection()
    fill_connection(ui, {"conn_id": conn_id, **values})
    return ui.test_connection(conn_id)


def test_log_says_what_came_of_the_service(ui: AirflowUi, example_run: TaskRun, shoot: Shoot) -> None:
    log = ui.open_log(example_run)
    expect(log).to_contain_text("1 service declared")
    expect(log).to_contain_text("prod_mlflow: created")
    expect(log).to_contain_text("Done: 1 created")
    expect(log).not_to_contain_text("too short")
    shoot(ui.page, "task-log")
    _expect_no_secret(ui)


def test_xcom_has_the_service_and_no_secret(
    ui: AirflowUi, example_run: TaskRun, collate_url: str, shoot: Shoot
) -> None:
    xcom = ui.open_xcom(example_run)
    expect(xcom).to_contain_text("return_value")
    expect(xcom).to_contain_text(f"{collate_url}/service/mlmodelServices/prod_mlflow")
    shoot(ui.page, "xcom")
    _expect_no_secret(ui)


def test_link_arrives_at_the_service(ui: AirflowUi, example_run: TaskRun, collate_url: str, shoot: Shoot) -> None:
    ui.open_extra_links(example_run)
    link = ui.page.get_by_role("link", name="Collate service").or_(
        ui.page.get_by_role("button", name="Collate service")
    )
    expect(link).to_be_visible()
    shoot(ui.page, "task-links")
    with ui.page.context.expect_page() as opened:
        link.click()
    service = opened.value
    expect(service.get_by_role("heading", name="prod_mlflow")).to_be_visible()
    assert service.url == f"{collate_url}/service/mlmodelServices/prod_mlflow"
    assert CANARY not in service.content()
    shoot(service, "collate-service-page")
    service.close()


def test_rendered_template_hides_what_is_secret(ui: AirflowUi, canary_run: TaskRun, shoot: Shoot) -> None:
    rendered = ui.open_rendered_template(canary_run)
    expect(rendered).to_contain_text("ranking_mlflow")
    expect(rendered).to_contain_text("***")
    shoot(ui.page, "rendered-template")
    _expect_no_secret(ui)


@pytest.mark.parametrize("opened", ["open_log", "open_xcom"])
def test_secret_of_a_template_is_nowhere_else(ui: AirflowUi, canary_run: TaskRun, opened: str) -> None:
    expect(getattr(ui, opened)(canary_run)).to_contain_text("ranking_mlflow")
    _expect_no_secret(ui)


def _expect_no_secret(ui: AirflowUi) -> None:
    for shown in (ui.page.content(), ui.page.locator("body").inner_text()):
        assert CANARY not in shown
        assert DEFAULT_BOT_TOKEN not in shown
