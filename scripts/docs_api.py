"""Make docs/api.md: each public name with what its docstring says."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from importlib import import_module
from pathlib import Path

PACKAGE = "airflow_provider_collate"
PAGE = Path(__file__).resolve().parent.parent / "docs" / "api.md"
_INTRODUCTION = """\
# API

<!-- Written by `make docs-quotes` from the docstrings. Do not edit it here. -->

What is on this page is public. Import a name from the module that stands under it. A parameter without a default must
be given; *absent* means that the field is not part of the declaration.
"""
# Title of a section, module, and its public names with the methods that are shown, None for all.
_Names = dict[str, tuple[str, ...] | None]
SECTIONS: tuple[tuple[str, str, _Names], ...] = (
    (
        "Operators",
        "operators.mlmodel_service",
        {
            "CreateMlModelServiceOperator": (),
            "BulkUpsertMlModelServicesOperator": (),
            "SyncMlModelServicesOperator": (),
            "DeleteMlModelServiceOperator": (),
        },
    ),
    ("Sensor", "sensors.mlmodel_service", {"MlModelServiceSensor": ()}),
    ("Trigger", "triggers.mlmodel_service", {"MlModelServiceTrigger": ()}),
    ("Trigger of any kind", "triggers._service_trigger", {"ServiceTrigger": ()}),
    ("Link", "links.service", {"ServiceLink": ()}),
    ("Hook", "hooks.collate", {"CollateHook": None}),
    ("Options", "reconcile.options", {"RunOptions": (), "DeleteOptions": ()}),
    ("Scope of a sync", "reconcile.scope", {"PruneScope": ()}),
    ("Plan", "reconcile.plan", {"Plan": None}),
    ("Report", "reconcile.report", {"Report": None, "RowResult": None, "Outcome": ("is_change",)}),
    (
        "Declarations",
        "kinds.mlmodel",
        {
            "CreateMlModelServiceRequest": ("to_payload", "declared"),
            "MlflowConnection": (),
            "SklearnConnection": (),
            "SageMakerConnection": (),
            "VertexAIConnection": (),
            "CustomMlModelConnection": (),
        },
    ),
    ("Credentials for Amazon", "kinds.aws", {"AwsCredentials": ()}),
    ("Credentials for Google", "kinds.gcp", {"GcpCredentials": ()}),
    (
        "Parts of any declaration",
        "models",
        {
            "CreateServiceRequest": ("to_payload", "declared"),
            "ServiceConnection": (),
            "TagLabel": (),
            "EntityReference": (),
            "OwnerName": (),
            "Style": (),
            "FilterPattern": (),
            "ConnectionConfig": (),
            "ConnectionPart": (),
            "OpenConnectionPart": (),
            "LiteralConfig": (),
            "UndocumentedConnection": (),
            "OneOf": (),
            "ServerDefault": (),
            "DeclaredService": ("config", "payload", "secrets"),
            "ValidatedServices": (),
            "validate_services": (),
            "secret_values": (),
        },
    ),
    ("Answer of the bulk endpoint", "models.bulk_result", {"BulkOperationResult": (), "BulkRow": ()}),
    (
        "Kinds of services",
        "kinds",
        {"ServiceKind": (), "register_kind": (), "find_kind": (), "registered_kinds": ()},
    ),
    ("pytest", "pytest_plugin", {"collate": (), "InMemoryCollate": None}),
    (
        "Sandbox",
        "sandbox",
        {
            "Catalog": None,
            "User": (),
            "LatencyProfile": (),
            "InProcessTransport": (),
            "Request": (),
            "Answer": (),
            "Ending": (),
            "RecordedRequest": (),
            "make_token": (),
        },
    ),
    ("Faults of the sandbox", "sandbox.faults", {"Fault": (), "RandomFaults": ()}),
)
_HIDDEN = ("get_connection_form_widgets", "get_ui_field_behaviour", "handle", "with_traceback", "add_note")
_FIELD = re.compile(r"^:(?P<kind>param|return|raises)(?: (?P<name>\w+))?:(?P<text>.*(?:\n(?!:).*)*)", re.MULTILINE)


@dataclass(frozen=True)
class Docstring:
    """A docstring, taken apart.

    :param text: what stands before its fields.
    :param fields: kind, name and text of each field.
    """

    text: str
    fields: tuple[tuple[str, str, str], ...]

    @classmethod
    def of(cls, thing: object) -> Docstring:
        """Return the docstring that something has itself or from its bases."""
        found = inspect.getdoc(thing) or ""
        text, colon, fields = found.partition("\n:") if not found.startswith(":") else ("", ":", found)
        parts = _FIELD.finditer(colon.strip("\n") + fields if colon else "")
        named = tuple((part["kind"], part["name"] or "", " ".join(part["text"].split())) for part in parts)
        return cls(text.strip(), named)

    def of_kind(self, kind: str) -> list[tuple[str, str]]:
        """Return name and text of the fields of a kind, each name once."""
        found: dict[str, str] = {}
        for its_kind, name, text in self.fields:
            if its_kind == kind:
                found.setdefault(name, text)
        return list(found.items())


def render() -> str:
    """Return the page."""
    return "".join([_INTRODUCTION, *_sections(), *_errors()]).rstrip() + "\n"


def _sections() -> Iterator[str]:
    for title, module_name, names in SECTIONS:
        module = import_module(f"{PACKAGE}.{module_name}")
        yield f"\n## {title}\n"
        for name, methods in names.items():
            thing = getattr(module, name)
            yield f"\n### {name}\n\n`{module.__name__}`\n\n"
            yield _described(thing)
            for method, member in _members(thing, methods):
                yield f"\n#### {name}.{method}\n\n" + _described(member)


def _errors() -> Iterator[str]:
    from airflow_provider_collate import exceptions

    tree = inspect.getdoc(exceptions) or ""
    yield f"\n## Errors\n\n`{exceptions.__name__}`\n\n```text\n{tree}\n```\n"
    for name in sorted(exceptions.__all__):
        yield f"\n### {name}\n\n" + _described(getattr(exceptions, name))


def _members(thing: object, names: tuple[str, ...] | None) -> Iterator[tuple[str, object]]:
    if not inspect.isclass(thing):
        return
    own = [base for base in reversed(thing.__mro__) if base.__module__.startswith(PACKAGE)]
    members = {name: member for base in own for name, member in vars(base).items() if not name.startswith("_")}
    for name, member in members.items():
        is_documented = isinstance(member, property) or callable(member) or isinstance(member, classmethod)
        if is_documented and inspect.getdoc(member) and name not in _HIDDEN and (names is None or name in names):
            yield name, member


def _described(thing: object) -> str:
    docstring = Docstring.of(thing)
    parts = [docstring.text] if docstring.text else []
    if inspect.isclass(thing) and issubclass(thing, Enum):
        parts.append(", ".join(f"`{member.value}`" for member in thing))
    parts += filter(None, [_parameters(thing, docstring), _model_fields(thing)])
    parts += [f"Returns: {text}" for _, text in docstring.of_kind("return")]
    parts += [f"Raises `{name}`: {text}" for name, text in docstring.of_kind("raises")]
    return "\n\n".join(parts) + "\n"


def _parameters(thing: object, docstring: Docstring) -> str:
    from scripts.docs_tables import table

    defaults = _defaults(thing)
    rows = [(f"`{name}`", defaults.get(name, ""), text) for name, text in docstring.of_kind("param")]
    return table(("parameter", "default", "what it is"), rows).rstrip() if rows else ""


def _defaults(thing: object) -> dict[str, str]:
    """Return the defaults of the parameters that this package has; Airflow's own bases have many more."""
    if inspect.isclass(thing):
        bases = [base for base in reversed(thing.__mro__) if base.__module__.startswith(PACKAGE)]
        functions = [vars(base)["__init__"] for base in bases if "__init__" in vars(base)]
    else:
        functions = [thing] if inspect.isroutine(thing) else []
    parameters = [item for function in functions for item in inspect.signature(function).parameters.values()]
    return {item.name: _shown(item.default) for item in parameters if item.default is not inspect.Parameter.empty}


def _shown(default: object) -> str:
    text = repr(default).replace("'", '"')
    return "*absent*" if text == "<not given>" else f"`{text}`" if re.fullmatch(r"[-\w.\"%()]+", text) else ""


def _model_fields(thing: object) -> str:
    fields = getattr(thing, "model_fields", None)
    if not inspect.isclass(thing) or not isinstance(fields, dict) or not fields:
        return ""
    return "Fields: " + ", ".join(f"`{field.alias or name}`" for name, field in fields.items()) + "."
