"""Names in declarations in whole runs, on each release by each kind of token."""

from __future__ import annotations

import json
from collections.abc import Iterator

from airflow_provider_collate.sandbox.directory import User
from tests.unit.reconcile.workbench import Workbench, error_of, once, sklearn


def test_names_are_applied_and_a_second_run_changes_nothing(anyone: Workbench) -> None:
    catalog = anyone.catalog
    catalog.add_user(User("bob", "b.smith@acme.example"))
    catalog.add_tag("Business.Churn", glossary=True)
    rows = [
        sklearn("a", owners=["ana@acme.example"], domains=["Fraud"], tags=["Tier.Tier1", "glossary:Business.Churn"]),
        sklearn("b", owners=["b.smith@acme.example"]),
        sklearn("c", owners=["team:ml-platform"]),
    ]
    assert anyone.run(rows).counts == {"created": 3}
    assert list(_owners(anyone)) == ["ana", "bob", "ml-platform"]
    before = len(anyone.writes())
    assert anyone.run(rows).counts == {"unchanged": 3}
    assert len(anyone.writes()) == before


def _owners(bench: Workbench) -> Iterator[str | None]:
    for name in "abc":
        service = bench.services.by_name(name, ["owners"])
        assert service is not None
        assert service.owners
        yield service.owners[0].name


def test_a_misspelt_name_costs_nothing(anyone: Workbench) -> None:
    anyone.run([sklearn("old", tags=["Tier.Tier1"], description="Old")])
    rows = [
        sklearn("old", tags=["Tier.Teir1"], description="New"),
        sklearn("new", domains=["Fruad"]),
        sklearn("good", tags=["PII.None"]),
    ]
    before = len(anyone.writes())
    report = anyone.run(rows)

    assert report.counts == {"created": 1, "failed": 2}
    said = str(report.error())
    assert 'services[0].tags: "Tier.Teir1" is not in the catalog, did you mean "Tier.Tier1"?' in said
    assert 'services[1].domains: "Fruad" is not in the catalog, did you mean "Fraud"?' in said
    assert all(b"good" in write.content or write.method == "PATCH" for write in anyone.writes()[before:])
    old = anyone.services.by_name("old", ["tags"])
    assert old is not None
    assert (old.description, [tag.tag_fqn for tag in old.tags or ()]) == ("Old", ["Tier.Tier1"])
    assert anyone.services.by_name("new") is None


def test_a_service_alone_is_named_without_its_number(bot: Workbench) -> None:
    error = bot.run([sklearn(tags=["Tier.Teir1"])]).error()
    assert str(error).startswith('tags: "Tier.Teir1" is not in the catalog')
    assert bot.writes() == []


def test_the_advice_fits_what_is_wrong(bot: Workbench) -> None:
    bot.catalog.add_team("ana")
    absent, ambiguous = (error_of(bot.run([sklearn(owners=[owner])])) for owner in ("anna", "ana"))
    assert "create it in the catalog" in absent.advice
    assert 'write "user:ana" or "team:ana"' in ambiguous.message
    assert "name" not in ambiguous.advice
    assert bot.writes() == []


def test_an_owner_is_sent_by_id_and_type(bot: Workbench) -> None:
    bot.run([sklearn(owners=["ana"], domains=["Fraud"])])
    (create,) = bot.sent("POST")
    body = json.loads(create.content)
    ana = bot.catalog.state.directory.by_name("user", "ana")
    assert body["owners"] == [{"id": ana.id, "type": "user"}]
    assert body["domains"] == ["Fraud"]


def test_a_domain_that_is_removed_between_look_up_and_write_fails_its_row_only(bot: Workbench) -> None:
    risk = bot.catalog.add_domain("Risk")
    once(bot, "PUT", lambda: bot.catalog.remove_entry(risk))
    report = bot.run([sklearn("a", domains=["Risk"]), sklearn("b")])
    assert report.counts == {"created": 1, "failed": 1}
    assert "domain instance for Risk not found" in str(report.error())
    assert bot.services.by_name("a") is None
