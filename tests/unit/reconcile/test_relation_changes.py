"""Owners, domains, data products, the runner and the style: compared by id, decided by who chose them."""

from __future__ import annotations

import json
from typing import Any, ClassVar

import pytest
from pydantic import JsonValue

from airflow_provider_collate.models.history import History
from airflow_provider_collate.reconcile.changes import Action
from airflow_provider_collate.reconcile.field_change import Status
from tests.unit.reconcile.comparing import ME, compare, facts, history, operations, texts, version
from tests.unit.reconcile.workbench import shown

ANA: dict[str, Any] = {"id": "8a1f2b3c-0000-4000-8000-00000000000a", "type": "user", "name": "ana"}
TEAM: dict[str, Any] = {"id": "8a1f2b3c-0000-4000-8000-00000000000b", "type": "team", "name": "ml-platform"}
FRAUD: dict[str, Any] = {"id": "8a1f2b3c-0000-4000-8000-0000000000d1", "type": "domain", "name": "Fraud"}
RISK: dict[str, Any] = {"id": "8a1f2b3c-0000-4000-8000-0000000000d2", "type": "domain", "name": "Risk.Scores"}
OVERWRITE = facts(on_conflict="overwrite")


def sent(reference: dict[str, Any]) -> dict[str, JsonValue]:
    return {"id": reference["id"], "type": reference["type"]}


def owners(*references: dict[str, Any]) -> dict[str, Any]:
    """Return a declaration of owners as it stands when their names are looked up."""
    return {"owners": [reference["name"] for reference in references], "resolved": {"owners": list(references)}}


def chosen_by(user: str, *references: dict[str, Any], field: str = "owners") -> History:
    added = [{"name": field, "newValue": json.dumps(list(references))}]
    return history(version(0.2, user, fields={field: list(references)}, fieldsAdded=added), version(0.1, "admin"))


class TestOwners:
    def test_order_and_case_of_ids_do_not_count(self) -> None:
        upper = {**ANA, "id": ANA["id"].upper()}
        assert compare(shown(owners=[ANA, TEAM]), **owners(TEAM, upper)).fields == ()

    def test_our_own_choice_is_replaced_as_a_whole(self) -> None:
        change = compare(shown(owners=[ANA]), told=chosen_by(ME, ANA), **owners(TEAM))
        assert texts(change) == ["owners: [ana] → [ml-platform]"]
        assert operations(change) == [("add", "/owners", [sent(TEAM)])]

    def test_a_later_choice_of_somebody_else_is_kept(self) -> None:
        change = compare(shown(owners=[ANA]), told=chosen_by("eve", ANA), **owners(TEAM))
        assert change.action is Action.KEEP
        assert texts(change, Status.CONFLICT) == [
            "owners: [ana] (eve, 2025-11-20 14:03 UTC) is kept, [ml-platform] was declared"
        ]

    def test_first_owners_are_set(self) -> None:
        change = compare(shown(), told=history(version(0.1, "admin")), **owners(ANA))
        assert operations(change) == [("add", "/owners", [sent(ANA)])]

    @pytest.mark.parametrize("empty", [None, []])
    def test_an_explicit_empty_list_removes_them(self, empty: object) -> None:
        assert operations(compare(shown(owners=[ANA]), by=OVERWRITE, owners=empty)) == [("add", "/owners", [])]
        assert compare(shown(owners=[]), owners=empty).fields == ()

    @pytest.mark.parametrize("declared", [[], [ANA]])
    def test_what_is_inherited_may_be_declared_or_not(self, declared: list[dict[str, Any]]) -> None:
        assert compare(shown(owners=[{**ANA, "inherited": True}]), **owners(*declared)).fields == ()

    def test_an_old_release_holds_one_owner_and_shows_it_alone(self) -> None:
        old = facts("1.2.0", on_conflict="overwrite")
        assert compare(shown(owner=ANA), by=old, **owners(ANA)).fields == ()
        assert operations(compare(shown(owner=ANA), by=old, **owners(TEAM))) == [("add", "/owner", sent(TEAM))]
        assert operations(compare(shown(owner=ANA), by=old, owners=[])) == [("remove", "/owner", None)]


class TestDomains:
    DECLARED: ClassVar[dict[str, Any]] = {"domains": ["Risk.Scores"], "resolved": {"domains": [RISK]}}

    def test_they_are_compared_and_sent_by_id(self) -> None:
        there = {**RISK, "name": "Scores", "fullyQualifiedName": "Risk.Scores"}
        assert compare(shown(domains=[there]), **self.DECLARED).fields == ()
        change = compare(shown(domains=[FRAUD]), by=OVERWRITE, **self.DECLARED)
        assert texts(change) == ["domains: [Fraud] → [Risk.Scores]"]
        assert operations(change) == [("add", "/domains", [sent(RISK)])]

    def test_one_that_leaves_no_version_was_assigned_by_somebody_else(self) -> None:
        change = compare(shown(domains=[FRAUD]), told=history(version(0.1, ME)), **self.DECLARED)
        assert change.action is Action.KEEP

    def test_an_old_release_holds_one(self) -> None:
        change = compare(shown(domain=FRAUD), by=facts("1.2.0", on_conflict="overwrite"), **self.DECLARED)
        assert operations(change) == [("add", "/domain", sent(RISK))]


def test_data_products_and_the_runner_are_made_as_declared() -> None:
    product = {"id": FRAUD["id"], "type": "dataProduct", "name": "Fraud"}
    change = compare(shown(), resolved={"dataProducts": [product]}, dataProducts=["Fraud"], ingestionRunner=TEAM)
    assert operations(change) == [
        ("add", "/dataProducts", [sent(product)]),
        ("add", "/ingestionRunner", sent(TEAM)),
    ]
    assert texts(change)[1].startswith('ingestionRunner: "" → "')
    there = shown(ingestionRunner=TEAM)
    assert compare(there, ingestionRunner=TEAM).fields == ()
    gone = compare(there, ingestionRunner=None)
    assert operations(gone) == [("remove", "/ingestionRunner", None)]
    (text,) = texts(gone)
    assert text == f'ingestionRunner: "{TEAM.get("name") or TEAM["id"]}" → ""'


def test_the_style_is_compared_without_what_is_null() -> None:
    there = shown(style={"color": "#ff0000", "iconURL": None})
    assert compare(there, style={"color": "#ff0000"}).fields == ()
    change = compare(there, style={"color": "#00ff00"})
    assert operations(change) == [("add", "/style", {"color": "#00ff00"})]
    assert texts(change) == ["style: [color: #ff0000] → [color: #00ff00]"]
    assert operations(compare(there, style=None)) == [("remove", "/style", None)]
