"""What is told of a run: in the log, the XCom and the error."""

from __future__ import annotations

import json

import pytest

from airflow_provider_collate.exceptions import CollateError, ConflictError, OutcomeError, ServerError
from airflow_provider_collate.reconcile.report import Outcome, Report, RowResult
from airflow_provider_collate.sandbox import ANA
from tests.unit.reconcile.workbench import Workbench, error_of, mlflow, sagemaker, sklearn


def row(number: int | None, outcome: Outcome, *changes: str, error: CollateError | None = None) -> RowResult:
    name = "deleted" if number is None else f"s{number}"
    return RowResult(number, name, outcome, name, "Sklearn", tuple(changes), "some-id", 0.2, f"http://ui/{name}", error)


def server_error(number: int, *, retryable: bool = True) -> ServerError:
    return ServerError(f"broken {number}", status=500, method="PUT", path="/v1/x", advice="Wait.", retryable=retryable)


class TestCounts:
    def test_in_a_fixed_order_and_only_those_there_are(self) -> None:
        report = Report((row(0, Outcome.UNCHANGED), row(1, Outcome.FAILED), row(2, Outcome.CREATED)))
        assert list(report.counts.items()) == [("created", 1), ("unchanged", 1), ("failed", 1)]
        assert report.summary() == "1 created, 1 unchanged, 1 failed"

    def test_thousands_are_readable(self) -> None:
        assert Report(tuple(row(n, Outcome.UNCHANGED) for n in range(1_998))).summary() == "1,998 unchanged"

    def test_an_empty_declaration(self) -> None:
        report = Report(())
        assert (report.summary(), report.counts, report.error()) == ("no services declared", {}, None)

    def test_what_is_a_change(self) -> None:
        changed = Report(tuple(row(n, outcome) for n, outcome in enumerate(Outcome))).changed
        assert [result.outcome.value for result in changed] == ["created", "updated", "restored", "deleted"]


class TestLog:
    def test_failures_come_first_and_what_is_unchanged_is_counted(self) -> None:
        rows = (
            row(0, Outcome.UPDATED, "description: a → b", "tags: [] → [x]"),
            row(1, Outcome.UNCHANGED),
            row(2, Outcome.FAILED, error=server_error(2)),
            row(None, Outcome.DELETED),
        )
        assert Report(rows).log_lines() == [
            "services[2] s2: failed: broken 2",
            "services[0] s0: updated: description: a → b; tags: [] → [x]",
            "deleted: deleted",
        ]

    def test_one_service_has_one_line_and_no_number(self) -> None:
        assert Report((row(0, Outcome.UNCHANGED),)).log_lines() == ["s0: unchanged"]

    def test_it_is_bounded_as_the_plan_is_and_failures_come_first(self) -> None:
        rows = [row(n, Outcome.CREATED) for n in range(5_000)]
        rows[4_000] = row(4_000, Outcome.FAILED, error=server_error(4_000))
        lines = Report(tuple(rows)).log_lines()
        assert len(lines) == 501
        assert lines[0] == "services[4000] s4000: failed: broken 4000"
        assert lines[-1] == "… and 4,500 more services"

    def test_what_others_keep_is_bounded_too(self) -> None:
        lines = list(Report(tuple(row(n, Outcome.KEPT) for n in range(5_000))).log_warnings())
        assert (len(lines), lines[-1]) == (501, "… and 4,500 more services")
        lines = Report(tuple(row(n, Outcome.KEPT) for n in range(500))).log_warnings()
        assert (len(lines), lines[-1]) == (500, "services[499] s499: kept")

    def test_two_services_are_numbered(self) -> None:
        rows = (row(0, Outcome.UNCHANGED), row(1, Outcome.CREATED))
        assert Report(rows).log_lines() == ["services[1] s1: created"]


