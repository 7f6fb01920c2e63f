"""Writing what a plan says: which requests go out, and what stops them."""

from __future__ import annotations

import json
import logging

import httpx
import pytest

from airflow_provider_collate.exceptions import (
    AuthenticationError,
    BadRequestError,
    LimitExceededError,
    NoAnswerError,
    PermissionDeniedError,
    RedirectError,
    ServerError,
    StoppedError,
)
from airflow_provider_collate.kinds.mlmodel import ML_MODEL
from airflow_provider_collate.reconcile.apply import CircuitBreaker
from airflow_provider_collate.reconcile.engine import Reconciler
from airflow_provider_collate.reconcile.options import RunOptions
from airflow_provider_collate.reconcile.report import Outcome
from airflow_provider_collate.reconcile.scope import PruneScope
from tests.unit.reconcile.workbench import (
    COLLECTION,
    Row,
    Workbench,
    declared_services,
    error_of,
    mlflow,
    once,
    sagemaker,
    sklearn,
)

BULK = f"{COLLECTION}/bulk"
ALL_IN_SCOPE = PruneScope(name_prefix="s")


def many(count: int, **fields: object) -> list[Row]:
    return [sklearn(f"s{number:04}", **fields) for number in range(count)]


class TestBulk:
    def test_new_services_go_out_in_chunks(self, bot: Workbench) -> None:
        report = bot.run(many(250), chunk_size=100)
        assert report.counts == {"created": 250}
        assert [(seen.method, seen.path) for seen in bot.writes()] == [("PUT", BULK)] * 3
        assert sum(len(json.loads(seen.content)) for seen in bot.writes()) == 250

    def test_one_new_service_is_posted(self, bot: Workbench) -> None:
        bot.run([sklearn()])
        assert [(seen.method, seen.path) for seen in bot.writes()] == [("POST", COLLECTION)]

    @pytest.mark.parametrize("choice", ["fail", "ignore"])
    def test_it_is_not_used_where_it_might_overwrite(self, bot: Workbench, choice: str) -> None:
        bot.run(many(3), if_exists=choice)
        assert [seen.method for seen in bot.writes()] == ["POST"] * 3

    def test_where_it_is_missing_rows_are_posted_and_it_is_not_tried_again(self, old_bot: Workbench) -> None:
        client = old_bot.client()
        first = Reconciler(client, ML_MODEL, RunOptions()).run(declared_services(many(30)))
        second = Reconciler(client, ML_MODEL, RunOptions()).run(declared_services(many(60)))
        assert (first.counts, second.counts) == ({"created": 30}, {"created": 30, "unchanged": 30})
        assert [seen.path for seen in old_bot.sent("PUT")] == [BULK]
        assert len(old_bot.sent("POST")) == 60

    @pytest.mark.parametrize("status", [404, 405])
    def test_it_can_be_missing_on_newer_servers_too(self, bot: Workbench, status: int) -> None:
        bot.catalog.fail(None, status=status, path="/bulk$")
        assert bot.run(many(3)).counts == {"created": 3}
        assert len(bot.sent("PUT")) == 1

    def test_refused_rows_are_failures_with_their_own_message(self, bot: Workbench) -> None:
        bot.catalog.fail(None, path="/bulk$", bulk_rows={"s0001": (403, "no role for s0001"), "s0002": (400, "bad")})
        report = bot.run(many(4))
        assert report.counts == {"created": 2, "failed": 2}
        assert [row.numbered() for row in report.rows if row.outcome is Outcome.FAILED] == [
            "services[1] s0001: failed: refused with 403: no role for s0001",
            "services[2] s0002: failed: refused with 400: bad",
        ]
        [denied] = [row.error for row in report.rows if row.name == "s0001"]
        assert isinstance(denied, PermissionDeniedError)
        assert (denied.status, denied.method, denied.path) == (403, "PUT", "/v1/services/mlmodelServices/bulk")
        assert "ML model services" in denied.advice

    @pytest.mark.parametrize("status", [403, 409], ids=["echoed", "by its quoted name"])
    def test_a_refused_row_is_found_however_it_is_named(self, bot: Workbench, status: int) -> None:
        bot.catalog.fail(None, path="/bulk$", bulk_rows={"a.b": (status, "broken"), "plain": (status, "broken")})
        report = bot.run([sklearn("a.b"), sklearn("plain"), sklearn("good")])
        assert report.counts == {"created": 1, "failed": 2}
        assert str(report.error()).count(f"refused with {status}: broken") == 2

    def test_no_echoed_secret_reaches_the_report(self, bot: Workbench) -> None:
        bot.catalog.fail(None, path="/bulk$", bulk_rows={"sage": (400, "cannot store canary-secret-key of sage")})
        report = bot.run([sagemaker(secret="canary-secret-key"), sklearn()])
        assert "canary" not in f"{report!r} {report.to_json()} {list(report.log_lines())} {report.error()}"
        assert "cannot store *** of sage" in str(report.error())

    @pytest.mark.parametrize("method", ["POST", "PATCH"])
    def test_no_secret_that_a_single_write_is_answered_with_either(self, old_bot: Workbench, method: str) -> None:
        if method == "PATCH":
            old_bot.run([sagemaker()])
        message = {"code": 400, "message": "cannot store canary-secret-key"}
        old_bot.catalog.fail(None, status=400, body=message, method=method)
        report = old_bot.run([sagemaker(secret="canary-secret-key")])
        assert "cannot store ***" in str(report.error())
        told = f"{report!r} {report.to_json()} {report.log_lines()} {report.error()!r} {report.error()}"
        assert "canary" not in told

    def test_rows_that_an_aborted_request_left_out_are_sent_once_more(
        self, bot: Workbench, caplog: pytest.LogCaptureFixture
    ) -> None:
        reason = "shutting down with canary-secret-key"
        aborted = {"status": "aborted", "abortReason": reason, "successRequest": [], "failedRequest": []}
        bot.catalog.fail(1, status=200, body=aborted, path="/bulk$")
        with caplog.at_level(logging.WARNING):
            assert bot.run([*many(2), sagemaker(secret="canary-secret-key")]).counts == {"created": 3}
        assert "Collate aborted a bulk request: shutting down with ***" in caplog.text

    def test_what_refuses_a_whole_request_is_told_without_a_secret(
        self, bot: Workbench, caplog: pytest.LogCaptureFixture
    ) -> None:
        body = {"code": 400, "message": "cannot read canary-secret-key"}
        bot.catalog.fail(1, status=400, body=body, path="/bulk$")
        with caplog.at_level(logging.WARNING):
            assert bot.run([sagemaker(secret="canary-secret-key"), sklearn()]).counts == {"created": 2}
        assert "sending its services one by one: Collate answered 400: cannot read ***" in caplog.text
        assert "canary" not in caplog.text

    def test_a_request_that_one_row_makes_unreadable_is_sent_row_by_row(self, bot: Workbench) -> None:
        """The server refuses the whole request for a service type that it does not know."""
        config = {"type": "Newest", "url": "http://newest"}
        newest = {"name": "newest", "serviceType": "Newest", "connection": {"config": config}}
        report = bot.run([*many(3), newest])
        assert report.counts == {"created": 3, "failed": 1}
        assert [row.name for row in report.rows if row.outcome is Outcome.FAILED] == ["newest"]
        assert [seen.method for seen in bot.writes()] == ["PUT", *["POST"] * 4]

    def test_no_row_of_several_refused_requests_is_left_out(self, bot: Workbench) -> None:
        bot.catalog.fail(None, status=400, body={"code": 400, "message": "cannot read"}, method="PUT")
        assert bot.run(many(5), chunk_size=2).counts == {"created": 5}
        assert [seen.method for seen in bot.writes()] == ["PUT", "PUT", *["POST"] * 5]

    def test_one_row_that_the_release_cannot_hold_does_not_stop_the_others(self, old_bot: Workbench) -> None:
        report = old_bot.run([*many(3), sklearn("two", owners=["ana", "admin"])])
        assert report.counts == {"created": 3, "failed": 1}
        assert "'two' declares 2 owners, but Collate 1.2.0 holds one" in str(report.error())

    def test_one_owner_by_two_names_is_one(self, old_bot: Workbench) -> None:
        assert old_bot.run([sklearn(owners=["ana", "ana@acme.example"])]).counts == {"created": 1}


