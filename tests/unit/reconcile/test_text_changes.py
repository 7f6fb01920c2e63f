"""Descriptions and display names: what counts as stored, and whose text may be replaced."""

from __future__ import annotations

from typing import Any

import pytest

from airflow_provider_collate.reconcile.changes import Action
from airflow_provider_collate.reconcile.field_change import Status, one_line
from tests.unit.reconcile.comparing import ME, compare, facts, history, operations, text_set_by, texts, version
from tests.unit.reconcile.workbench import shown

TEXTS = ("description", "displayName")


def differing(field: str = "description") -> dict[str, Any]:
    return {"service": shown(**{field: "By hand"}), field: "New"}


class TestWhoseTextItIs:
    @pytest.mark.parametrize("field", TEXTS)
    def test_without_the_history_it_is_not_known(self, field: str) -> None:
        change = compare(**differing(field))
        assert change.is_undecided
        assert not change.writable

    @pytest.mark.parametrize("field", TEXTS)
    def test_our_own_is_replaced_under_a_test_of_the_old_one(self, field: str) -> None:
        change = compare(**differing(field), told=text_set_by(ME, "By hand", field))
        assert change.action is Action.UPDATE
        assert texts(change) == [f'{field}: "By hand" → "New"']
        assert operations(change) == [("test", f"/{field}", "By hand"), ("add", f"/{field}", "New")]

    @pytest.mark.parametrize("field", TEXTS)
    def test_somebody_else_s_is_kept_and_the_text_says_whose_and_since_when(self, field: str) -> None:
        change = compare(**differing(field), told=text_set_by("ana", "By hand", field))
        assert change.action is Action.KEEP
        assert texts(change, Status.CONFLICT) == [
            f'{field}: "By hand" (ana, 2025-11-20 14:03 UTC) is kept, "New" was declared'
        ]
        assert operations(change) == []

    def test_somebody_else_s_is_replaced_when_that_is_asked_without_a_look_at_the_history(self) -> None:
        change = compare(**differing(), by=facts(on_conflict="overwrite"))
        assert operations(change) == [("test", "/description", "By hand"), ("add", "/description", "New")]

    def test_what_the_history_does_not_show_is_somebody_else_s(self) -> None:
        change = compare(**differing(), told=history())
        assert change.action is Action.KEEP
        assert "by somebody else" in texts(change, Status.CONFLICT)[0]

    def test_a_first_text_is_written(self) -> None:
        change = compare(shown(), told=history(version(0.1, "ana")), description="New")
        assert operations(change) == [("add", "/description", "New")]

    def test_a_text_that_somebody_emptied_stays_empty(self) -> None:
        emptied = [{"name": "description", "oldValue": "Ours"}]
        told = history(version(0.2, "ana", fieldsDeleted=emptied), version(0.1, ME, fields={"description": "Ours"}))
        change = compare(shown(), told=told, description="Ours")
        assert change.action is Action.KEEP
        assert "ana" in texts(change, Status.CONFLICT)[0]

    def test_a_conflict_on_one_field_does_not_keep_another_from_being_written(self) -> None:
        service = shown(description="By hand")
        told = text_set_by("ana", "By hand")
        change = compare(
            service, told=told, description="New", connection={"config": {"supportsMetadataExtraction": False}}
        )
        assert change.action is Action.UPDATE
        assert [path for _, path, _ in operations(change)] == ["/connection/config/supportsMetadataExtraction"]
        assert len(change.conflicts) == 1


class TestWhatCountsAsEqual:
    def test_what_is_not_declared(self) -> None:
        assert compare(shown(description="By hand", displayName="Team")).fields == ()

    @pytest.mark.parametrize("empty", [None, ""])
    @pytest.mark.parametrize("there", [None, ""])
    def test_empty_however_it_is_written(self, empty: str | None, there: str | None) -> None:
        assert compare(shown(description=there), description=empty).fields == ()

    @pytest.mark.parametrize("empty", [None, ""])
    def test_an_explicit_empty_text_removes(self, empty: str | None) -> None:
        change = compare(shown(description="Old"), told=text_set_by(ME, "Old"), description=empty)
        assert operations(change) == [("test", "/description", "Old"), ("remove", "/description", None)]

    @pytest.mark.parametrize("release, differs", [("1.12.14", True), ("1.13.0", False), ("2.0.7", False), ("", False)])
    def test_the_stored_form_on_servers_that_sanitise(self, release: str, differs: bool) -> None:
        change = compare(shown(description="Bob&#39;s"), by=facts(release), description="Bob's")
        assert bool(change.fields) is differs

    def test_a_display_name_is_not_sanitised(self) -> None:
        assert compare(shown(displayName="Bob&#39;s"), displayName="Bob's").fields


def test_long_texts_are_shown_where_they_differ_on_one_line_and_bounded() -> None:
    old, new = f"{'a' * 100} old end", f"{'a' * 100} new\nend {'x' * 500}"
    change = compare(shown(description=old), by=facts(on_conflict="overwrite"), description=new)
    assert texts(change) == [f'description: "…{"a" * 19} old end" → "…{"a" * 19} new end {"x" * 30}…"']


def test_a_long_text_that_only_goes_on_is_shown_from_its_old_end() -> None:
    old, new = "a" * 100, f"{'a' * 100} and more"
    change = compare(shown(description=old), told=text_set_by(ME, old), description=new)
    assert texts(change) == [f'description: "…{"a" * 20}" → "…{"a" * 20} and more"']


def test_a_text_is_shown_on_one_line_without_what_a_terminal_obeys() -> None:
    assert one_line("a\x1b[31m\u202eb\nc", 20) == "a [31m b c"
    assert [one_line("x" * 5, 5), one_line("x" * 6, 5)] == ["xxxxx", "xxxx…"]
