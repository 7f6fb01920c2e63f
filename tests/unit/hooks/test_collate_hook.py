"""CollateHook as `@task` functions use it."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException, redact

from airflow_provider_collate.exceptions import NoAnswerError, OutcomeError, StoppedError
from airflow_provider_collate.hooks.collate import CollateHook
from airflow_provider_collate.kinds.mlmodel import CreateMlModelServiceRequest
from airflow_provider_collate.sandbox import INGESTION_BOT, Catalog, InProcessTransport, make_token
from tests.unit.conftest import Network, service_in
from tests.unit.reconcile.workbench import sklearn

SKLEARN = {"config": {"type": "Sklearn"}}
PAGES = "https://acme.getcollate.io/service/mlmodelServices"


@pytest.fixture
def hook(catalog: Catalog) -> CollateHook:
    return CollateHook()


# --- methods


class TestMethods:
    def test_get_shows_plain_fields_and_nothing_of_the_connection(self, hook: CollateHook, catalog: Catalog) -> None:
        catalog.add_service(
            "prod.mlflow",
            connection={"config": {"type": "Mlflow", "trackingUri": "http://u:hunter2hunter2@h"}},
            description="Text",
            tags=["Tier.Tier1"],
            owners=[catalog.add_team("fraud")],
            domains=[catalog.add_domain("Risk")],
        )
        shown = hook.get_service("prod.mlflow")
        assert shown is not None
        assert shown["id"] == service_in(catalog, "prod.mlflow")["id"]
        assert (shown["name"], shown["fullyQualifiedName"]) == ("prod.mlflow", '"prod.mlflow"')
        assert (shown["serviceType"], shown["description"], shown["deleted"]) == ("Mlflow", "Text", False)
        assert (shown["tags"], shown["domains"]) == (["Tier.Tier1"], ["Risk"])
        assert [owner["name"] for owner in shown["owners"]] == ["fraud"]  # type: ignore[union-attr, index, call-overload]
        assert shown["url"] == f"{PAGES}/%22prod.mlflow%22"
        assert "hunter2" not in str(shown)

    def test_get_of_none(self, hook: CollateHook) -> None:
        assert hook.get_service("none") is None

    def test_list_goes_through_all_pages(self, hook: CollateHook, catalog: Catalog) -> None:
        for number in range(1_203):
            catalog.add_service(f"s{number:04}", "Sklearn")
        assert [service["name"] for service in hook.list_services()] == [f"s{n:04}" for n in range(1_203)]

    def test_list_shows_deleted_ones_when_asked(self, hook: CollateHook, catalog: Catalog) -> None:
        for name in ("a", "b"):
            catalog.add_service(name, "Sklearn")
        catalog.remove_service("b")
        names = {which: [s["name"] for s in hook.list_services(include=which)] for which in ("non-deleted", "deleted")}
        assert names == {"non-deleted": ["a"], "deleted": ["b"]}
        assert len(list(hook.list_services(include="all"))) == 2

    def test_create_fails_where_upsert_changes(self, hook: CollateHook) -> None:
        service = CreateMlModelServiceRequest(name="s0", service_type="Sklearn", connection=None)
        assert hook.create_service(service)["outcome"] == "created"
        with pytest.raises(AirflowFailException, match="'s0' exists already"):
            hook.create_service(service)
        assert hook.create_service(sklearn("s0"), if_exists="ignore")["outcome"] == "ignored"
        assert hook.upsert_service(sklearn("s0", displayName="S"))["outcome"] == "updated"
        assert hook.upsert_service(sklearn("s0", displayName="S"))["outcome"] == "unchanged"

    def test_bulk_and_sync_make_many_and_sync_prunes(self, hook: CollateHook, catalog: Catalog) -> None:
        services = [sklearn(f"s{number}") for number in range(3)]
        assert hook.bulk_upsert_services(json.dumps(services))["counts"] == {"created": 3}
        scope: dict[str, Any] = {"prune": "soft", "prune_scope": {"name_prefix": "s"}, "max_prune": 2}
        plan = hook.plan(services[:1], **scope)
        assert (plan.counts, plan.refusal) == ({"unchanged": 1, "delete": 2}, None)
        assert hook.sync_services(services[:1], **scope)["counts"] == {"unchanged": 1, "deleted": 2}

    def test_one_service_is_no_list_of_services(self, hook: CollateHook) -> None:
        service: Any = CreateMlModelServiceRequest(name="s0", service_type="Sklearn", connection=None)
        with pytest.raises(AirflowFailException, match="services: must be a list, not a CreateMlModelServiceRequest"):
            hook.bulk_upsert_services(service)

    def test_rows_that_failed_raise_but_in_reconcile(self, hook: CollateHook, catalog: Catalog) -> None:
        catalog.fail(times=None, method="POST", status=400)
        services = [sklearn("s8"), sklearn("s9")]
        for call in (hook.bulk_upsert_services, hook.sync_services):
            with pytest.raises(AirflowFailException, match="2 failed"):
                call(services)
        assert hook.reconcile(services).counts == {"failed": 2}

    @pytest.mark.parametrize("method", ["plan", "reconcile", "create_service", "bulk_upsert_services", "sync_services"])
    def test_options_are_those_of_the_operators(self, method: str, hook: CollateHook, catalog: Catalog) -> None:
        with pytest.raises(AirflowFailException, match="on_conflict: is 'warn', but must be one of"):
            getattr(hook, method)([sklearn("s0")], on_conflict="warn", kind="mlmodelServices")
        assert catalog.requests == []

    def test_patch_shows_the_service_as_it_is_afterwards(self, hook: CollateHook, catalog: Catalog) -> None:
        catalog.add_service("s0", "Sklearn", description="Old")
        shown = hook.patch_service("s0", [{"op": "replace", "path": "/description", "value": "New"}])
        assert (shown["name"], shown["description"]) == ("s0", "New")
        shown = hook.patch_service("s0", [{"op": "remove", "path": "/description"}])
        assert shown["description"] is None

    @pytest.mark.parametrize(
        "operations, problem",
        [
            ([], "operations: must be a list that is not empty"),
            ("remove", "operations: must be a list that is not empty"),
            ({"op": "remove", "path": "/description"}, "operations: must be a list that is not empty"),
            ([{"op": "remove", "path": "/x"}, {"op": "move", "path": "/x"}], "operations[1]: needs an op"),
            ([{"op": "add", "value": "x"}], "operations[0]: needs an op (add, remove, replace or test) and a path"),
            ([None], "operations[0]: needs an op"),
        ],
    )
    def test_a_faulty_patch_is_named_and_nothing_is_sent(
        self, operations: Any, problem: str, hook: CollateHook, catalog: Catalog
    ) -> None:
        with pytest.raises(AirflowFailException) as caught:
            hook.patch_service("s0", operations)
        assert problem in str(caught.value)
        assert catalog.requests == []

    def test_no_text_of_a_patch_comes_back_in_a_message(self, hook: CollateHook, catalog: Catalog) -> None:
        catalog.add_service("s0", "Sklearn")
        catalog.fail(method="PATCH", status=400, body={"code": 400, "message": "Refused: secret-0123, text-0123"})
        texts: dict[str, Any] = {"/connection/config": {"key": ["secret-0123"]}, "/description": "text-0123"}
        with pytest.raises(AirflowFailException, match="Refused: ") as caught:
            hook.patch_service("s0", [{"op": "add", "path": path, "value": value} for path, value in texts.items()])
        assert "0123" not in str(caught.value)
        assert (redact("secret-0123"), redact("text-0123")) == ("***", "text-0123")

    def test_delete_and_restore(self, hook: CollateHook, catalog: Catalog) -> None:
        catalog.add_service("s0", "Sklearn")
        assert hook.delete_service("s0")["outcome"] == "deleted"
        assert hook.restore_service("s0")["deleted"] is False
        assert "s0" in catalog.services
        writes = catalog.writes
        assert hook.restore_service("s0")["name"] == "s0"
        assert catalog.writes == writes
        assert hook.delete_service("s0", hard_delete=True)["outcome"] == "deleted"
        assert hook.delete_service("s0")["outcome"] == "ignored"
        for call in (hook.restore_service, lambda name: hook.delete_service(name, if_missing="fail")):
            with pytest.raises(AirflowFailException, match="There is no ML model service named 's0'"):
                call("s0")

    @pytest.mark.parametrize("method", ["get_service", "delete_service", "restore_service"])
    @pytest.mark.parametrize("name", ["", "  ", None, 5])
    def test_no_name_is_refused_and_nothing_is_sent(
        self, method: str, name: Any, hook: CollateHook, catalog: Catalog
    ) -> None:
        with pytest.raises(AirflowFailException, match="name: must be a text that is not empty"):
            getattr(hook, method)(name)
        assert catalog.requests == []

    def test_a_kind_that_is_not_known(self, hook: CollateHook, catalog: Catalog) -> None:
        for call in (lambda: hook.get_service("s0", kind="x"), lambda: list(hook.list_services(kind="x"))):
            with pytest.raises(AirflowFailException, match='kind: "x" is not known; these are: mlmodelServices'):
                call()

    @pytest.mark.parametrize(
        "call",
        [
            lambda hook: hook.get_service("s0"),
            lambda hook: list(hook.list_services()),
            lambda hook: hook.create_service(sklearn("s0")),
            lambda hook: hook.upsert_service(sklearn("s0")),
            lambda hook: hook.patch_service("s0", [{"op": "remove", "path": "/description"}]),
            lambda hook: hook.delete_service("s0"),
            lambda hook: hook.restore_service("s0"),
            lambda hook: hook.sync_services([sklearn("s0")]),
        ],
    )
    def test_non_retryable_errors_fail_the_task_and_transient_ones_do_not(
        self, call: Callable[[CollateHook], object], hook: CollateHook, catalog: Catalog, network: Network
    ) -> None:
        catalog.fail(times=1, status=403)
        with pytest.raises(AirflowFailException, match="Collate answered 403"):
            call(hook)
        network.hosts.clear()
        with pytest.raises(NoAnswerError, match=r"cannot be reached: .*Name or service not known"):
            call(hook)


# --- the hook's life


def test_as_a_context_manager_it_closes_and_can_be_used_again(catalog: Catalog) -> None:
    with CollateHook() as hook:
        client = hook.get_conn()
        assert hook.get_conn() is client
    assert client.stopped
    with hook:
        assert hook.get_service("none") is None


def test_after_stop_nothing_is_sent(hook: CollateHook, catalog: Catalog) -> None:
    hook.get_service("none")
    seen = len(catalog.requests)
    hook.stop()
    with pytest.raises(StoppedError):
        hook.get_service("none")
    with pytest.raises(StoppedError), hook:
        pass
    assert len(catalog.requests) == seen


def test_requests_say_who_sends_them(hook: CollateHook, catalog: Catalog) -> None:
    hook.get_service("none")
    headers = catalog.requests[-1].headers
    assert headers["user-agent"].startswith("airflow-provider-collate/")
    assert " airflow/" in headers["user-agent"]
    assert headers["x-request-id"]


def test_a_token_that_was_rotated_is_read_again_once(
    hook: CollateHook, catalog: Catalog, connect: Callable[..., None]
) -> None:
    hook.get_service("none")
    newer = make_token(INGESTION_BOT, serial=2)
    catalog.rotate_bot_token(newer)
    connect(password=newer)
    assert hook.get_service("none") is None
    assert [request.status for request in catalog.requests[-2:]] == [401, 404]


def test_warnings_about_the_connection_are_logged_once(
    catalog: Catalog, network: Network, connect: Callable[..., None], logged: Callable[[], str]
) -> None:
    network.hosts["collate.internal"] = InProcessTransport(catalog)
    soon = make_token(INGESTION_BOT, expires_at=datetime.now(timezone.utc) + timedelta(days=3))
    catalog.tokens[soon] = INGESTION_BOT
    connect(host="http://collate.internal:8585", password=soon, extra={"max_retries": 0})
    hook = CollateHook()
    hook.get_service("none")
    hook.get_service("none")
    text = logged()
    times = text.count("plain http")
    assert "The token goes to collate.internal by plain http, where others can read it" in text
    assert "The token of ingestion-bot (bot) expires on" in text
    hook.get_service("none")
    assert logged().count("plain http") == times


def test_declaration_warnings_are_logged(hook: CollateHook, logged: Callable[[], str]) -> None:
    hook.upsert_service({"name": "s0", "serviceType": "Mlflow", "connection": {"config": {}}})
    assert "connection.config.trackingUri: not given" in logged()


@pytest.mark.parametrize("release", ["2.x", "1.2"])
def test_owners_and_domains_are_shown_on_every_release(release: str, catalog: Catalog) -> None:
    catalog.release = release
    many = release == "2.x"
    owner, domain = catalog.add_team("fraud"), catalog.add_domain("Risk")
    fields = {"owners": [owner], "domains": [domain]} if many else {"owner": owner, "domain": domain}
    catalog.add_service("s0", "Sklearn", **fields)
    shown = CollateHook().get_service("s0")
    assert shown is not None
    assert [owner["name"] for owner in shown["owners"]] == ["fraud"]  # type: ignore[union-attr, index, call-overload]
    assert shown["domains"] == ["Risk"]


def test_a_service_gone_in_the_middle_of_a_patch(hook: CollateHook, catalog: Catalog) -> None:
    catalog.add_service("s0", "Sklearn")
    gone = {"code": 404, "message": "mlmodelService instance not found"}
    catalog.fail(skip=1, method="GET", path="mlmodelServices/[0-9a-f-]{36}", status=404, body=gone, times=None)
    catalog.fail(method="GET", path="mlmodelServices/[0-9a-f-]{36}", status=404, body=gone, times=None)
    with pytest.raises(AirflowFailException) as caught:
        hook.patch_service("s0", [{"op": "add", "path": "/description", "value": "x"}])
    assert isinstance(caught.value.__cause__, OutcomeError)
