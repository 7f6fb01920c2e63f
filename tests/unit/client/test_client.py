"""A server's release and its user, each asked once."""

from __future__ import annotations

import platform
from collections.abc import Callable

import httpx
import pytest
from pydantic import JsonValue

from airflow_provider_collate import __version__
from airflow_provider_collate.client.client import CollateClient, Identity
from airflow_provider_collate.client.config import ClientConfig, user_agent
from airflow_provider_collate.client.release import Release
from airflow_provider_collate.exceptions import AnswerError, InvalidDeclarationError, StoppedError
from airflow_provider_collate.kinds.mlmodel import ML_MODEL
from airflow_provider_collate.sandbox import Catalog, InProcessTransport
from tests.unit.client.scripted import TOKEN, Network, Step, answer, said


def client_of(network: httpx.BaseTransport, token: str = TOKEN) -> CollateClient:
    config = ClientConfig("https://acme.example/api", max_retries=0)
    return CollateClient(config, lambda: token, http=network, sleep=lambda seconds: None)


def scripted(*steps: Step) -> tuple[CollateClient, Network]:
    network = Network(*steps)
    return client_of(network), network


def test_the_release_is_asked_once_and_without_a_token() -> None:
    client, network = scripted(answer(200, {"version": "1.12.3"}))

    assert [client.release().text, client.release().text] == ["1.12.3", "1.12.3"]
    assert network.tokens == [""]
    assert network.requests[0].url.path == "/api/v1/system/version"


def test_whose_token_it_is_is_asked_once() -> None:
    client, network = scripted(answer(200, {"name": "ingestion-bot", "isBot": True}))

    assert client.identity() == client.identity() == Identity("ingestion-bot", is_bot=True)
    assert [request.url.path for request in network.requests] == ["/api/v1/users/loggedInUser"]


@pytest.mark.parametrize("is_bot", [False, None, "true", 1])
def test_a_person_is_no_bot(is_bot: object) -> None:
    assert not scripted(answer(200, {"name": "ana", "isBot": is_bot}))[0].identity().is_bot


@pytest.mark.parametrize(
    "ask, document, told",
    [
        (CollateClient.release, {}, "with an object where the server's version was expected"),
        (CollateClient.release, {"version": 1}, "with an object where the server's version was expected"),
        (CollateClient.release, [], "with a list where a JSON object was expected"),
        (CollateClient.release, True, "with true or false where a JSON object was expected"),
        (CollateClient.identity, {"name": None}, "with an object where a user was expected"),
    ],
)
def test_another_api_is_noticed(ask: Callable[[CollateClient], object], document: object, told: str) -> None:
    with pytest.raises(AnswerError, match=told) as caught:
        ask(scripted(answer(200, document))[0])

    assert "Check that the connection's host" in caught.value.advice
    assert not caught.value.retryable


def test_what_failed_is_asked_again() -> None:
    client, _network = scripted(said(503, "busy"), answer(200, {"version": "1.2.0"}))

    with pytest.raises(Exception, match="busy"):
        client.release()
    assert client.release().text == "1.2.0"


def test_pages_of_the_ui() -> None:
    client, _ = scripted(answer(200))

    assert client.ui_url == "https://acme.example"
    assert client.list_page(ML_MODEL) == "https://acme.example/settings/services/mlmodels"
    assert client.page_of(ML_MODEL, "a b/ü") == "https://acme.example/service/mlmodelServices/a%20b%2F%C3%BC"
    assert client.page_of(ML_MODEL, '"a.b"') == "https://acme.example/service/mlmodelServices/%22a.b%22"


def test_stop_ends_all_of_it() -> None:
    client, network = scripted(answer(200))
    assert not client.stopped
    client.stop()

    for ask in (client.release, client.identity, client.services(ML_MODEL).page):
        with pytest.raises(StoppedError) as caught:
            ask()
        assert caught.value.retryable
    assert client.stopped
    assert network.requests == []


def test_a_context_closes_the_connections() -> None:
    with client_of(InProcessTransport(catalog := Catalog()), catalog.bot_token) as client:
        assert client.identity() == Identity("ingestion-bot", is_bot=True)
        assert client.release().number is not None

    with pytest.raises(RuntimeError, match="closed"):
        client.services(ML_MODEL).page()


@pytest.mark.parametrize(
    "text, number, owners, domains",
    [
        ("1.2.0", (1, 2), "owner", "domain"),
        ("1.4.99", (1, 4), "owner", "domain"),
        ("1.5.0", (1, 5), "owners", "domain"),
        ("1.9.0-SNAPSHOT", (1, 9), "owners", "domains"),
        ("v1.10.1", (1, 10), "owners", "domains"),
        ("2.0", (2, 0), "owners", "domains"),
        ("today", None, "owners", "domains"),
        ("", None, "owners", "domains"),
    ],
)
def test_fields_have_the_names_of_the_release(
    text: str, number: tuple[int, int] | None, owners: str, domains: str
) -> None:
    release = Release(text)

    assert release.number == number
    assert release.fields(["tags", "owners", "domains"]) == f"{domains},{owners},tags"
    assert release.payload({"name": "a", "owners": [], "tags": []}).keys() == {"name", owners, "tags"}


def test_an_old_release_holds_one() -> None:
    old = Release("1.2.0")
    owner: dict[str, JsonValue] = {"id": "1", "type": "user"}

    assert old.payload({"owners": [owner], "domains": [], "tags": ["a", "b"]}) == {
        "owner": owner,
        "domain": None,
        "tags": ["a", "b"],
    }
    with pytest.raises(InvalidDeclarationError) as caught:
        old.payload({"domains": ["a", "b"]})
    assert str(caught.value) == (
        "The declaration has 1 problem; nothing was sent:\n  domains: 2 given, but Collate 1.2.0 holds one\n"
        "Give one, or upgrade the server."
    )


def test_user_agent() -> None:
    python = platform.python_version()

    assert user_agent("3.3.2") == f"airflow-provider-collate/{__version__} airflow/3.3.2 python/{python}"
    assert user_agent() == ClientConfig("").user_agent == f"airflow-provider-collate/{__version__} python/{python}"


def test_a_config_does_not_show_the_proxy_s_password() -> None:
    assert "hunter2" not in repr(ClientConfig("https://acme.example/api", proxy="http://ana:hunter2@proxy"))
