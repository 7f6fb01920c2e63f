"""Chunks that are larger than an XCom may be, and the two ways out that the guide on fleets names."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.fleet.backing import execute
from tests.fleet.conftest import Backing
from tests.fleet.ends import assert_as_declared, assert_created_once, assert_reports
from tests.fleet.fleet import Fleet, fleet
from tests.fleet.held import HeldCatalog

pytestmark = pytest.mark.soak

CHUNKS, ROWS = 4, 50
MOST_BYTES = 8_000  # less than a chunk of 50 services has, more than its report
DAG = "keep_services"


@pytest.fixture
def small_xcoms(two_workers: Fleet, backing: Backing) -> Iterator[Fleet]:
    """The fleet on a database that refuses larger XComs, as MySQL does over `max_allowed_packet`."""
    check = f"alter table xcom add constraint small check (length(value::text) <= {MOST_BYTES}) not valid"
    execute(backing.postgres, two_workers.home.name, check)
    yield two_workers
    execute(backing.postgres, two_workers.home.name, "alter table xcom drop constraint small")


@pytest.fixture
def object_storage(backing: Backing, connections: dict[str, str]) -> Iterator[Fleet]:
    """A fleet that keeps larger XComs as files; its database refuses them."""
    folder = backing.folder / "xcoms"
    folder.mkdir()
    settings = {
        "AIRFLOW__CORE__XCOM_BACKEND": "airflow.providers.common.io.xcom.backend.XComObjectStorageBackend",
        "AIRFLOW__COMMON_IO__XCOM_OBJECTSTORAGE_PATH": folder.as_uri(),
        "AIRFLOW__COMMON_IO__XCOM_OBJECTSTORAGE_THRESHOLD": str(MOST_BYTES // 2),
    }
    url = f"redis://127.0.0.1:{backing.redis.port}/2"
    with fleet(backing.folder / "stored", backing.postgres, url, connections, workers=1, **settings) as made:
        check = f"alter table xcom add constraint small check (length(value::text) <= {MOST_BYTES})"
        execute(backing.postgres, made.home.name, check)
        yield made


def test_an_xcom_that_is_too_large_fails_before_anything_is_written(small_xcoms: Fleet, catalog: HeldCatalog) -> None:
    run_id = small_xcoms.trigger(DAG, chunks=CHUNKS, rows=ROWS)

    assert small_xcoms.wait_for_end(DAG, run_id) == "failed"

    assert not catalog.requests


def test_chunks_by_number_need_no_large_xcom(small_xcoms: Fleet, catalog: HeldCatalog) -> None:
    run_id = small_xcoms.trigger("keep_services_in_tasks", chunks=CHUNKS, rows=ROWS)

    assert small_xcoms.wait_for_end("keep_services_in_tasks", run_id) == "success"

    assert_as_declared(catalog, CHUNKS, ROWS)
    assert_created_once(catalog)


def test_large_xcoms_in_object_storage(object_storage: Fleet, two_workers: Fleet, catalog: HeldCatalog) -> None:
    run_id = object_storage.trigger(DAG, chunks=CHUNKS, rows=ROWS)

    assert object_storage.wait_for_end(DAG, run_id) == "success"

    assert_as_declared(catalog, CHUNKS, ROWS)
    assert_reports(object_storage, DAG, run_id, CHUNKS, ROWS)
