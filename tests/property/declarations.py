"""Generated catalogs: what people may declare, for services that servers of both releases take."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import strategies as st

from airflow_provider_collate.sandbox import Catalog
from airflow_provider_collate.sandbox.directory import Entry
from tests.conformance.shared import shared as shared_folder

Declared = dict[str, Any]
Both = tuple[list[Declared], list[Declared]]

ENTRIES = [Entry("user", "ana", "ana"), Entry("team", "ml-platform", "ml-platform")]
NAMES = ["a", "a.b", "b", "c d", "é", "prefix_1", "prefix_2", "prefix_3"]
# Tier is exclusive: a service carries one of its tags.
TAGS = ["PII.None", "PersonalData.Personal"]
TIERS = ["Tier.Tier1", "Tier.Tier2"]
RELEASES = ["2.x", "1.2"]

texts = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=8)
descriptions = st.none() | texts | st.sampled_from(["line\nline", "line\r\nline  ", "\n", "a\n\nb", "Ünïcode → 🦆"])
words = st.text("abc", max_size=3)
keys = st.sampled_from(["plain", "a.b", "c/d", "e~f", "~1", "käse"])


def _optional(fields: dict[str, st.SearchStrategy[Any]]) -> st.SearchStrategy[Declared]:
    return st.fixed_dictionaries({}, optional=fields)


filters = _optional({"includes": st.none() | st.lists(words, max_size=2), "excludes": st.lists(words, max_size=2)})
shared = {"supportsMetadataExtraction": st.none() | st.booleans(), "mlModelFilterPattern": st.none() | filters}
mlflow = _optional({**shared, "trackingUri": st.none() | words, "registryUri": words})
aws = st.builds(
    lambda required, optional: {**optional, **required},
    st.fixed_dictionaries({"awsRegion": st.sampled_from(["eu-west-1", "us-east-1"])}),
    _optional(
        {
            "awsAccessKeyId": words,
            "awsSecretAccessKey": st.sampled_from(["first-secret", "second-secret"]),
            "assumeRoleSessionName": st.none() | st.sampled_from(["OpenMetadataSession", "another"]),
        }
    ),
)
sagemaker = _optional({"supportsMetadataExtraction": st.none() | st.booleans(), "awsConfig": aws})
scalars = st.none() | st.booleans() | st.integers(-9, 9) | st.floats(-9, 9, width=16) | words
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(keys, inner, max_size=2),
    max_leaves=4,
)
custom = st.builds(
    lambda own, documented: {**own, **documented},
    st.dictionaries(keys, values, max_size=3),
    _optional({"sourcePythonClass": words, "connectionOptions": st.dictionaries(keys, st.none() | words, max_size=3)}),
)
CONFIGS = {"Mlflow": mlflow, "SageMaker": sagemaker, "CustomMlModel": custom, "Sklearn": _optional({})}


@st.composite
def services(draw: st.DrawFn, name: str, service_type: str) -> Declared:
    """A declared service of a name and type; in it what a server of any release can hold."""
    config = draw(CONFIGS[service_type])
    connection = draw(st.sampled_from([None, {"config": {**config, "type": service_type}}]))
    owners = st.lists(st.sampled_from([{"id": entry.id, "type": entry.kind} for entry in ENTRIES]), max_size=1)
    tags = st.builds(
        lambda plain, tiers: [*plain, *tiers],
        st.lists(st.sampled_from(TAGS), unique=True),
        st.lists(st.sampled_from(TIERS), max_size=1),
    ).flatmap(st.permutations)
    relations = _optional(
        {
            "description": descriptions,
            "displayName": st.none() | texts,
            "owners": st.none() | owners,
            "domains": st.none() | st.lists(st.just("Fraud"), max_size=1),
            "tags": st.none() | tags,
        }
    )
    return {"name": name, "serviceType": service_type, "connection": connection, **draw(relations)}


def _stored_descriptions() -> list[str]:
    """Return descriptions that a server stores in another form, also where the contract's are not at hand."""
    file = shared_folder("contract") / "descriptions_stored.jsonl"
    lines = file.read_text(encoding="utf-8").strip().split("\n") if file.exists() else []
    return ["Bob's", "List<String>", "a & b", *(json.loads(line)["sent"] for line in lines)]


OWNERS = ["ana", "user:ana", "ana@acme.example", "ml-platform", "team:ml-platform"]
MISTAKES = [
    {"tags": ["Tier.Teir1"]},
    {"owners": ["anna"]},
    {"domains": ["fraud"]},
    {"tags": ["Tier.Tier1", "Tier.Tier2"]},
]
named = _optional(
    {
        "description": st.sampled_from(_stored_descriptions()),
        "owners": st.lists(st.sampled_from(OWNERS), max_size=1),
        "tags": st.lists(st.sampled_from([*TAGS, "Tier.Tier1", "glossary:Business.Churn"]), unique=True),
        "dataProducts": st.lists(st.just("Scores"), max_size=1),
    }
)


@st.composite
def named_declarations(draw: st.DrawFn) -> tuple[list[Declared], ...]:
    """Two declarations that use names instead of ids, a mistake in some of them, and texts that servers rewrite."""
    mistakes = st.sampled_from([{}, {}, {}, *MISTAKES])
    return tuple([{**row, **draw(named), **draw(mistakes)} for row in rows] for rows in draw(declarations()))


@st.composite
def declarations(draw: st.DrawFn) -> Both:
    """Two declarations of overlapping names; a name keeps its type, which no server lets change."""
    names = draw(st.lists(st.sampled_from(NAMES), unique=True, max_size=6))
    types = {name: draw(st.sampled_from(sorted(CONFIGS))) for name in names}
    first, second = ([draw(services(name, types[name])) for name in names if draw(st.integers(0, 3))] for _ in range(2))
    known = {row["name"] for row in first}
    # OpenMetadata 1.2 changes nothing of a service that it has stored without a connection.
    for row in (*first, *(row for row in second if row["name"] not in known)):
        row["connection"] = row["connection"] or {"config": {"type": row["serviceType"]}}
    return first, second


def contents(catalog: Catalog) -> dict[str, Any]:
    """All that a catalog holds, but for ids, versions, times and authors."""
    told = {"id", "version", "updatedAt", "updatedBy", "changeDescription", "appliedAt", "appliedBy"}

    def lasting(value: Any) -> Any:
        if isinstance(value, list):
            return [lasting(item) for item in value]
        if isinstance(value, dict):
            return {field: lasting(item) for field, item in value.items() if field not in told - {"id"}}
        return value

    return {
        name: {field: lasting(value) for field, value in service.items() if field not in told}
        for mapping in (catalog.services, catalog.deleted)
        for name, service in mapping.items()
    }
