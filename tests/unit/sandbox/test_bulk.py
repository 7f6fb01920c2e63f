from __future__ import annotations

from typing import Any

import httpx
import pytest

from airflow_provider_collate.sandbox import Catalog
from tests.unit.reconcile.workbench import sklearn


@pytest.fixture(autouse=True)
def _has_bulk(catalog: Catalog) -> None:
    catalog.state.has_bulk = True


def test_rows_are_created_and_updated_and_look_alike(bot: httpx.Client, catalog: Catalog) -> None:
    catalog.add_service("old", "Sklearn", connection={"config": {}})

    answer = bot.put("/bulk", json=[sklearn("old", description="x"), sklearn("new.one"), sklearn("old")])

    assert answer.status_code == 200
    assert answer.json() == {
        "dryRun": False,
        "status": "success",
        "numberOfRowsProcessed": 3,
        "numberOfRowsPassed": 3,
        "numberOfRowsFailed": 0,
        "successRequest": [
            {"request": "old", "status": 200},
            {"request": '"new.one"', "status": 200},
            {"request": "old", "status": 200},
        ],
        "failedRequest": [],
    }
    assert catalog.services["old"]["description"] == "x"


def test_failed_rows_come_with_a_200_and_some_are_echoed(bot: httpx.Client, catalog: Catalog) -> None:
    catalog.forbid(name="^locked$")
    rows = [sklearn("a::b"), sklearn("locked"), sklearn("c", domains=["Nope"]), sklearn("good")]

    answer: dict[str, Any] = bot.put("/bulk", json=rows).json()

    assert (answer["status"], answer["numberOfRowsPassed"], answer["numberOfRowsFailed"]) == ("partialSuccess", 1, 3)
    assert [(row["status"], row["request"]) for row in answer["failedRequest"]] == [
        (400, rows[0]),
        (403, rows[1]),
        (404, "c"),
    ]
    assert list(catalog.services) == ["good"]


def test_200_even_when_all_rows_failed(bot: httpx.Client) -> None:
    answer = bot.put("/bulk", json=[sklearn("")])

    assert (answer.status_code, answer.json()["status"]) == (200, "failure")


def test_an_unreadable_row_refuses_all(bot: httpx.Client, catalog: Catalog) -> None:
    answer = bot.put("/bulk", json=[sklearn("a"), sklearn("b", colour="red")])

    assert answer.status_code == 400
    assert not catalog.services


def test_limit_of_the_plan(bot: httpx.Client, catalog: Catalog) -> None:
    catalog.state.bulk_limit = 1

    answer = bot.put("/bulk", json=[sklearn("a"), sklearn("b")])

    assert (answer.status_code, answer.json()["errorType"]) == (413, "BULK_LIMIT_EXCEPTION")
    assert not catalog.services


@pytest.mark.parametrize("release, status", [("1.2", 500), ("2.x", 405)])
def test_without_the_endpoint(bot: httpx.Client, catalog: Catalog, status: int) -> None:
    catalog.state.has_bulk = False

    answer = bot.put("/bulk", json=[sklearn("a")])

    assert answer.status_code == status
    assert "HTTP 405 Method Not Allowed" in answer.text


def test_ordered_rows_wait_for_a_bulk_request(bot: httpx.Client, catalog: Catalog) -> None:
    fault = catalog.fail(bulk_rows={"a": (500, "database is away")})

    assert bot.get("").status_code == 200
    assert bot.post("", json=sklearn("c")).status_code == 201
    assert fault.hits == 0

    answer = bot.put("/bulk", json=[sklearn("a"), sklearn("b")]).json()
    assert answer["failedRequest"] == [{"request": "a", "status": 500, "message": "database is away"}]
    assert sorted(catalog.services) == ["b", "c"]
    assert fault.hits == 1
