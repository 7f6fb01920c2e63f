from __future__ import annotations

import importlib.util
import subprocess
import sys

import pytest

from airflow_provider_collate.hooks.connection_extra import ConnectionExtra
from airflow_provider_collate.hooks.connection_form import (
    EXTRA_FIELDS,
    connection_form_widgets,
    connection_type,
    ui_field_behaviour,
)

needs_wtforms = pytest.mark.skipif(
    importlib.util.find_spec("flask_appbuilder") is None,
    reason="the form of widgets is Airflow 2.11's; Airflow 3 has no Flask-AppBuilder",
)


def test_both_forms_have_the_same_standard_fields() -> None:
    metadata = connection_type()["ui-field-behaviour"]
    hook = ui_field_behaviour()

    assert isinstance(metadata, dict)
    assert {key.replace("-", "_"): value for key, value in metadata.items()} == hook
    assert hook["relabeling"]["host"] == "Collate URL"
    assert hook["relabeling"]["password"] == "Bot token (JWT)"
    assert hook["placeholders"]["host"] == "https://acme.getcollate.io"
    assert hook["hidden_fields"] == ["login"]


def test_every_field_of_the_extra_has_a_label_and_a_help_text_and_may_be_empty() -> None:
    fields = connection_type()["conn-fields"]

    assert isinstance(fields, dict)
    assert list(fields) == list(ConnectionExtra.model_fields)
    assert all(field["label"] and field["description"].endswith(".") for field in fields.values())
    assert all(field["schema"]["type"][1] == "null" for field in fields.values())
    assert fields["timeout"]["schema"] == {"type": ["number", "null"], "minimum": 0}
    assert fields["proxy"]["schema"] == {"type": ["string", "null"], "format": "password"}


@needs_wtforms
def test_the_form_of_widgets_has_the_same_fields() -> None:
    from wtforms import Form, PasswordField

    form = type("CollateForm", (Form,), connection_form_widgets())()

    assert [field.name for field in form] == [field.name for field in EXTRA_FIELDS]
    assert [str(field.label.text) for field in form] == [field.label for field in EXTRA_FIELDS]
    assert [str(field.description) for field in form] == [field.description for field in EXTRA_FIELDS]
    assert [field.name for field in form if isinstance(field, PasswordField)] == ["proxy"]


def test_the_metadata_needs_neither_airflow_nor_a_form_library() -> None:
    code = (
        "import sys; from airflow_provider_collate.get_provider_info import get_provider_info; get_provider_info();"
        "print(sorted({'airflow', 'wtforms', 'httpx', 'pydantic'} & set(sys.modules)))"
    )

    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout

    assert printed.strip() == "[]"
