from __future__ import annotations

import logging
from importlib.util import find_spec

import pytest
from airflow import __version__ as airflow_version
from airflow.providers.common.compat.sdk import Asset
from airflow.providers_manager import ProvidersManager
from jsonschema import Draft7Validator

from airflow_provider_collate.get_provider_info import get_provider_info
from airflow_provider_collate.hooks.collate import CollateHook

pytestmark = pytest.mark.filterwarnings("ignore:ProvidersManager.hooks is deprecated")

ON_AIRFLOW_3 = int(airflow_version.partition(".")[0]) >= 3
# Measured on 3.0.6 and 3.1.8; on 3.0.6 for the official providers' hooks as for ours.
without_widgets = pytest.mark.skipif(
    airflow_version.startswith(("3.0.", "3.1.")) and find_spec("flask_appbuilder") is None,
    reason="Airflow 3.0 and 3.1 show fields of the extra only where Flask-AppBuilder is installed",
)


@pytest.fixture(scope="module")
def manager() -> ProvidersManager:
    """Airflow's own reader of providers, which found the package by its entry point."""
    return ProvidersManager()  # type: ignore[no-untyped-call]


def test_airflow_finds_the_provider(manager: ProvidersManager) -> None:
    found = manager.providers["airflow-provider-collate"].data

    assert get_provider_info().items() <= found.items()


def test_airflow_has_nothing_to_say_against_it(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        manager = ProvidersManager()  # type: ignore[no-untyped-call]
        _ = (manager.hooks["collate"], manager.connection_form_widgets, manager.extra_links_class_names)

    assert [record.message for record in caplog.records if "collate" in record.message.lower()] == []


def test_the_connection_type_leads_to_the_hook(manager: ProvidersManager) -> None:
    hook = manager.hooks["collate"]

    assert hook is not None
    assert (hook.hook_name, hook.connection_type) == ("Collate", CollateHook.conn_type)
    assert hook.hook_class_name == f"{CollateHook.__module__}.{CollateHook.__name__}"
    assert hook.connection_id_attribute_name == CollateHook.conn_name_attr


@without_widgets
def test_the_connection_form_has_its_fields(manager: ProvidersManager) -> None:
    widgets = manager.connection_form_widgets

    fields = [name for name in widgets if name.startswith("extra__collate__")]
    assert sorted(fields) == [
        f"extra__collate__{name}" for name in ("client_cert", "max_retries", "proxy", "timeout", "verify")
    ]
    assert widgets["extra__collate__proxy"].is_sensitive
    behaviour = manager.field_behaviours["collate"]
    assert behaviour["relabeling"]["password"] == "Bot token (JWT)"
    assert behaviour["hidden_fields"] == ["login"]


@without_widgets
@pytest.mark.skipif(not ON_AIRFLOW_3, reason="Airflow 2.11 renders its form by widgets, not by metadata")
def test_the_form_of_airflow_3_is_made_of_the_metadata() -> None:
    from airflow.api_fastapi.core_api.services.ui.connections import HookMetaService

    [form] = [meta for meta in HookMetaService.hook_meta_data() if meta.connection_type == "collate"]

    assert form.extra_fields is not None
    assert list(form.extra_fields) == ["verify", "client_cert", "timeout", "max_retries", "proxy"]
    assert form.extra_fields["proxy"]["schema"]["format"] == "password"
    assert form.extra_fields["verify"]["schema"]["title"] == "Verify TLS"
    assert form.standard_fields is not None
    assert form.standard_fields.host is not None
    assert form.standard_fields.host.title == "Collate URL"
    assert form.standard_fields.login is not None
    assert form.standard_fields.login.hidden


def test_the_link_is_registered(manager: ProvidersManager) -> None:
    assert "airflow_provider_collate.links.service.ServiceLink" in manager.extra_links_class_names


def test_assets_of_the_catalog_can_be_named() -> None:
    assert Asset("collate://acme.getcollate.io/mlmodelServices/prod_mlflow").uri.startswith("collate://acme")


def test_the_metadata_is_what_airflow_publishes_as_its_schema(manager: ProvidersManager) -> None:
    from airflow.providers_manager import _create_provider_info_schema_validator

    validator = _create_provider_info_schema_validator()  # type: ignore[no-untyped-call]

    assert list(Draft7Validator(validator.schema).iter_errors(get_provider_info())) == []
