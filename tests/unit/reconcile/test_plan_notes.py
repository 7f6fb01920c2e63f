"""What a plan says beside its changes: secrets that cannot be compared, and descriptions that lose parts."""

from __future__ import annotations

import json
import logging

import httpx
import pytest

from airflow_provider_collate.sandbox import ANA, RELEASES, Catalog
from tests.conformance.shared import needs, shared
from tests.unit.reconcile.workbench import Row, Workbench, sagemaker, sklearn

CONTRACT = shared("contract")


def warned(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]


class TestDescriptions:
    @needs(CONTRACT)
    @pytest.mark.parametrize("is_bot", [True, False])
    @pytest.mark.parametrize("release", RELEASES)
    def test_every_text_of_the_contract_is_stored_once_and_not_written_again(self, release: str, is_bot: bool) -> None:
        lines = (CONTRACT / "descriptions_stored.jsonl").read_text(encoding="utf-8").strip().split("\n")
        rows: list[Row] = [
            sklearn(f"d{number}", description=json.loads(line)["sent"]) for number, line in enumerate(lines)
        ]
        bench = Workbench(Catalog(release), is_bot=is_bot)
        bench.run(rows)
        sent = len(bench.writes())
        assert bench.run(rows).counts == {"unchanged": len(rows)}
        assert len(bench.writes()) == sent

    @pytest.mark.parametrize("release, warns", [("1.2", False), ("1.12", False), ("1.13", True), ("2.x", True)])
    def test_a_loss_is_a_warning_that_comes_with_the_write(
        self, release: str, warns: bool, caplog: pytest.LogCaptureFixture
    ) -> None:
        bench = Workbench(Catalog(release))
        rows = [sklearn("fraud", description="A List<String>"), sklearn("plain", description="Bob's")]
        report = bench.run(rows)
        assert any("drops HTML" in line and "[fraud: <String>]" in line for line in warned(caplog)) is warns
        assert any("[fraud: <String>]" in note for note in report.notes) is warns
        caplog.clear()
        bench.run(rows)
        assert warned(caplog) == []
        assert bench.plan([{**rows[0], "displayName": "A"}]).warnings == ()
        assert bench.plan([sklearn("fraud", description="A Set<int>")], if_exists="fail").warnings == ()
        plan = bench.plan([sklearn("fraud", description="A Set<int>")])
        assert any("[fraud: <int>]" in line for line in plan.warnings) is warns

    @pytest.mark.parametrize("text", ["<table>text<tr><td>x</table>", "<svg>x</svg>", "<a href=http://x y z>q</a>"])
    def test_a_form_that_is_not_recognised_is_a_warning_and_no_change(
        self, text: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        bench = Workbench(Catalog())
        assert bench.run([sklearn("a", description=text)]).counts == {"created": 1}
        caplog.clear()
        report = bench.run([sklearn("a", description=text)])
        assert report.counts == {"unchanged": 1}
        assert any("in a form that this version does not recognise" in line for line in warned(caplog))

    def test_a_longer_text_that_the_server_did_not_take_is_a_failure(self, bot: Workbench) -> None:
        bot.run([sklearn("a", description="Model")])
        bot.catalog.fail(None, status=200, body={"id": bot.catalog.services["a"]["id"]}, method="PATCH")
        assert bot.run([sklearn("a", description="Model of Ana")]).counts == {"unapplied": 1}


class TestLabelTypes:
    """A tag's `labelType` that differs is told as a warning, in the log and in the report."""

    def test_of_a_tag_that_is_there_it_is_a_warning(self, bot: Workbench, caplog: pytest.LogCaptureFixture) -> None:
        bot.run([sklearn("a", tags=["PII.None"])])
        row = sklearn("a", tags=[{"tagFQN": "PII.None", "labelType": "Automated"}])
        report = bot.run([row])
        assert report.counts == {"unchanged": 1}
        (line,) = warned(caplog)
        assert "a: PII.None is there with labelType Manual, which no write turns into Automated" in line
        assert line in report.notes
        assert line in bot.plan([row]).text()

    def test_of_a_tag_that_a_server_stores_in_its_own_way_it_is_one_too(
        self, bot: Workbench, caplog: pytest.LogCaptureFixture
    ) -> None:
        def store_as_manual(request: httpx.Request) -> None:
            if request.method == "GET" and "a" in bot.catalog.services:
                bot.catalog.edit_service("a", tags=[])
                bot.catalog.edit_service("a", tags=["PII.None"])

        bot.before = store_as_manual
        report = bot.run([sklearn("a", tags=[{"tagFQN": "PII.None", "labelType": "Automated"}])])
        assert report.counts == {"created": 1}
        (line,) = warned(caplog)
        assert "which no write turns into Automated" in line
        assert line in report.notes


class TestSecrets:
    def test_a_masked_one_is_a_note_in_a_plan_and_no_change(self, person: Workbench) -> None:
        person.run([sagemaker()])
        plan = person.plan([sagemaker(secret="another")])
        assert plan.counts == {"unchanged": 1}
        assert "1 declared secret cannot be compared" in plan.text()
        assert "a run writes it again" in plan.text()

    def test_one_that_is_left_is_a_warning(self, person: Workbench, caplog: pytest.LogCaptureFixture) -> None:
        person.run([sagemaker("a"), sagemaker("b")])
        sent = len(person.writes())
        caplog.set_level(logging.INFO, "airflow_provider_collate")
        report = person.run([sagemaker("a", secret="another"), sagemaker("b")], rewrite_secrets=False)
        assert (report.counts, len(person.writes())) == ({"unchanged": 2}, sent)
        assert report.unreadable_secrets == 2
        (line,) = warned(caplog)
        assert line in report.notes
        assert line.startswith("Each of 2 declared secrets cannot be compared")
        assert "rewrite_secrets=False" in line
        assert caplog.text.count(line) == 1

    @pytest.mark.parametrize("release", RELEASES)
    def test_those_in_a_secrets_manager_are_one_warning_and_are_written_when_that_is_asked(
        self, release: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        bench = Workbench(Catalog(release, secrets_manager=True))
        rows = [sagemaker("a"), sagemaker("b")]
        bench.run(rows)
        sent = len(bench.writes())
        caplog.clear()
        report = bench.run(rows)
        assert (report.counts, report.unreadable_secrets) == ({"unchanged": 2}, 2)
        (line,) = warned(caplog)
        assert line.startswith("Each of 2 declared secrets is kept in a secrets manager")
        assert len(bench.writes()) == sent
        bench.run(rows, rewrite_secrets=True)
        assert len(bench.writes()) == sent + 2

    @pytest.mark.parametrize("choice", ["ignore", "fail"])
    def test_one_of_a_service_that_must_not_be_touched_is_not_written(self, person: Workbench, choice: str) -> None:
        person.run([sagemaker()])
        sent = len(person.writes())
        person.run([sagemaker(secret="another")], if_exists=choice)
        assert len(person.writes()) == sent

    def test_one_of_a_service_that_stays_deleted_is_not_written(self, person: Workbench) -> None:
        person.run([sagemaker()])
        person.catalog.remove_service("sage", user=ANA)
        sent = len(person.writes())
        assert person.run([sagemaker(secret="another")], on_conflict="keep").counts == {"kept": 1}
        assert len(person.writes()) == sent
