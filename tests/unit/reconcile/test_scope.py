"""Which services a declaration is the whole truth for, and how many of them may go."""

from __future__ import annotations

import pytest

from airflow_provider_collate.exceptions import BadRequestError, InvalidDeclarationError
from airflow_provider_collate.reconcile.changes import Action
from airflow_provider_collate.reconcile.options import RunOptions, parse_limit
from airflow_provider_collate.reconcile.planner import prune_refusal
from airflow_provider_collate.reconcile.scope import PruneScope
from tests.unit.reconcile.workbench import Workbench, shown, sklearn

OWNER = {"id": "8a1f2b3c-0000-4000-8000-00000000000a", "type": "team", "name": "ml-platform"}
DOMAIN = {"id": "8a1f2b3c-0000-4000-8000-0000000000d1", "type": "domain", "name": "Scores"}


def tag(fqn: str, label_type: str = "Manual") -> dict[str, str]:
    return {"tagFQN": fqn, "source": "Classification", "labelType": label_type, "state": "Confirmed"}


class TestParsing:
    @pytest.mark.parametrize("given", [[], "team.", 5, True])
    def test_it_is_a_mapping(self, given: object) -> None:
        with pytest.raises(InvalidDeclarationError, match="prune_scope: must be a mapping"):
            RunOptions.parse({"prune": "soft", "prune_scope": given})

    def test_an_empty_one_would_hold_everything(self) -> None:
        with pytest.raises(InvalidDeclarationError, match="prune_scope: is empty"):
            PruneScope.parse({})
        with pytest.raises(InvalidDeclarationError, match="prune_scope: is empty"):
            PruneScope()

    def test_all_faults_are_named(self) -> None:
        with pytest.raises(InvalidDeclarationError) as caught:
            PruneScope.parse({"prefix": "x", "tag": "", "owner": None, "domain": "  ", "name_prefix": 5})
        assert caught.value.problems == (
            "prune_scope.prefix: unknown, must be one of tag, owner, domain, name_prefix",
            "prune_scope.tag: must be a text that is not empty",
            "prune_scope.owner: must be a text that is not empty",
            "prune_scope.domain: must be a text that is not empty",
            "prune_scope.name_prefix: must be a text that is not empty",
        )

    def test_it_says_what_it_is(self) -> None:
        scope = PruneScope.parse({"name_prefix": "team.", "tag": "Team.ml"})
        assert str(scope) == "tag 'Team.ml', name_prefix 'team.'"
        assert scope.fields == {"tags"}


class TestHolding:
    @pytest.mark.parametrize("prefix, held", [("team.", True), ("Team.", False), ("eam", False)])
    def test_a_name_prefix(self, prefix: str, held: bool) -> None:
        assert PruneScope(name_prefix=prefix).holds(shown()) is held

    def test_a_tag_on_the_service_itself(self) -> None:
        scope = PruneScope(tag="Team.ml")
        assert scope.holds(shown(tags=[tag("PII.None"), tag("Team.ml")]))
        assert not scope.holds(shown(tags=[tag("Team.ml", "Derived")]))
        assert not scope.holds(shown(tags=[{**tag("Team.ml"), "state": "Suggested"}]))
        assert not scope.holds(shown(tags=[tag("Team")]))
        assert not scope.holds(shown())

    def test_an_owner_by_id_or_name(self) -> None:
        service = shown(owners=[OWNER])
        assert PruneScope(owner="ml-platform").holds(service)
        assert PruneScope(owner=OWNER["id"].upper()).holds(service)
        assert PruneScope(owner="ml-platform").holds(shown(owner=OWNER))
        assert not PruneScope(owner="ml").holds(service)

    def test_an_owner_that_was_looked_up_is_known_by_the_id_only(self) -> None:
        service = shown(owners=[OWNER])
        assert PruneScope(owner="ml@acme.example", owner_id=OWNER["id"]).holds(service)
        assert not PruneScope(owner="ml-platform", owner_id="8a1f2b3c-0000-4000-8000-00000000000b").holds(service)
        assert PruneScope(owner="team:ml-platform").holds(service)
        assert not PruneScope(owner="user:ml-platform").holds(service)

    def test_a_glossary_term_is_no_tag(self) -> None:
        service = shown(tags=[{**tag("Business.Churn"), "source": "Glossary"}])
        assert PruneScope(tag="glossary:Business.Churn").holds(service)
        assert not PruneScope(tag="Business.Churn").holds(service)
        assert not PruneScope(tag="glossary:Business.Churn").holds(shown(tags=[tag("Business.Churn")]))

    def test_a_domain_by_its_full_name_only(self) -> None:
        service = shown(domains=[{**DOMAIN, "fullyQualifiedName": "Risk.Scores"}])
        assert PruneScope(domain="Risk.Scores").holds(service)
        assert not PruneScope(domain="Scores").holds(service)
        assert PruneScope(domain="Scores").holds(shown(domain=DOMAIN))

    def test_what_is_inherited_does_not_count(self) -> None:
        service = shown(owners=[{**OWNER, "inherited": True}], domains=[{**DOMAIN, "inherited": True}])
        assert not PruneScope(owner="ml-platform").holds(service)
        assert not PruneScope(domain="Scores").holds(service)

    def test_all_that_is_given_must_hold(self) -> None:
        scope = PruneScope(name_prefix="team.", tag="Team.ml")
        assert scope.holds(shown(tags=[tag("Team.ml")]))
        assert not scope.holds(shown(name="other", tags=[tag("Team.ml")]))
        assert not scope.holds(shown(tags=[]))


