from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException

from airflow_provider_collate.hooks.collate import CollateHook
from airflow_provider_collate.operators.mlmodel_service import (
    BulkUpsertMlModelServicesOperator,
    CreateMlModelServiceOperator,
    SyncMlModelServicesOperator,
)
from airflow_provider_collate.pytest_plugin import InMemoryCollate
from airflow_provider_collate.sandbox import ANA
from scripts.docs_pages import ROOT, pages
from tests.docs.pages import LANGUAGES, Block, blocks

SKLEARN = {"config": {"type": "Sklearn"}}
Row = dict[str, object]


def mlflow(tracking_uri: str) -> Row:
    return {"config": {"type": "Mlflow", "trackingUri": tracking_uri, "registryUri": "https://mlflow.acme.example"}}


@pytest.fixture
def rows(collate: InMemoryCollate) -> list[Row]:
    """Three declared services that differ from the catalog, and 1,998 that do not."""
    same: list[Row] = [
        {"name": f"notebooks_{number}", "serviceType": "Sklearn", "connection": SKLEARN} for number in range(1998)
    ]
    for row in same:
        collate.add(str(row["name"]), "Sklearn", connection=SKLEARN)
    collate.add("team.mlflow", connection=mlflow("https://old.acme.example"))
    collate.add("churn_mlflow", connection=mlflow("https://mlflow.acme.example"))
    collate.catalog.edit_service("churn_mlflow", user=ANA, description="By hand")
    return [
        {"name": "fraud_mlflow", "serviceType": "Mlflow", "connection": mlflow("https://mlflow.acme.example")},
        {
            "name": "team.mlflow",
            "serviceType": "Mlflow",
            "connection": mlflow("https://new.acme.example"),
            "tags": ["Tier.Tier1"],
        },
        {
            "name": "churn_mlflow",
            "serviceType": "Mlflow",
            "connection": mlflow("https://mlflow.acme.example"),
            "description": "New",
        },
        *same,
    ]


def texts(page: str) -> list[str]:
    return [block.text for block in blocks("text") if block.page == page]


def executed(task: Any) -> Any:
    return task.execute({"ti": MagicMock()})


def message_of(call: Callable[[], object]) -> str:
    with pytest.raises(AirflowFailException) as raised:
        call()
    return at_the_time_of_the_page(f"{raised.value}\n")


def at_the_time_of_the_page(text: str) -> str:
    return re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d UTC", "2026-11-20 14:03 UTC", text)


def test_the_plan_is_what_a_task_prints(rows: list[Row]) -> None:
    task = BulkUpsertMlModelServicesOperator(task_id="plan", services=rows, plan_only=True)
    plan = at_the_time_of_the_page(f"{executed(task)['text']}\n")

    for page in ("README.md", "docs/declarations.md"):
        found = [block.text for block in _all_blocks("text", page) if "unchanged\n" in block.text]
        assert found == [plan], page


def _all_blocks(language: str, page: str) -> list[Block]:
    """Those that other pages have, too, and that `blocks` has once."""
    text = (ROOT / page).read_text()
    return [block for block in blocks(language) if f"```{language}\n{block.text}```" in text]


def test_the_error_for_a_conflict_is_what_a_task_says(collate: InMemoryCollate) -> None:
    collate.add("churn_mlflow", "Sklearn", connection=SKLEARN)
    collate.catalog.edit_service("churn_mlflow", user=ANA, description="By hand")
    row = {"name": "churn_mlflow", "serviceType": "Sklearn", "connection": SKLEARN, "description": "New"}
    task = BulkUpsertMlModelServicesOperator(task_id="upsert", services=[row])

    assert message_of(lambda: executed(task)) in texts("docs/declarations.md")


def test_the_error_for_a_name_that_is_not_in_the_catalog_is_what_a_task_says(collate: InMemoryCollate) -> None:
    rows = [{"name": f"notebooks_{number}", "serviceType": "Sklearn", "connection": SKLEARN} for number in range(4)]
    rows[3]["tags"] = ["Tier.Teir1"]
    message = message_of(lambda: executed(BulkUpsertMlModelServicesOperator(task_id="upsert", services=rows)))

    [shown] = [text for text in texts("docs/declarations.md") if "Tier.Teir1" in text]
    assert shown.strip() in message


def test_the_error_for_a_refused_prune_is_what_a_task_says(collate: InMemoryCollate) -> None:
    names = [f"research_{number}" for number in range(6)]
    rows = [{"name": name, "serviceType": "Sklearn", "connection": SKLEARN} for name in names]
    executed(BulkUpsertMlModelServicesOperator(task_id="upsert", services=rows))
    scope = {"name_prefix": "research_"}
    sync = SyncMlModelServicesOperator(task_id="sync", services=rows[:4], prune="soft", prune_scope=scope, max_prune=1)

    assert message_of(lambda: executed(sync)) in texts("docs/operators.md")


def test_the_error_for_a_faulty_declaration_is_what_a_task_says(collate: InMemoryCollate) -> None:
    wrong: list[Row] = [
        {"name": "a", "serviceType": "Mlflow", "connection": {"config": {"trackingURI": "https://a.example"}}},
        {"name": "churn::b", "serviceType": "Sklearn", "connection": SKLEARN},
    ]
    task = BulkUpsertMlModelServicesOperator(task_id="upsert", services=wrong)

    assert message_of(lambda: executed(task)) in texts("docs/declarations.md")
    assert collate.requests == []


def test_the_error_for_an_unfit_connection_is_what_a_task_says(
    collate: InMemoryCollate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_MLFLOW_REGISTRY", "postgres://mlflow:secret@db.acme.example/mlflow")
    task = CreateMlModelServiceOperator(
        task_id="register", name="a", service_type="SageMaker", connection={"conn_id": "mlflow_registry"}
    )

    assert message_of(lambda: executed(task)) in texts("docs/credentials.md")


def test_the_error_for_a_faulty_connection_is_what_the_form_says(
    collate: InMemoryCollate, monkeypatch: pytest.MonkeyPatch
) -> None:
    faulty = {**json.loads(collate.connection), "host": "https://acme.getcollate.io/ui", "extra": {"timeuot": 60}}
    monkeypatch.setenv("AIRFLOW_CONN_COLLATE_DEFAULT", json.dumps(faulty))

    works, sentence = CollateHook().test_connection()
    assert not works
    assert f"{sentence}\n" in texts("docs/connection.md")


@pytest.mark.parametrize("block", blocks("json"), ids=str)
def test_json_is_json(block: Block) -> None:
    json.loads(block.text)


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.stem)
def test_every_block_names_its_language(page: Path) -> None:
    fences = re.findall(r"^```(.*)$", page.read_text(), re.MULTILINE)

    assert {opening.split()[0] if opening else "" for opening in fences[::2]} <= LANGUAGES
    assert set(fences[1::2]) <= {""}
