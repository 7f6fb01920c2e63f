"""Reading by the list, by ranges of it or by name, whichever costs least."""

from __future__ import annotations

from collections.abc import Callable, Collection

import pytest

from airflow_provider_collate.client.services import PAGE_SIZE
from airflow_provider_collate.exceptions import ServerError
from airflow_provider_collate.kinds.mlmodel import ML_MODEL
from airflow_provider_collate.models.service import Service
from airflow_provider_collate.reconcile.progress import Progress
from airflow_provider_collate.reconcile.service_reader import ServiceReader
from airflow_provider_collate.reconcile.workers import Workers
from airflow_provider_collate.sandbox import Catalog
from tests.unit.reconcile.workbench import COLLECTION, Workbench, sklearn


@pytest.fixture(scope="module")
def many() -> Workbench:
    """A catalog of 1,600 services; four pages."""
    bench = Workbench(Catalog())
    bench.run([sklearn(f"s{number:04}") for number in range(1_600)])
    return bench


@pytest.fixture
def large(many: Workbench) -> Workbench:
    many.catalog.requests.clear()
    return many


def reader_of(bench: Workbench) -> ServiceReader:
    client = bench.client()
    return ServiceReader(client.services(ML_MODEL), Workers(8, client), Progress())


def paths(bench: Workbench) -> list[str]:
    return [seen.path.removeprefix(COLLECTION) for seen in bench.sent("GET")]


def read(
    reader: ServiceReader,
    names: Collection[str],
    fields: Collection[str],
    in_scope: Callable[[Service], bool] | None = None,
) -> dict[str, Service]:
    return {service.name: service for service in reader.read(names, fields, in_scope=in_scope)}


def names(first: int, count: int) -> list[str]:
    return [f"s{number:04}" for number in range(first, first + count)]


def test_no_names_cost_nothing(large: Workbench) -> None:
    assert read(reader_of(large), [], []) == {}
    assert paths(large) == []


def test_a_few_are_read_by_name(large: Workbench) -> None:
    found = read(reader_of(large), [*names(0, 9), "missing"], [])
    assert sorted(found) == names(0, 9)
    assert sorted(paths(large)) == sorted(f"/name/{name}" for name in [*names(0, 9), "missing"])


def test_many_are_listed(large: Workbench) -> None:
    found = read(reader_of(large), names(0, 1_600), [])
    assert sorted(found) == names(0, 1_600)
    assert paths(large) == [""] * -(-1_600 // PAGE_SIZE)


def test_those_not_on_the_first_page_are_read_by_a_range_of_the_list(large: Workbench) -> None:
    found = read(reader_of(large), names(PAGE_SIZE - 10, 50), [])
    assert sorted(found) == names(PAGE_SIZE - 10, 50)
    assert paths(large) == ["", ""]
    assert [seen.params["limit"] for seen in large.sent("GET")] == ["62", "50"]


def test_a_few_that_are_not_on_the_first_page_are_read_by_name(large: Workbench) -> None:
    found = read(reader_of(large), [*names(0, 10), *names(900, 5)], [])
    assert len(found) == 15
    assert sorted(paths(large)) == ["", *(f"/name/{name}" for name in names(900, 5))]


def test_scattered_ones_are_read_by_name(large: Workbench) -> None:
    scattered = names(0, 1_600)[::60]
    assert sorted(read(reader_of(large), scattered, [])) == scattered
    assert paths(large).count("") <= 3
    assert len(paths(large)) <= len(scattered) + 3


def test_the_list_ends_when_all_are_found(large: Workbench) -> None:
    found = read(reader_of(large), names(0, 200), [])
    assert len(found) == 200
    assert paths(large) == [""]


def test_once_the_cursor_is_known_only_the_range_is_read(large: Workbench) -> None:
    reader = reader_of(large)
    read(reader, names(0, 1_600), [])
    large.catalog.requests.clear()
    assert len(read(reader, names(100, 20), [])) == 20
    assert paths(large) == [""]
    assert large.sent("GET")[0].params["limit"] == "20"


def test_in_a_small_catalog_a_page_is_cheaper_than_names(bot: Workbench) -> None:
    bot.run([sklearn(f"s{number}") for number in range(20)])
    reader = reader_of(bot)
    read(reader, [f"s{number}" for number in range(20)], [])
    bot.catalog.requests.clear()
    assert len(read(reader, ["s1", "s2"], [])) == 2
    assert paths(bot) == [""]


def test_a_scope_needs_the_whole_list(large: Workbench) -> None:
    found = read(reader_of(large), ["s0000"], [], in_scope=lambda service: service.name.endswith("7"))
    assert sorted(found) == ["s0000", *[name for name in names(0, 1_600) if name.endswith("7")]]
    assert paths(large) == [""] * -(-1_600 // PAGE_SIZE)


def test_soft_deleted_ones_are_found_either_way(bot: Workbench) -> None:
    bot.run([sklearn(f"s{number}") for number in range(20)])
    bot.catalog.remove_service("s3")
    assert read(reader_of(bot), ["s3"], [])["s3"].deleted
    assert read(reader_of(bot), [f"s{number}" for number in range(20)], [])["s3"].deleted


def test_fields_are_asked_for_either_way(old_bot: Workbench) -> None:
    old_bot.run([sklearn(f"s{number}", tags=["PII.None"]) for number in range(20)])
    old_bot.catalog.requests.clear()
    for wanted in (["s3"], [f"s{number}" for number in range(20)]):
        found = read(reader_of(old_bot), wanted, ["tags", "owners"])
        assert [tag.tag_fqn for tag in found["s3"].tags or ()] == ["PII.None"]
    asked = [seen.params["fields"] for seen in old_bot.sent("GET") if seen.path.startswith(COLLECTION)]
    assert asked == ["owner,tags"] * 2


def test_an_error_of_one_read_is_raised(bot: Workbench) -> None:
    bot.catalog.fail(None, status=503, path="/name/b")
    with pytest.raises(ServerError):
        read(reader_of(bot), ["a", "b", "c"], [])


def test_what_the_list_has_shown_before_it_failed_is_not_read_twice(bot: Workbench) -> None:
    bot.run([sklearn(f"s{number:04}") for number in range(300)])
    broken = {"code": 404, "message": "domain instance for 1 not found"}
    bot.catalog.fail(skip=1, path=f"{COLLECTION}$", method="GET", status=404, body=broken)
    bot.catalog.requests.clear()
    services = [service.name for service in reader_of(bot).read([], ["domains"], in_scope=lambda service: True)]
    assert sorted(services) == names(0, 300)
    assert len([path for path in paths(bot) if path.startswith("/name/")]) == 300 - PAGE_SIZE
