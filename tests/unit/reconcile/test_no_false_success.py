"""What would be easy to call a success, and is not."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import httpx
import pytest

from airflow_provider_collate.exceptions import AnswerError, RedirectError
from airflow_provider_collate.reconcile.scope import PruneScope
from airflow_provider_collate.sandbox import ANA
from tests.unit.reconcile.workbench import COLLECTION, Workbench, error_of, once, sagemaker, sklearn


def secret_of(bench: Workbench, name: str) -> Any:
    stored: Any = bench.catalog.services[name]
    return stored["connection"]["config"]["awsConfig"]["awsSecretAccessKey"]


class TestSecretsThatTheCatalogMasks:
    @pytest.mark.parametrize("status", [403, 503])
    def test_a_refused_write_of_them_is_a_failure(self, person: Workbench, status: int) -> None:
        person.run([sagemaker()])
        person.catalog.fail(None, status=status, method="PATCH")
        report = person.run([sagemaker(secret="second-secret-key")])
        assert report.counts == {"failed": 1}
        assert "written again" not in " ".join(report.notes)
        assert secret_of(person, "sage") == "first-secret-key"

    def test_a_fault_that_passes_is_made_good_in_the_same_run(self, person: Workbench) -> None:
        person.run([sagemaker()])
        person.catalog.fail(4, status=503, method="PATCH")
        report = person.run([sagemaker(secret="second-secret-key")])
        assert report.counts == {"updated": 1}
        assert secret_of(person, "sage") == "second-secret-key"

    @pytest.mark.parametrize("edit", [{"displayName": "By hand"}, {"description": "New"}])
    def test_an_edit_in_between_is_not_taken_for_it(self, person: Workbench, edit: dict[str, Any]) -> None:
        person.run([sagemaker(description="Old")])
        once(person, "PATCH", lambda: person.catalog.edit_service("sage", user=ANA, **edit))
        report = person.run([sagemaker(secret="second-secret-key", description="New")])
        assert report.counts == {"updated": 1}
        assert secret_of(person, "sage") == "second-secret-key"

    def test_a_creation_that_somebody_else_won_gets_the_declared_secret(self, person: Workbench) -> None:
        theirs = sagemaker(secret="their-secret-key")["connection"]
        once(person, "POST", lambda: person.catalog.add_service("sage", "SageMaker", connection=theirs))
        report = person.run([sagemaker()])
        assert report.counts == {"updated": 1}
        assert secret_of(person, "sage") == "first-secret-key"


class TestPruning:
    def run(self, bench: Workbench, *names: str, **options: Any) -> Any:
        scope = PruneScope(name_prefix="p_")
        rows = [sklearn(name) for name in names]
        return bench.run(rows, prune="hard", prune_scope=scope, max_prune=5, **options)

    def test_what_somebody_moved_out_of_the_scope_meanwhile_is_not_deleted(self, bot: Workbench) -> None:
        bot.run([sklearn("p_old", tags=["PII.None"]), sklearn("p_kept", tags=["PII.None"])])
        once(bot, "POST", lambda: bot.catalog.edit_service("p_old", user=ANA, tags=[], description="keep me"))
        rows = [sklearn(name, tags=["PII.None"]) for name in ("p_kept", "p_new")]
        report = bot.run(rows, prune="hard", prune_scope=PruneScope(tag="PII.None"), max_prune=5)
        assert report.counts == {"created": 1, "unchanged": 1, "failed": 1}
        assert "'p_old' left the prune scope meanwhile, and was not deleted" in str(report.error())
        assert "p_old" in bot.catalog.services

    def test_what_somebody_edited_meanwhile_is_looked_at_once_more_and_deleted(self, bot: Workbench) -> None:
        bot.run([sklearn("p_old"), sklearn("p_kept")])
        once(bot, "POST", lambda: bot.catalog.edit_service("p_old", user=ANA, displayName="Edited"))
        report = self.run(bot, "p_kept", "p_new")
        assert report.counts == {"created": 1, "unchanged": 1, "deleted": 1}
        assert len(bot.sent("DELETE")) == 1

    @pytest.mark.parametrize("choice", ["fail", "overwrite"])
    def test_a_service_that_somebody_made_in_place_of_the_old_one_stays(self, bot: Workbench, choice: str) -> None:
        bot.run([sklearn("p_old"), sklearn("p_kept")])

        def replace_it() -> None:
            bot.catalog.remove_service("p_old", hard=True)
            bot.catalog.add_service("p_old", "Sklearn", user=ANA)

        once(bot, "POST", replace_it)
        report = self.run(bot, "p_kept", "p_new", on_conflict=choice)
        assert report.counts == {"created": 1, "unchanged": 1, "deleted": 1}
        assert "p_old" in bot.catalog.services
        assert bot.sent("DELETE") == []

    def test_what_somebody_edits_again_and_again_is_left_to_airflows_retries(self, bot: Workbench) -> None:
        bot.run([sklearn("p_old"), sklearn("p_kept")])
        service_id = bot.catalog.services["p_old"]["id"]
        edits = iter(range(100))

        def before(seen: httpx.Request) -> None:
            if seen.url.path.endswith(f"/{service_id}"):
                bot.catalog.edit_service("p_old", user=ANA, displayName=f"Edit {next(edits)}")

        bot.before = before
        report = self.run(bot, "p_kept")
        assert report.counts == {"unchanged": 1, "failed": 1}
        assert error_of(report).retryable
        assert bot.sent("DELETE") == []

    def test_nothing_is_deleted_when_a_declared_service_failed(self, bot: Workbench) -> None:
        bot.run([sklearn("p_old")])
        bot.catalog.forbid(name="p_new")
        report = self.run(bot, "p_new")
        assert report.counts == {"failed": 1, "not_sent": 1}
        assert "p_old: not_sent: was not deleted, because declared services failed" in str(report.error())
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
        began = datetime.now(timezone.utc)
        old_bot.run([sklearn("a")])
        row = sklearn("a", tags=["Tier.Tier1"])
        assert old_bot.run([row], if_exists="fail").counts == {"failed": 1}
        assert old_bot.run([row], if_exists="fail", created_since=began).counts == {"updated": 1}

    def test_a_cleared_task_does_not_overwrite_what_another_run_has_created(self, bot: Workbench) -> None:
        bot.run([sklearn("a")])
        later = datetime.now(timezone.utc) + timedelta(minutes=5)
        report = bot.run([sklearn("a", displayName="New")], if_exists="fail", created_since=later)
        assert report.counts == {"failed": 1}
        assert "exists already" in str(report.error())
        assert bot.sent("PATCH") == []

    @pytest.mark.parametrize(
        "fault, error",
        [
            ({"body": '{"versions": ["{', "headers": {"Content-Type": "application/json"}}, AnswerError),
            ({"status": 302, "headers": {"Location": "https://login.example/"}}, RedirectError),
        ],
        ids=["cut off", "redirect"],
    )
    def test_a_history_that_breaks_off_makes_no_conflict(
        self, fault: dict[str, Any], error: type[Exception], bot: Workbench
    ) -> None:
        bot.catalog.add_service("team.sklearn", "Sklearn", description="Theirs", user=ANA)
        bot.catalog.fail(None, path="/versions$", **{"status": 200, **fault})
        with pytest.raises(error):
            bot.run([sklearn(description="Ours")])


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
        error = error_of(bot.run([sklearn("a"), sklearn("b")]))
        assert error.retryable
        assert "max_workers" in error.advice


class TestBulk:
    """A bulk request is a PUT: it replaces what somebody created since the plan, and answers as for a new service."""

    def run(self, bench: Workbench, **theirs: Any) -> Any:
        once(bench, "PUT", lambda: bench.catalog.add_service("a", "Sklearn", user=ANA, **theirs), "/bulk")
        return bench.run([sklearn("a", displayName="Ours", description="Ours"), sklearn("b")])

    def test_what_replaced_somebody_else_s_service_is_an_update_that_says_so(self, bot: Workbench) -> None:
        report = self.run(bot, description="Ours", connection={"config": {"type": "Sklearn"}})
        assert report.counts == {"created": 1, "updated": 1}
        assert "created by ana, 20" in str(report.rows[0])
        assert str(report.rows[0]).endswith("UTC since the plan; replaced: displayName")

    def test_what_was_as_declared_already_is_unchanged(self, bot: Workbench) -> None:
        report = self.run(bot, displayName="Ours", description="Ours", connection={"config": {"type": "Sklearn"}})
        assert report.counts == {"created": 1, "unchanged": 1}

    def test_what_they_wrote_and_keep_is_a_conflict_that_says_it_too(self, bot: Workbench) -> None:
        report = self.run(bot, displayName="Theirs", description="Theirs")
        assert report.counts == {"created": 1, "conflict": 1}
        assert "created by ana" in str(report.rows[0])

    def test_a_history_that_cannot_be_read_now_hides_nothing_either(self, bot: Workbench) -> None:
        bot.catalog.fail(None, path="/versions$", status=503)
        report = self.run(bot, connection={"config": {"type": "Sklearn"}})
        assert report.counts == {"created": 1, "updated": 1}
        assert "created by somebody else; its history cannot be read" in str(report.rows[0])

    def test_no_history_is_read_where_no_bulk_request_was_sent(self, old_bot: Workbench) -> None:
        assert old_bot.run([sklearn("a", tags=["PII.None"])]).counts == {"created": 1}
        assert not [seen for seen in old_bot.sent("GET") if seen.path.endswith("/versions")]

    def test_an_edit_after_our_own_creation_leaves_it_created(self, bot: Workbench) -> None:
        reads = iter(range(10))

        def before(seen: httpx.Request) -> None:
            if "a" in bot.catalog.services and next(reads) == 0:
                bot.catalog.edit_service("a", user=ANA, description="Later")

        bot.before = before
        assert bot.run([sklearn("a"), sklearn("b")]).counts == {"created": 2}

    def test_a_lost_answer_hides_nothing(self, bot: Workbench) -> None:
        bot.catalog.fail(1, path="/bulk$", lose_answer=True)
        assert self.run(bot).counts == {"created": 1, "updated": 1}