class TestLimit:
    @pytest.mark.parametrize(
        "limit, in_scope, allowed",
        [
            (0, 100, 0),
            (7, 3, 7),
            ("10%", 100, 10),
            ("10%", 99, 9),
            ("10%", 9, 1),
            ("1%", 5, 1),
            ("0%", 100, 0),
            ("100%", 7, 7),
            ("29%", 100, 29),
            ("0.5%", 1_000, 5),
            ("33.3%", 1_000, 333),
            (" 10 % ", 100, 10),
        ],
    )
    def test_a_number_or_a_percentage_rounded_down(self, limit: int | str, in_scope: int, allowed: int) -> None:
        assert parse_limit(limit, in_scope) == allowed
        assert prune_refusal(allowed, in_scope, limit) is None
        assert prune_refusal(allowed + 1, in_scope, limit) is not None

    @pytest.mark.parametrize(
        "limit", ["10", "101%", "-1%", "ten%", "%", "", "1e2%", "१०%", "10%%", -1, 1.5, True, None]
    )
    def test_anything_else_is_refused_with_the_other_options(self, limit: object) -> None:
        with pytest.raises(InvalidDeclarationError) as caught:
            RunOptions(max_prune=limit, chunk_size=0)  # type: ignore[arg-type]
        assert [problem.partition(":")[0] for problem in caught.value.problems] == ["chunk_size", "max_prune"]


class TestOptions:
    def test_all_faults_are_named(self) -> None:
        with pytest.raises(InvalidDeclarationError) as caught:
            RunOptions(
                on_conflict="no",  # type: ignore[arg-type]
                if_exists=["fail"],  # type: ignore[arg-type]
                prune="all",  # type: ignore[arg-type]
                max_workers=True,
                chunk_size="9",  # type: ignore[arg-type]
                allow_empty="False",  # type: ignore[arg-type]
            )
        assert set(caught.value.problems) == {
            "if_exists: is ['fail'], but must be one of 'fail', 'ignore', 'update'",
            "on_conflict: is 'no', but must be one of 'fail', 'keep', 'overwrite'",
            "prune: is 'all', but must be one of None, 'soft', 'hard'",
            "chunk_size: must be a whole number of at least 1",
            "max_workers: must be a whole number of at least 1",
            "allow_empty: must be True or False, not str",
            "prune_scope: must be given to prune, or services of other teams would be deleted too",
        }

    @pytest.mark.parametrize(
        "given", [{"prune_scope": {"tag": "Team.ml"}}, {"max_prune": 5}, {"prune": None, "max_prune": "50%"}]
    )
    def test_what_limits_pruning_is_refused_without_it(self, given: dict[str, object]) -> None:
        with pytest.raises(InvalidDeclarationError, match="without prune"):
            RunOptions.parse(given)

    @pytest.mark.parametrize("unrendered", [["prune"], ["prune_scope"], ["prune", "prune_scope"]])
    def test_templates_are_not_judged_and_the_rest_is(self, unrendered: list[str]) -> None:
        given = {"prune": "soft", "prune_scope": {"tag": "Team.ml"}, "max_prune": 5}
        given.update(dict.fromkeys(unrendered, "{{ params.it }}"))
        RunOptions.check(given, unrendered=unrendered)
        with pytest.raises(InvalidDeclarationError, match="max_prune"):
            RunOptions.check({**given, "max_prune": "many"}, unrendered=unrendered)


