"""Ranges of names: what they show and prove in every order that a database may have, and what they cost."""

from __future__ import annotations

import base64
import json
from collections.abc import Collection, Iterator

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_collate.client.name_ranges import NameRanges
from airflow_provider_collate.client.services import Services
from airflow_provider_collate.exceptions import PermissionDeniedError, ServerError
from airflow_provider_collate.models.service import Service
from tests.unit.client.collated import COLLATIONS, CollatedNetwork
from tests.unit.client.scripted import TOKEN, Network, answer, listed, said, scripted_services, services_over

OURS = [f"mlflow_{number:04}" for number in range(300)]
OTHERS = [f"{team}_{number:03}" for team in ("fraud", "risk") for number in range(900)]


def learned(services: Services) -> NameRanges:
    """Ranges that have seen the first page."""
    ranges = NameRanges(services, lambda page: None)
    ranges.learn(services.page(limit=3))
    return ranges


def ranges_of(network: CollatedNetwork) -> NameRanges:
    """Ranges that have seen the first page; nothing is counted yet."""
    ranges = learned(services_over(network, TOKEN))
    network.pages.clear()
    return ranges


def read(ranges: NameRanges, names: Collection[str]) -> tuple[set[str], set[str]]:
    """Return the names that were found, and those that are left."""
    found: list[str] = []
    left: list[set[str]] = []

    def reading() -> Iterator[Service]:
        left.append((yield from ranges.read(names, [])))

    found.extend(service.name for service in reading())
    assert len(found) == len(set(found))
    return set(found), left[0]


@pytest.mark.parametrize("with_id", [True, False])
@pytest.mark.parametrize("names", [OURS, OURS[:200], OURS[17:40]])
def test_names_with_a_common_beginning_are_read_in_few_pages(with_id: bool, names: list[str]) -> None:
    network = CollatedNetwork(OTHERS + OURS, with_id=with_id)
    ranges = ranges_of(network)

    found, left = read(ranges, names)

    assert found | left == set(names)
    # A cursor that holds a name only is behind it.
    assert left == (set() if with_id else {names[0]})
    assert sum(network.pages) <= 1.1 * len(names)
    assert len(network.pages) <= 2


@pytest.mark.parametrize("with_id", [True, False])
def test_what_is_not_there_is_proven_by_one_page(with_id: bool) -> None:
    network = CollatedNetwork(OTHERS, with_id=with_id)
    ranges = ranges_of(network)

    assert read(ranges, OURS) == (set(), set() if with_id else {OURS[0]})
    assert network.pages == [250]


def test_what_is_behind_the_last_service_is_not_there() -> None:
    ranges = ranges_of(CollatedNetwork(OTHERS, with_id=True))

    assert read(ranges, ["zeta_1", "zeta_2"]) == (set(), set())


def test_names_with_dots_are_proven_absent_only_where_the_list_shows_how_they_are_sorted() -> None:
    names = [f"mlflow.{number}" for number in range(20)]
    ranges = ranges_of(CollatedNetwork(OTHERS, with_id=True))
    assert read(ranges, names) == (set(), set(names))

    ranges = ranges_of(CollatedNetwork([*OTHERS, "n.1"], with_id=True))
    read(ranges, ["mlflow", "n.0"])
    assert read(ranges, names) == (set(), set())


def test_groups_of_names_are_ranges_of_their_own() -> None:
    network = CollatedNetwork([*OTHERS, *OURS, *(f"a{name}" for name in OURS)], with_id=True)
    ranges = ranges_of(network)
    names = [f"a{name}" for name in OURS] + OURS + ["risk_500", "risk_501"]

    assert read(ranges, names) == (set(names), set())
    assert sum(network.pages) <= 2.5 * len(names)


def test_scattered_names_are_left_to_others() -> None:
    network = CollatedNetwork(OTHERS, with_id=True)
    ranges = ranges_of(network)

    found, left = read(ranges, OTHERS[::60])

    assert found | left == set(OTHERS[::60])
    assert len(network.pages) <= 3
    assert len(left) > len(found)


@given(
    st.sampled_from(list(COLLATIONS)),
    st.booleans(),
    st.sets(st.text("abAB12_-.é ~?ß", min_size=1, max_size=5), min_size=4, max_size=60),
    st.data(),
)
def test_no_order_makes_a_service_look_absent(
    collation: str, with_id: bool, names: set[str], data: st.DataObject
) -> None:
    there = data.draw(st.sets(st.sampled_from(sorted(names)), min_size=4))
    ranges = ranges_of(CollatedNetwork(sorted(there), COLLATIONS[collation], with_id=with_id))

    found, left = read(ranges, names)

    assert found <= there <= found | left


