"""The endpoints of services: what is asked, and what is made of the answers."""

from __future__ import annotations

import json
from collections.abc import Callable

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import JsonValue

from airflow_provider_collate.client.client import CollateClient
from airflow_provider_collate.client.config import ClientConfig
from airflow_provider_collate.client.kinds import ML_MODEL
from airflow_provider_collate.client.services import PAGE_SIZE, PatchOperation, Services, fqn_of
from airflow_provider_collate.client.tokens import TokenSource
from airflow_provider_collate.exceptions import (
    AnswerError,
    BadRequestError,
    ConflictError,
    MissingEndpointError,
    NotFoundError,
    ServerError,
)
from airflow_provider_collate.sandbox import Catalog, InProcessTransport
from tests.unit.client.scripted import TOKEN, Network, Step, answer, said

COLLECTION = "/api/v1/services/mlmodelServices"
SERVICE = {"id": "1", "name": "a", "serviceType": "Mlflow", "version": 0.1}
MLFLOW: dict[str, JsonValue] = {"config": {"type": "Mlflow", "trackingUri": "http://mlflow"}}


def scripted(*steps: Step, release: str = "1.12.3", max_retries: int = 1) -> tuple[Services, Network]:
    """Services over a network that tells its release and then follows the script."""
    network = Network(*steps, release=release)
    return services_over(network, TOKEN, max_retries), network


def services_over(http: httpx.BaseTransport, token: str, max_retries: int = 1) -> Services:
    config = ClientConfig("https://acme.example/api", max_retries=max_retries)
    return CollateClient(config, TokenSource(lambda: token), http=http, sleep=lambda _: None).services(ML_MODEL)


def listed(*names: str, after: str = "") -> httpx.Response:
    paging = {"total": 9, **({"after": after} if after else {})}
    return answer(200, {"data": [{**SERVICE, "name": name} for name in names], "paging": paging})


def test_a_list_is_read_page_by_page() -> None:
    services, network = scripted(listed("a", after="c1"), listed(after="c2"), listed("b"))

    pages = list(services.pages(["tags", "owners"], include="all"))

    assert [[service.name for service in page.services] for page in pages] == [["a"], [], ["b"]]
    assert [(page.after, page.total) for page in pages] == [("c1", 9), ("c2", 9), ("", 9)]
    assert [request.url.path for request in network.requests] == [COLLECTION] * 3
    asked = {"limit": str(PAGE_SIZE), "include": "all", "fields": "owners,tags"}
    assert [dict(request.url.params) for request in network.requests] == [
        asked,
        {**asked, "after": "c1"},
        {**asked, "after": "c2"},
    ]


def test_a_page_may_be_small() -> None:
    services, network = scripted(listed("a", after="c1"))

    services.page(limit=1)

    assert dict(network.requests[0].url.params) == {"limit": "1", "include": "non-deleted"}


def test_a_page_is_read_only_when_it_is_wanted() -> None:
    services, network = scripted(listed("a", after="c1"))

    next(services.pages())

    assert len(network.requests) == 1
    assert "fields" not in network.requests[0].url.params


@pytest.mark.parametrize("cursors", [["c1", "c1"], ["c1", "c2", "c1"]])
def test_a_list_that_leads_in_a_circle_ends(cursors: list[str]) -> None:
    services, network = scripted(*[listed("a", after=cursor) for cursor in cursors])

    with pytest.raises(AnswerError, match="its cursor leads back to a page already read") as caught:
        list(services.pages())

    assert caught.value.retryable
    assert len(network.requests) == len(cursors)


@pytest.mark.parametrize(
    "document",
    [
        {},
        [],
        {"data": []},
        {"data": {}, "paging": {}},
        {"data": [], "paging": []},
        {"data": [7], "paging": {}},
        {"data": [None], "paging": {}},
        {"data": [{"id": "1"}], "paging": {}},
        {"data": [{**SERVICE, "version": "x"}], "paging": {}},
        {"data": [{**SERVICE, "tags": 7}], "paging": {}},
    ],
)
def test_a_list_of_another_shape_is_refused(document: object) -> None:
    services, _ = scripted(answer(200, document))

    with pytest.raises(AnswerError, match=r"^Collate answered 200 with .* was expected") as caught:
        services.page()

    assert caught.value.__cause__ is caught.value.__context__ is None