class TestOnServers:
    @pytest.mark.parametrize("prune, told", [("hard", 1), ("soft", 0)])
    def test_what_was_soft_deleted_before_stays_so_and_is_counted(
        self, prune: str, told: int, anyone: Workbench
    ) -> None:
        anyone.run([sklearn(name) for name in ("s_kept", "s_old", "other", "s_deleted", "s_gone")])
        for name in ("other", "s_deleted", "s_gone"):
            anyone.catalog.remove_service(name, user=anyone.user)
        scope = PruneScope(name_prefix="s_")
        report = anyone.run([sklearn("s_kept")], prune=prune, prune_scope=scope, max_prune=1)
        assert report.counts == {"unchanged": 1, "deleted": 1}
        assert "s_deleted" in anyone.catalog.deleted
        notes = [note for note in report.notes if "soft-deleted before: 2" in note and "hard_delete=True" in note]
        assert len(notes) == told

    def test_each_scope_prunes_on_each_server(self, anyone: Workbench) -> None:
        catalog = anyone.catalog
        me = anyone.user
        team = catalog.add_team("research")
        catalog.add_domain("Research")
        catalog.add_tag("Team.research")
        is_old = catalog.release == "1.2"
        owner = {"owner": team} if is_old else {"owners": [team]}
        domain = catalog.state.directory.by_name("domain", "Research")
        catalog.add_service("tagged", user=me, tags=["Team.research"])
        catalog.add_service("owned", user=me, **owner)
        catalog.add_service("settled", user=me, **({"domain": domain} if is_old else {"domains": [domain]}))
        catalog.add_service("research.named", user=me)
        catalog.add_service("other")
        for scope, name in (
            (PruneScope(tag="Team.research"), "tagged"),
            (PruneScope(owner="research"), "owned"),
            (PruneScope(domain="Research"), "settled"),
            (PruneScope(name_prefix="research."), "research.named"),
        ):
            report = anyone.run([sklearn("kept")], prune="soft", prune_scope=scope, max_prune=1)
            assert [row.name for row in report.rows if row.outcome.value == "deleted"] == [name]
        assert set(catalog.services) == {"other", "kept"}

    def test_a_scope_that_the_server_cannot_show_is_refused(self, bot: Workbench) -> None:
        message = {"code": 400, "message": "Invalid field name domains"}
        bot.catalog.fail(None, status=400, body=message, method="GET", path="mlmodelServices")
        with pytest.raises(InvalidDeclarationError) as caught:
            bot.plan([sklearn()], prune="soft", prune_scope=PruneScope(domain="Fraud"))
        assert caught.value.problems == (
            "prune_scope: this server's list cannot show domains: Invalid field name domains",
        )
        assert not bot.writes()

    @pytest.mark.parametrize("status, scope", [(422, {"domain": "Fraud"}), (400, {"name_prefix": "a"})])
    def test_another_refusal_is_told_as_it_is(self, status: int, scope: dict[str, str], bot: Workbench) -> None:
        message = {"code": status, "message": "Invalid"}
        bot.catalog.fail(None, status=status, body=message, method="GET", path="mlmodelServices")
        with pytest.raises(BadRequestError):
            bot.plan([sklearn()], prune="soft", prune_scope=PruneScope(**scope))

    def test_a_refused_run_writes_nothing_though_other_rows_differ(self, bot: Workbench) -> None:
        bot.run([sklearn(f"team.{n}") for n in range(4)])
        before = len(bot.writes())
        options = {"prune": "hard", "prune_scope": PruneScope(name_prefix="team.")}
        plan = bot.plan([sklearn("team.0", description="New"), sklearn("team.9")], **options)
        assert {change.action for change in plan.changes} == {Action.UPDATE, Action.CREATE, Action.DELETE}
        refusal = plan.refusal
        assert refusal is not None
        with pytest.raises(type(refusal), match="3 of 4 services in scope are no longer declared"):
            bot.run([sklearn("team.0", description="New"), sklearn("team.9")], **options)
        assert len(bot.writes()) == before


