"""Tags are merged: declared ones are there, our own undeclared ones go, and those of others stay."""

from __future__ import annotations

import json
from typing import Any

import pytest

from airflow_provider_collate.models.history import History
from airflow_provider_collate.reconcile.changes import Action
from airflow_provider_collate.reconcile.comparison import classification_of
from airflow_provider_collate.reconcile.field_change import Status
from tests.unit.reconcile.comparing import ME, compare, facts, history, operations, texts, version
from tests.unit.reconcile.workbench import shown


def tag(fqn: str, label_type: str = "Manual", state: str = "Confirmed", **more: str) -> dict[str, str]:
    return {"tagFQN": fqn, "source": "Classification", "labelType": label_type, "state": state, **more}


def added_by(user: str, *tags: dict[str, str]) -> History:
    """Return a history in which a user has added tags after somebody else had created the service."""
    added = [{"name": "tags", "newValue": json.dumps(list(tags))}]
    return history(version(0.2, user, fields={"tags": list(tags)}, fieldsAdded=added), version(0.1, "admin"))


class TestMerging:
    def test_order_does_not_count(self) -> None:
        service = shown(tags=[tag("Tier.Tier1"), tag("PII.None")])
        assert compare(service, tags=["PII.None", "Tier.Tier1"]).fields == ()

    def test_a_declared_tag_is_added_beside_those_of_others(self) -> None:
        there = tag("PII.None")
        change = compare(shown(tags=[there]), told=added_by("ana", there), tags=["Tier.Tier1"])
        assert operations(change) == [("add", "/tags", [tag("Tier.Tier1"), there])]
        assert texts(change) == ["tags: [PII.None] → [PII.None, Tier.Tier1]"]
        assert texts(change, Status.LEFT) == [
            "tags: [PII.None (ana, 2025-11-20 14:03 UTC)] not declared, set by others, and kept"
        ]

    def test_our_own_undeclared_tag_goes(self) -> None:
        there = tag("PII.None")
        change = compare(shown(tags=[there]), told=added_by(ME, there), tags=["Tier.Tier1"])
        assert operations(change) == [("add", "/tags", [tag("Tier.Tier1")])]
        assert texts(change) == ["tags: [PII.None] → [Tier.Tier1]"]

    def test_whose_they_are_is_not_known_without_the_history(self) -> None:
        change = compare(shown(tags=[tag("PII.None")]), tags=["Tier.Tier1"])
        assert change.is_undecided

    def test_who_applied_a_tag_is_believed_where_the_server_shows_it(self) -> None:
        mine, theirs = tag("PII.None", appliedBy=ME), tag("PII.Sensitive", appliedBy="ana")
        change = compare(shown(tags=[mine, theirs]), told=history(), tags=[])
        assert operations(change) == [("add", "/tags", [tag("PII.Sensitive")])]

    def test_only_tags_of_others_are_no_change(self) -> None:
        there = tag("PII.None")
        change = compare(shown(tags=[there, tag("Tier.Tier1")]), told=added_by("ana", there), tags=["Tier.Tier1"])
        assert change.action is Action.NONE

    @pytest.mark.parametrize("empty", [None, []])
    def test_an_empty_list_takes_our_own_and_leaves_the_others(self, empty: object) -> None:
        mine, theirs = tag("PII.None", appliedBy=ME), tag("PII.Sensitive", appliedBy="ana")
        change = compare(shown(tags=[mine, theirs]), told=history(), tags=empty)
        assert operations(change) == [("add", "/tags", [tag("PII.Sensitive")])]

    def test_overwriting_makes_the_list_the_whole_list(self) -> None:
        change = compare(shown(tags=[tag("PII.None")]), by=facts(on_conflict="overwrite"), tags=["Tier.Tier1"])
        assert operations(change) == [("add", "/tags", [tag("Tier.Tier1")])]

    def test_a_tag_given_twice_is_sent_once(self) -> None:
        assert operations(compare(shown(), tags=["PII.None", "PII.None"])) == [("add", "/tags", [tag("PII.None")])]

    def test_a_glossary_term_is_not_a_tag_of_the_same_name(self) -> None:
        term: dict[str, Any] = {**tag("PII.None"), "source": "Glossary"}
        assert compare(shown(tags=[term]), by=facts(on_conflict="overwrite"), tags=["PII.None"]).writable
        assert not compare(shown(tags=[term]), tags=["glossary:PII.None"]).fields


