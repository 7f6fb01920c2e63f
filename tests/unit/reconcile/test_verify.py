"""Success is what the catalog shows, not what the status code says."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import Any

import httpx
import pytest

from airflow_provider_collate.exceptions import ChangedMeanwhileError, NoAnswerError
from airflow_provider_collate.reconcile.report import Outcome, Report
from airflow_provider_collate.reconcile.scope import PruneScope
from airflow_provider_collate.sandbox import ANA
from tests.unit.reconcile.workbench import COLLECTION, Row, Workbench, error_of, mlflow, once, sagemaker, sklearn

NAME = "team.sklearn"


# OpenMetadata 1.2 changes nothing of a service that it has stored without one.
CONNECTION = {"config": {"type": "Sklearn"}}


def outcomes(report: Report) -> list[Outcome]:
    return [row.outcome for row in report.rows]


class TestWhatWasNotApplied:
    def test_tags_that_a_post_dropped_are_patched(self, old_bot: Workbench) -> None:
        result = old_bot.run_one(sklearn(tags=["Tier.Tier1"]))
        assert result.outcome is Outcome.CREATED
        assert [tag["tagFQN"] for tag in old_bot.catalog.services[NAME]["tags"]] == ["Tier.Tier1"]  # type: ignore[attr-defined]
        assert [seen.method for seen in old_bot.writes()] == ["POST", "PATCH"]

    def test_a_classification_is_asked_for_once(self, old_bot: Workbench) -> None:
        """Two declared tags of it ask before the plan, a person's tag beside a declared one asks while it is made."""
        one, two = (old_bot.catalog.add_tag(fqn).fqn for fqn in ("Use.One", "Use.Two"))
        old_bot.catalog.add_service(NAME, "Sklearn", user=ANA, tags=[one], connection=CONNECTION)
        report = old_bot.run([sklearn(tags=[two]), sklearn("other", tags=[one, two])])
        assert report.counts == {"created": 1, "updated": 1}
        asked = [seen.path for seen in old_bot.sent("GET") if "/classifications/" in seen.path]
        assert asked == ["/api/v1/classifications/name/Use"]

    def test_a_tag_that_a_person_s_tag_excludes_is_a_conflict(self, old_bot: Workbench) -> None:
        theirs = {"tagFQN": "Tier.Tier2", "source": "Classification", "labelType": "Manual", "state": "Confirmed"}
        old_bot.catalog.add_service(NAME, "Sklearn", user=ANA, tags=[theirs], connection=CONNECTION)
        result = old_bot.run_one(sklearn(tags=["Tier.Tier1"]))
        assert result.outcome is Outcome.CONFLICT
        assert "Tier.Tier1 was declared; Tier allows one tag" in str(result)
        assert not [seen for seen in old_bot.writes() if "/tags" in str(seen.body)]

    def test_a_person_s_description_fails_the_run_and_the_error_names_the_ways_out(self, anyone: Workbench) -> None:
        anyone.catalog.add_service(NAME, "Sklearn", user=ANA, description="By hand", connection=CONNECTION)
        report = anyone.run([sklearn(description="New"), sklearn("other")])
        assert report.counts == {"created": 1, "conflict": 1}
        error = error_of(report)
        assert not error.retryable
        assert 'services[0] team.sklearn: conflict: description: "By hand" (ana, 20' in error.message
        assert 'UTC) is kept, "New" was declared' in error.message
        assert 'on_conflict="keep"' in error.advice
        assert anyone.catalog.services[NAME]["description"] == "By hand"

    def test_keep_warns_and_does_not_fail(self, bot: Workbench, caplog: pytest.LogCaptureFixture) -> None:
        bot.catalog.add_service(NAME, "Sklearn", user=ANA, description="By hand")
        with caplog.at_level(logging.WARNING):
            report = bot.run([sklearn(description="New")], on_conflict="keep")
        assert 'team.sklearn: kept: description: "By hand"' in caplog.text
        assert report.counts == {"kept": 1}
        assert report.error() is None
        assert bot.catalog.services[NAME]["description"] == "By hand"

    def test_a_domain_that_we_have_changed_is_ours_and_one_from_the_creation_may_be_anybody_s(
        self, anyone: Workbench
    ) -> None:
        anyone.catalog.add_domain("Risk")
        assert anyone.run_one(sklearn(domains=["Fraud"])).outcome is Outcome.CREATED
        row = sklearn(domains=["Risk"], displayName="New")
        assert [anyone.run_one(row).outcome for _ in range(2)] == [Outcome.CONFLICT] * 2
        assert anyone.run_one(row, on_conflict="overwrite").outcome is Outcome.UPDATED
        assert anyone.run_one(sklearn(domains=["Fraud"])).outcome is Outcome.UPDATED

    def test_a_field_that_somebody_added_to_the_connection_is_kept_in_every_run(self, anyone: Workbench) -> None:
        anyone.run([mlflow()])
        stored: Any = anyone.catalog.services["fraud_mlflow"]
        config = {**stored["connection"]["config"], "registryUri": "sqlite:///hers.db"}
        anyone.catalog.edit_service("fraud_mlflow", user=ANA, connection={"config": config})
        row = {**mlflow(), "connection": {"config": {"type": "Mlflow", "trackingUri": "http://other:5000"}}}
        for _ in range(3):
            assert anyone.run_one(row).outcome is Outcome.CONFLICT
            stored = anyone.catalog.services["fraud_mlflow"]
            assert stored["connection"]["config"]["registryUri"] == "sqlite:///hers.db"

    @pytest.mark.parametrize("choice", ["fail", "keep"])
    def test_a_declared_field_of_a_connection_becomes_as_declared_whoever_set_it(
        self, anyone: Workbench, choice: str
    ) -> None:
        anyone.run([mlflow()])
        stored: Any = anyone.catalog.services["fraud_mlflow"]
        config = {**stored["connection"]["config"], "trackingUri": "http://hers:5000"}
        anyone.catalog.edit_service("fraud_mlflow", user=ANA, connection={"config": config})
        result = anyone.run_one(mlflow(), on_conflict=choice)
        assert (result.outcome, result.changes) == (Outcome.UPDATED, ("connection.config.trackingUri: changed",))
        stored = anyone.catalog.services["fraud_mlflow"]
        assert stored["connection"]["config"]["trackingUri"] == "http://mlflow:5000"

    def test_our_own_text_is_simply_updated(self, anyone: Workbench) -> None:
        anyone.run([sklearn(description="Ours")])
        assert anyone.run_one(sklearn(description="New")).outcome is Outcome.UPDATED
        assert anyone.catalog.services[NAME]["description"] == "New"

    def test_the_rest_of_the_row_is_written_though_a_text_is_kept(self, bot: Workbench) -> None:
        bot.run([sklearn(description="Ours")])
        bot.catalog.edit_service(NAME, user=ANA, description="By hand")
        result = bot.run_one(sklearn(description="New", tags=["PII.None"]))
        assert result.outcome is Outcome.CONFLICT
        assert result.changes[-1] == "tags: [] → [PII.None] (written)"
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
        error = error_of(report)
        assert "is not in the catalog, though the server answered the write with success" in str(error)
        assert error.advice.startswith("Look at the service in Collate")
        assert error.retryable

    @pytest.mark.parametrize("prune", ["soft", "hard"])
    def test_a_pruned_service_that_is_still_there_is_a_failure(self, bot: Workbench, prune: str) -> None:
        bot.run([sklearn("s1"), sklearn("s2")])
        bot.catalog.fail(None, status=200, body={}, method="DELETE")
        report = bot.run([sklearn("s1")], prune=prune, prune_scope=PruneScope(name_prefix="s"), max_prune=1)
        assert outcomes(report) == [Outcome.UNCHANGED, Outcome.FAILED]
        error = error_of(report)
        assert "'s2' is still there" in error.message
        assert error.advice.startswith("Look at the service in Collate")
        assert error.retryable

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
        assert report.counts == {"unchanged": 1, "deleted": 1}

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

    @pytest.mark.parametrize(
        "edit",
        [
            {"description": "Edited by Ana"},
            {"displayName": "Edited by Ana"},
            {"tags": ["PersonalData.Personal"]},
            {"connection": {"config": {"type": "Sklearn", "supportsMetadataExtraction": False}}},
        ],
        ids=lambda edit: next(iter(edit)),
    )
    def test_an_edit_is_not_overwritten_and_the_row_is_planned_once_more(
        self, anyone: Workbench, edit: dict[str, Any]
    ) -> None:
        anyone.run([sklearn(description="Old")])
        once(anyone, "PATCH", lambda: anyone.catalog.edit_service(NAME, user=ANA, **edit))
        row = anyone.run_one(sklearn(tags=["PII.None"], description="New"))
        kept = next(iter(edit)) in ("description", "connection")
        assert row.outcome is (Outcome.CONFLICT if kept else Outcome.UPDATED)
        assert len(anyone.sent("PATCH")) == 2
        service: Any = anyone.catalog.services[NAME]
        for field, value in edit.items():
            shown = {tag["tagFQN"] for tag in service["tags"]} if field == "tags" else service[field]
            assert shown == ({*value, "PII.None"} if field == "tags" else value)

    def test_what_was_planned_and_then_kept_is_not_told_as_written(self, bot: Workbench) -> None:
        bot.run([sklearn(description="Old")])
        once(bot, "PATCH", lambda: bot.catalog.edit_service(NAME, user=ANA, description="Edited by Ana"))
        kept, written = bot.run_one(sklearn(tags=["PII.None"], description="New")).changes
        assert kept.startswith('description: "Edited by Ana" (ana, ')
        assert written == "tags: [] → [PII.None] (written)"

    @pytest.mark.parametrize("moves", [{"updated_at": 1_800_000_000_000}, {"version": 0.9}], ids=str)
    def test_an_edit_that_moves_only_one_of_version_and_time_is_not_overwritten(
        self, bot: Workbench, moves: dict[str, Any]
    ) -> None:
        """Within ten minutes of a person's edit, the same person's next one keeps the version (server source)."""
        bot.run([sklearn()])
        stored = bot.catalog.state.store_of().get(NAME)
        assert stored is not None
        fqn = "PersonalData.Personal"
        label = {"tagFQN": fqn, "source": "Classification", "labelType": "Manual", "state": "Confirmed"}
        edited = replace(stored, tags=(label,), updated_by="ana", **moves)
        once(bot, "PATCH", lambda: bot.catalog.state.store_of().keep(edited))
        bot.run([sklearn(tags=["PII.None"])])
        tags: Any = bot.catalog.services[NAME]["tags"]
        assert {tag["tagFQN"] for tag in tags} == {"PII.None", fqn}

    def test_who_is_edited_again_and_again_is_left_to_the_next_attempt(self, bot: Workbench) -> None:
        bot.run([sklearn(description="Old")])
        edits = iter(range(100))

        def before(seen: httpx.Request) -> None:
            if seen.method == "PATCH":
                bot.catalog.edit_service(NAME, user=ANA, displayName=f"Edit {next(edits)}")

        bot.before = before
        row = bot.run_one(sklearn(tags=["PII.None"]))
        assert row.outcome is Outcome.FAILED
        assert isinstance(row.error, ChangedMeanwhileError)
        assert row.error.retryable
        assert len(bot.sent("PATCH")) == 2

    def test_an_edit_that_makes_it_as_declared_is_a_success(self, bot: Workbench) -> None:
        bot.run([sklearn()])
        once(bot, "PATCH", lambda: bot.catalog.edit_service(NAME, tags=["PII.None"]))
        assert bot.run_one(sklearn(tags=["PII.None"])).outcome is Outcome.UNCHANGED

    @pytest.mark.parametrize(
        "choice, expected",
        [("update", Outcome.UPDATED), ("ignore", Outcome.IGNORED), ("fail", Outcome.FAILED)],
    )
    def test_a_service_that_someone_created_first(self, anyone: Workbench, choice: str, expected: Outcome) -> None:
        fields: dict[str, Any] = {"displayName": "By Ana", "connection": CONNECTION}
        once(anyone, "POST", lambda: anyone.catalog.add_service(NAME, "Sklearn", user=ANA, **fields))
        result = anyone.run_one(sklearn(tags=["PII.None"]), if_exists=choice)
        assert result.outcome is expected
        assert (result.error is not None) is (choice == "fail")
        service = anyone.catalog.services[NAME]
        assert service["displayName"] == "By Ana"
        assert bool(service["tags"]) is (choice == "update")

    @pytest.mark.parametrize("choice", ["update", "ignore"])
    def test_a_service_of_another_type_that_someone_created_first(self, bot: Workbench, choice: str) -> None:
        once(bot, "POST", lambda: bot.catalog.add_service(NAME, "Mlflow"))
        report = bot.run([sklearn()], if_exists=choice)
        assert outcomes(report) == [Outcome.FAILED]
        assert "is a Mlflow service, and a service's type cannot be changed" in str(report.error())

    def test_a_service_that_someone_deleted_first(self, bot: Workbench) -> None:
        bot.run([sklearn()])
        once(bot, "PATCH", lambda: bot.catalog.remove_service(NAME, hard=True))
        assert outcomes(bot.run([sklearn(displayName="New")])) == [Outcome.CREATED]
        assert bot.catalog.services[NAME]["displayName"] == "New"


class TestSecrets:
    def test_a_changed_one_is_written_though_the_token_cannot_see_it(self, person: Workbench) -> None:
        person.run([sagemaker("sage"), sagemaker("b")])
        report = person.run([sagemaker("sage", secret="another"), sagemaker("b")])
        assert report.counts == {"updated": 1, "unchanged": 1}
        assert report.unreadable_secrets == 2
        assert report.to_json()["unreadable_secrets"] == 2
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
        assert [seen.path for seen in bot.sent()] == [
            "/api/v1/users/loggedInUser",
            "/api/v1/system/version",
            COLLECTION,
        ]


def _secret(bench: Workbench) -> object:
    return bench.catalog.services["sage"]["connection"]["config"]["awsConfig"]["awsSecretAccessKey"]  # type: ignore[index]
