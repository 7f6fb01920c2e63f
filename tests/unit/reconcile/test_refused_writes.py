"""What a refused write leaves behind, on each release by each kind of token: nothing is lost without a word."""

from __future__ import annotations

import pytest

from airflow_provider_collate.exceptions import (
    AuthenticationError,
    LockedError,
    NotFoundError,
    PermissionDeniedError,
    RequestError,
    ServerError,
)
from airflow_provider_collate.reconcile.report import Outcome
from airflow_provider_collate.reconcile.scope import PruneScope
from airflow_provider_collate.sandbox import ANA, RELEASES, Catalog
from airflow_provider_collate.sandbox.directory import Entry
from tests.unit.reconcile.workbench import COLLECTION, Row, Workbench, error_of, once, sklearn

EVERY = [(release, is_bot) for release in RELEASES for is_bot in (True, False)]


@pytest.fixture(params=EVERY, ids=lambda param: f"{param[0]}, {'bot' if param[1] else 'person'}")
def bench(request: pytest.FixtureRequest) -> Workbench:
    """Each release by each kind of token."""
    release, is_bot = request.param
    return Workbench(Catalog(release), is_bot=is_bot)


def removed_before(bench: Workbench, method: str, entry: Entry) -> None:
    """Remove an entry between its look-up and the first write of a method."""
    once(bench, method, lambda: bench.catalog.remove_entry(entry))


def tags_of(bench: Workbench, name: str) -> list[str]:
    service = bench.services.by_name(name, ["tags"])
    assert service is not None
    return [tag.tag_fqn for tag in service.tags or ()]


class TestAPatchThatIsRefused:
    def test_tags_that_it_lost_are_in_the_error(self, bench: Workbench) -> None:
        bench.run([sklearn("a", tags=["PII.None"])])
        sent = len(bench.sent("PATCH"))
        removed_before(bench, "PATCH", bench.catalog.add_tag("Team.New"))
        row = bench.run_one(sklearn("a", tags=["PII.None", "Team.New"]))
        assert tags_of(bench, "a") == []
        error = error_of(row)
        assert row.outcome is Outcome.FAILED
        assert "although it was refused, the catalog changed, and now: tags: [] →" in error.message
        assert error.advice
        assert not error.retryable
        assert len(bench.sent("PATCH")) == sent + 1

    def test_one_that_changed_nothing_is_told_as_the_server_did(self, bench: Workbench) -> None:
        bench.run([sklearn("a", tags=["PII.None"])])
        bench.catalog.fail(None, status=400, body={"code": 400, "message": "no"}, method="PATCH")
        row = bench.run_one(sklearn("a", tags=["PII.Sensitive"]))
        assert "although" not in str(row.error)
        assert tags_of(bench, "a") == ["PII.None"]

    def test_a_creation_before_it_is_told(self, bench: Workbench) -> None:
        """A POST of 1.2 drops tags (recorded), so they are patched afterwards."""
        bench.catalog.release = "1.2"
        bench.catalog.fail(None, status=403, body={"code": 403, "message": "not allowed"}, method="PATCH")
        error = error_of(bench.run_one(sklearn("a", tags=["PII.None"])))
        assert error.message.startswith("created, but Collate answered 403: not allowed")
        assert "role" in error.advice
        assert not error.retryable
        assert "a" in bench.catalog.services

    def test_a_creation_before_a_fault_is_left_to_airflows_retries(self, bench: Workbench) -> None:
        bench.catalog.release = "1.2"
        bench.catalog.fail(None, status=503, method="PATCH")
        error = error_of(bench.run_one(sklearn("a", tags=["PII.None"])))
        assert error.message.startswith("created, but Collate answered 503")
        assert error.retryable


