"""Describe the form of a Collate connection, once for Airflow 3 (metadata) and for older ones (widgets)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

CONNECTION_TYPE = "collate"


@dataclass(frozen=True, slots=True)
class ExtraField:
    """A field of the form that is stored in the connection's extra.

    :param name: its key in the extra.
    :param label: what the form calls it.
    :param description: the help text beside it.
    :param kind: the JSON type of its value; every field may be left empty.
    :param is_secret: whether the form hides what is typed.
    """

    name: str
    label: str
    description: str
    kind: Literal["string", "integer", "number"] = "string"
    is_secret: bool = False

    def schema(self) -> dict[str, object]:
        """Return the field as Airflow 3 reads it: a JSON schema of its value."""
        schema: dict[str, object] = {"type": [self.kind, "null"]}
        if self.kind != "string":
            schema["minimum"] = 0
        if self.is_secret:
            schema["format"] = "password"
        return schema


EXTRA_FIELDS = (
    ExtraField("verify", "Verify TLS", "true (default), false, or the path of a CA file or folder on every worker."),
    ExtraField(
        "client_cert",
        "Client certificate",
        'Path of a PEM file with certificate and key, or two paths: "cert.pem,key.pem".',
    ),
    ExtraField("timeout", "Timeout", "Seconds for one request; 30 by default.", kind="number"),
    ExtraField("max_retries", "Retries", "How often a request is sent again; 3 by default.", kind="integer"),
    ExtraField(
        "proxy",
        "Proxy",
        "URL of an HTTP proxy; without it the environment's HTTPS_PROXY and NO_PROXY are used.",
        is_secret=True,
    ),
)


def connection_type() -> dict[str, object]:
    """Return the connection type with its form, as the metadata of a provider holds it."""
    return {
        "connection-type": CONNECTION_TYPE,
        "hook-class-name": "airflow_provider_collate.hooks.collate.CollateHook",
        "hook-name": "Collate",
        "ui-field-behaviour": {key.replace("_", "-"): value for key, value in ui_field_behaviour().items()},
        "conn-fields": {
            field.name: {"label": field.label, "description": field.description, "schema": field.schema()}
            for field in EXTRA_FIELDS
        },
    }


def ui_field_behaviour() -> dict[str, Any]:
    """Return the standard fields, as a hook's `get_ui_field_behaviour` returns them."""
    return {
        "hidden_fields": ["login"],
        "relabeling": {"host": "Collate URL", "password": "Bot token (JWT)", "schema": "Scheme", "port": "Port"},
        "placeholders": {
            "host": "https://acme.getcollate.io",
            "password": "the token of Settings > Bots > ingestion-bot",
            "schema": "https; empty if the URL has one",
            "port": "443; empty if the URL has one",
        },
    }


def connection_form_widgets() -> dict[str, Any]:
    """Return the fields of the extra, as a hook's `get_connection_form_widgets` returns them.

    Only the names imported here are stood in for by Airflow 3.0 and 3.1, whose API server has no WTForms.
    """
    from flask_appbuilder.fieldwidgets import BS3PasswordFieldWidget, BS3TextFieldWidget
    from flask_babel import lazy_gettext
    from wtforms import IntegerField, PasswordField, StringField
    from wtforms.validators import Optional

    widgets = {}
    for field in EXTRA_FIELDS:
        text = {"label": lazy_gettext(field.label), "description": lazy_gettext(field.description)}
        if field.is_secret:
            widgets[field.name] = PasswordField(widget=BS3PasswordFieldWidget(), **text)
        elif field.kind == "integer":
            widgets[field.name] = IntegerField(validators=[Optional()], widget=BS3TextFieldWidget(), **text)
        else:
            widgets[field.name] = StringField(widget=BS3TextFieldWidget(), **text)
    return widgets
