"""A connection that is given is the whole connection; no value of it is shown."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest
from pydantic import JsonValue

from airflow_provider_collate.models.declared import ConnectionPart
from airflow_provider_collate.models.digests import digests
from airflow_provider_collate.models.history import History
from airflow_provider_collate.models.service import Service
from airflow_provider_collate.reconcile.changes import Action, Change
from airflow_provider_collate.reconcile.connection_changes import connection_changes
from airflow_provider_collate.reconcile.field_change import Status
from airflow_provider_collate.reconcile.options import RunOptions
from tests.unit.reconcile.comparing import ME, compare, facts, history, operations, texts, version
from tests.unit.reconcile.workbench import sagemaker, shown

AWS = {"awsRegion": "eu-west-1", "awsAccessKeyId": "AKIAEXAMPLE", "awsSecretAccessKey": "first-secret-key"}
FILLED_IN = {"assumeRoleSessionName": "OpenMetadataSession", "enabled": False}
SECRET = "connection.config.awsConfig.awsSecretAccessKey"
OVERWRITE = facts(on_conflict="overwrite")


class Nested(ConnectionPart):
    """A config that documents a mapping of objects, as no ML model service has one."""

    options: dict[str, dict[str, str]] | None = None


def sage(aws: dict[str, Any] | None = None, **config: Any) -> Service:
    whole = {
        "type": "SageMaker",
        "awsConfig": aws or {**AWS, **FILLED_IN},
        "supportsMetadataExtraction": True,
        **config,
    }
    return shown(name="sage", serviceType="SageMaker", connection={"config": whole})


def custom(**config: object) -> dict[str, Any]:
    return {"serviceType": "CustomMlModel", "connection": {"config": {"type": "CustomMlModel", **config}}}


def vertex(**gcp: object) -> dict[str, Any]:
    config = {"type": "VertexAI", "location": "europe-west1", "credentials": {"gcpConfig": gcp}}
    return {"serviceType": "VertexAI", "connection": {"config": config}}


def connected_by(user: str) -> History:
    """Return a history in which a user has made the connection, and somebody else has edited it later."""
    updated = [{"name": "connection", "oldValue": '"old-encrypted-value"', "newValue": '"new-encrypted-value"'}]
    whole: dict[str, Any] = {**AWS, "assumeRoleArn": "arn:aws:iam::1:role/ml", **FILLED_IN}
    made = {"connection": {"config": {"type": "SageMaker", "awsConfig": whole}}}
    later = {"connection": {"config": {**made["connection"]["config"], "supportsMetadataExtraction": True}}}
    return history(
        version(0.3, ME if user != ME else "ana", fields=later, fieldsUpdated=updated),
        version(0.2, user, fields=made, fieldsUpdated=updated),
        version(0.1, "admin"),
    )


class TestWhatCountsAsEqual:
    def test_what_the_server_fills_in(self) -> None:
        assert compare(sage(), row=sagemaker()).fields == ()

    def test_an_explicit_none_is_content_with_it_and_removes_anything_else(self) -> None:
        asked = {"config": {"type": "Sklearn", "supportsMetadataExtraction": None}}
        path = "/connection/config/supportsMetadataExtraction"
        for value, expected in ((True, []), (False, [("remove", path, None)])):
            there = shown(connection={"config": {"type": "Sklearn", "supportsMetadataExtraction": value}})
            assert operations(compare(there, connection=asked)) == expected

    @pytest.mark.parametrize("pattern", [None, {}, {"includes": None}, {"includes": [], "excludes": None}])
    def test_a_filter_pattern_that_the_server_shows_empty(self, pattern: object) -> None:
        there = sage(mlModelFilterPattern={"includes": [], "excludes": []})
        row = sagemaker()
        row["connection"]["config"]["mlModelFilterPattern"] = pattern  # type: ignore[index]
        assert compare(there, row=row).fields == ()
        row["connection"]["config"]["awsConfig"]["awsSecretAccessKey"] = "another"  # type: ignore[index]
        assert texts(compare(there, row=row)) == [f"{SECRET}: changed"]

    @pytest.mark.parametrize("asked, there", [(3, 3.0), ([1.0, 2], [1, 2.0]), (True, True), ({}, {}), ("", None)])
    def test_a_value_however_it_is_written(self, asked: object, there: object) -> None:
        assert compare(shown(**custom(mine=there)), **custom(mine=asked)).fields == ()

    @pytest.mark.parametrize("asked, there", [(1, True), ("1", 1), ([1], [True]), (["a"], "a"), ({"a": 1}, "x")])
    def test_values_of_other_kinds_differ(self, asked: object, there: object) -> None:
        assert compare(shown(**custom(mine=there)), **custom(mine=asked)).writable

    def test_an_explicit_none_says_nothing_about_the_connection(self) -> None:
        assert compare(shown(), connection=None).fields == ()


class TestDifferences:
    def test_a_changed_value_is_named_and_not_shown(self) -> None:
        there = sage({**AWS, "awsSecretAccessKey": "canary-old-secret"})
        change = compare(there, row=sagemaker(secret="canary-new-secret"))
        assert texts(change) == [f"{SECRET}: changed"]
        assert operations(change) == [("add", "/connection/config/awsConfig/awsSecretAccessKey", "canary-new-secret")]
        assert "canary" not in f"{change!r} {there!r}"

    def test_a_value_that_is_not_there_is_added_and_one_declared_as_none_is_removed(self) -> None:
        change = compare(shown(**custom(mine="x")), **custom(mine=None, other="y"))
        assert texts(change) == ["connection.config.mine: removed", "connection.config.other: missing"]
        assert operations(change) == [
            ("remove", "/connection/config/mine", None),
            ("add", "/connection/config/other", "y"),
        ]

    def test_a_type_that_the_catalog_does_not_have_is_added(self) -> None:
        there = shown(serviceType="CustomMlModel", connection={"config": {"sourcePythonClass": "a.B"}})
        change = compare(there, **custom(sourcePythonClass="a.B"))
        assert operations(change) == [("add", "/connection/config/type", "CustomMlModel")]

    def test_a_connection_that_is_not_there_is_added_as_a_whole(self) -> None:
        assert texts(compare(shown(connection=None))) == ["connection: missing"]
        assert operations(compare(shown(connection=None))) == [("add", "/connection", {"config": {"type": "Sklearn"}})]

    def test_keys_are_escaped_in_paths(self) -> None:
        there = shown(**custom(connectionOptions={"a/b~c.d": "1"}))
        change = compare(there, **custom(connectionOptions={"a/b~c.d": "2"}))
        assert operations(change) == [("add", "/connection/config/connectionOptions/a~1b~0c.d", "2")]

    def test_another_kind_of_credentials_replaces_the_whole_object(self) -> None:
        there = shown(**vertex(type="service_account", projectId="p", privateKey="canary"))
        change = compare(there, **vertex(type="gcp_credential_path", path="/keys/p.json"))
        assert texts(change) == ["connection.config.credentials.gcpConfig: changed"]
        value = {"type": "gcp_credential_path", "path": "/keys/p.json"}
        assert operations(change) == [("add", "/connection/config/credentials/gcpConfig", value)]

    def test_a_path_is_bounded_and_on_one_line(self) -> None:
        (field,) = compare(shown(**custom()), **custom(**{"a\nb" + "x" * 5_000: "1"})).fields
        assert field.field.startswith("connection.config.a bxxx")
        assert len(field.field) <= 200


class TestWhatIsNotDeclared:
    """Credentials that were removed at their source must not stay in the catalog."""

    ROLE: ClassVar = {"awsRegion": "eu-west-1", "assumeRoleArn": "arn:aws:iam::1:role/ml"}

    def change(self, user: str | None) -> Change:
        row = {"name": "sage", "serviceType": "SageMaker"}
        declared = {**row, "connection": {"config": {"type": "SageMaker", "awsConfig": self.ROLE}}}
        told = connected_by(user) if user else None
        return compare(sage({**AWS, **self.ROLE, **FILLED_IN}), told=told, row=declared)

    def test_is_removed_if_the_connection_is_ours(self) -> None:
        paths = {(op, path.rpartition("/")[2]) for op, path, _ in operations(self.change(ME))}
        assert paths == {("remove", "awsAccessKeyId"), ("remove", "awsSecretAccessKey")}

    def test_is_a_conflict_that_names_the_field_if_somebody_else_wrote_it(self) -> None:
        change = self.change("ana")
        assert change.action is Action.KEEP
        assert f"{SECRET}: is not declared, but was set (ana, 2025-11-20 14:03 UTC), and is kept" in texts(
            change, Status.CONFLICT
        )

    def test_is_not_decided_without_the_history(self) -> None:
        assert self.change(None).is_undecided

    def test_options_are_whole_too(self) -> None:
        there = shown(**custom(connectionOptions={"keep": "x", "password": "old"}))
        change = compare(there, by=OVERWRITE, **custom(connectionOptions={"keep": "x"}))
        assert operations(change) == [("remove", "/connection/config/connectionOptions/password", None)]
        emptied = compare(there, by=OVERWRITE, **custom(connectionOptions={}))
        assert {path.rpartition("/")[2] for _, path, _ in operations(emptied)} == {"keep", "password"}

    def test_an_object_of_the_user_s_own_is_not_whole_however_deep(self) -> None:
        there = shown(**custom(mine={"a": "1", "b": "2", "deep": {"a": "1", "b": "2"}}))
        assert compare(there, by=OVERWRITE, **custom(mine={"a": "1", "deep": {"a": "1"}})).fields == ()

    def test_what_a_documented_field_holds_is_whole_as_deep_as_it_goes(self) -> None:
        declared: dict[str, JsonValue] = {"config": {"options": {"deep": {"a": "1"}}}}
        there: dict[str, JsonValue] = {"config": {"options": {"deep": {"a": "1", "b": "2"}}}}
        changes = connection_changes(declared, Nested, digests(there))
        assert [(one.field, one.status) for one in changes] == [("connection.config.options.deep.b", Status.UNDECIDED)]

    def test_a_part_is_known_by_the_model_that_its_type_chooses(self) -> None:
        there = shown(**vertex(type="external_account", audience="a", tokenURL="u", clientId="c"))
        change = compare(there, by=OVERWRITE, **vertex(type="external_account", audience="a"))
        assert operations(change) == [("remove", "/connection/config/credentials/gcpConfig/tokenURL", None)]
        assert texts(change, Status.LEFT) == [
            "connection.config.credentials.gcpConfig.clientId: not known to this version, and left alone"
        ]

    def test_a_field_without_a_value_is_not_removed(self) -> None:
        there = shown(serviceType="Mlflow", connection={"config": {"type": "Mlflow", "registryUri": ""}})
        assert compare(there, by=OVERWRITE, serviceType="Mlflow", connection={"config": {}}).fields == ()

    def test_a_type_that_is_not_declared_is_not_removed(self) -> None:
        there = shown(serviceType="Zoo", connection={"config": {"type": "Zoo"}})
        assert compare(there, by=OVERWRITE, serviceType="Zoo", connection={"config": {}}).fields == ()

    def test_what_stands_beside_the_config_is_noted_too(self) -> None:
        there = shown(connection={"config": {"type": "Sklearn"}, "secretsManager": {"type": "aws"}})
        assert texts(compare(there), Status.LEFT) == [
            "connection.secretsManager: not known to this version, and left alone"
        ]

    def test_fields_that_the_model_does_not_know_are_left_alone_and_noted(self) -> None:
        change = compare(sage(newOption="x"), row=sagemaker())
        assert change.action is Action.NONE
        assert texts(change, Status.LEFT) == ["connection.config.newOption: not known to this version, and left alone"]
        assert change.fields[0].operations == ()


class TestSecretsThatCannotBeSeen:
    @pytest.fixture(params=["*********", "fernet:gAAAAABk"])
    def masked(self, request: pytest.FixtureRequest) -> Service:
        return sage({**AWS, "awsSecretAccessKey": request.param})

    def test_they_are_written_again_without_being_a_change(self, masked: Service) -> None:
        change = compare(masked, row=sagemaker())
        assert change.action is Action.NONE
        assert change.writes
        assert [field.field for field in change.having(Status.REWRITE)] == [SECRET]

    def test_they_are_left_when_that_is_asked(self, masked: Service) -> None:
        change = compare(masked, row=sagemaker(), options=RunOptions(rewrite_secrets=False))
        assert not change.writes
        assert texts(change, Status.LEFT) == [f"{SECRET}: masked, not compared"]

    def test_a_mask_that_was_copied_keeps_the_secret(self, masked: Service) -> None:
        for service in (masked, sage()):
            assert not compare(service, row=sagemaker(secret="*********")).writes

    def test_one_in_a_secrets_manager_counts_as_declared_unless_it_is_to_be_written(self) -> None:
        there = sage({**AWS, "awsSecretAccessKey": "secret:/cluster/mlmodel/sage/awssecretaccesskey"})
        assert not compare(there, row=sagemaker()).writes
        change = compare(there, row=sagemaker(), options=RunOptions(rewrite_secrets=True))
        assert operations(change) == [("add", "/connection/config/awsConfig/awsSecretAccessKey", "first-secret-key")]