class TestADomainThatWasRemovedMeanwhile:
    def test_a_creation_with_it_is_refused_and_leaves_nothing(self, bench: Workbench) -> None:
        removed_before(bench, "POST", bench.catalog.add_domain("Gone"))
        row = bench.run_one(sklearn("a", domains=["Gone"]))
        assert isinstance(row.error, NotFoundError)
        assert "domain instance for" in str(row.error)
        assert not bench.catalog.services

    @pytest.mark.parametrize("others", [1, 20])
    def test_a_service_that_a_patch_broke_is_named_and_the_others_are_served(
        self, bench: Workbench, others: int
    ) -> None:
        rows: list[Row] = [sklearn(f"s{number:02}") for number in range(others)]
        bench.run([sklearn("broken"), *rows])
        removed_before(bench, "PATCH", bench.catalog.add_domain("Gone"))
        first = bench.run([sklearn("broken", domains=["Gone"])])
        assert "'broken' was written (domains: [] → [Gone]), but it cannot be read with its domains" in str(
            first.error()
        )
        second = bench.run([sklearn("broken", domains=["Fraud"]), *({**row, "domains": ["Fraud"]} for row in rows)])
        assert second.counts == {"updated": others, "failed": 1}
        assert "'broken' cannot be changed: it cannot be read with its domains" in str(second.error())

    def test_others_can_be_pruned_beside_it(self, bench: Workbench) -> None:
        bench.run([sklearn("broken"), sklearn("old", domains=["Fraud"])])
        removed_before(bench, "PATCH", bench.catalog.add_domain("Gone"))
        bench.run([sklearn("broken", domains=["Gone"])])
        report = bench.run([sklearn("new")], prune="soft", prune_scope=PruneScope(domain="Fraud"), max_prune=1)
        assert report.counts == {"created": 1, "deleted": 1}


class TestLocks:
    def test_one_that_ends_is_waited_for(self, bench: Workbench) -> None:
        bench.run([sklearn("a")])
        bench.catalog.lock("a", 2)
        assert bench.run_one(sklearn("a", description="New")).outcome is Outcome.UPDATED

    @pytest.mark.parametrize("text", ["Cannot modify a", "Service a is being deleted"])
    @pytest.mark.parametrize("choice", ["update", "ignore", "fail"])
    def test_one_that_stays_is_no_service_that_exists(self, bench: Workbench, text: str, choice: str) -> None:
        bench.catalog.fail(None, status=409, body={"code": 409, "message": text}, method="POST")
        row = bench.run_one(sklearn("a"), if_exists=choice)
        assert isinstance(row.error, LockedError)
        assert row.error.retryable


class TestRoles:
    @pytest.mark.parametrize("release", RELEASES)
    def test_a_narrow_one_is_told_what_it_lacks(self, release: str) -> None:
        bench = Workbench(Catalog(release, narrow_role=True))
        bench.run([sklearn("a", description="Old")])
        error = bench.run([sklearn("a", description="New")]).error()
        assert isinstance(error, PermissionDeniedError)
        assert "a role that allows EditAll" in error.advice
        assert bench.catalog.services["a"]["description"] == "Old"

    @pytest.mark.parametrize("choice", ["fail", "keep", "overwrite"])
    def test_a_field_that_one_denies_is_a_failure_whatever_the_option_says(self, choice: str) -> None:
        bench = Workbench(Catalog(denies_display_name=True))
        bench.run([sklearn("a", displayName="Old")])
        report = bench.run([sklearn("a", displayName="New")], on_conflict=choice)
        assert report.counts == {"unapplied": 1}
        assert "whether the token's role may edit the field" in str(report.error())


class TestAHistoryThatIsNotThere:
    @pytest.mark.parametrize(
        "answer, why",
        [
            ({"status": 403}, "its history cannot be read (403)"),
            ({"status": 404}, "its history cannot be read (404)"),
            ({"status": 200, "body": {}}, "its history is empty"),
            ({"status": 200, "body": {"versions": ['{"secret": "canary-secret"']}}, "its history cannot be read"),
            ({"status": 200, "body": "canary-secret"}, "its history cannot be read"),
        ],
    )
    def test_the_text_counts_as_somebody_else_s_and_the_message_says_why(
        self, bench: Workbench, answer: dict[str, object], why: str
    ) -> None:
        bench.run([sklearn("a", description="Ours")])
        bench.catalog.fail(None, path="/versions$", **answer)  # type: ignore[arg-type]
        report = bench.run([sklearn("a", description="New")])
        assert report.counts == {"conflict": 1}
        assert f"by somebody else; {why}) is kept" in str(report.error())
        assert "canary" not in f"{report!r}{report.error()}"

    @pytest.mark.parametrize("status, error", [(503, ServerError), (401, AuthenticationError)])
    def test_what_may_pass_and_a_refused_token_end_the_run(
        self, bench: Workbench, status: int, error: type[RequestError]
    ) -> None:
        bench.run([sklearn("a", description="Ours")])
        bench.catalog.fail(None, path="/versions$", status=status)
        with pytest.raises(error):
            bench.run([sklearn("a", description="New")])

    def test_whose_service_it_is_is_not_known_either_and_it_is_not_deleted(self, bench: Workbench) -> None:
        bench.run([sklearn("a"), sklearn("ab")])
        bench.catalog.fail(None, path="/versions$", status=403)
        report = bench.run([sklearn("a")], prune="soft", prune_scope=PruneScope(name_prefix="a"), max_prune=1)
        assert report.counts == {"unchanged": 1, "kept": 1}
        assert "created by somebody else; its history cannot be read (403)" in str(report.rows[1])


