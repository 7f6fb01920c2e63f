"""The endpoints of services: what is asked, and what is made of the answers."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import JsonValue

from airflow_provider_collate.client.services import PatchOperation, Services, fqn_of
from airflow_provider_collate.exceptions import (
    AnswerError,
    BadRequestError,
    BrokenReferenceError,
    NotFoundError,
    PermissionDeniedError,
    ServerError,
)
from airflow_provider_collate.sandbox import Catalog, InProcessTransport
from tests.unit.client.scripted import COLLECTION, SERVICE, answer, said, scripted_services, services_over

MLFLOW: dict[str, JsonValue] = {"config": {"type": "Mlflow", "trackingUri": "http://mlflow"}}
NEW: dict[str, JsonValue] = {"name": "a", "domains": ["d"], "connection": MLFLOW}
PATCH = [PatchOperation("remove", "/a", "left out"), PatchOperation("add", "/b", None)]
WITH_NULL = {"op": "add", "path": "/b", "value": None}


@pytest.mark.parametrize(
    "ask", [lambda all_: all_.by_name("b"), lambda all_: all_.by_id("2"), lambda all_: all_.by_name("A")]
)
def test_an_answer_about_another_service_is_refused(ask: Callable[[Services], object]) -> None:
    """Whoever asked would delete or change the other one."""
    services, _ = scripted_services(answer(200, SERVICE))

    with pytest.raises(AnswerError, match="answered 'a'") as caught:
        ask(services)

    assert caught.value.retryable


@pytest.mark.parametrize(
    "ask, document",
    [
        (lambda all_: all_.by_name("a", ["tags"]), SERVICE),
        (lambda all_: all_.page(["tags"]), {"data": [{**SERVICE, "tags": []}, SERVICE], "paging": {}}),
    ],
)
def test_an_answer_without_the_tags_that_were_asked_for_is_refused(
    ask: Callable[[Services], object], document: object
) -> None:
    services, _ = scripted_services(answer(200, document))

    with pytest.raises(AnswerError, match="was asked for the tags of"):
        ask(services)


def test_the_history_is_the_answer_as_it_came() -> None:
    history = {"entityType": "mlmodelService", "versions": ['{"version": 0.1}']}
    services, network = scripted_services(answer(200, history))

    assert services.versions("1/2") == history
    assert network.requests[0].url.raw_path.decode() == f"{COLLECTION}/1%2F2/versions"


@pytest.mark.parametrize(
    "name, fqn, path",
    [
        ("a", "a", "a"),
        ("a b", "a b", "a%20b"),
        ("a/b", "a/b", "a%2Fb"),
        ("a.b", '"a.b"', "%22a.b%22"),
        ("..", '".."', "%22..%22"),
        ('a"b', '"a\\"b"', "%22a%5C%22b%22"),
        ("ü?#", "ü?#", "%C3%BC%3F%23"),
        ("%41", "%41", "%2541"),
        ("a+b&c;d", "a+b&c;d", "a%2Bb%26c%3Bd"),
        ("\\", "\\", "%5C"),
    ],
)
def test_a_name_is_quoted_and_encoded(name: str, fqn: str, path: str) -> None:
    services, network = scripted_services(answer(200, {**SERVICE, "name": name}))

    services.by_name(name, ["domains"], include="all")

    assert fqn_of(name) == fqn
    target = network.requests[0].url.raw_path.decode()
    assert target == f"{COLLECTION}/name/{path}?include=all&fields=domains"


@settings(max_examples=60)
@given(
    st.from_regex(r"((?!::).){1,40}", fullmatch=True, alphabet=st.characters(codec="utf-8", exclude_characters='\0"'))
)
def test_any_name_is_found_again(name: str) -> None:
    catalog = Catalog()
    services = services_over(InProcessTransport(catalog), catalog.bot_token)

    services.create({"name": name, "serviceType": "Mlflow", "connection": MLFLOW})
    found = services.by_name(name)

    assert found is not None
    assert found.name == name
    assert found.fully_qualified_name == fqn_of(name)


def test_what_does_not_exist_is_none() -> None:
    services, network = scripted_services(said(404, "mlmodelService instance for a not found"))

    assert services.by_name("a") is services.by_id("1/2") is None
    assert network.requests[1].url.raw_path.decode() == f"{COLLECTION}/1%2F2?include=non-deleted"


def test_a_service_whose_domain_is_gone_is_not_missing() -> None:
    """Recorded: with the id of a domain that does not exist, the service cannot be read with its domain."""
    services, _ = scripted_services(said(404, "domain instance for 7f0c not found"))

    with pytest.raises(BrokenReferenceError, match="domain instance for 7f0c not found"):
        services.by_name("a", ["domains"])


@pytest.mark.parametrize("wrong_host", [httpx.Response(404, content=b"<html>"), answer(404, {"detail": "Not Found"})])
def test_a_wrong_host_is_not_an_empty_catalog(wrong_host: httpx.Response) -> None:
    services, _ = scripted_services(wrong_host)

    with pytest.raises(BadRequestError, match="Collate answered 404: "):
        services.by_name("a")
    with pytest.raises(BadRequestError, match="Collate answered 404: "):
        services.delete("1")


@pytest.mark.parametrize(
    "write, method, target, body",
    [
        (lambda all_: all_.create(NEW), "POST", "", {"name": "a", "domain": "d", "connection": MLFLOW}),
        (lambda all_: all_.put_bulk([{"name": "a", "owners": []}]), "PUT", "/bulk", [{"name": "a", "owner": None}]),
        (lambda all_: all_.patch("1/x", PATCH), "PATCH", "/1%2Fx", [{"op": "remove", "path": "/a"}, WITH_NULL]),
        (lambda all_: all_.restore("1"), "PUT", "/restore", {"id": "1"}),
        (lambda all_: all_.delete("1"), "DELETE", "/1?recursive=true", None),
        (lambda all_: all_.delete("1", hard=True), "DELETE", "/1?recursive=true&hardDelete=true", None),
    ],
)
def test_a_write_is_sent_in_the_release_s_words(
    write: Callable[[Services], object], method: str, target: str, body: object
) -> None:
    services, network = scripted_services(answer(200, SERVICE), release="1.2.0")

    write(services)

    [request] = network.requests
    assert (request.method, request.url.raw_path.decode()) == (method, f"{COLLECTION}{target}")
    assert (json.loads(request.content) if request.content else None) == body
    content_type = "application/json-patch+json" if method == "PATCH" else "application/json"
    assert request.headers.get("Content-Type") == (None if body is None else content_type)


def test_the_value_of_an_operation_is_not_printed() -> None:
    assert "hunter2" not in repr(PatchOperation("add", "/connection/config/awsSecretAccessKey", "hunter2"))


@pytest.mark.parametrize("document", [[], {"failedRequest": 7}, {"failedRequest": ["a"]}, {"abortReason": 1}, 7])
def test_a_bulk_answer_of_another_shape_is_refused(document: object) -> None:
    services, _ = scripted_services(answer(200, document))

    with pytest.raises(AnswerError) as caught:
        services.put_bulk([{"name": "a"}])

    assert caught.value.maybe_applied


@pytest.mark.parametrize("write", [lambda all_: all_.delete("1"), lambda all_: all_.restore("1")])
def test_what_is_not_there_is_a_success_where_an_answer_was_lost_and_no_other(
    write: Callable[[Services], object],
) -> None:
    lost = httpx.RemoteProtocolError("Server disconnected without sending a response.")
    gone = said(404, "mlmodelService instance for 1 not found")
    services, network = scripted_services(lost, gone)

    write(services)

    assert len(network.requests) == 2
    with pytest.raises(NotFoundError):
        write(scripted_services(gone)[0])


def test_what_the_role_lacks_is_told_for_the_kind() -> None:
    services, _ = scripted_services(said(403, "operations [EditAll] not allowed"))

    with pytest.raises(PermissionDeniedError) as caught:
        services.patch("1", [])

    assert "EditAll on ML model services" in caught.value.advice


def test_writes_hide_what_they_sent() -> None:
    services, _ = scripted_services(said(500, "cannot store hunter2hunter2"), max_retries=0)

    def secrets() -> tuple[str, ...]:
        return ("hunter2hunter2",)

    writes: list[Callable[[], object]] = [
        lambda: services.create({"name": "a"}, secrets),
        lambda: services.put_bulk([], secrets),
        lambda: services.patch("1", [], secrets),
    ]
    for write in writes:
        with pytest.raises(ServerError, match=r"^Collate answered 500: cannot store \*\*\* \["):
            write()


FIELDS = ["id", "name", "serviceType", "tags", "owners", "connection", "version", "data", "paging", "after", "total"]


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(FIELDS), inner, max_size=6),
        max_leaves=12,
    )
)
def test_any_document_is_read_or_refused(document: object) -> None:
    for ask in (Services.page, lambda services: services.by_name("a"), lambda services: services.put_bulk([])):
        services, _ = scripted_services(answer(200, document))
        with contextlib.suppress(AnswerError):
            ask(services)
