"""BulkUpsertMlModelServicesOperator and SyncMlModelServicesOperator."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from airflow_provider_collate.exceptions import InvalidDeclarationError, OutcomeError
from airflow_provider_collate.kinds.mlmodel import CreateMlModelServiceRequest, MlflowConnection
from airflow_provider_collate.models import ServiceConnection
from airflow_provider_collate.operators.mlmodel_service import (
    BulkUpsertMlModelServicesOperator,
    SyncMlModelServicesOperator,
)
from airflow_provider_collate.sandbox import Catalog
from tests.unit.conftest import TaskInstance, failure
from tests.unit.reconcile.workbench import sklearn

LIST_PAGE = "https://acme.getcollate.io/settings/services/mlmodels"


@pytest.fixture(autouse=True)
def bulk_endpoint(catalog: Catalog) -> None:
    """Serve the documented bulk endpoint, which no server was seen to have."""
    catalog.state.has_bulk = True


def rows(count: int) -> list[dict[str, Any]]:
    return [sklearn(f"s{number}") for number in range(count)]


def bulk(services: object, **given: Any) -> BulkUpsertMlModelServicesOperator:
    return BulkUpsertMlModelServicesOperator(task_id="upsert", services=services, **given)


def sync(services: object, **given: Any) -> SyncMlModelServicesOperator:
    return SyncMlModelServicesOperator(task_id="sync", services=services, **given)


def sent(catalog: Catalog) -> list[str]:
    """Method and last part of the path of every write."""
    return [f"{request.method} {request.path.rpartition('/')[2]}" for request in catalog.requests if request.is_write]


# --- bulk


def test_new_services_go_out_by_one_bulk_request(catalog: Catalog, context: Any, ti: TaskInstance) -> None:
    returned = bulk(rows(3)).execute(context)
    assert returned == {
        "counts": {"created": 3},
        "rows": [{"row": number, "name": f"s{number}", "outcome": "created"} for number in range(3)],
        "rows_left_out": 0,
        "unreadable_secrets": 0,
        "url": LIST_PAGE,
    }
    assert ti.xcoms["report"] == returned
    assert sent(catalog) == ["PUT bulk"]


def test_what_the_report_leaves_out_is_counted_in_what_is_returned(
    catalog: Catalog, context: Any, ti: TaskInstance
) -> None:
    returned: Any = bulk(rows(1003)).execute(context)
    assert (len(returned["rows"]), returned["rows_left_out"]) == (20, 983)
    assert (len(ti.xcoms["report"]["rows"]), ti.xcoms["report"]["rows_left_out"]) == (1000, 3)


def test_what_is_as_declared_is_not_written_again(catalog: Catalog, context: Any) -> None:
    bulk(rows(3)).execute(context)
    writes = catalog.writes
    returned = bulk([*rows(3), sklearn("new")]).execute(context)
    assert returned["counts"] == {"created": 1, "unchanged": 3}
    assert catalog.writes == writes + 1
    assert all(service["version"] == 0.1 for service in catalog.services.values())


def test_rows_that_a_200_calls_failed_fail_the_task(
    catalog: Catalog, context: Any, ti: TaskInstance, logged: Callable[[], str]
) -> None:
    catalog.fail(times=None, path="/bulk", bulk_rows={"s1": (400, "name is reserved"), "s3": (403, "not yours")})
    error = failure(bulk(rows(5)), context)
    assert isinstance(error.__cause__, OutcomeError)
    assert "3 created, 2 failed" in str(error)
    assert "services[1] s1: failed: refused with 400: name is reserved" in str(error)
    assert "services[3] s3: failed: refused with 403: not yours" in str(error)
    report = ti.xcoms["report"]
    assert report["counts"] == {"created": 3, "failed": 2}
    failed = [line for line in report["rows"] if line["outcome"] == "failed"]
    assert [(line["row"], line["name"]) for line in failed] == [(1, "s1"), (3, "s3")]
    assert "name is reserved" in json.dumps(failed[0])
    assert "services[3] s3: failed: refused with 403: not yours" in logged()


def test_a_later_attempt_sends_only_what_is_missing(catalog: Catalog, context: Any, ti: TaskInstance) -> None:
    catalog.fail(times=None, path="/bulk", bulk_rows={"s1": (503, "overloaded"), "s2": (503, "overloaded")})
    with pytest.raises(OutcomeError):
        bulk(rows(3)).execute(context)
    catalog.stop_failing()
    catalog.requests.clear()
    ti.try_number = 2
    assert bulk(rows(3)).execute(context)["counts"] == {"created": 2, "unchanged": 1}
    assert [request.body for request in catalog.requests if request.is_write and "s0" in str(request.body)] == []


# --- what may be given as services


class Lazy(Sequence[Any]):
    """As Airflow's lazy sequence of an upstream's mapped results: not a list, read when it is asked."""

    def __init__(self, values: list[Any]) -> None:
        self._values = values

    def __getitem__(self, index: Any) -> Any:
        return self._values[index]

    def __len__(self) -> int:
        return len(self._values)


@pytest.mark.parametrize(
    "services",
    [
        rows(2),
        tuple(rows(2)),
        Lazy(rows(2)),
        json.dumps(rows(2)),
        [
            {"name": "s0", "service_type": "Mlflow", "connection": MlflowConnection()},
            CreateMlModelServiceRequest(
                name="s1", service_type="Mlflow", connection=ServiceConnection(config=MlflowConnection())
            ),
        ],
    ],
    ids=["list", "tuple", "lazy", "JSON", "models"],
)
def test_services_may_be_any_sequence_of_mappings_or_models(services: object, catalog: Catalog, context: Any) -> None:
    assert bulk(services).execute(context)["counts"] == {"created": 2}


@pytest.mark.parametrize(
    "services, problem",
    [
        (None, "services: must be a list, not None"),
        ("[{'name': 's0'}]", "services: is a text that is not JSON: Expecting property name"),
        (
            [sklearn("a"), sklearn("b", connection={"config": {"typ": "x"}}), sklearn("")],
            "services[2].name: must not be empty",
        ),
        (
            [sklearn("a", connection={"conn_id": "no"}), sklearn("b", connection={"conn_id": "none"})],
            "services[1].connection.",
        ),
    ],
)
def test_every_faulty_row_is_named_and_nothing_is_sent(
    services: object, problem: str, catalog: Catalog, context: Any, ti: TaskInstance
) -> None:
    error = failure(bulk(services), context)
    assert isinstance(error.__cause__, InvalidDeclarationError)
    assert problem in str(error)
    assert catalog.requests == []
    assert ti.xcoms == {}


def test_without_do_xcom_push_nothing_is_pushed(catalog: Catalog, context: Any, ti: TaskInstance) -> None:
    bulk(rows(2), do_xcom_push=False).execute(context)
    catalog.fail(times=None, path="/bulk", bulk_rows={"x": (400, "reserved"), "y": (400, "reserved")})
    failure(bulk([sklearn("x"), sklearn("y")], do_xcom_push=False), context)
    assert ti.xcoms == {}


# --- sync


def test_sync_prunes_what_is_in_scope_and_not_declared(catalog: Catalog, context: Any) -> None:
    bulk([sklearn("s0"), sklearn("s1"), sklearn("other")]).execute(context)
    returned = sync(rows(1), prune="soft", prune_scope={"name_prefix": "s"}, max_prune=1).execute(context)
    assert returned["counts"] == {"deleted": 1, "unchanged": 1}
    assert sorted(catalog.services) == ["other", "s0"]
    assert sorted(catalog.deleted) == ["s1"]


def test_plan_only_says_whether_a_run_would_be_refused(
    catalog: Catalog, context: Any, logged: Callable[[], str]
) -> None:
    bulk(rows(5)).execute(context)
    writes = catalog.writes
    scope: dict[str, Any] = {"prune": "soft", "prune_scope": {"name_prefix": "s"}, "plan_only": True}
    assert sync([sklearn("s9")], max_prune=5, **scope).execute(context)["refused"] is False
    assert "a run would be refused" not in logged().lower()
    returned: Any = sync([sklearn("s9")], max_prune=2, **scope).execute(context)
    assert returned["refused"] is True
    assert "5 of 5 services in scope are no longer declared" in returned["text"]
    assert "Plan, nothing is written; a run would be refused:" in logged()
    assert catalog.writes == writes
