"""One service deleted by its name, and shown as plain data."""

from __future__ import annotations

import pytest

from airflow_provider_collate.exceptions import OutcomeError
from airflow_provider_collate.kinds.mlmodel import ML_MODEL
from airflow_provider_collate.reconcile.report import Outcome, RowResult
from airflow_provider_collate.reconcile.single_service import delete_service, shown_service
from airflow_provider_collate.sandbox import ANA
from tests.unit.reconcile.workbench import Workbench, shown, sklearn

NAME, FQN = "team.sklearn", '"team.sklearn"'
LIST_PAGE = "http://catalog.example/settings/services/mlmodels"
PAGE = "http://catalog.example/service/mlmodelServices/%22team.sklearn%22"


def delete(bench: Workbench, *, hard: bool) -> RowResult:
    return delete_service(bench.client(), ML_MODEL, NAME, hard=hard)


def deleted_version(bench: Workbench) -> float:
    version = bench.catalog.deleted[NAME]["version"]
    assert isinstance(version, float)
    return version


def test_so_that_it_can_be_restored(anyone: Workbench) -> None:
    service_id = anyone.run_one(sklearn()).service_id
    result = delete(anyone, hard=False)
    version = deleted_version(anyone)
    assert result == RowResult(None, NAME, Outcome.DELETED, FQN, "Sklearn", (), service_id, version, PAGE)


def test_for_good_also_where_it_was_soft_deleted(anyone: Workbench) -> None:
    service_id = anyone.run_one(sklearn()).service_id
    anyone.catalog.remove_service(NAME, user=ANA)
    version = deleted_version(anyone)
    result = delete(anyone, hard=True)
    assert result == RowResult(None, NAME, Outcome.DELETED, FQN, "Sklearn", (), service_id, version, LIST_PAGE)
    assert NAME not in anyone.catalog.deleted


@pytest.mark.parametrize("is_soft_deleted", [True, False])
def test_what_is_not_there_is_ignored(anyone: Workbench, is_soft_deleted: bool) -> None:
    if is_soft_deleted:
        anyone.run([sklearn()])
        anyone.catalog.remove_service(NAME, user=ANA)
    assert delete(anyone, hard=False) == RowResult(None, NAME, Outcome.IGNORED, FQN, "", url=LIST_PAGE)
    assert anyone.sent("DELETE") == []


@pytest.mark.parametrize("hard", [True, False])
def test_what_stays_although_the_server_said_yes_is_an_error(anyone: Workbench, hard: bool) -> None:
    anyone.run([sklearn()])
    anyone.catalog.fail(None, status=200, body={}, method="DELETE")
    with pytest.raises(OutcomeError) as caught:
        delete(anyone, hard=hard)
    assert caught.value.message == f"{NAME!r} is still there, though the server answered its deletion with success"
    assert caught.value.retryable


def test_it_is_shown_without_its_connection() -> None:
    owner = {"id": "11111111-1111-4111-8111-111111111111", "type": "user", "name": "ana"}
    service = shown(owners=[owner], description="Models", tags=[{"tagFQN": "PII.None", "source": "Classification"}])
    assert shown_service(service, PAGE) == {
        "id": service.id,
        "name": NAME,
        "fullyQualifiedName": FQN,
        "serviceType": "Sklearn",
        "displayName": None,
        "description": "Models",
        "version": 0.3,
        "deleted": False,
        "tags": ["PII.None"],
        "owners": [owner],
        "domains": [],
        "url": PAGE,
    }
