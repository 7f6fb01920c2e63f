from __future__ import annotations

from typing import Any

import pytest

from airflow_provider_collate.sandbox.exchange import UnexpectedError, same_json
from airflow_provider_collate.sandbox.json_patch import apply_patch, parse_patch


def patch(document: object, *operations: dict[str, object]) -> Any:
    return apply_patch(document, parse_patch(list(operations)))


@pytest.mark.parametrize("one, other", [(True, 1), (0, False), ([1], [True]), ({"a": 0}, {"a": False}), (None, 0)])
def test_a_boolean_is_no_number(one: object, other: object) -> None:
    assert not same_json(one, other)


@pytest.mark.parametrize(
    "operation, message",
    [
        ({"op": "nope", "path": "/a"}, "Illegal value for the operationName of the JSON patch operation: nope"),
        ({"path": "/a"}, "Illegal value for the operationName"),
        ({"op": ["add"], "path": "/a"}, "Illegal value for the operationName"),
        ({"op": "add", "path": "/a"}, "no mapping for value"),
        ({"op": "remove"}, "no mapping for path"),
        ({"op": "add", "value": 1}, "no mapping for path"),
        ({"op": "test", "path": None, "value": 1}, "no mapping for path"),
        ({"op": "remove", "path": 1}, "no mapping for path"),
        ({"op": "move", "path": "/b"}, "no mapping for from"),
        ({"op": "copy", "path": "/b", "from": ["/a"]}, "no mapping for from"),
        ("nope", "Illegal value for the operationName"),
    ],
)
def test_operations_that_are_none(operation: object, message: str) -> None:
    with pytest.raises(UnexpectedError, match=message):
        parse_patch([operation])


@pytest.mark.parametrize(
    "operation, message",
    [
        (
            {"op": "replace", "path": "/x", "value": 1},
            r"'\{\"a\":\[1,2\],\"b\":\"t\"\}' contains no value for name 'x'",
        ),
        ({"op": "remove", "path": "/x"}, "contains no value for name 'x'"),
        ({"op": "test", "path": "/a", "value": [1]}, "TEST fails! Values are not equal"),
        ({"op": "test", "path": "/a", "value": [2, 1]}, "TEST fails"),
        ({"op": "add", "path": "/a/3", "value": 1}, "contains no element for '3'"),
        ({"op": "replace", "path": "/a/2", "value": 1}, "contains no element for '2'"),
        ({"op": "remove", "path": "/a/-"}, "contains no element"),
        ({"op": "remove", "path": "/~2"}, "invalid escape"),
        ({"op": "remove", "path": "a"}, "must start with /"),
        ({"op": "add", "path": "/a/01", "value": 1}, "not a valid sequence index"),
        ({"op": "add", "path": "/a/" + "9" * 5000, "value": 1}, "contains no element for"),
        ({"op": "add", "path": "/b/c", "value": 1}, "contains no element for 'c'"),
        ({"op": "move", "from": "/a", "path": "/a/0"}, "into their own children"),
        ({"op": "remove", "path": ""}, "remove the whole document"),
    ],
)
def test_operations_that_do_not_apply(operation: dict[str, object], message: str) -> None:
    document = {"a": [1, 2], "b": "t"}

    with pytest.raises(UnexpectedError, match=message):
        patch(document, {"op": "add", "path": "/c", "value": 1}, {"op": "remove", "path": "/c"}, operation)

    assert document == {"a": [1, 2], "b": "t"}


def test_a_patch_is_a_list() -> None:
    with pytest.raises(UnexpectedError, match="must be an array"):
        parse_patch({"op": "add"})


def test_a_patch_changes_a_copy() -> None:
    document = {"a": [1]}

    assert patch(document, {"op": "add", "path": "/a/-", "value": 2}) == {"a": [1, 2]}
    assert document == {"a": [1]}
