"""The bulk answer is read leniently, and of an echoed request only its name is kept."""

from __future__ import annotations

import pytest
from pydantic import JsonValue

from airflow_provider_collate.models.bulk_result import BulkOperationResult, BulkRow


def test_an_answer_is_read() -> None:
    answer = {
        "dryRun": False,
        "status": "partialSuccess",
        "numberOfRowsProcessed": 2,
        "numberOfRowsPassed": 1,
        "numberOfRowsFailed": 1,
        "successRequest": [{"request": '"a.b"', "status": "200 OK", "new": 1}],
        "failedRequest": [
            {
                "request": {"name": "c", "connection": {"config": {"registryUri": "mysql://u:canary@db"}}},
                "message": "Invalid",
                "status": 400,
            }
        ],
        "added later": {},
    }
    result = BulkOperationResult.model_validate(answer)
    assert result.failed_request == (BulkRow(name="c", message="Invalid", status=400),)
    assert "canary" not in f"{result!r} {result.model_dump()}"


@pytest.mark.parametrize("answer", [{}, {"status": "aborted", "successRequest": None, "failedRequest": None}])
def test_what_is_missing_is_empty(answer: dict[str, JsonValue]) -> None:
    assert BulkOperationResult.model_validate(answer).failed_request == ()


@pytest.mark.parametrize(
    "request_, name",
    [
        ("prod", "prod"),
        ({"name": "prod", "fullyQualifiedName": "x"}, "prod"),
        ({"fullyQualifiedName": "prod"}, "prod"),
        ({"name": 5}, ""),
        ({}, ""),
        (None, ""),
        (5, ""),
        (["canary"], ""),
    ],
)
def test_a_request_is_reduced_to_a_name(request_: JsonValue, name: str) -> None:
    assert BulkRow.model_validate({"request": request_}).name == name


def test_a_message_is_not_printed_with_the_row() -> None:
    assert "canary" not in repr(BulkRow(name="a", message="canary"))