@pytest.mark.parametrize(
    "name", ["a/b?c", "~tilde~", "ключ", "a.b", "ÿþýüûú>>>???", "x" * 250 + "~", "🙂🙃", 'back\\slash "quoted"', " a "]
)
@pytest.mark.parametrize("with_id", [True, False])
def test_any_name_begins_a_range(name: str, with_id: bool) -> None:
    network = CollatedNetwork([*OTHERS, name, f"{name}1"], with_id=with_id)
    ranges = ranges_of(network)

    found, left = read(ranges, [name, f"{name}1"])

    assert found | left == {name, f"{name}1"}
    # Letters of one alphabet of base64 only are left out of a cursor, and nothing may be left of it.
    assert f"{name}1" in found or not name.isascii()
    assert ranges.can_be_read


@pytest.mark.parametrize(
    "cursor",
    [
        "7",
        "not base64!",
        "",
        base64.b64encode(b"another").decode(),
        base64.b64encode(b"\xff\xfe").decode(),
        base64.b64encode(b"[" * 10_000).decode(),
        base64.b64encode(json.dumps({"name": "c"}).encode()).decode(),
        base64.b64encode(json.dumps({"name": "c", "id": "c", "updatedAt": 1}).encode()).decode(),
        base64.b64encode(json.dumps({"name": "c", "id": "d"}).encode()).decode(),
        base64.b64encode(json.dumps(["c"]).encode()).decode(),
    ],
)
def test_a_cursor_of_another_form_is_left_alone(cursor: str) -> None:
    services, network = scripted_services(listed("a", "b", "c", after=cursor))
    ranges = learned(services)

    assert not ranges.can_be_read
    assert read(ranges, ["a"]) == (set(), {"a"})
    assert len(network.requests) == 1


def after_learning(*steps: httpx.Response) -> tuple[NameRanges, Network]:
    services, network = scripted_services(listed("a", "b", after="Yg==", total=90), *steps, max_retries=0)
    return learned(services), network


@pytest.mark.parametrize("refusal", [said(400, "Illegal cursor"), said(500, "oops"), said(422, "no")])
def test_a_server_that_refuses_the_cursor_is_not_asked_again(refusal: httpx.Response) -> None:
    ranges, network = after_learning(refusal)

    assert read(ranges, ["k", "l"]) == (set(), {"k", "l"})
    assert not ranges.can_be_read
    assert read(ranges, ["k"]) == (set(), {"k"})
    assert len(network.requests) == 2


def test_a_server_that_fails_where_nothing_is_behind_the_cursor_is_believed() -> None:
    ranges, network = after_learning(
        said(500, "An exception with message [Index 0 out of bounds for length 0] was thrown while processing request.")
    )

    assert read(ranges, ["k", "l"]) == (set(), {"k"})
    assert ranges.can_be_read
    assert len(network.requests) == 2


def test_a_server_that_does_not_mind_the_cursor_is_noticed() -> None:
    ranges, _ = after_learning(listed("a", "b", after="Yg==", total=90))

    assert read(ranges, ["k", "l"]) == (set(), {"k", "l"})
    assert not ranges.can_be_read


@pytest.mark.parametrize(
    "page", [listed("k2", "m", "l", after="bA==", total=90), listed("k2", "k12", "m", after="bQ==", total=90)]
)
def test_a_page_in_an_order_that_no_name_tells_proves_nothing(page: httpx.Response) -> None:
    ranges, _ = after_learning(page)

    assert read(ranges, ["k", "k2", "k3", "l9"]) == ({"k2"}, {"k", "k3", "l9"})
    assert not ranges.can_be_read


def test_a_first_page_in_such_an_order_is_enough() -> None:
    services, _ = scripted_services(listed("b", "a", after="YQ==", total=90))

    assert not learned(services).can_be_read


@pytest.mark.parametrize("page", [listed(after="Yg==", total=90), answer(200, {"data": [], "paging": {}})])
def test_empty_pages_end_it(page: httpx.Response) -> None:
    ranges, network = after_learning(page)

    found, left = read(ranges, [f"k{number:03}" for number in range(900)])

    assert not found
    assert "k000" in left
    assert len(network.requests) <= 3


def test_other_errors_are_raised() -> None:
    for step, kind in ((said(403, "no"), PermissionDeniedError), (said(503, "busy"), ServerError)):
        with pytest.raises(kind):
            read(after_learning(step)[0], ["k"])


def test_services_that_come_and_go_meanwhile_are_seen_as_they_are_when_their_page_is_read() -> None:
    network = CollatedNetwork(OTHERS + OURS, with_id=True)
    ranges = ranges_of(network)
    reading = ranges.read([*OURS, "mlflow_9999"], [])

    seen = [next(reading).name]
    network.names -= {OURS[260], OURS[1]}
    network.names.add("mlflow_9999")
    seen += [service.name for service in reading]

    assert sorted(seen) == sorted({*OURS, "mlflow_9999"} - {OURS[260]})