class TestWhatIsSaid:
    def test_the_scope_is_told_with_its_size(self, bot: Workbench) -> None:
        bot.run([sklearn("a", owners=["ana"]), sklearn("b", owners=["ana"]), sklearn("c", owners=["admin"])])
        scope = PruneScope(owner="ana@acme.example")
        plan = bot.plan([sklearn("a"), sklearn("d", owners=["ana"])], prune="soft", prune_scope=scope, max_prune=1)
        assert "Services in the prune scope (owner 'ana@acme.example'): 2" in plan.text()
        assert plan.warnings == ()
        assert plan.counts == {"unchanged": 1, "create": 1, "delete": 1}

    @pytest.mark.parametrize(
        "scope",
        [{"tag": "Tier.tier1"}, {"owner": "anna@acme.example"}, {"domain": "fraud"}, {"name_prefix": "Team."}],
    )
    def test_a_scope_that_holds_nothing_is_a_warning(
        self, bot: Workbench, scope: dict[str, str], caplog: pytest.LogCaptureFixture
    ) -> None:
        bot.run([sklearn("team.a", tags=["Tier.Tier1"], owners=["ana"], domains=["Fraud"])])
        bot.run([sklearn("team.a")], prune="soft", prune_scope=PruneScope.parse(scope))
        warned = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
        assert any(line.startswith("No service is in the prune scope") for line in warned)
        assert any("outside of the prune scope: 1, such as 'team.a'" in line for line in warned)
        assert any("is not in the catalog" in line for line in warned) is ("name_prefix" not in scope)

    @pytest.mark.parametrize(
        "scope, fields",
        [
            ({"tag": "Tier.Tier1"}, {"tags": ["Tier.Tier1"]}),
            ({"tag": "PII.None"}, {"tags": ["Tier.Tier1"]}),
            ({"owner": "ana"}, {"owners": ["ana@acme.example"]}),
            ({"owner": "ana"}, {"owners": []}),
            ({"domain": "Fraud"}, {"domains": ["Fraud"]}),
            ({"domain": "Fraud"}, {"domains": []}),
            ({"name_prefix": "te"}, {}),
            ({"name_prefix": "x"}, {}),
        ],
    )
    @pytest.mark.parametrize("exists", [False, True])
    def test_rows_that_will_be_outside_of_the_scope_are_named(
        self, bot: Workbench, scope: dict[str, str], fields: dict[str, object], exists: bool
    ) -> None:
        if exists:
            bot.run([sklearn("team.a")])
        row = sklearn("team.a", **fields)
        plan = bot.plan([row], prune="soft", prune_scope=PruneScope.parse(scope))
        bot.run([row])
        after = bot.plan([row], prune="soft", prune_scope=PruneScope.parse(scope))
        assert ("outside" in "".join(plan.warnings)) is (after.in_scope == 0)

    def test_tags_of_others_stay_and_keep_a_row_in_scope(self, bot: Workbench) -> None:
        bot.catalog.add_service("a", "Sklearn", tags=["PII.None"])
        row = sklearn("a", tags=["Tier.Tier1"], owners=["ana"])
        plan = bot.plan([row], prune="soft", prune_scope=PruneScope(tag="PII.None", owner="ana"))
        assert "outside" not in "".join(plan.warnings)

    def test_a_row_that_is_not_written_is_not_called_outside(self, bot: Workbench) -> None:
        plan = bot.plan([sklearn("a", tags=["Tier.Teir1"])], prune="soft", prune_scope=PruneScope(tag="Tier.Tier1"))
        assert "outside" not in "".join(plan.warnings)