class TestSingly:
    def test_an_update_is_one_guarded_patch_of_what_is_declared_and_differs(self, anyone: Workbench) -> None:
        anyone.run([mlflow(displayName="Fraud", description="Kept", tags=["PII.None"])])
        anyone.catalog.requests.clear()
        anyone.run([mlflow(tracking="http://other:5000", displayName="Fraud")])
        (patch,) = anyone.sent("PATCH")
        steps = json.loads(patch.content)
        assert [(step["op"], step["path"]) for step in steps] == [
            ("test", "/version"),
            ("test", "/updatedAt"),
            ("add", "/connection/config/trackingUri"),
        ]

    def test_unchanged_rows_are_not_written(self, anyone: Workbench) -> None:
        rows = [mlflow("a", description="x"), sagemaker("b"), sklearn("c", tags=["PII.None"])]
        anyone.run(rows)
        before = len(anyone.writes())
        assert anyone.run(rows).counts == {"unchanged": 3}
        # But for the secret that a person's token cannot see.
        assert len(anyone.writes()) - before == (0 if anyone.is_bot else 1)

    def test_pruning_is_soft_or_hard(self, anyone: Workbench) -> None:
        anyone.run(many(4))
        anyone.run(many(3), prune="soft", prune_scope=ALL_IN_SCOPE, max_prune=1)
        assert set(anyone.catalog.deleted) == {"s0003"}
        anyone.run(many(2), prune="hard", prune_scope=ALL_IN_SCOPE, max_prune=1)
        assert set(anyone.catalog.services) == {"s0000", "s0001"}
        assert set(anyone.catalog.deleted) == {"s0003"}

    @pytest.mark.parametrize("prune", ["soft", "hard"])
    def test_pruning_takes_the_models_in_a_service_along(self, anyone: Workbench, prune: str) -> None:
        anyone.run(many(2))
        anyone.catalog.add_model("s0000", "kept")
        anyone.catalog.add_model("s0001", "churn")
        report = anyone.run(many(1), prune=prune, prune_scope=ALL_IN_SCOPE, max_prune=1)
        assert report.counts == {"unchanged": 1, "deleted": 1}
        assert anyone.catalog.models == ["s0000.kept"]

    def test_a_soft_deleted_service_is_restored_and_then_made_as_declared(self, anyone: Workbench) -> None:
        anyone.run([mlflow()])
        anyone.catalog.remove_service("fraud_mlflow", user=anyone.user)
        result = anyone.run_one(mlflow(tracking="http://other:5000", tags=["PII.None"]))
        assert result.outcome is Outcome.RESTORED
        service = anyone.catalog.services["fraud_mlflow"]
        assert service["connection"]["config"]["trackingUri"] == "http://other:5000"  # type: ignore[index]
        assert [tag["tagFQN"] for tag in service["tags"]] == ["PII.None"]  # type: ignore[attr-defined]

    def test_a_restore_whose_answer_was_lost_goes_on(self, anyone: Workbench) -> None:
        anyone.run([sklearn()])
        anyone.catalog.remove_service("team.sklearn", user=anyone.user)
        anyone.catalog.fail(1, lose_answer=True, path="/restore$")
        assert anyone.run_one(sklearn(displayName="New")).outcome is Outcome.RESTORED
        assert anyone.catalog.services["team.sklearn"]["displayName"] == "New"

    def test_a_service_that_someone_else_restored_meanwhile(self, bot: Workbench) -> None:
        bot.run([sklearn()])
        bot.catalog.remove_service("team.sklearn", user=bot.user)

        service_id = str(bot.catalog.deleted["team.sklearn"]["id"])
        once(bot, "PUT", lambda: bot.services.restore(service_id), "/restore")
        assert bot.run_one(sklearn(displayName="New")).outcome is Outcome.UPDATED
        assert bot.catalog.services["team.sklearn"]["displayName"] == "New"

    def test_a_service_that_someone_else_pruned_meanwhile(self, bot: Workbench) -> None:
        bot.run(many(2))
        once(bot, "DELETE", lambda: bot.catalog.remove_service("s0001", hard=True))
        report = bot.run(many(1), prune="hard", prune_scope=ALL_IN_SCOPE, max_prune=1)
        assert report.counts == {"unchanged": 2}


