"""The words in which a fault is told, and what they never hold."""

from __future__ import annotations

import pytest

from airflow_provider_collate.models.problems import json_problems, path_text, quoted, scalar_problem


@pytest.mark.parametrize(
    "value, text",
    [
        ("a", '"a"'),
        ('say "é"\n', r'"say \"é\"\n"'),
        ("x" * 80, f'"{"x" * 80}"'),
        ("x" * 81, f'"{"x" * 80}…"'),
        ("\ud800", r'"\ud800"'),
    ],
)
def test_a_name_is_quoted_bounded_and_on_one_line(value: str, text: str) -> None:
    assert quoted(value) == text


@pytest.mark.parametrize(
    "path, text",
    [
        ((), ""),
        (("a", 0, "b c-d.e"), "a[0].b c-d.e"),
        ((0, "a"), "[0].a"),
        (("x" * 64, "x" * 65), f"{'x' * 64}.(a key that is no plain word)"),
        (("a\nb", ""), "(a key that is no plain word).(a key that is no plain word)"),
    ],
)
def test_a_path_shows_plain_words_only(path: tuple[str | int, ...], text: str) -> None:
    assert path_text(path) == text


def test_braces_from_a_connection_are_no_template_at_any_depth() -> None:
    value = {"a": [{"b": "{{ x }}"}]}
    assert [path for path, _ in json_problems(value)] == [("a", 0, "b")]
    assert list(json_problems(value, literal=True)) == []
    assert scalar_problem("{{ x }}", literal=True) == ""


@pytest.mark.parametrize("depth, is_told", [(63, False), (64, False), (65, True)])
def test_what_is_nested_too_deep_is_told_by_where_it_begins(depth: int, is_told: bool) -> None:
    value: object = "x"
    for _ in range(depth):
        value = {"a": value}
    assert [path for path, _ in json_problems(value)] == ([("a", "a", "a")] if is_told else [])


def test_each_key_that_cannot_be_sent_is_told_at_its_object_and_the_others_are_looked_at() -> None:
    value = {"a": {5: 1, "b\0": 1, "c": "\0"}}
    assert [path for path, _ in json_problems(value)] == [("a",), ("a",), ("a", "c")]
