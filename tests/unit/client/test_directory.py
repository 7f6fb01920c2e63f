"""What a service can refer to, as the server answers when asked for it (recorded on 1.2)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import httpx
import pytest

from airflow_provider_collate.client.directory import Directory, Entry
from airflow_provider_collate.exceptions import (
    AnswerError,
    AuthenticationError,
    BadRequestError,
    MissingEndpointError,
    PermissionDeniedError,
)
from tests.unit.client.scripted import Network, Step, answer, said, sent_over

ANA: dict[str, Any] = {
    "id": "0d3f5c1e-9a1b-4c7d-8e2f-6a5b4c3d2e1f",
    "name": "ana",
    "fullyQualifiedName": "ana",
    "displayName": "Ana",
    "email": "ana@acme.example",
    "deleted": False,
}


def directory(*steps: Step) -> tuple[Directory, Network]:
    sent = sent_over(*steps, max_retries=0)
    return Directory(sent.transport), sent.network


def paths(network: Network) -> list[str]:
    return [request.url.raw_path.decode().removeprefix("/api/v1/") for request in network.requests]


def page(rows: list[Mapping[str, object]], after: str = "") -> httpx.Response:
    return answer(200, {"data": rows, "paging": {"total": 3, **({"after": after} if after else {})}})


class TestOne:
    def test_a_user(self) -> None:
        users, network = directory(answer(200, ANA))

        assert users.by_name("users", "ana") == Entry(ANA["id"], "ana", "ana", "ana@acme.example")
        assert users.by_id("users", str(ANA["id"])) == users.by_name("users", "ANA")
        assert paths(network) == [
            "users/name/ana?include=all",
            f"users/{ANA['id']}?include=all",
            "users/name/ANA?include=all",
        ]

    @pytest.mark.parametrize(
        "collection, name, path",
        [
            ("users", "b.smith", "users/name/%22b.smith%22"),
            ("teams", "a/b", "teams/name/a%2Fb"),
            ("domains", "Risk.Scores", "domains/name/Risk.Scores"),
            ("tags", 'Team."a.b"', "tags/name/Team.%22a.b%22"),
            ("glossaryTerms", "Business.Churn", "glossaryTerms/name/Business.Churn"),
        ],
    )
    def test_names_of_users_and_teams_are_quoted_and_others_are_qualified(
        self, collection: str, name: str, path: str
    ) -> None:
        entries, network = directory(answer(200, ANA))
        entries.by_name(collection, name)  # type: ignore[arg-type]
        assert paths(network) == [f"{path}?include=all"]

    def test_what_does_not_exist(self) -> None:
        nobody, _ = directory(said(404, "user instance for nobody not found"))
        assert nobody.by_name("users", "nobody") is None
        assert nobody.email_of("7") == ""

    def test_what_is_deleted_or_disabled_says_so(self) -> None:
        tag, _ = directory(answer(200, {**ANA, "deleted": True, "disabled": True}))
        found = tag.by_name("tags", "Tier.Old")
        assert found is not None
        assert found.is_deleted
        assert found.is_disabled

    @pytest.mark.parametrize(
        "step, kind",
        [
            (httpx.Response(404, content=b"<html>"), BadRequestError),
            (said(404, "HTTP 404 Not Found"), MissingEndpointError),
            (said(401, "no"), AuthenticationError),
            (said(403, "no"), PermissionDeniedError),
            (answer(200, {"id": 7, "name": "ana"}), AnswerError),
            (answer(200, {"id": "7"}), AnswerError),
        ],
    )
    def test_another_answer_is_not_taken_for_an_absent_entry(self, step: Step, kind: type[Exception]) -> None:
        with pytest.raises(kind):
            directory(step)[0].by_name("users", "ana")


class TestLists:
    def test_users_come_page_by_page(self) -> None:
        users, network = directory(page([ANA], after="two"), page([{**ANA, "name": "bob"}]))

        assert [user.name for user in users.users()] == ["ana", "bob"]
        assert paths(network) == ["users?limit=1000", "users?limit=1000&after=two"]

    def test_a_list_without_end_is_noticed(self) -> None:
        users, network = directory(page([], after="again"))

        with pytest.raises(AnswerError, match="a list of users that ends"):
            list(users.users())
        assert len(network.requests) == 1000

    def test_some_of_a_collection_is_one_page(self) -> None:
        tags, network = directory(page([{**ANA, "fullyQualifiedName": "Tier.Tier1"}], after="two"))

        assert [tag.fqn for tag in tags.some("tags", parent="Tier")] == ["Tier.Tier1"]
        assert paths(network) == ["tags?limit=1000&parent=Tier"]

    def test_what_is_no_list_is_noticed(self) -> None:
        with pytest.raises(AnswerError, match="a list of teams"):
            directory(answer(200, {"data": None}))[0].some("teams")


class TestClassifications:
    @pytest.mark.parametrize(
        "step, exclusive",
        [
            (answer(200, {"name": "Tier", "mutuallyExclusive": True}), True),
            (answer(200, {"name": "PII", "mutuallyExclusive": False}), False),
            (answer(200, {"name": "PII"}), False),
            (said(404, "classification instance for Tier not found"), False),
            (said(403, "no"), False),
        ],
    )
    def test_whether_its_tags_exclude_each_other(self, step: Step, exclusive: bool) -> None:
        classifications, network = directory(step)

        assert classifications.is_exclusive("a/b") is exclusive
        assert paths(network) == ["classifications/name/a%2Fb"]