class TestStopping:
    def test_a_refused_token_stops_the_run(self, old_bot: Workbench) -> None:
        old_bot.catalog.fail(None, skip=5, status=401, method="POST")
        report = old_bot.run(many(200))
        assert isinstance(report.error(), AuthenticationError)
        assert report.counts["created"] == 5
        assert report.counts["failed"] <= 8
        assert "was not sent, because the run ended before" in str(report.rows[-1])
        assert len(old_bot.sent("POST")) < 30

    def test_what_was_done_is_told_though_the_catalog_cannot_be_read_again(self, old_bot: Workbench) -> None:
        def refuse(seen: httpx.Request) -> None:
            if len(old_bot.sent("POST")) >= 5:
                old_bot.catalog.fail(status=401)

        old_bot.before = refuse
        report = old_bot.run(many(20), max_workers=1)
        assert isinstance(report.error(), AuthenticationError)
        assert report.counts == {"failed": 6, "not_sent": 14}

    def test_a_limit_of_the_plan_stops_the_run(self, bot: Workbench) -> None:
        bot.catalog.state.bulk_limit = 50
        error = bot.run(many(200), chunk_size=100).error()
        assert isinstance(error, LimitExceededError)
        assert "chunk_size" in error.advice
        assert len(bot.writes()) == 1

    def test_a_limit_for_new_services_does_not_keep_changes_from_being_written(self, old_bot: Workbench) -> None:
        old_bot.run(many(3))
        body = {"code": 429, "message": "Limit reached", "errorType": "LIMITS_EXCEPTION"}
        old_bot.catalog.fail(None, status=429, body=body, method="POST")
        rows = [sklearn("new0"), sklearn("new1"), *many(3, displayName="New")]
        report = old_bot.run(rows, max_workers=1)
        assert isinstance(report.error(), LimitExceededError)
        assert report.counts == {"updated": 3, "failed": 1, "not_sent": 1}

    @pytest.mark.parametrize("bulk", [False, True])
    def test_one_row_that_is_too_large_does_not_stop_the_others(
        self, bulk: bool, bot: Workbench, old_bot: Workbench
    ) -> None:
        bench = bot if bulk else old_bot

        def refuse(seen: httpx.Request) -> None:
            if b"s0001" in seen.read() and seen.method in ("POST", "PUT"):
                bench.catalog.fail(status=413, body="<html>413 Request Entity Too Large</html>", method=seen.method)

        bench.before = refuse
        report = bench.run(many(3))
        assert report.counts == {"created": 2, "failed": 1}
        assert report.rows[1].outcome is Outcome.FAILED

    def test_a_redirect_stops_the_run(self, old_bot: Workbench) -> None:
        old_bot.catalog.fail(None, status=302, headers={"Location": "https://login.example/"}, method="POST")
        assert isinstance(old_bot.run(many(200)).error(), RedirectError)
        assert len(old_bot.sent("POST")) <= 17

    def test_a_certificate_that_is_not_accepted_stops_the_run(self, old_bot: Workbench) -> None:
        attempts: list[str] = []

        def refuse(seen: httpx.Request) -> None:
            if seen.method == "POST":
                attempts.append(seen.url.path)
                raise httpx.ConnectError("[SSL: CERTIFICATE_VERIFY_FAILED] certificate has expired")

        old_bot.before = refuse
        error = old_bot.run(many(200)).error()
        assert isinstance(error, NoAnswerError)
        assert "certificate" in str(error)
        assert len(attempts) <= 17

    @pytest.mark.parametrize("status", [503, 429])
    def test_a_server_that_is_down_is_given_up_after_ten_rows(self, old_bot: Workbench, status: int) -> None:
        old_bot.catalog.fail(None, skip=20, status=status, method="POST")
        report = old_bot.run(many(500))
        error = error_of(report)
        assert error.message.startswith("10 requests in a row failed, so the rest was not sent")
        assert error.retryable
        assert report.counts["created"] == 20
        # What is in flight when the breaker opens is still waited for.
        assert 10 <= report.counts["failed"] <= 10 + 2 * 8
        assert report.counts["not_sent"] >= 470 - 2 * 8
        assert len(old_bot.sent("POST")) < 20 + 4 * 30

    def test_the_next_attempt_sends_only_what_is_missing(self, old_bot: Workbench) -> None:
        old_bot.catalog.fail(None, skip=20, status=503, method="POST")
        assert old_bot.run(many(100), max_workers=1).counts == {"created": 20, "failed": 10, "not_sent": 70}
        old_bot.catalog.stop_failing()
        assert old_bot.run(many(100)).counts == {"created": 80, "unchanged": 20}

    def test_rows_that_the_server_can_never_take_do_not_end_a_run(self, old_bot: Workbench) -> None:
        """They fail with a 500 each time; writing them once more must not look like a server that is down."""
        bad = {f"s{number:04}" for number in range(3, 500, 46)}

        def refuse(seen: httpx.Request) -> None:
            if seen.method == "POST" and json.loads(seen.content)["name"] in bad:
                old_bot.catalog.fail(1, status=500, method="POST")

        old_bot.before = refuse
        report = old_bot.run(many(500), max_workers=1)
        assert report.counts == {"created": 489, "failed": 11}
        assert "services[3] s0003: failed" in str(report.error())

    def test_failures_of_the_rows_themselves_do_not_give_up(self, old_bot: Workbench) -> None:
        old_bot.catalog.forbid(name="^s00[0-2]")
        report = old_bot.run(many(40))
        assert report.counts == {"created": 10, "failed": 30}

    def test_a_stop_ends_the_run_as_retryable(self, old_bot: Workbench) -> None:
        client = old_bot.client()

        def stop_at_the_tenth(seen: httpx.Request) -> None:
            if len(old_bot.sent("POST")) >= 10:
                client.stop()

        old_bot.before = stop_at_the_tenth
        with pytest.raises(StoppedError) as caught:
            Reconciler(client, ML_MODEL, RunOptions()).run(declared_services(many(300)))
        assert caught.value.retryable
        assert len(old_bot.sent("POST")) <= 10 + 8

    def test_a_stop_between_two_chunks(self, bot: Workbench) -> None:
        client = bot.client()
        bot.before = lambda seen: client.stop() if seen.method == "PUT" else None
        with pytest.raises(StoppedError):
            Reconciler(client, ML_MODEL, RunOptions(chunk_size=10)).run(declared_services(many(100)))
        assert len(bot.sent("PUT")) == 1