@pytest.mark.parametrize("paging", [{"after": None}, {"after": 7}, {"total": "x"}, {"after": ""}])
def test_paging_without_a_cursor_is_the_end(paging: dict[str, object]) -> None:
    services, _ = scripted(answer(200, {"data": [], "paging": paging}))

    assert services.page().after == ""


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
    services, network = scripted(answer(200, SERVICE))

    services.by_name(name, ["domains"], include="all")

    assert fqn_of(name) == fqn
    target = network.requests[0].url.raw_path.decode()
    assert target == f"{COLLECTION}/name/{path}?include=all&fields=domains"


@settings(max_examples=60)
@given(st.from_regex(r"((?!::).){1,40}", fullmatch=True, alphabet=st.characters(codec="utf-8")))
def test_any_name_is_found_again(name: str) -> None:
    catalog = Catalog()
    services = services_over(InProcessTransport(catalog), catalog.bot_token)

    services.create({"name": name, "serviceType": "Mlflow", "connection": MLFLOW})
    found = services.by_name(name)

    assert found is not None
    assert found.name == name
    assert found.fully_qualified_name == fqn_of(name)


def test_what_does_not_exist_is_none() -> None:
    services, network = scripted(said(404, "mlmodelService instance for a not found"))

    assert services.by_name("a") is services.by_id("1/2") is None
    assert network.requests[1].url.raw_path.decode() == f"{COLLECTION}/1%2F2?include=non-deleted"


@pytest.mark.parametrize("wrong_host", [httpx.Response(404, content=b"<html>"), answer(404, {"detail": "Not Found"})])
def test_a_wrong_host_is_not_an_empty_catalog(wrong_host: httpx.Response) -> None:
    services, _ = scripted(wrong_host)

    with pytest.raises(BadRequestError, match="Collate answered 404: "):
        services.by_name("a")
    with pytest.raises(BadRequestError, match="Collate answered 404: "):
        services.delete("1")


def test_a_create_speaks_the_release_s_names() -> None:
    services, network = scripted(answer(201, SERVICE), release="1.2.0")

    services.create({"name": "a", "domains": ["d"], "connection": MLFLOW})

    assert (network.requests[0].method, network.requests[0].url.path) == ("POST", COLLECTION)
    assert json.loads(network.requests[0].content) == {"name": "a", "domain": "d", "connection": MLFLOW}


def test_a_create_whose_answer_was_lost_meets_itself() -> None:
    catalog = Catalog()
    catalog.fail(lose_answer=True, method="POST")
    services = services_over(InProcessTransport(catalog), catalog.bot_token)

    with pytest.raises(ConflictError) as caught:
        services.create({"name": "a", "serviceType": "Mlflow", "connection": MLFLOW})

    assert caught.value.maybe_applied
    assert catalog.services["a"]["version"] == 0.1


def test_a_bulk_request() -> None:
    result = {"status": "success", "numberOfRowsPassed": 1, "successRequest": [{"request": "a", "status": 200}]}
    services, network = scripted(answer(200, result))

    got = services.put_bulk([{"name": "a", "owners": []}])

    assert (network.requests[0].method, network.requests[0].url.path) == ("PUT", f"{COLLECTION}/bulk")
    assert [row.name for row in got.success_request] == ["a"]


@pytest.mark.parametrize(
    "step",
    [
        said(404, "HTTP 404 Not Found"),
        said(405, "HTTP 405 Method Not Allowed"),
        httpx.Response(501),
        answer(500, {"responseMessage": "An exception with message [HTTP 405 Method Not Allowed] was thrown"}),
    ],
)
def test_a_server_without_bulk_is_told_apart(step: httpx.Response) -> None:
    services, network = scripted(step)

    with pytest.raises(MissingEndpointError):
        services.put_bulk([])

    assert len(network.requests) == 1


