"""A plan that was approved is what is applied, or nothing is."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from airflow_provider_collate.exceptions import CollateError, InvalidDeclarationError, NotApprovedError
from airflow_provider_collate.kinds.mlmodel import ML_MODEL
from airflow_provider_collate.reconcile.approval import LOOK_AGAIN, Approval, fingerprint_of
from airflow_provider_collate.reconcile.changes import Action, Change
from airflow_provider_collate.reconcile.options import RunOptions
from airflow_provider_collate.reconcile.report import Outcome
from airflow_provider_collate.reconcile.scope import PruneScope
from airflow_provider_collate.sandbox import ANA
from tests.unit.reconcile.workbench import Row, Workbench, mlflow, once, sagemaker, sklearn

TEAM: dict[str, Any] = {"prune": "soft", "prune_scope": PruneScope(name_prefix="team."), "max_prune": "100%"}
KEY = b"key"


def approved(bench: Workbench, rows: list[Row], **options: Any) -> dict[str, Any]:
    """Return the options of a run that may do what is planned now."""
    return {**options, "approved_plan": bench.plan(rows, **options).fingerprint}


def edit_once(bench: Workbench, method: str, **edit: Any) -> None:
    """Let Ana edit a service right before the first request of a method arrives."""
    once(bench, method, lambda: bench.catalog.edit_service("team.sklearn", user=ANA, **edit))


def tags_of(bench: Workbench) -> list[dict[str, Any]]:
    tags: Any = bench.catalog.services["team.sklearn"]["tags"]
    return list(tags)


class TestWhatWasApproved:
    def test_it_is_applied(self, anyone: Workbench) -> None:
        anyone.run([sklearn("team.a"), sklearn("team.b"), sklearn("team.c", description="Old")])
        rows: list[Row] = [sklearn("team.a"), sklearn("team.c", description="New"), mlflow("team.d", tags=["PII.None"])]
        report = anyone.run(rows, **approved(anyone, rows, **TEAM))
        assert report.counts == {"created": 1, "updated": 1, "unchanged": 1, "deleted": 1}
        assert anyone.plan(rows, **TEAM).is_as_declared

    def test_a_part_of_it_goes_on_so_that_the_next_attempt_can_end_it(self, bot: Workbench) -> None:
        rows: list[Row] = [sklearn("team.a"), sklearn("team.b")]
        options = approved(bot, rows)
        bot.run(rows[:1])
        assert bot.run(rows, **options).counts == {"unchanged": 1, "created": 1}
        assert bot.run(rows, **options).counts == {"unchanged": 2}

    def test_new_services_are_posted_one_by_one_because_a_bulk_request_would_overwrite(self, bot: Workbench) -> None:
        rows: list[Row] = [sklearn("team.a"), sklearn("team.b")]
        assert bot.run(rows, **approved(bot, rows)).counts == {"created": 2}
        assert {write.method for write in bot.writes()} == {"POST"}

    def test_what_a_restore_leaves_is_patched(self, anyone: Workbench) -> None:
        anyone.run([sklearn(description="Old")])
        anyone.catalog.remove_service("team.sklearn", user=anyone.user)
        rows: list[Row] = [sklearn(description="New")]
        assert anyone.run(rows, **approved(anyone, rows)).counts == {"restored": 1}
        assert anyone.catalog.services["team.sklearn"]["description"] == "New"

    @pytest.mark.parametrize("fault", [{"status": 503}, {"lose_answer": True}, {"reset": True}])
    @pytest.mark.parametrize("method", ["POST", "PATCH", "DELETE"])
    def test_transient_faults_are_tried_again(self, anyone: Workbench, method: str, fault: dict[str, Any]) -> None:
        anyone.run([sklearn("team.b", description="Old"), sklearn("team.c")])
        rows: list[Row] = [sklearn("team.a"), sklearn("team.b", description="New")]
        options = approved(anyone, rows, **TEAM)
        anyone.catalog.fail(5, method=method, **fault)
        assert anyone.run(rows, **options).counts == {"created": 1, "updated": 1, "deleted": 1}

    def test_tags_that_a_post_drops_are_patched(self, old_bot: Workbench) -> None:
        rows: list[Row] = [sklearn(tags=["PII.None"])]
        assert old_bot.run(rows, **approved(old_bot, rows)).counts == {"created": 1}
        assert [tag["tagFQN"] for tag in tags_of(old_bot)] == ["PII.None"]

    def test_but_not_if_somebody_edits_the_service_between(self, old_bot: Workbench) -> None:
        rows: list[Row] = [sklearn(tags=["PII.None"])]
        options = approved(old_bot, rows)

        def before(seen: httpx.Request) -> None:
            if old_bot.sent("POST"):
                old_bot.before = lambda request: None
                old_bot.catalog.edit_service("team.sklearn", user=ANA, displayName="By Ana")

        old_bot.before = before
        report = old_bot.run(rows, **options)
        assert report.counts == {"failed": 1}
        told = "created, but 'team.sklearn' is not as the approved plan found it, and was not written again: tags: [] →"
        assert str(report.error()).startswith(told)
        assert LOOK_AGAIN in str(report.error())
        assert tags_of(old_bot) == []


class TestWhatWasNotApproved:
    def test_nothing_is_written_and_the_error_names_it(self, anyone: Workbench) -> None:
        anyone.run([sklearn("team.a")])
        options = approved(anyone, [sklearn("team.a"), sklearn("team.b")])
        before = len(anyone.writes())
        rows: list[Row] = [sklearn("team.a", displayName="New"), sklearn("team.b"), sklearn("team.c")]
        with pytest.raises(NotApprovedError, match="2 changes were not approved; nothing was written") as raised:
            anyone.run(rows, **options)
        told = raised.value.message.splitlines()[1:]
        assert [line.split()[:3] for line in told] == [["~", "team.a", "update"], ["+", "team.c", "create"]]
        assert (raised.value.advice, raised.value.retryable) == (LOOK_AGAIN, False)
        assert len(anyone.writes()) == before

    def test_the_error_is_bounded(self, bot: Workbench) -> None:
        options = approved(bot, [])
        with pytest.raises(NotApprovedError, match="… and 80 more services") as raised:
            bot.run([sklearn(f"s{number}") for number in range(100)], **options)
        assert len(raised.value.message.splitlines()) < 25

    def test_a_service_that_was_edited_since(self, anyone: Workbench) -> None:
        rows: list[Row] = [sklearn(tags=["PII.None"])]
        anyone.run([sklearn()])
        options = approved(anyone, rows)
        anyone.catalog.edit_service("team.sklearn", user=ANA, displayName="By Ana")
        with pytest.raises(NotApprovedError, match="1 change was not approved"):
            anyone.run(rows, **options)

    @pytest.mark.parametrize("edit", [{"displayName": "By Ana"}, {"description": "By Ana"}])
    def test_a_service_that_is_edited_meanwhile_fails_and_is_not_planned_once_more(
        self, anyone: Workbench, edit: dict[str, str]
    ) -> None:
        rows: list[Row] = [sklearn(tags=["PII.None"], description="New")]
        anyone.run([sklearn(description="Old")])
        options = approved(anyone, rows, on_conflict="overwrite")
        edit_once(anyone, "PATCH", **edit)
        (row,) = anyone.run(rows, **options).rows
        assert row.outcome is Outcome.FAILED
        assert isinstance(row.error, NotApprovedError)
        assert "is not as the approved plan found it" in row.error.message
        assert "tags: [] → [PII.None]" in row.error.message
        assert row.error.advice.startswith("Make a new plan")
        assert len(anyone.sent("PATCH")) == 1
        assert anyone.catalog.services["team.sklearn"]["tags"] == []

    def test_a_service_that_someone_creates_meanwhile(self, anyone: Workbench) -> None:
        rows: list[Row] = [sklearn(displayName="Ours")]
        options = approved(anyone, rows)
        theirs: dict[str, Any] = {"user": ANA, "displayName": "By Ana"}
        once(anyone, "POST", lambda: anyone.catalog.add_service("team.sklearn", "Sklearn", **theirs))
        (row,) = anyone.run(rows, on_conflict="overwrite", **options).rows
        assert row.outcome is Outcome.FAILED
        assert anyone.catalog.services["team.sklearn"]["displayName"] == "By Ana"

    def test_a_deletion_of_a_service_that_is_edited_meanwhile(self, anyone: Workbench) -> None:
        anyone.run([sklearn(), sklearn("team.b")])
        rows: list[Row] = [sklearn("team.b", displayName="New")]
        options = approved(anyone, rows, **TEAM)
        edit_once(anyone, "PATCH", displayName="By Ana")
        report = anyone.run(rows, **options)
        assert report.counts == {"updated": 1, "failed": 1}
        assert "team.sklearn" in anyone.catalog.services

    def test_a_harder_deletion(self, anyone: Workbench) -> None:
        anyone.run([sklearn("team.a"), sklearn("team.b")])
        options = approved(anyone, [sklearn("team.a")], **TEAM)
        with pytest.raises(NotApprovedError, match=r"team\.b"):
            anyone.run([sklearn("team.a")], **{**options, "prune": "hard"})

    def test_another_token_tells_nothing(self, bot: Workbench) -> None:
        options = approved(bot, [sklearn()])
        bot.catalog.rotate_bot_token("another-token")
        with pytest.raises(NotApprovedError, match="approved with another token"):
            bot.run([sklearn()], **options)
        assert bot.writes() == []


class TestOption:
    @pytest.mark.parametrize(
        "given, problem",
        [
            ("", "approved_plan: is empty"),
            ("  ", "approved_plan: is empty"),
            ("None", "approved_plan: is not the fingerprint of a plan"),
            ("plan1:abcdefgh:short", "approved_plan: is not the fingerprint of a plan"),
            (5, "approved_plan: is not the fingerprint of a plan"),
        ],
    )
    def test_what_is_none_is_refused(self, given: object, problem: str) -> None:
        with pytest.raises(InvalidDeclarationError, match=problem):
            RunOptions.parse({"approved_plan": given})

    def test_a_plan_of_nothing_can_be_approved(self, bot: Workbench) -> None:
        bot.run([sklearn()])
        options = approved(bot, [sklearn()])
        assert bot.run([sklearn()], **options).counts == {"unchanged": 1}
        with pytest.raises(NotApprovedError):
            bot.run([sklearn("new")], **options)

    def test_it_is_for_a_run_that_writes(self, bot: Workbench) -> None:
        with pytest.raises(InvalidDeclarationError, match="plan_only must be False"):
            bot.plan([sklearn()], plan_only=True, **approved(bot, [sklearn()]))


class TestFingerprint:
    def test_no_secret_and_no_token_can_be_read_from_it(self, bot: Workbench) -> None:
        plan = bot.plan([sagemaker(secret="canary-secret"), mlflow()])
        token, key = bot.catalog.bot_token, bot.client().plan_key(ML_MODEL)
        for told in (plan.fingerprint, repr(plan), plan.markdown(), plan.text()):
            assert not any(hidden in told for hidden in (token, repr(key), key.hex(), "canary-secret"))
        assert plan.fingerprint != fingerprint_of(plan.changes, b"a guess")

    def test_another_secret_is_another_change(self, bot: Workbench) -> None:
        one, other = (bot.plan([sagemaker(secret=secret)]).fingerprint for secret in ("one-secret", "other-secret"))
        assert one != other

    def test_it_takes_eight_characters_for_each_change(self, bot: Workbench) -> None:
        plan = bot.plan([sklearn(f"s{number}") for number in range(50)])
        assert len(plan.fingerprint) == len("plan1:12345678:") + 50 * 8

    def test_of_more_than_ten_thousand_changes_it_is_one_digest_of_them_all(self) -> None:
        changes = [Change(f"s{number}", Action.CREATE, "Sklearn") for number in range(10_001)]
        fingerprint = fingerprint_of(changes, KEY)
        assert len(fingerprint) < 60
        RunOptions(approved_plan=fingerprint)
        assert Approval(fingerprint, KEY).unapproved(changes[::-1]) == []
        assert len(Approval(fingerprint, KEY).unapproved(changes[1:])) == 10_000

    def test_unchanged_services_and_conflicts_have_nothing_to_approve(self, bot: Workbench) -> None:
        bot.run([sklearn("a"), sklearn("b")])
        bot.catalog.edit_service("b", user=ANA, description="By Ana")
        plan = bot.plan([sklearn("a"), sklearn("b", description="Ours")])
        assert plan.fingerprint == bot.plan([]).fingerprint
        assert not plan.has_changes


class TestDrift:
    @pytest.mark.parametrize(
        "fields, options, is_as_declared",
        [
            ({}, {}, True),
            ({"displayName": "New"}, {}, False),
            ({"description": "Ours"}, {}, False),
            ({"description": "Ours"}, {"on_conflict": "keep"}, True),
            ({"displayName": "New"}, {"if_exists": "ignore"}, True),
            ({}, {"if_exists": "fail"}, False),
        ],
    )
    def test_of_a_service_that_ana_described(
        self, bot: Workbench, fields: dict[str, Any], options: dict[str, Any], is_as_declared: bool
    ) -> None:
        bot.run([sklearn()])
        bot.catalog.edit_service("team.sklearn", user=ANA, description="By Ana")
        plan = bot.plan([sklearn(**fields)], **options)
        drift = plan.drift()
        assert plan.is_as_declared is is_as_declared
        assert (drift is None) is is_as_declared
        if isinstance(drift, CollateError):
            assert not drift.retryable
            assert "team.sklearn" in drift.message

    def test_a_secret_that_cannot_be_compared_is_none(self, person: Workbench) -> None:
        person.run([sagemaker()])
        plan = person.plan([sagemaker()])
        assert plan.is_as_declared
        assert not plan.has_changes

    def test_it_needs_a_plan(self) -> None:
        with pytest.raises(InvalidDeclarationError, match="fail_on_changes: needs plan_only=True"):
            RunOptions(fail_on_changes=True)


def test_a_rewritten_secret_must_be_approved_too(person: Workbench) -> None:
    person.run([sagemaker(secret="first")])
    options = approved(person, [sagemaker(secret="second")])
    with pytest.raises(NotApprovedError):
        person.run([sagemaker(secret="third")], **options)
    person.run([sagemaker(secret="second")], **options)
    (patch,) = person.sent("PATCH")
    assert json.loads(patch.content)[-1]["value"] == "second"
