from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_collate.sandbox.exchange import same_json
from airflow_provider_collate.sandbox.json_patch import PatchError, apply_patch, parse_patch

KEYS = st.text(alphabet="ab/~0é", max_size=3)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)


def patch(document: object, *operations: dict[str, object]) -> Any:
    return apply_patch(document, parse_patch(list(operations)))


def pointer(*parts: str) -> str:
    return "".join("/" + part.replace("~", "~0").replace("/", "~1") for part in parts)


@given(document=st.dictionaries(KEYS, JSON), key=KEYS, value=JSON)
def test_what_was_added_is_there_and_can_be_removed(document: dict[str, Any], key: str, value: object) -> None:
    before = copy.deepcopy(document)

    added = patch(document, {"op": "add", "path": pointer(key), "value": value})

    assert document == before
    assert added == {**document, key: value}
    assert patch(added, {"op": "test", "path": pointer(key), "value": value}) == added
    document.pop(key, None)
    assert patch(added, {"op": "remove", "path": pointer(key)}) == document


@given(items=st.lists(JSON, min_size=1), data=st.data(), value=JSON)
def test_lists(items: list[Any], data: st.DataObject, value: object) -> None:
    at = data.draw(st.integers(0, len(items)))

    added = patch(items, {"op": "add", "path": f"/{at}", "value": value})

    assert added == [*items[:at], value, *items[at:]]
    assert patch(added, {"op": "remove", "path": f"/{at}"}) == items
    assert patch(items, {"op": "add", "path": "/-", "value": value}) == [*items, value]


@given(document=st.dictionaries(KEYS, JSON, min_size=1), other=KEYS, data=st.data())
def test_move_is_copy_and_remove(document: dict[str, Any], other: str, data: st.DataObject) -> None:
    key = data.draw(st.sampled_from(sorted(document)))
    moved = patch(document, {"op": "move", "from": pointer(key), "path": pointer(other)})
    copied = patch(document, {"op": "copy", "from": pointer(key), "path": pointer(other)})

    if key != other:
        assert key not in moved
        moved[key] = document[key]
    assert moved == copied


@given(document=JSON)
def test_a_document_equals_itself_and_a_replaced_root(document: object) -> None:
    assert same_json(document, copy.deepcopy(document))
    assert patch({}, {"op": "replace", "path": "", "value": document}) == document


@pytest.mark.parametrize("one, other", [(True, 1), (0, False), ([1], [True]), ({"a": 0}, {"a": False}), (None, 0)])
def test_a_boolean_is_no_number(one: object, other: object) -> None:
    assert not same_json(one, other)


@pytest.mark.parametrize(
    "operation, message",
    [
        ({"op": "nope", "path": "/a"}, "Illegal value for the operationName of the JSON patch operation: nope"),
        ({"path": "/a"}, "Illegal value for the operationName"),
        ({"op": ["add"], "path": "/a"}, "Illegal value for the operationName"),
        ({"op": "add", "path": "/a"}, "no value"),
        ({"op": "remove"}, "no path"),
        ({"op": "move", "path": "/b"}, "no from"),
        ("nope", "Illegal value for the operationName"),
    ],
)
def test_operations_that_are_none(operation: object, message: str) -> None:
    with pytest.raises(PatchError, match=message):
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
        ({"op": "remove", "path": 1}, "must start with /"),
        ({"op": "add", "path": "/a/01", "value": 1}, "not a valid sequence index"),
        ({"op": "add", "path": "/a/" + "9" * 5000, "value": 1}, "contains no element for"),
        ({"op": "add", "path": "/b/c", "value": 1}, "contains no element for 'c'"),
        ({"op": "move", "from": "/a", "path": "/a/0"}, "into their own children"),
        ({"op": "remove", "path": ""}, "remove the whole document"),
    ],
)
def test_operations_that_do_not_apply(operation: dict[str, object], message: str) -> None:
    document = {"a": [1, 2], "b": "t"}

    with pytest.raises(PatchError, match=message):
        patch(document, {"op": "add", "path": "/c", "value": 1}, {"op": "remove", "path": "/c"}, operation)

    assert document == {"a": [1, 2], "b": "t"}


def test_a_patch_is_a_list() -> None:
    with pytest.raises(PatchError, match="must be an array"):
        parse_patch({"op": "add"})
