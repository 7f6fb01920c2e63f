"""Options as plain data: what templates render to, and what is judged before they do."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from airflow_provider_collate.exceptions import InvalidDeclarationError
from airflow_provider_collate.reconcile.options import RunOptions, option_texts


@pytest.mark.parametrize(
    "name, text, value",
    [
        ("plan_only", " True ", True),
        ("allow_empty", "false", False),
        ("rewrite_secrets", "TRUE", True),
        ("rewrite_secrets", "none", None),
        ("max_workers", " 8 ", 8),
        ("chunk_size", "20", 20),
    ],
)
def test_a_rendered_text_is_read_as_what_it_stands_for(name: str, text: str, value: object) -> None:
    assert getattr(RunOptions.parse({name: text}), name) == value


@pytest.mark.parametrize("name, text", [("plan_only", "perhaps"), ("max_workers", "eight"), ("if_exists", "8")])
def test_any_other_text_is_refused(name: str, text: str) -> None:
    with pytest.raises(InvalidDeclarationError) as caught:
        RunOptions.parse({name: text})
    (problem,) = caught.value.problems
    assert problem.startswith(f"{name}: ")


@pytest.mark.parametrize(
    "given, unrendered",
    [
        ({"fail_on_changes": True, "plan_only": "{{ x }}"}, ["plan_only"]),
        ({"plan_only": "{{ x }}"}, ["plan_only"]),
    ],
)
def test_what_depends_on_a_template_is_not_judged(given: dict[str, Any], unrendered: list[str]) -> None:
    RunOptions.check(given, unrendered=unrendered)


@pytest.mark.parametrize(
    "given, unrendered, problem",
    [
        ({"fail_on_changes": True}, [], "fail_on_changes: needs plan_only=True"),
        ({"prune_scope": {"name_prefix": "a"}}, [], "prune_scope: deletes nothing"),
        ({"prune_scope": {"names": "a"}, "prune": "{{ x }}"}, ["prune"], "prune_scope.names: unknown"),
    ],
)
def test_what_does_not_is(given: dict[str, Any], unrendered: list[str], problem: str) -> None:
    with pytest.raises(InvalidDeclarationError) as caught:
        RunOptions.check(given, unrendered=unrendered)
    assert caught.value.problems[0].startswith(problem)


def test_each_option_has_its_text() -> None:
    texts = option_texts()
    assert list(texts) == [field.name for field in dataclasses.fields(RunOptions)]
    assert texts["max_workers"] == "requests in flight at once."