class TestXCom:
    def test_it_is_plain_json(self, bot: Workbench) -> None:
        report = bot.run([mlflow(description="x"), sklearn(), sagemaker()])
        assert json.loads(json.dumps(report.to_json())) == report.to_json()

    def test_counts_in_full_details_of_at_most_a_thousand_failures_first(self) -> None:
        rows = [*(row(n, Outcome.CREATED) for n in range(1_500)), row(1_500, Outcome.FAILED, error=server_error(1))]
        told = Report((*rows, *(row(n, Outcome.UNCHANGED) for n in range(10)))).to_json()
        details = told["rows"]
        assert isinstance(details, list)
        assert told["counts"] == {"created": 1_500, "unchanged": 10, "failed": 1}
        assert len(details) == 1_000
        assert told["rows_left_out"] == 501
        assert details[0] == {
            "row": 1_500,
            "name": "s1500",
            "outcome": "failed",
            "status": 500,
            "message": "broken 1",
        }

    def test_an_error_without_an_answer_has_no_status(self) -> None:
        details = row(0, Outcome.FAILED, error=OutcomeError("not there")).details()
        assert (details["status"], details["message"]) == (None, "not there")

    def test_a_task_of_many_returns_few_details(self) -> None:
        rows = tuple(row(n, Outcome.CREATED) for n in range(20))
        assert Report(rows).shortened() == Report(rows).to_json()
        assert Report(rows).to_json()["rows_left_out"] == 0
        assert Report((*rows, row(20, Outcome.CREATED))).shortened()["rows_left_out"] == 1

    def test_the_changes_of_a_row_are_bounded(self) -> None:
        report = Report((row(0, Outcome.UPDATED, *(f"field{n}: changed" for n in range(5_000))),))
        rows = report.to_json()["rows"]
        assert isinstance(rows, list)
        (details,) = rows
        assert isinstance(details, dict)
        changes = details["changes"]
        assert isinstance(changes, list)
        assert len(changes) == 21
        assert changes[-1] == "and 4,980 more"
        (whole,) = Report((row(0, Outcome.UPDATED, *(f"field{n}" for n in range(20))),)).rows
        assert whole.details()["changes"] == [f"field{n}" for n in range(20)]
        (one_more,) = Report((row(0, Outcome.UPDATED, *(f"field{n}" for n in range(21))),)).rows
        assert "and 1 more" in str(one_more)

    def test_one_row_on_its_own(self) -> None:
        assert row(0, Outcome.CREATED).to_json() == {
            "id": "some-id",
            "name": "s0",
            "fullyQualifiedName": "s0",
            "serviceType": "Sklearn",
            "version": 0.2,
            "url": "http://ui/s0",
            "outcome": "created",
        }

    def test_its_ids_and_pages_are_those_of_the_catalog(self, bot: Workbench) -> None:
        report = bot.run([sklearn("a.b/ü")])
        assert report.url == "http://catalog.example/settings/services/mlmodels"
        assert report.rows[0].to_json() == {
            "id": bot.catalog.services["a.b/ü"]["id"],
            "name": "a.b/ü",
            "fullyQualifiedName": '"a.b/ü"',
            "serviceType": "Sklearn",
            "version": 0.1,
            "url": "http://catalog.example/service/mlmodelServices/%22a.b%2F%C3%BC%22",
            "outcome": "created",
        }
        assert [row.url for row in bot.run([sklearn("a.b/ü"), sklearn("c")]).rows] == ["", ""]

    def test_what_changed_is_also_what_was_written_beside_a_conflict(self, bot: Workbench) -> None:
        bot.run([sklearn("same"), sklearn("theirs"), sklearn("both")])
        for name in ("theirs", "both"):
            bot.catalog.edit_service(name, user=ANA, description="Hers")
        bot.catalog.forbid(name="refused")
        rows = [sklearn("same"), sklearn("theirs", description="Ours"), sklearn("refused"), sklearn("new")]
        report = bot.run([*rows, sklearn("both", description="Ours", tags=["PII.None"])])
        assert report.counts == {"created": 1, "unchanged": 1, "conflict": 2, "failed": 1}
        assert [row.name for row in report.changed] == ["new", "both"]


