"""What a declaration sends, what it compares, and in which spellings it may be written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar
from uuid import UUID

import pytest
from pydantic import Field, JsonValue, ValidationError, computed_field, field_serializer, field_validator

from airflow_provider_collate.kinds.gcp import (
    GcpApplicationDefault,
    GcpCredentialsPath,
    GcpCredentialsValues,
    GcpExternalAccount,
)
from airflow_provider_collate.kinds.mlmodel import (
    CreateMlModelServiceRequest,
    CustomMlModelConnection,
    MlflowConnection,
)
from airflow_provider_collate.models import (
    ConnectionConfig,
    EntityReference,
    LiteralConfig,
    OwnerName,
    ServiceConnection,
    TagLabel,
)
from airflow_provider_collate.models.declared import ConnectionText, PlainText

OWNER = "ca22d46e-81b9-4e48-85b5-0adc44980da9"
TAG = {"tagFQN": "Tier.Tier1", "source": "Classification", "labelType": "Manual", "state": "Confirmed"}


def request(**fields: object) -> CreateMlModelServiceRequest:
    return CreateMlModelServiceRequest.model_validate(
        {"name": "a", "serviceType": "Mlflow", "connection": None, **fields}
    )


def sent_config(service_type: str, connection: object) -> JsonValue:
    payload = request(serviceType=service_type, connection=connection).to_payload()["connection"]
    assert isinstance(payload, dict)
    return payload["config"]


def test_only_what_was_given_is_sent() -> None:
    assert request().to_payload() == {"name": "a", "serviceType": "Mlflow"}


def test_an_explicit_none_is_declared_and_not_sent() -> None:
    service = request(description=None, displayName="", tags=[], owners=None)
    assert service.model_fields_set == {
        "name",
        "service_type",
        "connection",
        "description",
        "display_name",
        "tags",
        "owners",
    }
    assert service.declared().fields == {
        "name": "a",
        "serviceType": "Mlflow",
        "connection": None,
        "description": None,
        "displayName": "",
        "tags": [],
        "owners": None,
    }
    assert service.to_payload() == {"name": "a", "serviceType": "Mlflow", "displayName": "", "tags": []}


def test_python_names_are_sent_as_documented() -> None:
    service = CreateMlModelServiceRequest.model_validate(
        {
            "name": "a",
            "service_type": "SageMaker",
            "display_name": "A",
            "data_products": ["p"],
            "ingestion_runner": {"id": OWNER, "type": "ingestionRunner", "fully_qualified_name": "r"},
            "connection": {
                "config": {
                    "awsConfig": {"aws_region": "eu", "endPointURL": "http://s3", "profile_name": "p"},
                    "ml_model_filter_pattern": {"includes": ["a.*"]},
                    "supports_metadata_extraction": False,
                }
            },
            "tags": [{"tag_fqn": "x.y", "label_type": "Automated", "style": {"icon_url": "i"}}],
        }
    )
    assert service.to_payload() == {
        "name": "a",
        "serviceType": "SageMaker",
        "displayName": "A",
        "dataProducts": ["p"],
        "ingestionRunner": {"id": OWNER, "type": "ingestionRunner", "fullyQualifiedName": "r"},
        "connection": {
            "config": {
                "type": "SageMaker",
                "awsConfig": {"awsRegion": "eu", "endPointURL": "http://s3", "profileName": "p"},
                "mlModelFilterPattern": {"includes": ["a.*"]},
                "supportsMetadataExtraction": False,
            }
        },
        "tags": [
            {
                "tagFQN": "x.y",
                "source": "Classification",
                "labelType": "Automated",
                "state": "Confirmed",
                "style": {"iconURL": "i"},
            }
        ],
    }


def test_the_same_service_in_two_spellings_is_declared_alike() -> None:
    config = {"tracking_uri": "http://t", "registryUri": "http://r"}
    python = request(connection={"config": config}, display_name="A")
    documented = request(
        connection={"config": {"type": "Mlflow", "trackingUri": "http://t", "registry_uri": "http://r"}},
        displayName="A",
    )
    assert python.declared() == documented.declared()


@pytest.mark.parametrize(
    "connection",
    [
        {"config": {"trackingUri": "http://t"}},
        {"config": {"type": None, "tracking_uri": "http://t"}},
        {"config": MlflowConnection(tracking_uri="http://t")},
        MlflowConnection(tracking_uri="http://t"),
        ServiceConnection(config=MlflowConnection(tracking_uri="http://t")),
        ServiceConnection.model_validate({"config": {"tracking_uri": "http://t"}}),
        ServiceConnection.model_validate({"config": {"type": "Mlflow", "trackingUri": "http://t"}}),
    ],
)
def test_a_connection_may_be_given_in_many_forms(connection: object) -> None:
    assert sent_config("Mlflow", connection) == {"type": "Mlflow", "trackingUri": "http://t"}


def test_what_was_given_is_not_changed() -> None:
    row = {"name": "a", "serviceType": "Mlflow", "connection": {"config": {}}, "domain": "Sales"}
    CreateMlModelServiceRequest.model_validate(row)
    assert row == {"name": "a", "serviceType": "Mlflow", "connection": {"config": {}}, "domain": "Sales"}


def test_names_that_are_the_users_own_are_never_changed() -> None:
    config = CustomMlModelConnection.model_validate(
        {"connection_options": {"my_key": "x", "myKey": "y"}, "own_field": {"in_ner": None}, "ownNone": None}
    )
    assert sent_config("CustomMlModel", config) == {
        "type": "CustomMlModel",
        "connectionOptions": {"my_key": "x", "myKey": "y"},
        "own_field": {"in_ner": None},
        "ownNone": None,
    }


@pytest.mark.parametrize("domains", [{"domain": "Sales"}, {"domains": ["Sales"]}])
def test_a_single_domain_is_a_list_of_one(domains: dict[str, object]) -> None:
    assert request(**domains).to_payload()["domains"] == ["Sales"]


def test_owners_and_domains_that_are_given_twice_count_once_in_their_order() -> None:
    reference = {"id": OWNER, "type": "user"}
    service = request(
        domains=["b", "a", "b"],
        owners=["team:x", reference, {**reference, "id": OWNER.upper()}, "team:x"],
        dataProducts=["p", "p"],
    )
    assert service.declared().fields["domains"] == ["b", "a"]
    assert service.declared().fields["owners"] == ["team:x", reference]
    assert service.declared().fields["dataProducts"] == ["p"]


@pytest.mark.parametrize(
    "text, kind, name, is_email",
    [
        ("ana@acme.example", None, "ana@acme.example", True),
        ("ml-platform", None, "ml-platform", False),
        ("user:ana", "user", "ana", False),
        ("user:ana@acme.example", "user", "ana@acme.example", True),
        ("team:ml@platform", "team", "ml@platform", False),
        ("group:ana", None, "group:ana", False),
    ],
)
def test_an_owner_by_name_keeps_its_text_and_says_what_to_look_up(
    text: str, kind: str | None, name: str, is_email: bool
) -> None:
    service = request(owners=[text, {"id": OWNER, "type": "team"}])
    assert service.owners is not None
    owner = service.owners[0]
    assert isinstance(owner, OwnerName)
    assert (owner.kind, owner.name, owner.is_email) == (kind, name, is_email)
    assert service.declared().fields["owners"] == [text, {"id": OWNER, "type": "team"}]


def test_a_glossary_term_by_name() -> None:
    assert request(tags=["glossary:Business.Churn"]).tags == [TagLabel(tag_fqn="Business.Churn", source="Glossary")]


def test_a_style_is_sent_as_documented() -> None:
    style = {"color": "#112233", "iconURL": "https://acme.example/i.svg"}
    assert request(style={"color": "#112233", "icon_url": style["iconURL"]}).to_payload()["style"] == style


def test_a_null_among_the_options_leaves_the_option_out() -> None:
    assert sent_config("CustomMlModel", {"config": {"connectionOptions": {"a": None, "b": "x"}}}) == {
        "type": "CustomMlModel",
        "connectionOptions": {"b": "x"},
    }


def test_what_was_read_from_an_airflow_connection_is_sent_with_its_braces() -> None:
    config = LiteralConfig(type="Mlflow", trackingUri="http://{{ a }}", registryUri="x")
    assert sent_config("Mlflow", {"config": config}) == config
    key: dict[str, JsonValue] = {"gcpConfig": {"type": "service_account", "privateKey": "{{ a }}"}}
    config = LiteralConfig(type="VertexAI", location="eu", credentials=key)
    assert sent_config("VertexAI", {"config": config}) == config


def test_a_config_of_a_model_of_the_users_own_is_sent_as_that_model_has_it() -> None:
    class Own(ConnectionConfig):
        host_name: PlainText = None
        pass_word: ConnectionText | None = None

    connection = {"config": Own(type="Zoo", host_name="h", pass_word=None)}
    assert sent_config("Zoo", connection) == {"type": "Zoo", "hostName": "h"}
    declared = request(serviceType="Zoo", connection={"config": Own(type="Zoo", pass_word="p")}).declared()
    assert declared.secrets() == ("p",)


class Odd(ConnectionConfig):
    """A config whose values are not valid once more, or are no fields, or look different when they are sent."""

    address: PlainText = None
    port: int | None = None
    password: Annotated[ConnectionText, Field(exclude=True)] = ""
    region: Annotated[PlainText, Field(validation_alias="region", serialization_alias="sentRegion")] = None

    @field_validator("address")
    @classmethod
    def _with_scheme(cls, address: str) -> str:
        if address.startswith("https://"):
            raise ValueError(address)
        return f"https://{address}"

    @field_serializer("port")
    def _as_text(self, port: int) -> str:
        return str(port)

    @computed_field
    def where(self) -> str:
        return f"{self.address}:{self.port}"


class OddRequest(CreateMlModelServiceRequest):
    """A request with a field of its own that is no model, and a text that grows when it is validated."""

    connection_types: ClassVar[Mapping[str, type[ConnectionConfig]]] = {
        **CreateMlModelServiceRequest.connection_types,
        "Odd": Odd,
    }
    extension: dict[str, JsonValue] | None = None

    @field_validator("description")
    @classmethod
    def _signed(cls, description: str) -> str:
        return f"{description} (managed)"


def test_a_service_is_sent_as_it_was_validated_once() -> None:
    config = {"address": "a.example", "port": 1, "password": "p", "region": "eu"}
    given = {"name": "a", "serviceType": "Odd", "connection": {"config": config}, "description": "A"}
    odd = OddRequest.model_validate({**given, "extension": {"x": None, "y": [None]}})

    sent = {"type": "Odd", "address": "https://a.example", "port": "1", "sentRegion": "eu"}
    assert odd.to_payload() == {
        **given,
        "connection": {"config": {**sent, "where": "https://a.example:1"}},
        "description": "A (managed)",
        "extension": {"x": None, "y": [None]},
    }
    assert odd.to_payload() == odd.model_dump(by_alias=True, exclude_unset=True, exclude_none=True)


def test_a_null_in_a_documented_part_is_not_sent_and_one_of_the_users_own_is() -> None:
    config = {"location": "eu", "credentials": {"gcpConfig": {"type": "gcp_adc", "projectId": None, "own": None}}}
    payload = request(
        serviceType="VertexAI",
        connection={"config": config},
        tags=[{"tagFQN": "Tier.Tier1", "description": None, "style": {"color": None}}],
        owners=[{"id": OWNER, "type": "user", "name": None}],
        style={"color": None, "iconURL": "https://acme.example/i.svg"},
    ).to_payload()

    sent: dict[str, JsonValue] = {"type": "gcp_adc", "own": None}
    assert payload["connection"] == {
        "config": {"type": "VertexAI", "location": "eu", "credentials": {"gcpConfig": sent}}
    }
    assert payload["tags"] == [{**TAG, "style": {}}]
    assert payload["owners"] == [{"id": OWNER, "type": "user"}]
    assert payload["style"] == {"iconURL": "https://acme.example/i.svg"}


def test_a_domain_of_none_empties_the_domains() -> None:
    assert request(domain=None).declared().fields["domains"] == []


@pytest.mark.parametrize(
    "tag", ["Tier.Tier1", TAG, {"tagFQN": "Tier.Tier1"}, {"tag_fqn": "Tier.Tier1"}, TagLabel(tag_fqn="Tier.Tier1")]
)
def test_a_tag_is_always_sent_whole(tag: object) -> None:
    assert request(tags=[tag]).to_payload()["tags"] == [TAG]


@pytest.mark.parametrize("owner", [{"id": UUID(OWNER), "type": "user"}, EntityReference(id=OWNER, type="user")])
def test_an_owner_is_a_reference_by_id(owner: object) -> None:
    assert request(owners=[owner]).to_payload()["owners"] == [{"id": OWNER, "type": "user"}]


@pytest.mark.parametrize(
    "given, sent",
    [
        ({"path": "k.json"}, {"type": "gcp_credential_path", "path": "k.json"}),
        ({"private_key": "k"}, {"type": "service_account", "privateKey": "k"}),
        ({"token_url": "t"}, {"type": "external_account", "tokenURL": "t"}),
        ({"project_id": ["a"]}, {"type": "gcp_adc", "projectId": ["a"]}),
        ({}, {"type": "gcp_adc"}),
        ({"type": "gcp_adc", "path": "k", "my_own": 1}, {"type": "gcp_adc", "path": "k", "my_own": 1}),
        (GcpCredentialsPath(path="k.json"), {"type": "gcp_credential_path", "path": "k.json"}),
        (GcpCredentialsValues(project_id="p"), {"type": "service_account", "projectId": "p"}),
        (GcpExternalAccount(audience="a"), {"type": "external_account", "audience": "a"}),
        (GcpApplicationDefault(), {"type": "gcp_adc"}),
    ],
)
def test_google_credentials_are_told_apart_and_sent_with_their_type(given: object, sent: JsonValue) -> None:
    config = {"location": "eu", "credentials": {"gcp_config": given}}
    assert sent_config("VertexAI", {"config": config}) == {
        "type": "VertexAI",
        "location": "eu",
        "credentials": {"gcpConfig": sent},
    }


def test_a_declaration_cannot_be_changed_behind_the_validation() -> None:
    service = request()
    with pytest.raises(ValidationError, match="frozen"):
        service.name = "a::b"  # type: ignore[misc]  # that is the test