class TestServicesOfOthers:
    def test_prune_names_them_and_takes_them_only_to_overwrite(self, bench: Workbench) -> None:
        bench.run([sklearn("a1"), sklearn("a2")])
        bench.catalog.add_service("a3", "Sklearn", user=ANA)
        options = {"prune": "soft", "prune_scope": PruneScope(name_prefix="a"), "max_prune": 2}
        report = bench.run([sklearn("a1")], **options)
        assert report.counts == {"unchanged": 1, "deleted": 1, "kept": 1}
        assert "a3: kept: service: created by ana, " in str(report.rows[2])
        assert bench.run([sklearn("a1")], on_conflict="overwrite", **options).counts == {"unchanged": 1, "deleted": 1}

    def test_one_that_somebody_soft_deleted_stays_so_and_nothing_is_sent(self, bench: Workbench) -> None:
        bench.run([sklearn("a")])
        bench.catalog.remove_service("a", user=ANA)
        sent = len(bench.writes())
        report = bench.run([sklearn("a", description="New")])
        assert report.counts == {"conflict": 1}
        assert "it was soft-deleted (ana, " in str(report.error())
        assert len(bench.writes()) == sent
        assert bench.run([sklearn("a")], on_conflict="overwrite").counts == {"restored": 1}

    @pytest.mark.parametrize("field, theirs", [("owners", "admin"), ("domains", "Marketing")])
    def test_owners_and_domains_that_a_person_chose_later_are_a_conflict(
        self, bench: Workbench, field: str, theirs: str
    ) -> None:
        ours = {"owners": ["ana"], "domains": ["Fraud"]}[field]
        bench.run([sklearn("a", **{field: ours})])
        catalog = bench.catalog
        entry = catalog.add_domain(theirs) if field == "domains" else catalog.state.directory.by_name("user", theirs)
        single = catalog.release == "1.2"
        edit = {field.removesuffix("s"): entry} if single else {field: [entry]}
        catalog.edit_service("a", user=ANA, **edit)
        report = bench.run([sklearn("a", description="New", **{field: ours})])
        assert report.counts == {"conflict": 1}
        assert f"{field}: [{theirs}] (ana, " in str(report.error())
        assert catalog.services["a"]["description"] == "New"
        assert bench.run([sklearn("a", **{field: ours})], on_conflict="keep").counts == {"kept": 1}
        assert bench.run([sklearn("a", **{field: ours})], on_conflict="overwrite").counts == {"updated": 1}


def test_the_path_of_a_service_is_the_only_one_that_is_written(bench: Workbench) -> None:
    bench.run([sklearn("a", owners=["ana"], tags=["PII.None"], domains=["Fraud"])])
    assert all(seen.path.startswith(COLLECTION) for seen in bench.writes())


def test_a_type_that_the_release_does_not_have_is_told_before_anything_of_its_row_is_sent(old_bot: Workbench) -> None:
    vertex = {"name": "vertex", "serviceType": "VertexAI", "connection": {"config": {"location": "eu"}}}
    report = old_bot.run([vertex, sklearn("other")])
    assert report.counts == {"created": 1, "failed": 1}
    assert "'vertex' is of type VertexAI, which came with release 1.5, but this is Collate 1.2.0" in str(report.error())
    assert all(b"vertex" not in write.content for write in old_bot.writes())
