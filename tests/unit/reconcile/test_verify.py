"""Success is what the catalog shows, not what the status code says."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import httpx
import pytest

from airflow_provider_collate.exceptions import ChangedMeanwhileError, ConflictError, NoAnswerError
from airflow_provider_collate.reconcile.report import Outcome, Report
from airflow_provider_collate.reconcile.scope import PruneScope
from tests.unit.reconcile.workbench import COLLECTION, Row, Workbench, mlflow, sagemaker, sklearn

NAME = "team.sklearn"


def once(bench: Workbench, method: str, act: Callable[[], object]) -> None:
    """Let something happen right before the first request of a method arrives."""

    def before(seen: httpx.Request) -> None:
        if seen.method == method:
            bench.before = lambda request: None
            act()

    bench.before = before


def outcomes(report: Report) -> list[Outcome]:
    return [row.outcome for row in report.rows]


class TestWhatWasNotApplied:
    def test_tags_that_a_post_dropped_are_patched(self, old_bot: Workbench) -> None:
        result = old_bot.run_one(sklearn(tags=["Tier.Tier1"]))
        assert result.outcome is Outcome.CREATED
        assert [tag["tagFQN"] for tag in old_bot.catalog.services[NAME]["tags"]] == ["Tier.Tier1"]  # type: ignore[attr-defined]
        assert [seen.method for seen in old_bot.writes()] == ["POST", "PATCH"]

    def test_a_kept_description_fails_the_run_and_names_the_ways_out(self, bot: Workbench) -> None:
        bot.catalog.add_service(NAME, "Sklearn", description="By hand")
        report = bot.run([sklearn(description="New"), sklearn("other")])
        assert report.counts == {"created": 1, "unapplied": 1}
        error = report.error()
        assert error is not None
        assert not error.retryable
        assert (
            "services[0] team.sklearn: unapplied: description: "
            '"By hand" stays, "New" was asked: a bot\'s PUT does not replace it' in error.message
        )
        assert 'on_unapplied="enforce"' in error.advice

    def test_what_is_known_to_be_kept_is_not_written_every_night(self, bot: Workbench) -> None:
        bot.catalog.add_service(NAME, "Sklearn", description="By hand", connection={"config": {"type": "Sklearn"}})
        bot.run([sklearn(description="New")])
        assert not bot.writes()

    def test_warn_reports_and_does_not_fail(self, bot: Workbench) -> None:
        bot.catalog.add_service(NAME, "Sklearn", description="By hand")
        report = bot.run([sklearn(description="New")], on_unapplied="warn")
        assert outcomes(report) == [Outcome.UNAPPLIED]
        assert report.error() is None

    def test_enforce_replaces_it(self, bot: Workbench) -> None:
        bot.catalog.add_service(NAME, "Sklearn", description="By hand")
        assert bot.run_one(sklearn(description="New"), on_unapplied="enforce").outcome is Outcome.UPDATED
        assert bot.catalog.services[NAME]["description"] == "New"

    def test_a_person_replaces_it(self, person: Workbench) -> None:
        person.catalog.add_service(NAME, "Sklearn", description="By hand")
        assert person.run_one(sklearn(description="New")).outcome is Outcome.UPDATED

    def test_the_rest_of_the_row_is_written_though_a_text_is_kept(self, bot: Workbench) -> None:
        bot.run([sklearn(description="By hand")])
        result = bot.run_one(sklearn(description="New", tags=["PII.None"]))
        assert result.outcome is Outcome.UNAPPLIED
        assert bot.catalog.services[NAME]["tags"]
        assert bot.catalog.services[NAME]["description"] == "By hand"

    def test_a_success_that_changed_nothing_is_found_out(self, bot: Workbench) -> None:
        bot.run([sklearn()])
        document = {"id": bot.catalog.services[NAME]["id"], "displayName": "New"}
        bot.catalog.fail(None, status=200, body=document, method="PATCH")
        result = bot.run_one(sklearn(displayName="New"))
        assert result.outcome is Outcome.UNAPPLIED
        assert result.changes == ('displayName: "" → "New"',)

    def test_a_created_service_that_is_not_there_is_a_failure(self, bot: Workbench) -> None:
        bot.catalog.fail(None, status=201, body={"id": "x", "name": NAME}, method="POST")
        report = bot.run([sklearn()])
        assert outcomes(report) == [Outcome.FAILED]
        error = report.error()
        assert error is not None
        assert "is not in the catalog, though the server answered the write with success" in str(error)
        assert error.retryable

    @pytest.mark.parametrize("prune", ["soft", "hard"])
    def test_a_pruned_service_that_is_still_there_is_a_failure(self, bot: Workbench, prune: str) -> None:
        bot.run([sklearn("s1"), sklearn("s2")])
        bot.catalog.fail(None, status=200, body={}, method="DELETE")
        report = bot.run([sklearn("s1")], prune=prune, prune_scope=PruneScope(name_prefix="s"), max_prune=1)
        assert outcomes(report) == [Outcome.UNCHANGED, Outcome.FAILED]
        assert "'s2' is still there" in str(report.error())

    def test_a_soft_deletion_is_no_hard_one(self, bot: Workbench) -> None:
        bot.run([sklearn("s1"), sklearn("s2")])
        once(bot, "DELETE", lambda: bot.catalog.remove_service("s2"))
        bot.catalog.fail(None, status=200, body={}, method="DELETE")
        report = bot.run([sklearn("s1")], prune="hard", prune_scope=PruneScope(name_prefix="s"), max_prune=1)
        assert outcomes(report) == [Outcome.UNCHANGED, Outcome.FAILED]


class TestLostAnswers:
    @pytest.mark.parametrize("fault", ["lose_answer", "break_body"])
    def test_of_a_post(self, anyone: Workbench, fault: str) -> None:
        ordered: dict[str, Any] = {fault: True}
        anyone.catalog.fail(1, method="POST", **ordered)
        assert anyone.run_one(sklearn(tags=["PII.None"]), if_exists="fail").outcome is Outcome.CREATED

    def test_of_every_post(self, bot: Workbench) -> None:
        bot.catalog.fail(None, method="POST", lose_answer=True)
        assert bot.run_one(sklearn(), if_exists="fail").outcome is Outcome.CREATED

    def test_of_a_patch(self, anyone: Workbench) -> None:
        anyone.run([sklearn()])
        anyone.catalog.fail(1, method="PATCH", lose_answer=True)
        assert anyone.run_one(sklearn(displayName="New")).outcome is Outcome.UPDATED

    def test_of_a_bulk_request(self, bot: Workbench) -> None:
        bot.catalog.fail(1, path="/bulk$", lose_answer=True)
        assert bot.run([sklearn("a"), sklearn("b")]).counts == {"created": 2}

    @pytest.mark.parametrize("prune", ["soft", "hard"])
    def test_of_a_deletion(self, anyone: Workbench, prune: str) -> None:
        anyone.run([sklearn("s1"), sklearn("s2")])
        anyone.catalog.fail(1, method="DELETE", lose_answer=True)
        report = anyone.run([sklearn("s1")], prune=prune, prune_scope=PruneScope(name_prefix="s"), max_prune=1)
        assert report.counts == {"unchanged": 1, "pruned": 1}

    def test_a_row_whose_faults_outlast_its_retries_is_tried_once_more(self, bot: Workbench) -> None:
        bot.catalog.fail(4, method="POST", status=503)
        assert bot.run_one(sklearn()).outcome is Outcome.CREATED
        assert len(bot.sent("POST")) == 5

    def test_a_fault_that_stays_is_the_row_s_own_error(self, bot: Workbench) -> None:
        bot.catalog.fail(None, method="POST", reset=True)
        error = bot.run([sklearn()]).error()
        assert isinstance(error, NoAnswerError)
        assert error.retryable


class TestMeanwhile:
    """Somebody works in the catalog between plan and write."""

    @pytest.mark.parametrize("options", [{"on_unapplied": "enforce"}, {}], ids=["enforce", "plain"])
    @pytest.mark.parametrize(
        "edit",
        [
            {"description": "Edited by Ana"},
            {"displayName": "Edited by Ana"},
            {"tags": ["PII.Sensitive"]},
            {"connection": {"config": {"type": "Sklearn", "supportsMetadataExtraction": False}}},
        ],
        ids=lambda edit: next(iter(edit)),
    )
    def test_an_edit_is_not_overwritten(self, anyone: Workbench, edit: dict[str, Any], options: dict[str, Any]) -> None:
        anyone.run([sklearn(description="Old")])
        once(anyone, "PATCH", lambda: anyone.catalog.edit_service(NAME, **edit))
        report = anyone.run([sklearn(tags=["PII.None"], **_enforced(options))], **options)
        (row,) = report.rows
        assert row.outcome is Outcome.FAILED
        assert isinstance(row.error, ChangedMeanwhileError)
        assert "changed by someone meanwhile" in str(report.error())
        assert len(anyone.sent("PATCH")) == 1
        service = anyone.catalog.services[NAME]
        for field, value in edit.items():
            shown = service[field]
            assert ([tag["tagFQN"] for tag in shown] if field == "tags" else shown) == value  # type: ignore[attr-defined]

    def test_an_edit_that_keeps_the_version_is_not_overwritten_either(self, bot: Workbench) -> None:
        """Within ten minutes of a person's edit, the same person's next one keeps the version (server source)."""
        bot.run([sklearn(description="Old")])

        stored = bot.catalog.state.store.get(NAME)
        assert stored is not None
        edited = replace(stored, description="Edited by Ana", updated_at=stored.updated_at + 1_000)
        once(bot, "PATCH", lambda: bot.catalog.state.store.keep(edited))
        assert bot.run_one(sklearn(tags=["PII.None"])).outcome is Outcome.FAILED
        assert bot.catalog.services[NAME]["description"] == "Edited by Ana"
        assert bot.catalog.services[NAME]["tags"] == []

    def test_the_next_run_plans_anew(self, bot: Workbench) -> None:
        bot.run([sklearn(description="Old")])
        once(bot, "PATCH", lambda: bot.catalog.edit_service(NAME, displayName="By Ana"))
        assert bot.run_one(sklearn(tags=["PII.None"])).outcome is Outcome.FAILED
        assert bot.run_one(sklearn(tags=["PII.None"])).outcome is Outcome.UPDATED
        assert bot.catalog.services[NAME]["displayName"] == "By Ana"

    def test_an_edit_that_makes_it_as_declared_is_a_success(self, bot: Workbench) -> None:
        bot.run([sklearn()])
        once(bot, "PATCH", lambda: bot.catalog.edit_service(NAME, tags=["PII.None"]))
        assert bot.run_one(sklearn(tags=["PII.None"])).outcome is Outcome.UPDATED

    @pytest.mark.parametrize(
        "choice, expected",
        [("update", Outcome.UPDATED), ("ignore", Outcome.IGNORED), ("fail", Outcome.FAILED)],
    )
    def test_a_service_that_someone_created_first(self, anyone: Workbench, choice: str, expected: Outcome) -> None:
        once(anyone, "POST", lambda: anyone.catalog.add_service(NAME, "Sklearn", displayName="By Ana"))
        result = anyone.run_one(sklearn(tags=["PII.None"]), if_exists=choice)
        assert result.outcome is expected
        assert isinstance(result.error, ConflictError) is (choice == "fail")
        service = anyone.catalog.services[NAME]
        assert service["displayName"] == "By Ana"
        assert bool(service["tags"]) is (choice == "update")

    def test_a_service_of_another_type_that_someone_created_first(self, bot: Workbench) -> None:
        once(bot, "POST", lambda: bot.catalog.add_service(NAME, "Mlflow"))
        report = bot.run([sklearn()])
        assert outcomes(report) == [Outcome.FAILED]
        assert "is a Mlflow service, and a service's type cannot be changed" in str(report.error())

    def test_a_service_that_someone_deleted_first(self, bot: Workbench) -> None:
        bot.run([sklearn()])
        once(bot, "PATCH", lambda: bot.catalog.remove_service(NAME, hard=True))
        assert outcomes(bot.run([sklearn(displayName="New")])) == [Outcome.UPDATED]
        assert bot.catalog.services[NAME]["displayName"] == "New"


class TestSecrets:
    def test_masked_ones_are_counted_and_the_report_says_so(self, person: Workbench) -> None:
        person.run([sagemaker("a"), sagemaker("b")])
        report = person.run([sagemaker("a", secret="another"), sagemaker("b")])
        assert report.counts == {"unchanged": 2}
        assert report.unreadable_secrets == 2
        assert report.to_json()["unreadable_secrets"] == 2
        assert (
            "2 declared secrets are shown masked to this token, so whether they are as declared is not known; "
            "rewrite_secrets=True writes them again" in report.log_lines()
        )

    def test_they_are_rewritten_when_asked_and_judged_by_the_rest(self, person: Workbench) -> None:
        person.run([sagemaker()])
        result = person.run_one(sagemaker(secret="another"), rewrite_secrets=True)
        assert result.outcome is Outcome.UPDATED
        assert result.changes == ("connection.config.awsConfig.awsSecretAccessKey: masked, written again",)
        assert _secret(person) == "another"

    def test_they_go_along_with_another_change(self, person: Workbench) -> None:
        person.run([sagemaker()])
        assert person.run_one(sagemaker(secret="another", displayName="Sage")).outcome is Outcome.UPDATED
        assert _secret(person) == "another"

    def test_a_bot_reads_and_compares_them(self, bot: Workbench) -> None:
        bot.run([sagemaker()])
        result = bot.run_one(sagemaker(secret="canary-another"))
        assert result.outcome is Outcome.UPDATED
        assert _secret(bot) == "canary-another"
        assert "canary" not in repr(result)


class TestRequests:
    def test_one_new_service_takes_three(self, bot: Workbench) -> None:
        bot.run([sklearn()])
        assert [seen.method for seen in bot.sent() if seen.path.startswith(COLLECTION)] == ["GET", "POST", "GET"]

    def test_no_change_in_many_takes_one_list(self, bot: Workbench) -> None:
        rows: list[Row] = [sklearn(f"s{n}") for n in range(240)]
        bot.run(rows)
        bot.catalog.requests.clear()
        bot.run(rows)
        assert [(seen.method, seen.path) for seen in bot.sent()] == [("GET", COLLECTION)]

    def test_what_changed_is_read_again_and_nothing_else(self, bot: Workbench) -> None:
        rows: list[Row] = [sklearn(f"s{n:03}") for n in range(240)]
        bot.run(rows)
        bot.catalog.requests.clear()
        bot.run([*rows[:-2], sklearn("s238", tags=["PII.None"]), sklearn("s239", tags=["PII.None"])])
        gets = [seen.path.removeprefix(COLLECTION) for seen in bot.sent("GET") if seen.path.startswith(COLLECTION)]
        assert sorted(gets) == ["", "/name/s238", "/name/s239"]
        assert len(bot.writes()) == 2

    def test_writes_are_of_declared_fields_only(self, anyone: Workbench) -> None:
        anyone.run([mlflow(description="Kept", displayName="Kept", tags=["PII.None"])])
        anyone.catalog.requests.clear()
        anyone.run([mlflow(tracking="http://other:5000")])
        (patch,) = anyone.sent("PATCH")
        assert {step["path"] for step in json.loads(patch.content) if step["op"] != "test"} == {
            "/connection/config/trackingUri"
        }


def _enforced(options: dict[str, Any]) -> dict[str, Any]:
    return {"description": "New"} if options else {}


def _secret(bench: Workbench) -> object:
    return bench.catalog.services["sage"]["connection"]["config"]["awsConfig"]["awsSecretAccessKey"]  # type: ignore[index]
