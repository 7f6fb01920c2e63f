"""What is waited for, and whether it is there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import JsonValue

from airflow_provider_collate.exceptions import (
    AuthenticationError,
    CollateError,
    InvalidDeclarationError,
    NoAnswerError,
    PermissionDeniedError,
    ServerError,
    StoppedError,
    TooManyRequestsError,
)
from airflow_provider_collate.reconcile.waiting import Verdict, judge, parse_wanted
from airflow_provider_collate.reconcile.waiting import look as look_for

ANA = "abcdef11-1111-4111-8111-111111111111"


def texts(min_size: int = 0) -> st.SearchStrategy[str]:
    return st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=min_size, max_size=20)


def shown(**fields: JsonValue) -> dict[str, JsonValue]:
    """A service as the hook shows it."""
    service: dict[str, JsonValue] = {
        "id": "22222222-2222-4222-8222-222222222222",
        "name": "prod_mlflow",
        "fullyQualifiedName": "prod_mlflow",
        "serviceType": "Mlflow",
        "displayName": None,
        "description": "Models of the fraud team",
        "version": 0.2,
        "deleted": False,
        "tags": ["PII.None", "Tier.Tier1"],
        "owners": [{"id": ANA, "type": "user", "name": "ana"}],
        "domains": ["Fraud"],
        "url": "https://acme.getcollate.io/service/mlmodelServices/prod_mlflow",
    }
    return {**service, **fields}


def verdict_on(service: Mapping[str, JsonValue] | None, fields: object = None) -> Verdict:
    return judge(service, parse_wanted("prod_mlflow", fields))


def look(read: Callable[[str], Any], name: object, fields: object = None) -> Verdict:
    emails = {ANA: "Ana@acme.example"}
    return look_for(read, name, fields, email_of=emails.__getitem__)


def problems_of(name: object, fields: object = None) -> tuple[str, ...]:
    with pytest.raises(InvalidDeclarationError) as caught:
        parse_wanted(name, fields)
    return caught.value.problems


class TestJudge:
    def test_no_service_is_not_there(self) -> None:
        verdict = verdict_on(None, {"description": "any"})

        assert not verdict.is_there
        assert str(verdict) == "prod_mlflow is not there"

    def test_a_description_may_be_shown_as_a_server_stores_it(self) -> None:
        stored = {**shown(), "description": "Bob&#39;s", "displayName": "Bob&#39;s"}
        assert verdict_on(stored, {"description": "Bob's"}).is_there
        assert not verdict_on(stored, {"display_name": "Bob's"}).is_there

    def test_without_fields_the_service_is_enough(self) -> None:
        verdict = verdict_on(shown())

        assert verdict.is_there
        assert str(verdict) == "prod_mlflow is there"
        assert verdict.service == shown()

    @pytest.mark.parametrize(
        "fields",
        [
            {"description": "Models of the fraud team"},
            {"description": "Models of the fraud team \r\n"},
            {"displayName": None},
            {"displayName": ""},
            {"display_name": ""},
            {"serviceType": "Mlflow"},
            {"service_type": "Mlflow"},
            {"version": 0.2},
            {"version": "0.2"},
            {"tags": ["Tier.Tier1"]},
            {"tags": [{"tagFQN": "Tier.Tier1", "source": "Classification"}, {"tag_fqn": "PII.None"}]},
            {"owners": ["ana"]},
            {"owners": [ANA]},
            {"owners": [{"id": ANA, "type": "user"}]},
            {"owners": [{"name": "ana"}]},
            {"owners": ["ANA", "user:ana", ANA.upper()]},
            {"tags": ["glossary:PII.None"]},
            {"domains": ["Fraud"]},
            {"domain": "Fraud"},
            MappingProxyType({"description": "Models of the fraud team", "tags": ["Tier.Tier1"], "version": 0.2}),
        ],
    )
    def test_what_is_shown_is_there(self, fields: object) -> None:
        assert verdict_on(shown(), fields).is_there

    @pytest.mark.parametrize(
        "fields, text",
        [
            ({"description": "New"}, 'description is "Models of the fraud team", not "New"'),
            ({"description": None}, 'description is "Models of the fraud team", not ""'),
            ({"displayName": "Fraud"}, 'displayName is "", not "Fraud"'),
            ({"service_type": "Sklearn"}, 'serviceType is "Mlflow", not "Sklearn"'),
            ({"version": 0.3}, "version is 0.2, not 0.3"),
            ({"tags": ["Tier.Tier1", "Tier.Tier2", "PII.Sensitive"]}, "tags lack Tier.Tier2, PII.Sensitive"),
            ({"tags": []}, "tags are not empty"),
            ({"owners": ["ben"]}, "owners lack ben"),
            ({"owners": ["user"]}, "owners lack user"),
            ({"owners": ["team:ana"]}, "owners lack team:ana"),
            ({"owners": None}, "owners are not empty"),
            ({"domain": None}, "domains are not empty"),
            ({"domains": ["Fraud.Cards"]}, "domains lack Fraud.Cards"),
        ],
    )
    def test_what_is_missing_is_named(self, fields: object, text: str) -> None:
        verdict = verdict_on(shown(), fields)

        assert not verdict.is_there
        assert verdict.missing == (text,)
        assert str(verdict) == f"prod_mlflow is there, but {text}"

    def test_all_that_is_missing_is_named(self) -> None:
        verdict = verdict_on(shown(), {"tags": ["A.b"], "owners": ["ben"], "description": "New", "version": 1})

        assert [text.split()[0] for text in verdict.missing] == ["description", "tags", "owners", "version"]

    @pytest.mark.parametrize("fields", [{"tags": []}, {"tags": None}, {"owners": [], "domains": []}])
    def test_an_empty_list_waits_until_there_is_none(self, fields: object) -> None:
        assert verdict_on(shown(tags=[], owners=[], domains=[]), fields).is_there

    def test_a_long_description_is_shown_in_short(self) -> None:
        assert len(str(verdict_on(shown(description="old " * 1000), {"description": "new " * 1000}))) < 200

    @given(
        fields=st.fixed_dictionaries(
            {},
            optional={
                "description": st.none() | texts(),
                "displayName": st.none() | texts(),
                "serviceType": texts(1),
                "version": st.floats(min_value=0.1, max_value=99),
                "tags": st.lists(texts(1), unique=True),
                "domains": st.lists(texts(1), unique=True),
            },
        )
    )
    def test_a_service_is_there_as_it_is_shown(self, fields: dict[str, Any]) -> None:
        assert verdict_on(shown(**fields), fields).is_there


class TestParsing:
    @pytest.mark.parametrize(
        "fields, problem",
        [
            ({"descripton": "x"}, "fields.descripton: unknown field, did you mean description?"),
            ({"display_nam": "x"}, "fields.display_nam: unknown field, did you mean display_name?"),
            ({"zzz": "x"}, "fields.zzz: unknown field"),
            ({"connection": {}}, "fields.connection: a service is shown without it, so it cannot be waited for"),
            ({"description": 5}, "fields.description: must be a string, not a number"),
            ({"serviceType": ""}, "fields.serviceType: must not be empty"),
            ({"serviceType": None}, "fields.serviceType: must be a string, not None"),
            ({"version": "latest"}, "fields.version: must be a number, not a string"),
            ({"version": True}, "fields.version: must be a number, not a boolean"),
            ({"version": float("nan")}, "fields.version: must not be NaN"),
            ({"tags": "Tier.Tier1"}, "fields.tags: must be a list, not a string"),
            ({"tags": [""]}, "fields.tags[0]: must not be empty"),
            ({"owners": ["ana", {"email": "ana@acme.example"}]}, "fields.owners[1]: must be a string, not an object"),
            ({"domain": "a", "domains": ["b"]}, "fields.domain: give domain or domains, not both"),
            (
                {"displayName": "a", "display_name": "b"},
                "fields.display_name: given twice, as displayName and display_name",
            ),
            ({1: "x"}, "fields: its keys must be strings, one is a number"),
            ("prod", "fields: must be an object, not a string"),
        ],
    )
    def test_what_cannot_be_waited_for_is_named(self, fields: object, problem: str) -> None:
        assert problems_of("prod_mlflow", fields) == (problem,)

    @pytest.mark.parametrize("name, problem", [("", "not be empty"), (None, "be a string, not None")])
    def test_a_name_must_be_given(self, name: object, problem: str) -> None:
        assert problems_of(name) == (f"name: must {problem}",)

    def test_all_problems_are_named_at_once(self) -> None:
        assert len(problems_of("", {"tag": ["x"], "description": 5, "version": "x"})) == 4

    def test_no_value_is_shown(self) -> None:
        assert "hunter2" not in "".join(problems_of(["hunter2"], {"description": ["hunter2"], "version": "hunter2"}))


class TestLook:
    def test_it_reads_the_name(self) -> None:
        services = {"prod_mlflow": shown()}

        assert look(services.get, "prod_mlflow", {"version": 0.2}).is_there
        assert not look(services.get, "prod_mlflow", {"version": 0.3}).is_there
        assert not look(services.get, "Prod_mlflow").is_there

    def test_an_owner_is_waited_for_by_e_mail(self) -> None:
        for email in ("ana@acme.example", "user:ANA@acme.example"):
            assert look(lambda name: shown(), "prod_mlflow", {"owners": [email]}).is_there
        verdict = look(lambda name: shown(), "prod_mlflow", {"owners": ["ana@other.example"]})
        assert verdict.missing == ("owners lack ana@other.example",)

    def test_e_mails_are_asked_for_only_when_one_is_waited_for(self) -> None:
        team: JsonValue = [{"id": "7", "type": "team", "name": "ml"}]
        email_of = _raising(ServerError("Collate answered 503", status=503, method="GET", path="/v1"))

        assert look_for(lambda name: shown(), "prod_mlflow", {"owners": ["ana"]}, email_of=email_of).is_there
        assert not look_for(
            lambda name: shown(owners=team), "prod_mlflow", {"owners": ["a@b.example"]}, email_of=email_of
        ).fault
        mixed = {"owners": ["ana", "a@b.example"]}
        assert look_for(lambda name: shown(), "prod_mlflow", mixed, email_of=email_of).fault

    def test_nothing_is_read_for_what_cannot_be_waited_for(self) -> None:
        def read(name: str) -> None:
            raise AssertionError(f"read {name}")

        with pytest.raises(InvalidDeclarationError, match="did you mean description"):
            look(read, "prod_mlflow", {"descripton": "x"})

    @pytest.mark.parametrize(
        "fault",
        [
            NoAnswerError("Collate cannot be reached", method="GET", path="/v1"),
            ServerError("Collate answered 503", status=503, method="GET", path="/v1"),
            TooManyRequestsError("Collate answered 429", status=429, method="GET", path="/v1"),
        ],
        ids=lambda fault: type(fault).__name__,
    )
    def test_a_passing_fault_is_not_yet(self, fault: CollateError) -> None:
        verdict = look(_raising(fault), "prod_mlflow")

        assert not verdict.is_there
        assert verdict.fault is fault
        assert str(verdict) == f"prod_mlflow could not be looked for: {fault}"

    @pytest.mark.parametrize(
        "error",
        [
            AuthenticationError("Collate answered 401", status=401, method="GET", path="/v1"),
            PermissionDeniedError("Collate answered 403", status=403, method="GET", path="/v1"),
            NoAnswerError("The certificate was not accepted", method="GET", path="/v1", retryable=False),
            StoppedError(),
        ],
        ids=lambda error: type(error).__name__,
    )
    def test_what_no_later_look_can_mend_is_raised(self, error: CollateError) -> None:
        with pytest.raises(type(error)) as caught:
            look(_raising(error), "prod_mlflow")

        assert caught.value is error


def _raising(error: CollateError) -> Any:
    def read(name: str) -> None:
        raise error

    return read