class TestCircuitBreaker:
    def failed(self, request_id: str) -> ServerError:
        return ServerError("broken", status=500, method="POST", path="/", request_id=request_id)

    def test_it_opens_after_ten_failed_requests_in_a_row(self) -> None:
        breaker = CircuitBreaker()
        ends = [breaker.count(self.failed(str(number))) for number in range(10)]
        assert ends[:9] == [None] * 9
        assert ends[9] is not None
        assert ends[9].retryable

    def test_a_success_starts_the_count_from_the_beginning(self) -> None:
        breaker = CircuitBreaker()
        answers = [*(self.failed(str(number)) for number in range(9)), None]
        assert [breaker.count(answer) for answer in answers * 3] == [None] * 30

    def test_rows_of_one_bulk_request_count_once_and_refused_rows_not_at_all(self) -> None:
        breaker = CircuitBreaker()
        assert [breaker.count(self.failed("one")) for _ in range(50)] == [None] * 50
        refused = BadRequestError("no", status=400, method="PUT", path="/bulk")
        assert [breaker.count(refused) for _ in range(50)] == [None] * 50

    def test_a_refusal_shows_that_the_server_is_there(self) -> None:
        breaker = CircuitBreaker()
        refused = BadRequestError("no", status=400, method="POST", path="/", request_id="other")
        answers = [*(self.failed(str(number)) for number in range(9)), refused, self.failed("last")]
        assert [breaker.count(answer) for answer in answers] == [None] * 11
        row_of_bulk = BadRequestError("no", status=400, method="PUT", path="/bulk")
        assert [breaker.count(answer) for answer in (*answers[:8], row_of_bulk)] == [None] * 9
        assert breaker.count(self.failed("tenth")) is not None
