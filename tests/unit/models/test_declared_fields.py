"""What a model says of its own fields, read when the class is made."""

from __future__ import annotations

from typing import Annotated

import pytest

from airflow_provider_collate.kinds.airflow_connection import fields_at
from airflow_provider_collate.models import PLAIN, ConnectionPart, FilterPattern, OneOf, ServerDefault
from airflow_provider_collate.models.declared import ConnectionText, FieldFacts, PlainText


def chosen(value: object) -> type[ConnectionPart]:
    return FilterPattern


CHOICE = OneOf(chosen, ("a",))


@pytest.fixture
def part() -> type[ConnectionPart]:
    class Part(ConnectionPart):
        host_name: PlainText = None
        pass_word: ConnectionText | None = None
        end_point_url: Annotated[PlainText, ServerDefault("https://x")] = None
        name_pattern: FilterPattern | None = None
        patterns: Annotated[list[FilterPattern] | None, PLAIN] = None
        one: Annotated[FilterPattern, CHOICE]

    return Part


def test_each_field_is_known_by_both_of_its_names(part: type[ConnectionPart]) -> None:
    facts = [
        FieldFacts("host_name", "hostName", plain=True),
        FieldFacts("pass_word", "passWord"),
        FieldFacts("end_point_url", "endPointURL", plain=True, server_default="https://x"),
        FieldFacts("name_pattern", "namePattern", FilterPattern),
        FieldFacts("patterns", "patterns", FilterPattern, plain=True),
        FieldFacts("one", "one", FilterPattern, CHOICE),
    ]
    assert part.fields_by_key == {key: fact for fact in facts for key in (fact.name, fact.documented)}


def test_a_field_that_is_not_known_is_secret(part: type[ConnectionPart]) -> None:
    assert part.fields_by_key["other"] == FieldFacts("other", "other")
    assert "other" not in part.fields_by_key


def test_the_part_of_a_field_is_its_model_or_the_one_that_is_chosen(part: type[ConnectionPart]) -> None:
    held = {name: part.fields_by_key[name].part_of({}) for name in part.model_fields}
    parts = dict.fromkeys(("name_pattern", "patterns", "one"), FilterPattern)
    assert held == {**dict.fromkeys(part.model_fields), **parts}


def test_where_the_fields_of_a_part_go_in_a_config(part: type[ConnectionPart]) -> None:
    places = fields_at(part, "a", "b")
    assert places["host_name"] == places["hostName"] == ("a", "b", "hostName")
    assert len(places) == 10
