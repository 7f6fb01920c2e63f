"""Names in declarations: each looked up once, and what does not exist is told before anything is sent."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import httpx
import pytest

from airflow_provider_collate.client.client import CollateClient
from airflow_provider_collate.client.config import ClientConfig
from airflow_provider_collate.client.release import Release
from airflow_provider_collate.exceptions import (
    AuthenticationError,
    BadRequestError,
    InvalidDeclarationError,
    ServerError,
    StoppedError,
)
from airflow_provider_collate.reconcile.changes import Desired
from airflow_provider_collate.reconcile.lookups import LookUps
from airflow_provider_collate.reconcile.references import References, resolve_references
from airflow_provider_collate.reconcile.scope import PruneScope
from airflow_provider_collate.reconcile.workers import Workers
from tests.unit.reconcile.workbench import declared_services, sklearn

KINDS = {
    "users": "user",
    "teams": "team",
    "domains": "domain",
    "dataProducts": "dataProduct",
    "tags": "tag",
    "glossaryTerms": "glossaryTerm",
}


def uuid(number: int) -> str:
    return f"8a1f2b3c-0000-4000-8000-{number:012d}"


def meant(resolved: dict[str, Any] | None = None, *problems: str) -> Desired:
    """What one row alone comes to."""
    return Desired(0, [], "s0", resolved, problems)


def answered(status: int, document: dict[str, Any]) -> httpx.Response:
    return httpx.Response(status, stream=httpx.ByteStream(json.dumps(document).encode()))


class Recorded(httpx.BaseTransport):
    """A server that answers look-ups as a 1.2 server was recorded to; users are found in any case.

    :param entries: collection, fully qualified name, and further fields, such as `("users", "ana", {"email": …})`.
    """

    def __init__(self, *entries: tuple[str, str] | tuple[str, str, dict[str, Any]]) -> None:
        self.asked: list[str] = []
        self.statuses: dict[str, int] = {}
        self.ids: dict[str, str] = {}
        self._entries: dict[str, dict[str, Any]] = {}
        for number, (collection, fqn, *more) in enumerate(entries):
            self.ids[fqn] = uuid(number)
            document = {"id": uuid(number), "name": fqn.rpartition(".")[2], "fullyQualifiedName": fqn}
            self._entries[f"{collection}/{fqn}"] = {**document, **(more[0] if more else {})}

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path.removeprefix("/api/v1/")
        self.asked.append(path)
        collection, _, name = path.partition("/")
        for part, status in self.statuses.items():
            if path.startswith(part):
                return answered(status, {"code": status, "message": f"{part}: no"})
        if not name:
            below = f"{collection}/{request.url.params.get('parent', '')}"
            rows = [entry for key, entry in self._entries.items() if key.startswith(below)]
            return answered(200, {"data": rows, "paging": {"total": len(rows)}})
        if collection not in (*KINDS, "classifications"):
            return answered(404, {"code": 404, "message": "HTTP 404 Not Found"})
        found = self._find(collection, name)
        if found is None:
            message = f"{KINDS.get(collection)} instance for {name} not found"
            return answered(404, {"code": 404, "message": message})
        return answered(200, found)

    def _find(self, collection: str, key: str) -> dict[str, Any] | None:
        mine = [entry for path, entry in self._entries.items() if path.startswith(f"{collection}/")]
        if not key.startswith("name/"):
            return next((entry for entry in mine if entry["id"] == key.lower()), None)
        wanted = key.removeprefix("name/").strip('"').lower()
        return next((e for e in mine if wanted in (e["name"].lower(), e["fullyQualifiedName"].lower())), None)

    def resolve(
        self,
        rows: Sequence[dict[str, Any]],
        release: str = "1.12",
        scope: PruneScope | None = None,
        stopped: bool = False,
    ) -> References:
        """Resolve rows given by their fields beside name, type and connection."""
        declared = declared_services([sklearn(f"s{number}", **row) for number, row in enumerate(rows)])
        config = ClientConfig("https://acme.example/api", max_retries=0)
        with CollateClient(config, lambda: "token", http=self) as client:
            client.stopped = stopped
            names = LookUps(client.directory, Workers(8, client))
            return resolve_references(declared, names, Release(release), scope)

    def one(self, release: str = "1.12", **fields: Any) -> Desired:
        """Resolve one row."""
        (row,) = self.resolve([fields], release).rows
        return row


@pytest.fixture
def server() -> Recorded:
    return Recorded(
        ("users", "ana", {"email": "Ana@acme.example"}),
        ("users", "bob", {"email": "b.smith@acme.example"}),
        ("users", "gone", {"email": "gone@acme.example", "deleted": True}),
        ("users", "both", {"email": "both@acme.example"}),
        ("teams", "both"),
        ("teams", "ml-platform"),
        ("domains", "Risk"),
        ("domains", "Risk.Scores"),
        ("dataProducts", "Fraud scores"),
        ("tags", "Tier.Tier1"),
        ("tags", "Tier.Tier2"),
        ("tags", "PII.Old", {"disabled": True}),
        ("tags", "PII.Gone", {"deleted": True}),
        ("tags", "PII.None"),
        ("tags", "PII.Sensitive"),
        ("glossaryTerms", "Business.Churn"),
        ("classifications", "Tier", {"mutuallyExclusive": True}),
    )


class TestWhatNamesStandFor:
    @pytest.mark.parametrize(
        "owner, kind, name",
        [
            ("ana", "user", "ana"),
            ("ANA", "user", "ana"),
            ("user:ana", "user", "ana"),
            ("ana@acme.example", "user", "ana"),
            ("user:ANA@ACME.example", "user", "ana"),
            ("b.smith@acme.example", "user", "bob"),
            ("ml-platform", "team", "ml-platform"),
            ("team:both", "team", "both"),
            ({"id": uuid(0), "type": "user"}, "user", "ana"),
            ({"id": uuid(5).upper(), "type": "team", "name": "another"}, "team", "ml-platform"),
        ],
    )
    def test_an_owner(self, server: Recorded, owner: object, kind: str, name: str) -> None:
        fields: Any = server.one(owners=[owner]).resolved
        (found,) = fields["owners"]
        assert (found["type"], found["name"]) == (kind, name)
        assert found["id"] == server.ids[name]

    def test_owners_keep_their_order_and_each_is_there_once(self, server: Recorded) -> None:
        owners = ["bob", "ana@acme.example", "user:ana", {"id": uuid(0), "type": "user"}]
        fields: Any = server.one(owners=owners).resolved
        assert [owner["name"] for owner in fields["owners"]] == ["bob", "ana"]

    @pytest.mark.parametrize(
        "field, name", [("domains", "Risk"), ("data_products", "Fraud scores"), ("tags", "Tier.Tier1")]
    )
    def test_rows_that_name_different_things_are_told_apart(self, server: Recorded, field: str, name: str) -> None:
        known, unknown, none = server.resolve([{field: [name]}, {field: ["A.b"]}, {}]).rows
        assert (known.problems, none.problems) == ((), ())
        assert len(unknown.problems) == 1

    def test_domains_and_data_products(self, server: Recorded) -> None:
        row = server.one(domains=["Risk.Scores", "Risk"], data_products=["Fraud scores"])
        assert row.problems == ()
        assert row.resolved == {
            "domains": [
                {"id": server.ids["Risk.Scores"], "type": "domain", "name": "Risk.Scores"},
                {"id": server.ids["Risk"], "type": "domain", "name": "Risk"},
            ],
            "dataProducts": [{"id": server.ids["Fraud scores"], "type": "dataProduct", "name": "Fraud scores"}],
        }

    def test_tags_are_looked_up_and_sent_as_they_were_declared(self, server: Recorded) -> None:
        assert server.one(tags=["Tier.Tier1", "glossary:Business.Churn"]) == meant()
        assert set(server.asked) == {"tags/name/Tier.Tier1", "glossaryTerms/name/Business.Churn"}

    @pytest.mark.parametrize("fields", [{}, {"owners": []}, {"owners": None, "tags": None}, {"domains": []}])
    def test_nothing_is_asked_where_nothing_is_named(self, server: Recorded, fields: dict[str, Any]) -> None:
        assert server.one(**fields) == meant()
        assert server.asked == []

    def test_an_ingestion_runner_is_as_declared_where_the_server_has_none_to_show(self, server: Recorded) -> None:
        runner: dict[str, Any] = {"id": uuid(77), "type": "ingestionRunner", "name": "eu"}
        assert server.one(ingestion_runner=runner) == meant({"ingestionRunner": runner})
        other = {**runner, "id": uuid(78), "name": "us"}
        rows = server.resolve([{"ingestion_runner": runner}, {"ingestion_runner": other}]).rows
        assert [(row.resolved or {})["ingestionRunner"] for row in rows] == [runner, other]
        server.statuses["ingestionRunners/"] = 403
        assert server.one(ingestion_runner=runner) == meant({"ingestionRunner": runner})


class TestWhatIsNotThere:
    @pytest.mark.parametrize(
        "fields, problem",
        [
            ({"owners": ["anna"]}, 'owners: "anna" is not in the catalog, did you mean "ana"?'),
            ({"owners": ["team:ml-platfrom"]},
             'owners: "team:ml-platfrom" is not in the catalog, did you mean "team:ml-platform"?'),
            ({"owners": ["an@acme.example"]},
             'owners: "an@acme.example" is not in the catalog, did you mean "ana@acme.example"?'),
            ({"owners": ["zed@acme.example"]}, 'owners: "zed@acme.example" is not in the catalog'),
            ({"owners": ["nobody at all"]}, 'owners: "nobody at all" is not in the catalog'),
            ({"owners": ["gone"]}, 'owners: "gone" is deleted in the catalog'),
            ({"owners": ["gone@acme.example"]}, 'owners: "gone@acme.example" is deleted in the catalog'),
            ({"owners": ["both"]}, 'owners: "both" is a user and a team; write "user:both" or "team:both"'),
            ({"domains": ["risk"]}, 'domains: "risk" is not in the catalog, did you mean "Risk"?'),
            ({"domains": ["Risk.Score"]}, 'domains: "Risk.Score" is not in the catalog, did you mean "Risk.Scores"?'),
            ({"data_products": ["Fraud score"]},
             'dataProducts: "Fraud score" is not in the catalog, did you mean "Fraud scores"?'),
            ({"tags": ["Tier.Teir1"]}, 'tags: "Tier.Teir1" is not in the catalog, did you mean "Tier.Tier1"?'),
            ({"tags": ["Teir.Tier1"]}, 'tags: "Teir.Tier1" is not in the catalog, did you mean "Tier.Tier1"?'),
            ({"tags": ["PII.Gone"]}, 'tags: "PII.Gone" is deleted in the catalog'),
            ({"owners": ["ana@other.example"]},
             'owners: "ana@other.example" is not in the catalog, did you mean "ana@acme.example"?'),
            ({"tags": ["PII.Old"]}, 'tags: "PII.Old" is disabled in the catalog'),
            ({"tags": ["glossary:business.churn"]},
             'tags: "glossary:business.churn" is not in the catalog, did you mean "glossary:Business.Churn"?'),
            ({"tags": ["Business.Churn"]}, 'tags: "Business.Churn" is not in the catalog'),
        ],
    )  # fmt: skip
    def test_it_is_named_with_what_may_be_meant(self, server: Recorded, fields: dict[str, Any], problem: str) -> None:
        assert server.one(**fields).problems == (problem,)

    @pytest.mark.parametrize("kind, number", [("user", 99), ("team", 0), ("user", 2)])
    def test_a_message_shows_no_bare_id(self, server: Recorded, kind: str, number: int) -> None:
        (problem,) = server.one(owners=["ana", {"id": uuid(number), "type": kind}]).problems
        assert problem.startswith("owners[1]: ")
        assert problem.endswith(" in the catalog")
        assert uuid(number) not in problem

    def test_an_owner_is_a_user_or_a_team(self, server: Recorded) -> None:
        problems = server.one(owners=[{"id": uuid(6), "type": "domain"}]).problems
        assert problems == ("owners[0]: its type must be user or team",)
        assert server.asked == []

    def test_two_users_of_one_e_mail(self) -> None:
        same = {"email": "team@acme.example"}
        server = Recorded(("users", "one", same), ("users", "two", same))
        (problem,) = server.one(owners=["team@acme.example"]).problems
        assert problem == ('owners: "team@acme.example" is the e-mail of 2 users; write "user:one" or "user:two"')

    def test_each_row_has_its_own_problems_and_no_others(self, server: Recorded) -> None:
        first, second = server.resolve([{"tags": ["Tier.X"], "owners": ["zed"]}, {"owners": ["zed"]}]).rows
        assert [problem.partition(" ")[0] for problem in first.problems] == ["services[0].owners:", "services[0].tags:"]
        assert second.problems == ('services[1].owners: "zed" is not in the catalog',)

    @pytest.mark.parametrize("name", ["..", ".", "  ", 'a"b', ". ."])
    def test_a_name_that_no_path_can_hold_is_not_asked_for(self, server: Recorded, name: str) -> None:
        (problem,) = server.one(domains=[name]).problems
        assert "is not in the catalog" in problem
        assert [path for path in server.asked if path != "domains"] == []

    def test_a_name_in_quotes_is_asked_for(self, server: Recorded) -> None:
        assert server.one(domains=['"a.b".c']).problems
        assert [path for path in server.asked if path != "domains"] == ['domains/name/"a.b".c']

    def test_without_a_list_there_is_no_suggestion(self, server: Recorded) -> None:
        server.statuses["glossaryTerms"] = 404
        assert server.one(tags=["glossary:Business.Churns"]).problems == (
            'tags: "glossary:Business.Churns" is not in the catalog',
        )

    def test_an_answer_about_another_user_is_not_taken(self) -> None:
        row = Recorded(("users", "bob", {"fullyQualifiedName": "ana"})).one(owners=["ana"])
        assert row == meant(None, 'owners: "ana" is not in the catalog')

    def test_the_same_mistake_reads_the_same_in_each_row(self, server: Recorded) -> None:
        rows = server.resolve([{"tags": ["Tier.Teir1"], "owners": [f"user{number}"]} for number in range(50)]).rows
        assert all(row.problems[1].endswith('did you mean "Tier.Tier1"?') for row in rows)

    def test_suggestions_are_few(self, server: Recorded) -> None:
        rows = server.resolve([{"tags": [f"Class{number}.Tier1"]} for number in range(500)]).rows
        assert all(row.problems for row in rows)
        assert len([path for path in server.asked if path == "tags"]) <= 40

    @pytest.mark.parametrize("field, name", [("domains", "Risk{}"), ("owners", "b.smith{}@acme.example")])
    def test_the_first_twenty_are_suggested(self, server: Recorded, field: str, name: str) -> None:
        rows = server.resolve([{field: [name.format(number)]} for number in range(10, 35)]).rows
        assert ["did you mean" in row.problems[0] for row in rows] == [True] * 20 + [False] * 5

    def test_of_tags_those_of_the_same_classification_are_suggested(self, server: Recorded) -> None:
        (problem,) = server.one(tags=["Tier.Sensitive"]).problems
        assert problem.startswith('tags: "Tier.Sensitive" is not in the catalog, did you mean "Tier.Tier')


class TestWhatCannotBeLookedUp:
    @pytest.mark.parametrize("status", [403, 400])
    def test_it_counts_as_unknown_and_the_message_says_why(self, server: Recorded, status: int) -> None:
        server.statuses["users/"] = status
        server.statuses["users"] = status
        for owner in ("ana", "user:ana", "ana@acme.example", "ml-platform"):
            (problem,) = server.one(owners=[owner]).problems
            assert problem.startswith(f'owners: "{owner}" cannot be looked up: Collate answered {status}')
        assert server.one(owners=["team:ml-platform"]).problems == ()

    @pytest.mark.parametrize("status, kind", [(401, AuthenticationError), (503, ServerError)])
    def test_what_is_not_about_the_name_is_raised(self, server: Recorded, status: int, kind: type[Exception]) -> None:
        server.statuses["tags/"] = status
        with pytest.raises(kind):
            server.one(tags=["Tier.Tier1"])

    def test_another_server_is_not_taken_for_one_without_the_name(self) -> None:
        proxy = httpx.MockTransport(lambda request: httpx.Response(404, stream=httpx.ByteStream(b"<html>")))
        config = ClientConfig("https://acme.example/api", max_retries=0)
        with CollateClient(config, lambda: "token", http=proxy) as client:
            names = LookUps(client.directory, Workers(1, client))
            with pytest.raises(BadRequestError):
                resolve_references(declared_services([sklearn(tags=["Tier.Tier1"])]), names, Release("1.12"))

    def test_a_task_that_is_told_to_stop_looks_up_no_more(self, server: Recorded) -> None:
        with pytest.raises(StoppedError):
            server.resolve([{"domains": [f"d{number}" for number in range(100)]}], stopped=True)
        assert len(server.asked) < 20


def test_fields_that_are_declared_are_asked_for_and_no_others(server: Recorded) -> None:
    found = server.resolve([{"tags": []}, {"owners": None, "description": "x"}, {"dataProducts": ["P"]}])
    assert found.on_request == {"tags", "owners", "dataProducts"}
    assert server.resolve([]).on_request == frozenset()


class TestRules:
    @pytest.mark.parametrize("owners", [["ml-platform", "team:both"], ["ana", "ml-platform"]])
    def test_owners_are_several_users_or_one_team(self, server: Recorded, owners: list[str]) -> None:
        (problem,) = server.one(owners=owners).problems
        assert problem.endswith("several users or one team")
        assert server.one("1.11", owners=owners).problems == ()
        assert server.one(owners=["ana", "bob"]).problems == ()

    def test_two_tags_of_a_classification_that_allows_one(self, server: Recorded) -> None:
        (problem,) = server.one(tags=["Tier.Tier1", "Tier.Tier2"]).problems
        assert problem == 'tags: "Tier.Tier1", "Tier.Tier2" exclude each other: Tier allows one tag'
        assert server.one(tags=["Tier.Tier1", "Tier.Tier1"]).problems == ()
        assert server.one(tags=["PII.None", "PII.Sensitive", "Tier.Tier1"]).problems == ()
        assert server.asked.count("classifications/name/Tier") == 1


class TestCost:
    def test_ten_thousand_rows_with_fifty_owners_make_at_most_a_hundred_look_ups(self) -> None:
        server = Recorded(*(("users", f"user{n}", {"email": f"user{n}@acme.example"}) for n in range(50)))
        rows = server.resolve([{"owners": [f"user{n % 50}"]} for n in range(10_000)]).rows
        assert len(server.asked) <= 100
        assert all((row.resolved or {})["owners"] for row in rows)
        assert rows[0].resolved is rows[50].resolved is rows[9_950].resolved

    def test_users_are_not_listed_where_each_name_is_in_the_e_mail(self, server: Recorded) -> None:
        server.one(owners=["ana@acme.example"])
        assert server.asked == ["users/name/ana"]

    def test_typed_names_tags_and_e_mails_are_asked_for_once_each_and_users_are_listed_once(self) -> None:
        server = Recorded(*(("users", f"user{n}", {"email": f"mail{n}@acme.example"}) for n in range(5)))
        owners = [f"mail{n}@acme.example" for n in range(5)]
        rows = server.resolve([{"owners": [*owners, "user:user1"]}, {"owners": owners}, {"owners": owners[:1]}])
        assert [row.problems for row in rows.rows] == [(), (), ()]
        assert sorted(server.asked) == [
            "users",
            *(f"users/name/mail{n}" for n in range(5)),
            "users/name/user1",
        ]


class TestScope:
    def in_scope(self, server: Recorded, **given: str) -> References:
        return server.resolve([{}, {}], scope=PruneScope.parse(given))

    @pytest.mark.parametrize("owner", ["ana", "user:ana", "ana@acme.example", uuid(0)])
    def test_an_owner_by_any_of_its_names(self, server: Recorded, owner: str) -> None:
        found = self.in_scope(server, owner=owner, tag="glossary:Business.Churn", domain="Risk")
        assert found.warnings == ()
        assert found.scope is not None
        assert found.scope.owner_id == uuid(0)
        assert uuid(0) not in str(found.scope).replace(owner, "")

    def test_a_disabled_tag_still_marks_services(self, server: Recorded) -> None:
        assert self.in_scope(server, tag="PII.Old").warnings == ()

    @pytest.mark.parametrize(
        "key, name",
        [
            ("owner", "anna"),
            ("owner", "x@acme.example"),
            ("owner", uuid(99)),
            ("tag", "tier.tier1"),
            ("tag", "glossary:Tier.Tier1"),
            ("domain", "risk"),
        ],
    )
    def test_what_does_not_exist_is_a_warning(self, server: Recorded, key: str, name: str) -> None:
        (warning,) = self.in_scope(server, **{key: name}).warnings
        assert warning.startswith(f"prune_scope.{key}: ")
        assert " is not in the catalog" in warning

    def test_an_owner_that_may_be_one_of_two_is_refused(self, server: Recorded) -> None:
        with pytest.raises(InvalidDeclarationError, match=r'prune_scope\.owner: "both" is a user and a team'):
            self.in_scope(server, owner="both")

    def test_so_is_an_e_mail_of_two_users(self) -> None:
        server = Recorded(*(("users", name, {"email": "ana@acme.example"}) for name in ("ana1", "ana2")))
        with pytest.raises(InvalidDeclarationError, match=r'prune_scope\.owner: "ana@acme.example" is the e-mail of 2'):
            self.in_scope(server, owner="ana@acme.example")
