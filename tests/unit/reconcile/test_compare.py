"""What counts as a difference between a declaration and a service, and what would mend it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from pydantic import JsonValue

from airflow_provider_collate.client.release import Release
from airflow_provider_collate.models.service import Service
from airflow_provider_collate.reconcile.compare import KEPT_FROM_BOTS, Comparison, Difference, fields_to_read
from tests.unit.reconcile.workbench import Workbench, request, requests, sagemaker, shown, sklearn

ANA = {"id": "8a1f2b3c-0000-4000-8000-00000000000a", "type": "user"}
TEAM = {"id": "8a1f2b3c-0000-4000-8000-00000000000b", "type": "team"}
KNOWN = {"Fraud": "8a1f2b3c-0000-4000-8000-0000000000d1", "Risk.Scores": "8a1f2b3c-0000-4000-8000-0000000000d2"}


def reference(collection: str, fqn: str) -> dict[str, JsonValue] | None:
    return {"id": KNOWN[fqn], "type": collection.removesuffix("s")} if fqn in KNOWN else None


def comparison(
    release: str = "1.12.3", *, is_bot: bool = True, enforce: bool = False, rewrite_secrets: bool = False
) -> Comparison:
    return Comparison(
        release=lambda: Release(release),
        is_bot=lambda: is_bot,
        reference=reference,
        enforce=enforce,
        rewrite_secrets=rewrite_secrets,
    )


def compare(service: Service, by: Comparison | None = None, **declared: object) -> Difference:
    return (by or comparison()).difference(request(**declared).declared(), service)


def told(difference: Difference) -> list[str]:
    return [str(change) for change in difference.changes]


def operations(difference: Difference) -> list[tuple[str, str, JsonValue]]:
    return [(step.op, step.path, step.value) for change in difference.writable for step in change.operations]


def tag(fqn: str, label_type: str = "Manual", state: str = "Confirmed") -> dict[str, str]:
    return {"tagFQN": fqn, "source": "Classification", "labelType": label_type, "state": state}


class TestTexts:
    def test_what_is_not_declared_does_not_differ(self) -> None:
        service = shown(description="By hand", displayName="Team", tags=[tag("Tier.Tier1")], owners=[ANA])
        assert compare(service) == Difference(())

    def test_a_first_text_is_written(self) -> None:
        assert operations(compare(shown(), description="New")) == [("add", "/description", "New")]

    def test_a_text_is_replaced_by_a_person_under_a_test_of_the_old_one(self) -> None:
        difference = compare(shown(description="Old"), comparison(is_bot=False), description="New")
        assert operations(difference) == [("test", "/description", "Old"), ("add", "/description", "New")]
        assert told(difference) == ['description: "Old" → "New"']

    @pytest.mark.parametrize("field", ["description", "displayName"])
    def test_a_text_that_is_there_is_kept_from_bots(self, field: str) -> None:
        declared: dict[str, Any] = {field: "New"}
        difference = compare(shown(**{field: "By hand"}), **declared)
        assert not difference.writable
        assert told(difference) == [f'{field}: "By hand" stays, "New" was asked: {KEPT_FROM_BOTS}']

    def test_a_text_that_is_there_is_replaced_by_a_bot_that_enforces(self) -> None:
        difference = compare(shown(description="By hand"), comparison(enforce=True), description="New")
        assert operations(difference) == [("test", "/description", "By hand"), ("add", "/description", "New")]

    @pytest.mark.parametrize("empty", [None, ""])
    def test_an_explicit_empty_text_removes(self, empty: str | None) -> None:
        difference = compare(shown(description="Old"), comparison(is_bot=False), description=empty)
        assert operations(difference) == [("test", "/description", "Old"), ("remove", "/description", None)]

    @pytest.mark.parametrize("empty", [None, ""])
    @pytest.mark.parametrize("there", [None, ""])
    def test_empty_is_empty_however_it_is_written(self, empty: str | None, there: str | None) -> None:
        assert compare(shown(description=there), description=empty) == Difference(())

    @pytest.mark.parametrize(
        "there",
        ["# A\nb\n", "# A\r\nb", "# A\rb", "# A  \nb\t", "# A\nb\n\n\n", "# A\nb   \r\n"],
    )
    def test_line_endings_and_trailing_blanks_do_not_count(self, there: str) -> None:
        assert compare(shown(description=there), description="# A\nb") == Difference(())

    @pytest.mark.parametrize("there", ["# A b", " # A\nb", "# A\n\nb", "# A\n b", "\n# A\nb", "# A\x0bb"])
    def test_any_other_blank_counts(self, there: str) -> None:
        assert compare(shown(description=there), description="# A\nb").changes

    def test_whose_token_it_is_is_asked_only_when_it_matters(self) -> None:
        def must_not_be_asked() -> bool:
            raise AssertionError

        quiet = Comparison(lambda: Release("1.12.3"), must_not_be_asked, reference)
        assert compare(shown(description="Same"), quiet, description="Same", displayName="First").writable

    def test_a_long_text_is_shown_on_one_line_and_bounded(self) -> None:
        (change,) = compare(shown(), description="line\n\x1b[31mred " + "x" * 500).changes
        assert len(change.shows) < 100
        assert change.shows.startswith('"" → "line [31mred x')


class TestTags:
    def test_order_does_not_count(self) -> None:
        service = shown(tags=[tag("Tier.Tier1"), tag("PII.None")])
        assert compare(service, tags=["PII.None", "Tier.Tier1"]) == Difference(())

    def test_the_whole_list_is_declared(self) -> None:
        difference = compare(shown(tags=[tag("PII.None")]), tags=["Tier.Tier1"])
        assert told(difference) == ["tags: [PII.None] → [Tier.Tier1]"]
        assert operations(difference) == [("add", "/tags", [tag("Tier.Tier1")])]

    @pytest.mark.parametrize("empty", [None, []])
    def test_an_explicit_empty_list_removes_all(self, empty: object) -> None:
        assert operations(compare(shown(tags=[tag("PII.None")]), tags=empty)) == [("add", "/tags", [])]

    @pytest.mark.parametrize("label_type", ["Derived", "Propagated"])
    def test_tags_that_come_by_themselves_are_not_counted(self, label_type: str) -> None:
        service = shown(tags=[tag("Tier.Tier1"), tag("PII.None", label_type)])
        assert compare(service, tags=["Tier.Tier1"]) == Difference(())
        assert compare(shown(tags=[tag("PII.None", label_type)]), tags=[]) == Difference(())

    @pytest.mark.parametrize("label_type", ["Derived", "Propagated"])
    def test_tags_that_come_by_themselves_survive_a_patch(self, label_type: str) -> None:
        service = shown(tags=[tag("Tier.Tier1"), tag("PII.None", label_type)])
        ((_, _, value),) = operations(compare(service, tags=["Tier.Tier2"]))
        assert value == [tag("Tier.Tier2"), tag("PII.None", label_type)]

    def test_a_declared_tag_that_is_there_as_derived_is_there(self) -> None:
        assert compare(shown(tags=[tag("PII.None", "Derived")]), tags=["PII.None"]) == Difference(())

    def test_a_suggested_tag_is_not_a_confirmed_one(self) -> None:
        difference = compare(shown(tags=[tag("PII.None", state="Suggested")]), tags=["PII.None"])
        assert told(difference) == ["tags: [PII.None (suggested)] → [PII.None]"]
        assert operations(difference) == [("add", "/tags", [tag("PII.None")])]

    def test_a_tag_given_twice_is_sent_once(self) -> None:
        assert operations(compare(shown(), tags=["PII.None", "PII.None"])) == [("add", "/tags", [tag("PII.None")])]

    def test_a_glossary_term_is_not_a_tag_of_the_same_name(self) -> None:
        term = {**tag("PII.None"), "source": "Glossary"}
        assert compare(shown(tags=[term]), tags=["PII.None"]).writable
        assert not compare(shown(tags=[term]), tags=[term]).changes


class TestReferences:
    def test_order_and_case_of_owners_do_not_count(self) -> None:
        asked = [TEAM, {**ANA, "id": ANA["id"].upper()}]
        assert compare(shown(owners=[ANA, TEAM]), owners=asked) == Difference(())

    def test_owners_are_the_whole_list(self) -> None:
        difference = compare(shown(owners=[{**ANA, "name": "ana"}]), owners=[{**TEAM, "name": "ml-platform"}])
        assert told(difference) == ["owners: [ana] → [ml-platform]"]
        assert operations(difference) == [("add", "/owners", [TEAM])]

    @pytest.mark.parametrize("empty", [None, []])
    def test_owners_are_removed_by_an_explicit_empty_list(self, empty: object) -> None:
        assert operations(compare(shown(owners=[ANA]), owners=empty)) == [("add", "/owners", [])]
        assert compare(shown(owners=[]), owners=empty) == Difference(())

    @pytest.mark.parametrize("declared", [[], [ANA]])
    def test_what_is_inherited_may_be_declared_or_not(self, declared: list[object]) -> None:
        assert compare(shown(owners=[{**ANA, "inherited": True}]), owners=declared) == Difference(())

    def test_an_old_release_holds_one_owner_and_shows_it_alone(self) -> None:
        old = comparison("1.2.0")
        assert compare(shown(owner=ANA), old, owners=[ANA]) == Difference(())
        assert operations(compare(shown(owner=ANA), old, owners=[TEAM])) == [("add", "/owner", TEAM)]
        assert operations(compare(shown(owner=ANA), old, owners=[])) == [("remove", "/owner", None)]

    def test_an_old_release_cannot_hold_two(self) -> None:
        difference = compare(shown(owner=ANA), comparison("1.2.0"), owners=[ANA, TEAM])
        assert not difference.writable
        assert [change.kept_because for change in difference.kept] == ["Collate 1.2.0 holds one"]

    def test_a_new_service_that_an_old_release_cannot_hold(self) -> None:
        two = request(domains=["Fraud", "Risk.Scores"])
        assert comparison("1.2.0").cannot_hold(two) == "asks for 2 domains, but Collate 1.2.0 holds one"
        assert comparison("1.12.3").cannot_hold(two) == ""
        assert comparison("1.2.0").cannot_hold(request(owners=[ANA])) == ""

    def test_domains_are_compared_by_name_and_sent_by_id(self) -> None:
        there = {"id": KNOWN["Fraud"], "type": "domain", "name": "Fraud", "fullyQualifiedName": "Fraud"}
        assert compare(shown(domains=[there]), domains=["Fraud"]) == Difference(())
        difference = compare(shown(domains=[there]), domains=["Risk.Scores"])
        assert told(difference) == ["domains: [Fraud] → [Risk.Scores]"]
        assert operations(difference) == [("add", "/domains", [{"id": KNOWN["Risk.Scores"], "type": "domain"}])]

    def test_an_old_release_holds_one_domain(self) -> None:
        old = comparison("1.2.0")
        there = {"id": KNOWN["Fraud"], "type": "domain", "fullyQualifiedName": "Fraud"}
        assert compare(shown(domain=there), old, domain="Fraud") == Difference(())
        assert operations(compare(shown(), old, domain="Fraud")) == [
            ("add", "/domain", {"id": KNOWN["Fraud"], "type": "domain"})
        ]

    def test_a_domain_that_does_not_exist_is_known_beforehand(self) -> None:
        difference = compare(shown(), domains=["Nowhere"])
        assert not difference.writable
        assert told(difference) == ["domains: [] → [Nowhere]: [Nowhere] not in the catalog"]

    def test_data_products_and_the_runner(self) -> None:
        difference = compare(shown(), dataProducts=["Fraud"], ingestionRunner=TEAM)
        assert operations(difference) == [
            ("add", "/dataProducts", [{"id": KNOWN["Fraud"], "type": "dataProduct"}]),
            ("add", "/ingestionRunner", TEAM),
        ]
        there = shown(ingestionRunner=TEAM)
        assert not compare(there, ingestionRunner=TEAM).changes
        assert operations(compare(there, ingestionRunner=None)) == [("remove", "/ingestionRunner", None)]


def custom(**options: object) -> dict[str, Any]:
    return {"serviceType": "CustomMlModel", "connection": {"config": {"type": "CustomMlModel", **options}}}


def vertex(**gcp: object) -> dict[str, Any]:
    config = {"type": "VertexAI", "location": "europe-west1", "credentials": {"gcpConfig": gcp}}
    return {"serviceType": "VertexAI", "connection": {"config": config}}


class TestConnection:
    def test_what_the_server_fills_in_is_not_a_difference(self) -> None:
        (row,) = requests([sagemaker()])
        aws = {
            "awsRegion": "eu-west-1",
            "awsAccessKeyId": "AKIAEXAMPLE",
            "awsSecretAccessKey": "first-secret-key",
            "assumeRoleSessionName": "OpenMetadataSession",
            "enabled": False,
        }
        config = {"type": "SageMaker", "awsConfig": aws, "supportsMetadataExtraction": True}
        service = shown(serviceType="SageMaker", connection={"config": config})
        assert comparison().difference(row.declared(), service) == Difference(())

    def test_an_explicit_none_is_content_with_what_the_server_fills_in(self) -> None:
        there = shown(connection={"config": {"type": "Sklearn", "supportsMetadataExtraction": True}})
        asked = {"config": {"type": "Sklearn", "supportsMetadataExtraction": None}}
        assert compare(there, connection=asked) == Difference(())

    def test_an_explicit_none_removes_what_is_not_filled_in(self) -> None:
        there = shown(connection={"config": {"type": "Sklearn", "supportsMetadataExtraction": False}})
        asked = {"config": {"type": "Sklearn", "supportsMetadataExtraction": None}}
        path = "/connection/config/supportsMetadataExtraction"
        assert operations(compare(there, connection=asked)) == [("remove", path, None)]

    def test_a_changed_value_is_named_and_not_shown(self) -> None:
        (row,) = requests([sagemaker(secret="canary-new-secret")])
        aws = {"awsRegion": "eu-west-1", "awsAccessKeyId": "AKIAEXAMPLE", "awsSecretAccessKey": "canary-old-secret"}
        service = shown(serviceType="SageMaker", connection={"config": {"type": "SageMaker", "awsConfig": aws}})
        difference = comparison().difference(row.declared(), service)
        assert told(difference) == ["connection.config.awsConfig.awsSecretAccessKey: changed"]
        assert operations(difference) == [
            ("add", "/connection/config/awsConfig/awsSecretAccessKey", "canary-new-secret")
        ]
        assert "canary" not in f"{difference!r} {service!r}"

    def test_a_connection_that_is_not_there_is_added_as_a_whole(self) -> None:
        difference = compare(shown(connection=None))
        assert operations(difference) == [("add", "/connection", {"config": {"type": "Sklearn"}})]
        assert told(difference) == ["connection: missing"]

    def test_an_explicit_none_says_nothing_about_the_connection(self) -> None:
        assert compare(shown(), connection=None) == Difference(())

    def test_fields_that_are_not_declared_stay(self) -> None:
        there = shown(serviceType="CustomMlModel", **_connection(custom(sourcePythonClass="a.B", region="eu")))
        assert not compare(there, **custom(sourcePythonClass="a.B")).changes

    def test_keys_with_slashes_tildes_and_dots_are_escaped(self) -> None:
        there = shown(serviceType="CustomMlModel", **_connection(custom(connectionOptions={"keep": "x"})))
        difference = compare(there, **custom(connectionOptions={"a.b": "1", "c/d": "2", "e~f": "3", "": "4"}))
        paths = [path for _, path, _ in operations(difference)]
        root = "/connection/config/connectionOptions"
        assert paths == [f"{root}/a.b", f"{root}/c~1d", f"{root}/e~0f", f"{root}/"]
        assert [change.field.rpartition("connectionOptions.")[2] for change in difference.changes] == [
            "a.b",
            "c/d",
            "e~f",
            "",
        ]

    def test_nested_objects_are_added_where_they_are_missing(self) -> None:
        there = shown(connection={"config": {"type": "Sklearn"}})
        asked = {"config": {"type": "Sklearn", "mlModelFilterPattern": {"includes": ["a.*"], "excludes": None}}}
        path = "/connection/config/mlModelFilterPattern"
        assert operations(compare(there, connection=asked)) == [("add", path, {"includes": ["a.*"]})]

    @pytest.mark.parametrize("empty", [None, "", [], {}])
    def test_empty_and_absent_are_the_same_in_a_connection(self, empty: object) -> None:
        there = shown(serviceType="CustomMlModel", **_connection(custom()))
        assert not compare(there, **custom(mine=empty)).changes

    def test_another_kind_of_credentials_replaces_the_whole_object(self) -> None:
        there = _connection(vertex(type="service_account", projectId="p", privateKey="canary"))
        asked = vertex(type="gcp_credential_path", path="/keys/p.json")
        difference = compare(shown(serviceType="VertexAI", **there), **asked)
        path = "/connection/config/credentials/gcpConfig"
        value = {"type": "gcp_credential_path", "path": "/keys/p.json"}
        assert operations(difference) == [("add", path, value)]
        assert told(difference) == ["connection.config.credentials.gcpConfig: changed"]

    @pytest.mark.parametrize("asked, there", [(3, 3.0), (3.0, 3), ([1.0, 2], [1, 2.0]), (True, True), (0.5, 0.5)])
    def test_a_number_is_the_same_however_it_is_written(self, asked: object, there: object) -> None:
        service = shown(serviceType="CustomMlModel", **_connection(custom(mine=there)))
        assert not compare(service, **custom(mine=asked)).changes

    @pytest.mark.parametrize("asked, there", [(1, True), (0, False), ("1", 1), ([1], [True]), (["a"], "a")])
    def test_values_of_other_kinds_differ(self, asked: object, there: object) -> None:
        service = shown(serviceType="CustomMlModel", **_connection(custom(mine=there)))
        assert compare(service, **custom(mine=asked)).changes

    def test_a_value_becomes_an_object_and_the_other_way_round(self) -> None:
        flat = shown(serviceType="CustomMlModel", **_connection(custom(mine="x")))
        deep = shown(serviceType="CustomMlModel", **_connection(custom(mine={"a": {"b": 1}})))
        assert operations(compare(flat, **custom(mine={"a": 1}))) == [("add", "/connection/config/mine", {"a": 1})]
        assert operations(compare(deep, **custom(mine="x"))) == [("add", "/connection/config/mine", "x")]

    def test_a_path_is_bounded_and_on_one_line(self) -> None:
        there = shown(serviceType="CustomMlModel", **_connection(custom()))
        (change,) = compare(there, **custom(**{"a\nb" + "x" * 5_000: "1"})).changes
        assert change.field.startswith("connection.config.a bxxx")
        assert len(change.field) <= 200


class TestMaskedSecrets:
    @pytest.fixture(params=["*********", "fernet:gAAAAABk"])
    def masked(self, request: pytest.FixtureRequest) -> Service:
        aws = {"awsRegion": "eu-west-1", "awsAccessKeyId": "AKIAEXAMPLE", "awsSecretAccessKey": request.param}
        return shown(
            name="sage", serviceType="SageMaker", connection={"config": {"type": "SageMaker", "awsConfig": aws}}
        )

    def difference(self, masked: Service, by: Comparison | None = None, **declared: object) -> Difference:
        (row,) = requests([sagemaker(**declared)])  # type: ignore[arg-type]
        return (by or comparison()).difference(row.declared(), masked)

    def test_nothing_is_known_of_them(self, masked: Service) -> None:
        difference = self.difference(masked)
        assert difference.changes == ()
        assert difference.writable == ()
        assert [change.field for change in difference.masked] == ["connection.config.awsConfig.awsSecretAccessKey"]

    def test_they_go_along_when_something_else_differs(self, masked: Service) -> None:
        difference = self.difference(masked, displayName="Sage")
        assert [path for _, path, _ in operations(difference)] == [
            "/displayName",
            "/connection/config/awsConfig/awsSecretAccessKey",
        ]
        assert [change.field for change in difference.changes] == ["displayName"]

    def test_they_do_not_go_along_with_what_is_kept(self, masked: Service) -> None:
        described = masked.model_copy(update={"description": "By hand"})
        assert not self.difference(described, description="New").writable

    def test_they_are_written_when_that_is_asked(self, masked: Service) -> None:
        difference = self.difference(masked, comparison(rewrite_secrets=True))
        assert [path for _, path, _ in operations(difference)] == ["/connection/config/awsConfig/awsSecretAccessKey"]

    def test_a_mask_that_was_copied_keeps_the_secret(self, masked: Service) -> None:
        readable = shown(
            name="sage",
            serviceType="SageMaker",
            connection={"config": {"type": "SageMaker", "awsConfig": {"awsRegion": "eu-west-1", **_key("clear")}}},
        )
        for service in (masked, readable):
            difference = self.difference(service, secret="*********")
            assert not [c for c in difference.changes if "Secret" in c.field]
            assert not difference.masked


def test_only_fields_that_are_declared_are_read() -> None:
    rows = [request(tags=[]), request(name="b", owners=None, description="x"), request(name="c", dataProducts=["P"])]
    assert fields_to_read(rows) == {"tags", "owners", "dataProducts"}
    assert fields_to_read([]) == frozenset()


def _connection(declared: Mapping[str, object]) -> dict[str, object]:
    return {"connection": declared["connection"]}


def _key(secret: str) -> dict[str, str]:
    return {"awsAccessKeyId": "AKIAEXAMPLE", "awsSecretAccessKey": secret}


def test_long_texts_are_shown_where_they_differ(person: Workbench) -> None:
    person.run([sklearn(description=f"{'a' * 100} old end")])
    (row,) = person.plan([sklearn(description=f"{'a' * 100} new end")]).rows
    assert str(row.difference.changes[0]) == f'description: "…{"a" * 19} old end" → "…{"a" * 19} new end"'
