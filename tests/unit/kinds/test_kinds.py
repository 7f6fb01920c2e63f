"""Kinds are found by their collection, and what is wrong with a name is told with those that are known."""

from __future__ import annotations

from pathlib import Path

import pytest

from airflow_provider_collate import kinds
from airflow_provider_collate.exceptions import InvalidDeclarationError
from airflow_provider_collate.kinds import ServiceKind, find_kind, register_kind, registered_kinds
from airflow_provider_collate.models import CreateServiceRequest


def test_the_shipped_kind_is_found() -> None:
    kind = find_kind("mlmodelServices")
    assert (kind.label, kind.path) == ("ML model service", "/v1/services/mlmodelServices")
    assert kind in registered_kinds()


def test_a_kind_that_is_not_known_is_refused_with_those_that_are() -> None:
    with pytest.raises(InvalidDeclarationError, match='"mlmodelService" is not known; these are: mlmodelServices'):
        find_kind("mlmodelService")


def test_a_kind_is_loaded_from_its_module_when_it_is_first_asked_for(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "made_up_kind.py").write_text(
        "from airflow_provider_collate.kinds import ServiceKind, register_kind\n"
        "from airflow_provider_collate.models import CreateServiceRequest\n"
        "register_kind(ServiceKind('madeUpServices', 'made up', 'settings/made-up', CreateServiceRequest))\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(kinds, "_registered", {})
    monkeypatch.setattr(kinds, "_MODULES", {"madeUpServices": "made_up_kind"})
    assert find_kind("madeUpServices").label == "made up"
    assert [kind.collection for kind in registered_kinds()] == ["madeUpServices"]


def test_another_kind_is_registered_by_its_collection(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kinds, "_registered", {})
    other = register_kind(
        ServiceKind("otherServices", "other service", "settings/services/others", CreateServiceRequest)
    )
    assert find_kind("otherServices") is other
    assert list(other.secret_values("Any", {"config": {"type": "Any", "host": "h", "deep": [{"a": "b"}]}})) == [
        "h",
        "b",
    ]