class TestTagsThatAreNotOurs:
    @pytest.mark.parametrize(
        "there", [tag("PII.None", "Derived"), tag("PII.None", "Propagated"), tag("PII.None", state="Suggested")]
    )
    def test_are_not_counted_and_survive_a_patch(self, there: dict[str, str]) -> None:
        assert compare(shown(tags=[there]), tags=[]).fields == ()
        ((_, _, value),) = operations(compare(shown(tags=[there]), tags=["Tier.Tier2"]))
        assert value == [tag("Tier.Tier2"), there]

    def test_a_declared_tag_that_is_there_as_derived_is_there(self) -> None:
        assert compare(shown(tags=[tag("PII.None", "Derived")]), tags=["PII.None"]).fields == ()

    def test_another_label_type_than_the_one_given_is_told(self) -> None:
        declared = [{"tagFQN": "PII.None", "labelType": "Automated"}]
        change = compare(shown(tags=[tag("PII.None")]), tags=declared)
        assert change.action is Action.NONE
        assert texts(change, Status.IGNORED) == [
            "tags: PII.None is there with labelType Manual, which no write turns into Automated"
        ]
        assert compare(shown(tags=[tag("PII.None", "Automated")]), tags=declared).fields == ()

    def test_a_suggested_tag_is_not_a_confirmed_one(self) -> None:
        change = compare(shown(tags=[tag("PII.None", state="Suggested")]), tags=["PII.None"])
        assert texts(change) == ["tags: [PII.None (suggested)] → [PII.None]"]


class TestTagsThatExcludeEachOther:
    THEIRS = tag("Tier.Tier2", appliedBy="ana")

    def test_a_tag_of_somebody_else_keeps_a_declared_one_out(self) -> None:
        change = compare(
            shown(tags=[self.THEIRS]), told=history(), exclusive=frozenset({"Tier"}), tags=["Tier.Tier1", "PII.None"]
        )
        assert texts(change, Status.CONFLICT) == [
            "tags: Tier.Tier2 (ana) is kept, Tier.Tier1 was declared; Tier allows one tag"
        ]
        assert operations(change) == [("add", "/tags", [tag("PII.None"), tag("Tier.Tier2")])]

    def test_our_own_is_replaced(self) -> None:
        mine = tag("Tier.Tier2", appliedBy=ME)
        change = compare(shown(tags=[mine]), told=history(), exclusive=frozenset({"Tier"}), tags=["Tier.Tier1"])
        assert operations(change) == [("add", "/tags", [tag("Tier.Tier1")])]

    def test_in_any_other_classification_both_stand(self) -> None:
        change = compare(shown(tags=[self.THEIRS]), told=history(), tags=["Tier.Tier1"])
        assert operations(change) == [("add", "/tags", [tag("Tier.Tier1"), tag("Tier.Tier2")])]


@pytest.mark.parametrize(
    "fqn, source, name",
    [
        ("Tier.Tier1", "Classification", "Tier"),
        ("A.b.c", "Classification", "A.b"),
        ('A."b.c"', "Classification", "A"),
        ('"a.b".c', "Classification", '"a.b"'),
        ("Tier", "Classification", ""),
        ("Business.Churn", "Glossary", ""),
    ],
)
def test_only_a_tag_is_in_something_that_may_allow_one(fqn: str, source: str, name: str) -> None:
    assert classification_of(fqn, source) == name
