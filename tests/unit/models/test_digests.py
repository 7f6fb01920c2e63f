"""A connection that the catalog showed is reduced to which fields it has, and whether two values are equal."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import JsonValue

from airflow_provider_collate.models.digests import (
    EXTERNAL,
    MASK,
    OBJECT,
    UNREADABLE,
    digest,
    digest_of_type,
    digests,
    dotted,
    pointer,
)

values = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from([0.5, 2.0, -1.0]) | st.text("a/~.é", max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text("a/~.", max_size=2), inner, max_size=2),
    max_leaves=6,
)


@given(values, values)
def test_two_digests_are_equal_where_the_values_are(one: JsonValue, other: JsonValue) -> None:
    assert (digest(one) == digest(other)) is (_normal(one) == _normal(other))


def _normal(value: JsonValue) -> object:
    """A value in which a boolean, a number and a text are never equal, and 2.0 is 2."""
    if isinstance(value, dict):
        return {key: _normal(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_normal(item) for item in value]
    return (float if isinstance(value, int | float) and not isinstance(value, bool) else type(value), value)


def test_a_digest_does_not_hold_the_value() -> None:
    assert b"hunter2" not in digest("hunter2hunter2")
    assert len({digest("x" * 10_000), digest(["x" * 10_000])}) == 2


@given(values)
def test_each_leaf_has_its_pointer_and_nulls_have_none(value: JsonValue) -> None:
    found = digests({"config": value})
    expected = {"/connection": OBJECT}

    def walk(item: JsonValue, at: str) -> None:
        if isinstance(item, dict):
            expected[at] = OBJECT
            for key, inner in item.items():
                walk(inner, f"{at}/{key.replace('~', '~0').replace('/', '~1')}")
        elif item is not None:
            expected[at] = digest(item)

    walk(value, "/connection/config")
    assert found == expected


@pytest.mark.parametrize(
    "value, kind",
    [
        (MASK, UNREADABLE),
        ("fernet:abc", UNREADABLE),
        ("secret:/cluster/x", EXTERNAL),
        ("a fernet:abc", None),
        ("a secret:/x", None),
        ([MASK], None),
    ],
)
def test_what_is_shown_in_place_of_a_secret_is_known(value: JsonValue, kind: bytes | None) -> None:
    digested = kind or digest(value)  # made here: each process has a key of its own
    assert digests({"type": value, "key": value}) == {
        "/connection": OBJECT,
        "/connection/type": digested,
        "/connection/key": digested,
    }


def test_the_digest_of_a_type_is_that_of_the_text() -> None:
    assert digest_of_type("Mlflow") == digest("Mlflow") == digests({"type": "Mlflow"})["/connection/type"]


def test_no_connection_has_no_fields() -> None:
    assert digests(None) == {}


@given(st.lists(st.text("ab/~.", min_size=1, max_size=4), min_size=1, max_size=3))
def test_a_pointer_reads_as_people_write_it(keys: list[str]) -> None:
    at = ""
    for key in keys:
        at = pointer(at, key)
    assert dotted(at) == ".".join(keys)
