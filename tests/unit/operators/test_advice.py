"""Advice that names an option works: who follows it is done, or fails otherwise, never with the same advice."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException

from airflow_provider_collate.exceptions import CollateError
from airflow_provider_collate.operators.mlmodel_service import (
    BulkUpsertMlModelServicesOperator,
    CreateMlModelServiceOperator,
    SyncMlModelServicesOperator,
)
from airflow_provider_collate.sandbox import ANA, INGESTION_BOT, Catalog

PLAIN = {"config": {"type": "Sklearn"}}
SCOPE = {"name_prefix": "s"}
ADVISED = re.compile(r"\b([a-z_]+)=(\"\w+\"|\w+)")


def row(name: str, **fields: object) -> dict[str, object]:
    return {"name": name, "serviceType": "Sklearn", "connection": PLAIN, **fields}


def create(**given: Any) -> Any:
    given = {"name": "s0", "service_type": "Sklearn", "connection": PLAIN, **given}
    return CreateMlModelServiceOperator(task_id="t", **given)


def bulk(**given: Any) -> Any:
    return BulkUpsertMlModelServicesOperator(task_id="t", **{"services": [row("s0", description="Ours")], **given})


def sync(**given: Any) -> Any:
    given = {"services": [row("s0")], "prune": "soft", "prune_scope": SCOPE, **given}
    return SyncMlModelServicesOperator(task_id="t", **given)


def theirs(catalog: Catalog) -> None:
    catalog.add_service("s0", "Sklearn", user=ANA, connection=PLAIN, description="By hand")


def deleted(catalog: Catalog) -> None:
    theirs(catalog)
    catalog.remove_service("s0", user=ANA)


def five_of_ours(catalog: Catalog) -> None:
    for number in range(5):
        catalog.add_service(f"s{number}", "Sklearn", user=INGESTION_BOT, connection=PLAIN)


def bounded_bulk(catalog: Catalog) -> None:
    catalog.state.has_bulk, catalog.state.bulk_limit = True, 2


CASES: dict[str, tuple[Callable[..., Any], dict[str, Any], Callable[[Catalog], None], set[str]]] = {
    "exists": (create, {}, theirs, {"if_exists"}),
    "exists, and declares another text": (create, {"description": "Ours"}, theirs, {"if_exists"}),
    "exists, soft-deleted": (create, {}, deleted, {"if_exists"}),
    "ignored, but soft-deleted": (create, {"if_exists": "ignore"}, deleted, {"if_exists"}),
    "a text of somebody else": (bulk, {}, theirs, {"on_conflict"}),
    "deleted by somebody else": (bulk, {}, deleted, {"on_conflict"}),
    "prunes too much": (sync, {}, five_of_ours, {"plan_only", "max_prune"}),
    "too many rows in a request": (
        bulk, {"services": [row(f"s{number}") for number in range(6)]}, bounded_bulk, {"chunk_size"},
    ),
}  # fmt: skip


def advice_of(operator: Any, context: Any) -> str:
    """Run a task, and return its advice; empty if it is green."""
    try:
        operator.execute(context)
    except AirflowFailException as failure:
        return getattr(failure.__cause__, "advice", "") or str(failure)
    except CollateError as error:
        return error.advice
    return ""


def options_in(advice: str) -> list[tuple[str, Any]]:
    return [(name, ast.literal_eval(value)) for name, value in ADVISED.findall(advice)]


@pytest.mark.parametrize("name", CASES)
def test_each_advice_that_names_an_option_works(name: str, context: Any, catalog: Catalog) -> None:
    make, given, prepare, expected = CASES[name]
    prepare(catalog)
    advice = advice_of(make(**given), context)
    options = options_in(advice) or [(option, 1) for option in expected if option in advice]
    assert {option for option, _ in options} == expected
    for option, value in options:
        assert given.get(option) != value, "it is set already"
        followed = advice_of(make(**{**given, option: value}), context)
        assert followed != advice
        for further, choice in options_in(followed):
            assert advice_of(make(**{**given, option: value, further: choice}), context) == ""
