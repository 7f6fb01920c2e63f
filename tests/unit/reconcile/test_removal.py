"""Removing one service."""

from __future__ import annotations

import pytest

from airflow_provider_collate.client.kinds import ML_MODEL
from airflow_provider_collate.exceptions import OutcomeError
from airflow_provider_collate.reconcile.removal import remove_service
from airflow_provider_collate.reconcile.report import Outcome, RowResult
from tests.unit.reconcile.workbench import Workbench, sklearn


def remove(bench: Workbench, name: str = "team.sklearn", *, hard: bool = False) -> RowResult | None:
    return remove_service(bench.client(), ML_MODEL, name, hard=hard)


@pytest.mark.parametrize("hard", [False, True])
def test_it_is_gone(anyone: Workbench, hard: bool) -> None:
    anyone.run([sklearn()])
    result = remove(anyone, hard=hard)
    assert result is not None
    assert result.outcome is Outcome.DELETED
    assert result.fqn == '"team.sklearn"'
    assert set(anyone.catalog.services) == set()
    assert set(anyone.catalog.deleted) == (set() if hard else {"team.sklearn"})


@pytest.mark.parametrize("hard", [False, True])
def test_the_models_in_it_go_with_it_and_come_back(anyone: Workbench, hard: bool) -> None:
    anyone.run([sklearn("a")])
    anyone.catalog.add_model("a", "churn")
    assert remove(anyone, "a", hard=hard) is not None
    assert anyone.catalog.models == []
    anyone.run([sklearn("a")])
    assert anyone.catalog.models == ([] if hard else ["a.churn"])


@pytest.mark.parametrize("hard", [False, True])
def test_there_is_nothing_to_remove(anyone: Workbench, hard: bool) -> None:
    assert remove(anyone, hard=hard) is None
    assert not anyone.writes()


def test_what_is_soft_deleted_is_removed_again_only_for_good(bot: Workbench) -> None:
    bot.run([sklearn()])
    assert remove(bot) is not None
    assert remove(bot) is None
    assert remove(bot, hard=True) is not None
    assert set(bot.catalog.deleted) == set()


@pytest.mark.parametrize("hard", [False, True])
def test_a_lost_answer_is_settled(anyone: Workbench, hard: bool) -> None:
    anyone.run([sklearn()])
    anyone.catalog.fail(1, method="DELETE", lose_answer=True)
    assert remove(anyone, hard=hard) is not None
    assert set(anyone.catalog.services) == set()


@pytest.mark.parametrize("hard", [False, True])
def test_a_success_that_did_nothing_is_found_out(bot: Workbench, hard: bool) -> None:
    bot.run([sklearn()])
    bot.catalog.fail(1, status=200, body={}, method="DELETE")
    with pytest.raises(OutcomeError, match="still there, though the server answered its deletion with success") as seen:
        remove(bot, hard=hard)
    assert seen.value.retryable


def test_links_point_where_something_is(bot: Workbench) -> None:
    bot.run([sklearn("a"), sklearn("b")])
    soft, hard = remove(bot, "a"), remove(bot, "b", hard=True)
    assert soft is not None
    assert hard is not None
    assert soft.url == "http://catalog.example/service/mlmodelServices/a"
    assert hard.url == "http://catalog.example/settings/services/mlmodels"
