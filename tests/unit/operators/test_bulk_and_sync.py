"""BulkUpsertMlModelServicesOperator and SyncMlModelServicesOperator."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException

from airflow_provider_collate.exceptions import (
    AuthenticationError,
    InvalidDeclarationError,
    LimitExceededError,
    OutcomeError,
    PruneRefusedError,
)
from airflow_provider_collate.models import CreateMlModelServiceRequest, MlflowConnection, ServiceConnection
from airflow_provider_collate.operators.mlmodel_service import (
    BulkUpsertMlModelServicesOperator,
    SyncMlModelServicesOperator,
)
from airflow_provider_collate.sandbox import DEFAULT_BOT_TOKEN, INGESTION_BOT, Catalog, make_token
from tests.unit.conftest import TaskInstance

LIST_PAGE = "https://acme.getcollate.io/settings/services/mlmodels"


def row(name: str, **fields: Any) -> dict[str, Any]:
    return {"name": name, "serviceType": "Sklearn", "connection": {"config": {"type": "Sklearn"}}, **fields}


def rows(count: int) -> list[dict[str, Any]]:
    return [row(f"s{number}") for number in range(count)]


def bulk(services: object, **given: Any) -> BulkUpsertMlModelServicesOperator:
    return BulkUpsertMlModelServicesOperator(task_id="upsert", services=services, **given)


def sync(services: object, **given: Any) -> SyncMlModelServicesOperator:
    return SyncMlModelServicesOperator(task_id="sync", services=services, **given)


def failure(operator: BulkUpsertMlModelServicesOperator, context: Any) -> AirflowFailException:
    with pytest.raises(AirflowFailException) as caught:
        operator.execute(context)
    return caught.value


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


def test_of_many_rows_20_are_returned_and_all_are_in_the_report(
    catalog: Catalog, context: Any, ti: TaskInstance
) -> None:
    catalog.add_service("s29", "Sklearn", description="Written by Ana")
    declared = [*rows(29), row("s29", description="Declared")]
    returned: Any = bulk(declared, on_unapplied="warn").execute(context)
    report = ti.xcoms["report"]
    assert returned["counts"] == report["counts"] == {"created": 29, "unapplied": 1}
    assert (len(returned["rows"]), returned["rows_left_out"]) == (20, 10)
    assert (len(report["rows"]), report["rows_left_out"]) == (30, 0)
    assert returned["rows"] == report["rows"][:20]
    assert returned["rows"][0]["outcome"] == "unapplied"


def test_what_the_report_leaves_out_is_counted_in_what_is_returned(
    catalog: Catalog, context: Any, ti: TaskInstance
) -> None:
    returned: Any = bulk(rows(1003)).execute(context)
    assert (len(returned["rows"]), returned["rows_left_out"]) == (20, 983)
    assert (len(ti.xcoms["report"]["rows"]), ti.xcoms["report"]["rows_left_out"]) == (1000, 3)


def test_an_empty_list_succeeds_and_says_so(catalog: Catalog, context: Any, logged: Callable[[], str]) -> None:
    assert bulk([]).execute(context)["counts"] == {}
    assert "no services declared" in logged()
    assert catalog.requests == []


def test_what_is_as_declared_is_not_written_again(catalog: Catalog, context: Any) -> None:
    bulk(rows(3)).execute(context)
    writes = catalog.writes
    returned = bulk([*rows(3), row("new")]).execute(context)
    assert returned["counts"] == {"created": 1, "unchanged": 3}
    assert catalog.writes == writes + 1
    assert all(service["version"] == 0.1 for service in catalog.services.values())


def test_chunks_have_the_size_that_was_asked(catalog: Catalog, context: Any) -> None:
    bulk(rows(8), chunk_size=3).execute(context)
    chunks = [request.body for request in catalog.requests if request.path.endswith("/bulk")]
    assert [len(chunk) for chunk in chunks if isinstance(chunk, list)] == [3, 3, 2]
    assert len(catalog.services) == 8


def test_a_chunk_that_the_plan_refuses_fails_and_says_so(catalog: Catalog, context: Any) -> None:
    catalog.state.bulk_limit = 2
    error = failure(bulk(rows(3)), context)
    assert isinstance(error.__cause__, LimitExceededError)
    assert "chunk_size" in str(error)
    assert bulk(rows(3), chunk_size=2).execute(context)["counts"] == {"created": 3}


@pytest.mark.parametrize("release", ["today", "1.2"])
def test_without_a_bulk_endpoint_rows_go_out_one_by_one(release: str, catalog: Catalog, context: Any) -> None:
    catalog.release = release
    catalog.state.has_bulk = False
    assert bulk(rows(5), max_workers=2).execute(context)["counts"] == {"created": 5}
    assert [name for name in sent(catalog) if name == "PUT bulk"] == ["PUT bulk"]
    assert sorted(catalog.services) == ["s0", "s1", "s2", "s3", "s4"]


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


def test_of_many_failed_rows_the_error_has_20_and_log_and_xcom_have_all(
    catalog: Catalog, context: Any, ti: TaskInstance, logged: Callable[[], str]
) -> None:
    catalog.fail(times=None, path="/bulk", bulk_rows={f"s{number}": (400, "reserved") for number in range(30)})
    text = str(failure(bulk(rows(30)), context))
    assert text.count("refused with 400") == 20
    assert "and 10 more" in text
    assert len(ti.xcoms["report"]["rows"]) == 30
    assert "services[29] s29: failed: refused with 400: reserved" in logged()


def test_a_row_that_only_met_a_passing_fault_is_retried_by_airflow(catalog: Catalog, context: Any) -> None:
    catalog.fail(times=None, path="/bulk", bulk_rows={"s1": (503, "overloaded"), "s2": (503, "overloaded")})
    with pytest.raises(OutcomeError) as caught:
        bulk(rows(3)).execute(context)
    assert caught.value.retryable


def test_a_later_attempt_sends_only_what_is_missing(catalog: Catalog, context: Any, ti: TaskInstance) -> None:
    catalog.fail(times=None, path="/bulk", bulk_rows={"s1": (503, "overloaded"), "s2": (503, "overloaded")})
    with pytest.raises(OutcomeError):
        bulk(rows(3)).execute(context)
    catalog.stop_failing()
    catalog.requests.clear()
    ti.try_number = 2
    assert bulk(rows(3)).execute(context)["counts"] == {"created": 2, "unchanged": 1}
    assert [request.body for request in catalog.requests if request.is_write and "s0" in str(request.body)] == []


def test_a_lost_answer_of_a_bulk_request_creates_nothing_twice(catalog: Catalog, context: Any) -> None:
    catalog.fail(path="/bulk", lose_answer=True)
    assert bulk(rows(3)).execute(context)["counts"] == {"created": 3}
    assert sent(catalog) == ["PUT bulk"]


def test_a_token_that_is_rotated_in_the_middle_is_read_again(
    catalog: Catalog, context: Any, connect: Callable[..., None], network: Any
) -> None:
    newer = make_token(INGESTION_BOT, serial=2)
    inner = network.hosts["acme.getcollate.io"]

    class Rotating:
        """Rotates the token when the second chunk is sent."""

        chunks = 0

        def handle_request(self, request: Any) -> Any:
            self.chunks += request.url.path.endswith("/bulk")
            if self.chunks == 2 and catalog.bot_token == DEFAULT_BOT_TOKEN:
                catalog.rotate_bot_token(newer)
                connect(password=newer)
            return inner.handle_request(request)

    network.hosts["acme.getcollate.io"] = Rotating()
    assert bulk(rows(4), chunk_size=2).execute(context)["counts"] == {"created": 4}
    assert [request.status for request in catalog.requests].count(401) == 1


def test_a_revoked_token_that_is_not_renewed_fails_at_once(catalog: Catalog, context: Any) -> None:
    catalog.revoke_token(DEFAULT_BOT_TOKEN)
    error = failure(bulk(rows(4)), context)
    assert isinstance(error.__cause__, AuthenticationError)
    assert "does not match the current bot's token" in str(error)
    assert catalog.writes == 0


# --- what may be given as services


class Lazy(Sequence[Any]):
    """As Airflow's lazy sequence of an upstream's mapped results: not a list, read when it is asked."""

    def __init__(self, values: list[Any]) -> None:
        self._values = values

    def __getitem__(self, index: Any) -> Any:
        return self._values[index]

    def __len__(self) -> int:
        return len(self._values)


def generator() -> Iterator[dict[str, Any]]:
    yield from rows(2)


@pytest.mark.parametrize(
    "services",
    [
        rows(2),
        tuple(rows(2)),
        Lazy(rows(2)),
        [
            {"name": "s0", "service_type": "Mlflow", "connection": MlflowConnection()},
            CreateMlModelServiceRequest(
                name="s1", service_type="Mlflow", connection=ServiceConnection(config=MlflowConnection())
            ),
        ],
    ],
    ids=["list", "tuple", "lazy", "models"],
)
def test_services_may_be_any_sequence_of_mappings_or_models(services: object, catalog: Catalog, context: Any) -> None:
    assert bulk(services).execute(context)["counts"] == {"created": 2}


@pytest.mark.parametrize(
    "services, problem",
    [
        (None, "services: must be a list, not None"),
        ("[]", "services: must be a list, not a string"),
        (row("s0"), "services: must be a list, not an object"),
        ([row("s0"), None], "services[1]: must be an object, not None"),
        ([row("s0"), "s1"], "services[1]: must be an object, not a string"),
        ([row("a"), row("b"), row("a")], 'services[2].name: "a" was given already by services[0]'),
        (
            [row("a"), row("b", connection={"config": {"typ": "x"}}), row("")],
            "services[1].connection.config.typ: unknown field, did you mean type?",
        ),
        ([row("a"), row("b", connection={"config": {"typ": "x"}}), row("")], "services[2].name: must not be empty"),
        ([row("a", connection={"conn_id": "no"}), row("b", connection={"conn_id": "none"})], "services[1].connection."),
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


@pytest.mark.parametrize(
    "given, problem",
    [
        ({"chunk_size": 0}, "chunk_size: must be a whole number of at least 1"),
        ({"max_workers": "8"}, "max_workers: must be a whole number of at least 1"),
        ({"on_unapplied": "x"}, "on_unapplied: is 'x'"),
    ],
)
def test_faulty_options_are_named_and_nothing_is_sent(
    given: dict[str, Any], problem: str, catalog: Catalog, context: Any
) -> None:
    assert problem in str(failure(bulk(rows(1), **given), context))
    assert catalog.requests == []


def test_plan_only_writes_nothing(catalog: Catalog, context: Any, ti: TaskInstance) -> None:
    returned = bulk(rows(2), plan_only=True).execute(context)
    assert returned["counts"] == {"create": 2}
    assert returned["refused"] is False
    assert returned["url"] == LIST_PAGE
    assert catalog.writes == 0


def test_an_unapplied_field_of_one_row_fails_when_all_rows_are_done(catalog: Catalog, context: Any) -> None:
    catalog.add_service("s1", "Sklearn", connection={"config": {"type": "Sklearn"}}, description="Written by Ana")
    declared = [row("s0"), row("s1", description="Declared"), row("s2")]
    error = failure(bulk(declared), context)
    assert "2 created, 1 unapplied" in str(error)
    assert 'services[1] s1: unapplied: description: "Written by Ana" stays' in str(error)
    assert sorted(catalog.services) == ["s0", "s1", "s2"]
    assert bulk(declared, on_unapplied="warn").execute(context)["counts"] == {"unchanged": 2, "unapplied": 1}
    assert bulk(declared, on_unapplied="enforce").execute(context)["counts"] == {"updated": 1, "unchanged": 2}


# --- sync


def test_sync_prunes_what_is_in_scope_and_not_declared(catalog: Catalog, context: Any) -> None:
    for name in ("s0", "s1", "other"):
        catalog.add_service(name, "Sklearn", connection={"config": {"type": "Sklearn"}})
    returned = sync(rows(1), prune="soft", prune_scope={"name_prefix": "s"}, max_prune=1).execute(context)
    assert returned["counts"] == {"unchanged": 1, "pruned": 1}
    assert sorted(catalog.services) == ["other", "s0"]
    assert sorted(catalog.deleted) == ["s1"]


def test_sync_without_prune_deletes_nothing(catalog: Catalog, context: Any) -> None:
    catalog.add_service("s9", "Sklearn")
    assert sync(rows(1)).execute(context)["counts"] == {"created": 1}
    assert "s9" in catalog.services


@pytest.mark.parametrize(
    "given, problem",
    [
        ({"prune": "soft"}, "prune_scope: must be given to prune"),
        ({"prune": "all", "prune_scope": {"tag": "x"}}, "prune: is 'all'"),
        ({"prune": "soft", "prune_scope": {}}, "prune_scope: is empty"),
        ({"prune": "soft", "prune_scope": {"team": "x"}}, "prune_scope.team: unknown"),
        ({"prune": "soft", "prune_scope": "tag"}, "prune_scope: must be a mapping"),
    ],
)
def test_a_faulty_scope_is_named_and_nothing_is_sent(
    given: dict[str, Any], problem: str, catalog: Catalog, context: Any
) -> None:
    assert problem in str(failure(sync(rows(1), **given), context))
    assert catalog.requests == []


def test_sync_refuses_to_prune_more_than_it_may(catalog: Catalog, context: Any) -> None:
    for number in range(5):
        catalog.add_service(f"s{number}", "Sklearn")
    error = failure(sync([row("s9")], prune="soft", prune_scope={"name_prefix": "s"}, max_prune=2), context)
    assert isinstance(error.__cause__, PruneRefusedError)
    assert "5 of 5 services in scope are not declared any more" in str(error)
    assert catalog.writes == 0


def test_plan_only_says_whether_a_run_would_be_refused(
    catalog: Catalog, context: Any, logged: Callable[[], str]
) -> None:
    for number in range(5):
        catalog.add_service(f"s{number}", "Sklearn")
    scope: dict[str, Any] = {"prune": "soft", "prune_scope": {"name_prefix": "s"}, "plan_only": True}
    assert sync([row("s9")], max_prune=5, **scope).execute(context)["refused"] is False
    assert "a run would be refused" not in logged().lower()
    returned: Any = sync([row("s9")], max_prune=2, **scope).execute(context)
    assert returned["refused"] is True
    assert "5 of 5 services in scope are not declared any more" in returned["plan"]
    assert "Plan, nothing is written; a run would be refused:" in logged()
    assert catalog.writes == 0


def test_an_empty_declaration_prunes_only_when_allowed(catalog: Catalog, context: Any) -> None:
    catalog.add_service("s0", "Sklearn")
    scope: dict[str, Any] = {"prune": "hard", "prune_scope": {"name_prefix": "s"}, "max_prune": "100%"}
    sync([], **scope).execute(context)
    assert "s0" in catalog.services
    assert sync([], allow_empty=True, **scope).execute(context)["counts"] == {"pruned": 1}
    assert "s0" not in catalog.services
    assert "s0" not in catalog.deleted
