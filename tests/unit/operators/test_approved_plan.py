"""A task that looks, and one that does what was approved; a task that fails when the catalog has drifted."""

from __future__ import annotations

from typing import Any

import pytest
from airflow.providers.common.compat.sdk import DAG, AirflowFailException

from airflow_provider_collate.exceptions import NotApprovedError, OutcomeError
from airflow_provider_collate.operators.mlmodel_service import (
    BulkUpsertMlModelServicesOperator,
    CreateMlModelServiceOperator,
    SyncMlModelServicesOperator,
)
from airflow_provider_collate.sandbox import Catalog

SERVICES = [{"name": "a", "serviceType": "Sklearn", "connection": {"config": {"type": "Sklearn"}}}]
OTHERS = [{**SERVICES[0], "name": "b"}]


def bulk(services: object = SERVICES, **given: Any) -> BulkUpsertMlModelServicesOperator:
    return BulkUpsertMlModelServicesOperator(task_id="bulk", services=services, **given)


def look(context: Any, services: object = SERVICES) -> dict[str, Any]:
    return dict(bulk(services, plan_only=True).execute(context))


@pytest.mark.parametrize("operator", [BulkUpsertMlModelServicesOperator, SyncMlModelServicesOperator])
def test_what_was_approved_is_applied(operator: Any, catalog: Catalog, context: Any) -> None:
    plan = look(context)
    assert plan["has_changes"]
    apply = operator(task_id="apply", services=SERVICES, approved_plan=plan["fingerprint"])
    assert apply.execute(context)["counts"] == {"created": 1}
    assert not look(context)["has_changes"]


def test_what_was_not_is_refused_for_good(catalog: Catalog, context: Any) -> None:
    approved = look(context)["fingerprint"]
    with pytest.raises(AirflowFailException, match="1 change was not approved") as raised:
        bulk(OTHERS, approved_plan=approved).execute(context)
    assert isinstance(raised.value.__cause__, NotApprovedError)
    assert catalog.writes == 0


@pytest.mark.parametrize("native", [True, False])
@pytest.mark.parametrize("fingerprint", [None, ""])
def test_a_template_that_renders_to_nothing_approves_nothing(
    native: bool, fingerprint: str | None, catalog: Catalog, context: Any
) -> None:
    with DAG("approval", schedule=None, render_template_as_native_obj=native) as dag:
        task = bulk(approved_plan="{{ fingerprint }}")
    upstream: Any = {"fingerprint": fingerprint}
    task.render_template_fields(upstream, dag.get_template_env())
    with pytest.raises(AirflowFailException, match=r"approved_plan: is (empty|not the fingerprint)"):
        task.execute(context)
    assert catalog.requests == []


@pytest.mark.parametrize("given", [None, "", "x"])
def test_what_is_no_fingerprint_is_refused_when_the_dag_is_parsed(given: Any) -> None:
    with pytest.raises(AirflowFailException, match=r"approved_plan: is (empty|not the fingerprint)"):
        bulk(approved_plan=given)


def test_no_drift_is_a_success(catalog: Catalog, context: Any) -> None:
    bulk().execute(context)
    returned = bulk(plan_only=True, fail_on_changes=True).execute(context)
    assert returned["counts"] == {"unchanged": 1}


@pytest.mark.parametrize("is_bulk", [True, False])
def test_drift_fails_for_good_with_the_plan_as_the_message(is_bulk: bool, catalog: Catalog, context: Any) -> None:
    row: Any = {"name": "a", "service_type": "Sklearn", "connection": None}
    alarm: Any = {"plan_only": True, "fail_on_changes": "true"}
    task = bulk(**alarm) if is_bulk else CreateMlModelServiceOperator(task_id="create", **row, **alarm)
    with pytest.raises(AirflowFailException, match=r"The catalog is not as declared:\n\+ a .*create") as raised:
        task.execute(context)
    assert isinstance(raised.value.__cause__, OutcomeError)
    assert catalog.writes == 0


def test_a_drift_alarm_needs_a_plan() -> None:
    with pytest.raises(AirflowFailException, match="fail_on_changes: needs plan_only=True"):
        bulk(fail_on_changes=True)
    bulk(fail_on_changes=True, plan_only="{{ params.dry }}")