@pytest.mark.parametrize(
    "document", [[], {"successRequest": 7}, {"failedRequest": ["a"]}, {"numberOfRowsFailed": "x"}, 7]
)
def test_a_bulk_answer_of_another_shape_is_refused(document: object) -> None:
    services, _ = scripted(answer(200, document))

    with pytest.raises(AnswerError) as caught:
        services.put_bulk([{"name": "a"}])

    assert caught.value.maybe_applied


def test_a_patch() -> None:
    services, network = scripted(answer(200, SERVICE))
    operations = [
        PatchOperation("test", "/version", 0.1),
        PatchOperation("remove", "/displayName", "left out"),
        PatchOperation("add", "/description", None),
    ]

    services.patch("1/x", operations)

    [request] = network.requests
    assert (request.method, request.url.raw_path.decode()) == ("PATCH", f"{COLLECTION}/1%2Fx")
    assert request.headers["Content-Type"] == "application/json-patch+json"
    assert json.loads(request.content) == [
        {"op": "test", "path": "/version", "value": 0.1},
        {"op": "remove", "path": "/displayName"},
        {"op": "add", "path": "/description", "value": None},
    ]
    assert "hunter2" not in repr(PatchOperation("add", "/connection/config/awsSecretAccessKey", "hunter2"))


def test_a_restore() -> None:
    services, network = scripted(answer(200, SERVICE))

    services.restore("1")

    [request] = network.requests
    assert (request.method, request.url.path) == ("PUT", f"{COLLECTION}/restore")
    assert json.loads(request.content) == {"id": "1"}


@pytest.mark.parametrize(
    "hard, query", [(False, {"recursive": "true"}), (True, {"hardDelete": "true", "recursive": "true"})]
)
def test_a_delete(hard: bool, query: dict[str, str]) -> None:
    services, network = scripted(answer(200, SERVICE))

    services.delete("1", hard=hard)

    assert (network.requests[0].method, dict(network.requests[0].url.params)) == ("DELETE", query)


def test_a_delete_whose_answer_was_lost_is_done() -> None:
    lost = httpx.RemoteProtocolError("Server disconnected without sending a response.")
    services, network = scripted(lost, said(404, "mlmodelService instance for 1 not found"))

    services.delete("1")

    assert len(network.requests) == 2


def test_a_delete_of_nothing_is_not() -> None:
    services, _ = scripted(said(404, "mlmodelService instance for 1 not found"))

    with pytest.raises(NotFoundError):
        services.delete("1")


def test_writes_hide_what_they_sent() -> None:
    services, _ = scripted(said(500, "cannot store hunter2hunter2"), max_retries=0)
    secrets = ("hunter2hunter2",)
    writes: list[Callable[[], object]] = [
        lambda: services.create({"name": "a"}, secrets),
        lambda: services.put_bulk([], secrets),
        lambda: services.patch("1", [], secrets),
    ]
    for write in writes:
        with pytest.raises(ServerError, match=r"^Collate answered 500: cannot store \*\*\* \["):
            write()


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    [
                        "id",
                        "name",
                        "serviceType",
                        "tags",
                        "owners",
                        "connection",
                        "version",
                        "deleted",
                        "data",
                        "paging",
                        "after",
                        "total",
                        "tagFQN",
                        "type",
                    ]
                ),
                inner,
                max_size=6,
            )
        ),
        max_leaves=12,
    )
)
def test_any_document_is_read_or_refused(document: object) -> None:
    for ask in (Services.page, lambda services: services.by_name("a"), lambda services: services.put_bulk([])):
        services, _ = scripted(answer(200, document))
        try:
            ask(services)
        except AnswerError as error:
            refused = error.message
        else:
            continue
        assert refused.startswith("Collate answered 200 with ")
