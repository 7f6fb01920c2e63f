"""What would be easy to call a success, and is none."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from airflow_provider_collate.reconcile.report import Outcome
from airflow_provider_collate.reconcile.scope import PruneScope
from tests.unit.reconcile.workbench import COLLECTION, Workbench, sagemaker, sklearn


def once(bench: Workbench, method: str, act: Callable[[], object], path: str = "") -> None:
    """Let something happen right before the first such request arrives."""

    def before(seen: httpx.Request) -> None:
        if seen.method == method and seen.url.path.endswith(path):
            bench.before = lambda request: None
            act()

    bench.before = before


def secret_of(bench: Workbench, name: str) -> Any:
    stored: Any = bench.catalog.services[name]
    return stored["connection"]["config"]["awsConfig"]["awsSecretAccessKey"]


class TestSecretsThatTheCatalogMasks:
    @pytest.mark.parametrize("status", [403, 503])
    def test_a_refused_write_of_them_is_a_failure(self, person: Workbench, status: int) -> None:
        person.run([sagemaker()])
        person.catalog.fail(None, status=status, method="PATCH")
        report = person.run([sagemaker(secret="second-secret-key")], rewrite_secrets=True)
        assert report.counts == {"failed": 1}
        assert "written again" not in " ".join(report.notes)
        assert secret_of(person, "sage") == "first-secret-key"

    def test_a_fault_that_passes_is_made_good_in_the_same_run(self, person: Workbench) -> None:
        person.run([sagemaker()])
        person.catalog.fail(4, status=503, method="PATCH")
        report = person.run([sagemaker(secret="second-secret-key")], rewrite_secrets=True)
        assert report.counts == {"updated": 1}
        assert secret_of(person, "sage") == "second-secret-key"

    def test_an_edit_in_between_is_not_taken_for_it(self, person: Workbench) -> None:
        person.run([sagemaker()])
        once(person, "PATCH", lambda: person.catalog.edit_service("sage", displayName="By hand"))
        report = person.run([sagemaker(secret="second-secret-key")], rewrite_secrets=True)
        assert report.counts == {"failed": 1}
        assert "changed by someone meanwhile" in str(report.error())

    def test_nor_is_somebody_else_s_same_description(self, person: Workbench) -> None:
        person.run([sagemaker(description="Old")])
        once(person, "PATCH", lambda: person.catalog.edit_service("sage", description="New"))
        report = person.run([sagemaker(secret="second-secret-key", description="New")])
        assert report.counts == {"failed": 1}
        assert secret_of(person, "sage") == "first-secret-key"

    def test_a_creation_that_somebody_else_won_gets_the_declared_secret(self, person: Workbench) -> None:
        theirs = sagemaker(secret="their-secret-key")["connection"]
        once(person, "POST", lambda: person.catalog.add_service("sage", "SageMaker", connection=theirs))
        report = person.run([sagemaker()])
        assert report.counts == {"updated": 1}
        assert secret_of(person, "sage") == "first-secret-key"

    def test_a_mask_does_not_become_a_new_service_s_password(self, bot: Workbench) -> None:
        report = bot.run([sagemaker(secret="*********")])
        assert report.counts == {"failed": 1}
        assert "has the mask" in str(report.error())
        assert bot.writes() == []


class TestPruning:
    def run(self, bench: Workbench, *names: str) -> Any:
        scope = PruneScope(name_prefix="p_")
        return bench.run([sklearn(name) for name in names], prune="hard", prune_scope=scope, max_prune=5)

    def test_what_somebody_changed_meanwhile_is_not_deleted(self, bot: Workbench) -> None:
        bot.run([sklearn("p_old"), sklearn("p_kept")])
        once(bot, "POST", lambda: bot.catalog.edit_service("p_old", description="keep me"))
        report = self.run(bot, "p_kept", "p_new")
        assert report.counts == {"created": 1, "unchanged": 1, "failed": 1}
        assert "'p_old' was changed by someone meanwhile, and is not pruned" in str(report.error())
        assert "p_old" in bot.catalog.services

    def test_nothing_is_deleted_when_a_declared_service_failed(self, bot: Workbench) -> None:
        bot.run([sklearn("p_old")])
        bot.catalog.forbid(name="p_new")
        report = self.run(bot, "p_new")
        assert report.counts == {"failed": 2}
        assert "p_old: failed: is not pruned, because declared services failed" in str(report.error())
        assert "p_old" in bot.catalog.services


class TestCreating:
    def test_a_person_s_token_sends_no_bulk_request_that_would_clear_texts(self, person: Workbench) -> None:
        once(person, "POST", lambda: person.catalog.add_service("a", "Sklearn", description="By hand"))
        report = person.run([sklearn("a"), sklearn("b")])
        assert report.error() is None
        assert person.catalog.services["a"]["description"] == "By hand"
        assert person.sent("PUT") == []

    def test_under_fail_a_stranger_after_a_lost_answer_is_left_alone(self, bot: Workbench) -> None:
        bot.catalog.fail(1, status=503, method="POST", path=f"{COLLECTION}$")
        posts: list[httpx.Request] = []

        def before(seen: httpx.Request) -> None:
            posts.extend([seen] if seen.method == "POST" else [])
            if len(posts) == 2 and "a" not in bot.catalog.services:
                bot.catalog.add_service("a", "Sklearn", tags=["PII.None"], version=0.4)

        bot.before = before
        report = bot.run([sklearn("a", tags=["Tier.Tier1"])], if_exists="fail")
        assert report.counts == {"failed": 1}
        assert "exists already" in str(report.error())
        assert bot.sent("PATCH") == []

    def test_a_worker_that_died_before_the_tags_goes_on_at_the_next_attempt(self, old_bot: Workbench) -> None:
        old_bot.run([sklearn("a")])
        row = sklearn("a", tags=["Tier.Tier1"])
        assert old_bot.run([row], if_exists="fail").counts == {"failed": 1}
        assert old_bot.run([row], if_exists="fail", retried=True).counts == {"updated": 1}

    def test_ignore_does_not_hide_a_service_of_another_type(self, bot: Workbench) -> None:
        once(bot, "POST", lambda: bot.catalog.add_service("a", "Mlflow"))
        assert bot.run([sklearn("a")], if_exists="ignore").counts == {"failed": 1}


class TestGivingUp:
    def test_refused_rows_of_a_bulk_answer_are_no_sign_of_a_dead_server(self, bot: Workbench) -> None:
        rows = [sklearn(f"s{n:02}") for n in range(30)]
        bad = {f"s{n:02}": (500, "broken") for n in range(12)}
        bot.catalog.fail(None, path="/bulk$", bulk_rows=bad)
        bot.catalog.fail(None, path=f"{COLLECTION}$", method="POST", status=400, body={"code": 400, "message": "no"})
        report = bot.run(rows)
        assert report.counts["created"] == 18
        assert report.abort is None

    def test_a_row_that_is_refused_for_now_is_retried_by_airflow_and_says_what_to_do(self, bot: Workbench) -> None:
        bot.catalog.fail(None, path="/bulk$", bulk_rows={"a": (429, "too many")})
        bot.catalog.fail(None, path=f"{COLLECTION}$", method="POST", status=429)
        error = bot.run([sklearn("a"), sklearn("b")]).error()
        assert error is not None
        assert error.retryable
        assert "max_workers" in error.advice


def test_a_partly_applied_row_says_what_was_written(bot: Workbench) -> None:
    bot.run([sklearn(description="By hand")])
    row = bot.run([sklearn(description="New", tags=["Tier.Tier1"])], on_unapplied="warn").rows[0]
    assert row.outcome is Outcome.UNAPPLIED
    assert row.wrote
    assert row.changes[-1] == "tags: [] → [Tier.Tier1] (written)"