class TestError:
    def test_none_when_all_is_well(self) -> None:
        assert Report((row(0, Outcome.CREATED), row(1, Outcome.IGNORED), row(None, Outcome.DELETED))).error() is None

    def test_the_first_twenty_rows_and_how_many_more(self) -> None:
        report = Report(tuple(row(n, Outcome.FAILED, error=server_error(n)) for n in range(25)))
        lines = str(report.error()).splitlines()
        assert lines[0] == "The catalog is not as declared: 25 failed"
        assert lines[1:21] == [f"  services[{n}] s{n}: failed: broken {n}" for n in range(20)]
        assert lines[21:] == ["  … and 5 more, see the task's log and its XCom `report`", "Wait."]

    @pytest.mark.parametrize("count, last", [(20, "services[19] s19: failed: broken 19"), (21, "… and 1 more, see")])
    def test_what_is_left_out_is_counted(self, count: int, last: str) -> None:
        error = error_of(Report(tuple(row(n, Outcome.FAILED, error=server_error(n)) for n in range(count))))
        assert error.message.splitlines()[-1].startswith(f"  {last}")

    def test_each_kind_of_failure_has_its_advice(self) -> None:
        rows = (row(0, Outcome.CONFLICT, "x"), row(1, Outcome.UNAPPLIED), row(2, Outcome.FAILED, error=server_error(2)))
        advice = error_of(Report(rows)).advice
        assert all(part in advice for part in ('on_conflict="keep"', "the token's role", "Wait."))

    def test_it_is_retryable_if_any_row_is(self) -> None:
        final = row(0, Outcome.FAILED, error=server_error(0, retryable=False))
        passing = row(1, Outcome.FAILED, error=server_error(1))
        assert error_of(Report((final, passing))).retryable
        assert not error_of(Report((final, final))).retryable

    def test_advice_of_rows_is_given_where_all_of_them_have_the_same(self) -> None:
        other = OutcomeError("no", advice="Do something else.")
        rows = (row(0, Outcome.FAILED, error=server_error(0)), row(1, Outcome.FAILED, error=other))
        assert error_of(Report(rows)).advice == ""
        assert error_of(Report(rows[:1] * 2)).advice == "Wait."

    @pytest.mark.parametrize(
        "outcome, advice", [(Outcome.CONFLICT, 'on_conflict="keep"'), (Outcome.UNAPPLIED, "the token's role")]
    )
    def test_a_field_that_is_not_as_declared_fails_for_good_and_says_what_can_be_done(
        self, outcome: Outcome, advice: str
    ) -> None:
        error = Report((row(0, Outcome.CREATED), row(1, outcome, "description: stays"))).error()
        assert isinstance(error, OutcomeError)
        assert not error.retryable
        assert f"services[1] s1: {outcome.value}: description: stays" in error.message
        assert advice in error.advice
        alone = error_of(Report((row(0, outcome, "description: stays"),)))
        assert alone.message == f"The catalog is not as declared: s0: {outcome.value}: description: stays"

    def test_a_kept_field_is_no_failure(self) -> None:
        assert Report((row(0, Outcome.KEPT, "description: is kept"),)).error() is None

    def test_what_ended_a_run_does_not_hide_the_services_that_failed_before(self) -> None:
        end = ServerError("down", status=503, method="POST", path="/a", request_id="7", advice="Try later.")
        rows = (row(0, Outcome.FAILED, error=server_error(0)), row(1, Outcome.NOT_SENT, error=OutcomeError("not sent")))
        report = Report(rows, abort=end)
        for _ in range(2):
            error = report.error()
            assert isinstance(error, ServerError)
            assert str(error).splitlines() == [
                "down [POST /a, request 7]",
                "Try later.",
                "These failed before:",
                "  services[0] s0: failed: broken 0",
            ]
        assert str(end) == "down [POST /a, request 7]\nTry later."
        assert Report(rows[1:], abort=end).error() is end

    def test_a_single_row_fails_with_its_own_error(self, bot: Workbench) -> None:
        error = server_error(0)
        assert Report((row(0, Outcome.FAILED, error=error),)).error() is error
        bot.catalog.add_service("team.sklearn", "Sklearn")
        conflict = bot.run([sklearn()], if_exists="fail").error()
        assert str(conflict) == (
            "'team.sklearn' exists already\n"
            'Use if_exists="update" to make it as declared, if_exists="ignore" to leave it, or another name.'
        )

    def test_a_conflict_met_on_the_way_keeps_its_status(self, bot: Workbench) -> None:
        body = {"code": 409, "message": "Entity already exists"}
        bot.catalog.fail(None, status=409, body=body, method="POST")
        assert isinstance(bot.run([sklearn()], if_exists="fail").error(), ConflictError)
