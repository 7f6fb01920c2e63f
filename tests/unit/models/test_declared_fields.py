"""What a model says of its own fields, read when the class is made."""

from __future__ import annotations

from typing import Annotated

import pytest

from airflow_provider_collate.kinds.airflow_connection import fields_at
from airflow_provider_collate.models import ConnectionPart, FilterPattern, OneOf, ServerDefault, ServiceConnection
from airflow_provider_collate.models.declared import ConnectionText, FieldFacts, PlainText
from airflow_provider_collate.models.digests import digest


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
        one: Annotated[FilterPattern, CHOICE]

    return Part


def test_each_field_is_known_by_both_of_its_names(part: type[ConnectionPart]) -> None:
    facts = [
        FieldFacts("host_name", "hostName", plain=True),
        FieldFacts("pass_word", "passWord"),
        FieldFacts(
            "end_point_url", "endPointURL", plain=True, server_default="https://x", default_digest=digest("https://x")
        ),
        FieldFacts("name_pattern", "namePattern", FilterPattern),
        FieldFacts("one", "one", FilterPattern, CHOICE),
    ]
    assert part.fields_by_key == {key: fact for fact in facts for key in (fact.name, fact.documented)}


@pytest.mark.parametrize(
    "annotation", [list[FilterPattern], dict[str, FilterPattern], FilterPattern | ServiceConnection | None]
)
def test_parts_in_a_list_a_mapping_or_a_union_are_refused(annotation: object) -> None:
    with pytest.raises(TypeError, match="parts: a part of a connection stands alone; choose one of several parts by"):
        type("Part", (ConnectionPart,), {"__annotations__": {"parts": annotation}, "__module__": __name__})


def test_a_field_that_is_not_known_is_secret(part: type[ConnectionPart]) -> None:
    assert part.fields_by_key["other"] == FieldFacts("other", "other")
    assert "other" not in part.fields_by_key


def test_the_part_of_a_field_is_its_model_or_the_one_that_is_chosen(part: type[ConnectionPart]) -> None:
    held = {name: part.fields_by_key[name].part_of({}) for name in part.model_fields}
    parts = dict.fromkeys(("name_pattern", "one"), FilterPattern)
    assert held == {**dict.fromkeys(part.model_fields), **parts}


def test_where_the_fields_of_a_part_go_in_a_config(part: type[ConnectionPart]) -> None:
    places = fields_at(part, "a", "b")
    assert places["host_name"] == places["hostName"] == ("a", "b", "hostName")
    assert len(places) == 9
