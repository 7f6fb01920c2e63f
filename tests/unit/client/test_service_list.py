"""The list of services: its pages, and what is noticed when it is not whole."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest

from airflow_provider_collate.client.services import PAGE_SIZE, Services
from airflow_provider_collate.client.transport import MAX_BYTES
from airflow_provider_collate.exceptions import AnswerError, AnswerTooLargeError
from tests.unit.client.scripted import COLLECTION, SERVICE, answer, listed, scripted_services


def names_of(services: Services) -> list[str]:
    return [service.name for page in services.pages() for service in page.services]


def test_a_list_is_read_page_by_page() -> None:
    services, network = scripted_services(
        listed("a", after="c1", total=2), listed(after="c2", total=2), listed("b", total=2)
    )

    pages = list(services.pages(["tags", "owners"], include="all"))

    assert [[service.name for service in page.services] for page in pages] == [["a"], [], ["b"]]
    assert [(page.after, page.total) for page in pages] == [("c1", 2), ("c2", 2), ("", 2)]
    assert [request.url.path for request in network.requests] == [COLLECTION] * 3
    asked = {"limit": str(PAGE_SIZE), "include": "all", "fields": "owners,tags"}
    assert [dict(request.url.params) for request in network.requests] == [
        asked,
        {**asked, "after": "c1"},
        {**asked, "after": "c2"},
    ]


def test_a_list_that_ends_too_early_twice_is_refused() -> None:
    services, network = scripted_services(listed("a", total=2))

    with pytest.raises(AnswerError, match=r"ended after 1 services, though its pages told of 2") as caught:
        names_of(services)

    assert caught.value.retryable
    assert len(network.requests) == 2


@pytest.mark.parametrize(
    "pages, names",
    [
        ([listed("a", after="c1", total=3), listed("b", total=2)], "ab"),
        ([listed("a", "b", after="c1", total=3), listed("b", "c", total=3)], "abc"),
        ([listed("a", after="c1", total=1), listed("b", total=1)], "ab"),
        ([listed("a", after="c1"), listed("b")], "ab"),
        ([listed("a", after="c1", total=3), listed("b", total=3), listed("a", "b", "c", total=3)], "abc"),
    ],
    ids=["one is deleted", "one moves to a later page", "one is created", "no total", "it ended too early"],
)
def test_a_list_that_changes_while_it_is_read_shows_each_service_once(pages: list[httpx.Response], names: str) -> None:
    services, network = scripted_services(*pages)

    assert names_of(services) == list(names)
    assert len(network.requests) == len(pages)


def too_large_above(limit: int) -> tuple[list[int], Callable[[httpx.Request], httpx.Response]]:
    """A server with services `0` to `299` whose answers are too large for more than so many rows."""
    asked: list[int] = []

    def serve(request: httpx.Request) -> httpx.Response:
        size, start = int(request.url.params["limit"]), int(request.url.params.get("after", 0))
        asked.append(size)
        if size > limit:
            return httpx.Response(200, content=b" " * (MAX_BYTES + 1))
        end = min(start + size, 300)
        return listed(*map(str, range(start, end)), after=str(end) if end < 300 else "", total=300)

    return asked, serve


def test_a_page_that_is_too_large_is_asked_for_again_by_half() -> None:
    asked, serve = too_large_above(100)
    services, _ = scripted_services(serve)

    assert names_of(services) == [str(number) for number in range(300)]
    assert asked == [250, 125, 62, 62, 62, 62, 62]


def test_a_single_service_that_is_too_large_is_refused() -> None:
    asked, serve = too_large_above(0)
    services, _ = scripted_services(serve)

    with pytest.raises(AnswerTooLargeError) as caught:
        names_of(services)

    assert not caught.value.retryable
    assert asked == [250, 125, 62, 31, 15, 7, 3, 1]


def test_a_page_may_be_small() -> None:
    services, network = scripted_services(listed("a", after="c1"))

    services.page(limit=1)

    assert dict(network.requests[0].url.params) == {"limit": "1", "include": "non-deleted"}


def test_a_page_is_read_only_when_it_is_wanted() -> None:
    services, network = scripted_services(listed("a", after="c1"))

    next(services.pages())

    assert len(network.requests) == 1
    assert "fields" not in network.requests[0].url.params


@pytest.mark.parametrize(
    "cursors, total",
    [(["c1", "c1"], None), (["c1", "c2", "c1"], None), (["c1", "c2"], 1)],
    ids=["the same again", "in a circle", "after all services came"],
)
def test_a_list_that_does_not_end_is_refused(cursors: list[str], total: int | None) -> None:
    services, network = scripted_services(*[listed("a", after=cursor, total=total) for cursor in cursors])

    with pytest.raises(AnswerError, match="does not end") as caught:
        names_of(services)

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
    services, _ = scripted_services(answer(200, document))

    with pytest.raises(AnswerError, match=r"^Collate answered 200 with .* was expected") as caught:
        services.page()

    assert caught.value.__cause__ is caught.value.__context__ is None


@pytest.mark.parametrize("paging", [{"after": None}, {"after": 7}, {"total": "x"}, {"after": ""}])
def test_paging_without_a_cursor_is_the_end(paging: dict[str, object]) -> None:
    services, _ = scripted_services(answer(200, {"data": [], "paging": paging}))

    assert services.page().after == ""
