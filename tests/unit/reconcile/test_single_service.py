"""One service deleted by its name, and shown as plain data."""

from __future__ import annotations

import pytest

from airflow_provider_collate.client.services import PatchOperation
from airflow_provider_collate.exceptions import ChangedMeanwhileError, NotFoundError, OutcomeError
from airflow_provider_collate.kinds.mlmodel import ML_MODEL
from airflow_provider_collate.models.service import Service
from airflow_provider_collate.reconcile.report import Outcome, RowResult
from airflow_provider_collate.reconcile.single_service import delete_service, patch_service, shown_service
from airflow_provider_collate.sandbox import ANA
from tests.unit.conftest import service_in
from tests.unit.reconcile.workbench import Workbench, once, shown, sklearn

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


@pytest.mark.parametrize("hard, is_soft_deleted", [(True, False), (False, False), (True, True)])
def test_what_stays_although_the_server_said_yes_is_an_error(
    anyone: Workbench, hard: bool, is_soft_deleted: bool
) -> None:
    anyone.run([sklearn()])
    if is_soft_deleted:
        anyone.catalog.remove_service(NAME, user=ANA)
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


EMPTY = {"config": {"type": "Sklearn"}}
DROP_FIRST_TAG = PatchOperation("remove", "/tags/0")


def patch(bench: Workbench) -> Service | None:
    client = bench.client()
    service = client.services(ML_MODEL).by_name(NAME)
    assert service is not None
    return patch_service(client, ML_MODEL, service, [DROP_FIRST_TAG])


def test_a_patch_whose_answer_was_lost_is_not_applied_twice(anyone: Workbench) -> None:
    tags = [anyone.catalog.add_tag(f"Data.{name}").fqn for name in ("a", "b", "c")]
    anyone.catalog.add_service(NAME, "Sklearn", tags=tags, connection=EMPTY)
    anyone.catalog.fail(lose_answer=True, method="PATCH")
    patched = patch(anyone)
    assert patched is not None
    assert [tag.tag_fqn for tag in patched.tags or ()] == tags[1:]


@pytest.mark.parametrize("is_refused_first", [False, True])
def test_what_somebody_edits_in_between_is_not_patched(anyone: Workbench, is_refused_first: bool) -> None:
    tags = [anyone.catalog.add_tag(f"Data.{name}").fqn for name in ("a", "b")]
    anyone.catalog.add_service(NAME, "Sklearn", tags=tags, connection=EMPTY)
    if is_refused_first:
        anyone.catalog.fail(method="PATCH", status=503)
    once(anyone, "PATCH", lambda: anyone.catalog.edit_service(NAME, user=ANA, description="Hers"))
    with pytest.raises(ChangedMeanwhileError, match="Nothing was overwritten"):
        patch(anyone)
    assert [tag["tagFQN"] for tag in service_in(anyone.catalog, NAME)["tags"]] == tags


def test_a_restore_whose_answer_was_lost_has_restored(anyone: Workbench) -> None:
    anyone.run([sklearn()])
    anyone.catalog.remove_service(NAME)
    service_id = str(anyone.catalog.deleted[NAME]["id"])
    anyone.catalog.fail(lose_answer=True, method="PUT")
    anyone.services.restore(service_id)
    assert NAME in anyone.catalog.services
    with pytest.raises(NotFoundError):
        anyone.services.restore(service_id)
