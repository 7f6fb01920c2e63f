"""ML model services: the platforms that the catalog knows, and what Airflow connections to them become."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator

from airflow_provider_collate.kinds import register_kind
from airflow_provider_collate.kinds.airflow_connection import Config, ConnectionFields, ConnectionMapping, given
from airflow_provider_collate.kinds.aws import AWS_BESIDE, AwsCredentials, aws_credentials
from airflow_provider_collate.kinds.gcp import GCP_BESIDE, GCP_CONN_TYPES, GcpCredentials, gcp_credentials
from airflow_provider_collate.kinds.kind import ServiceKind
from airflow_provider_collate.kinds.mlflow import MLFLOW_MAPPINGS
from airflow_provider_collate.models import (
    PLAIN,
    ConnectionConfig,
    CreateServiceRequest,
    FilterPattern,
    OpenConnectionPart,
)
from airflow_provider_collate.models.declared import ConnectionText, PlainText, Text


class MlModelConnection(ConnectionConfig):
    """The config of a connection to an ML platform."""

    ml_model_filter_pattern: FilterPattern | None = None


class MlflowConnection(MlModelConnection):
    """Connection to an MLflow server; `registry_uri` may hold `user:password@`."""

    documented_as_required = ("tracking_uri", "registry_uri")

    type: Annotated[Literal["Mlflow"], PLAIN] = "Mlflow"
    tracking_uri: PlainText = None
    registry_uri: PlainText = None


class SklearnConnection(MlModelConnection):
    """A catalog entry for scikit-learn models; there is nothing to connect to."""

    type: Annotated[Literal["Sklearn"], PLAIN] = "Sklearn"


class SageMakerConnection(MlModelConnection):
    """Connection to Amazon SageMaker."""

    documented_as_required = ("aws_config",)

    type: Annotated[Literal["SageMaker"], PLAIN] = "SageMaker"
    aws_config: AwsCredentials | None = None


class VertexAIConnection(MlModelConnection):
    """Connection to Google Vertex AI; `location` is the region.

    Recorded: 1.2 refuses the type. The vendor merged its schema after 1.4, in August 2024 (pull request 17632).
    """

    documented_as_required = ("credentials", "location")
    since = (1, 5)

    type: Annotated[Literal["VertexAI"], PLAIN] = "VertexAI"
    credentials: GcpCredentials | None = None
    location: PlainText = None


def _without_nulls(options: dict[str, str | None] | None) -> dict[str, str | None] | None:
    """Return the options without nulls: what is given is the whole, so a null is the same as leaving the option out."""
    return None if options is None else {key: value for key, value in options.items() if value is not None}


class CustomMlModelConnection(MlModelConnection, OpenConnectionPart):
    """A source of the user's own: options and further fields are sent under the names they are given."""

    type: Annotated[Literal["CustomMlModel"], PLAIN] = "CustomMlModel"
    source_python_class: PlainText = None
    connection_options: Annotated[dict[Text, ConnectionText | None] | None, AfterValidator(_without_nulls)] = None


class CreateMlModelServiceRequest(CreateServiceRequest):
    """An ML model service, as declared.

    Documented as `createMlModelService`; a service type that is not known here is sent as it is.
    """

    connection_types: ClassVar[Mapping[str, type[ConnectionConfig]]] = {
        "Mlflow": MlflowConnection,
        "Sklearn": SklearnConnection,
        "CustomMlModel": CustomMlModelConnection,
        "SageMaker": SageMakerConnection,
        "VertexAI": VertexAIConnection,
    }


def _sage_maker(source: ConnectionFields) -> Config:
    return {"awsConfig": aws_credentials(source, "sagemaker")}


def _vertex_ai(source: ConnectionFields) -> Config:
    location = source.text("location") or source.text("region")
    return {"credentials": gcp_credentials(source), **given(location=location)}


def _custom_ml_model(source: ConnectionFields) -> Config:
    extra = {key: value for key, value in source.extra.items() if value is not None}
    fields = given(host=source.host, port=str(source.port or ""), schema=source.schema, login=source.login)
    texts = {key: value if isinstance(value, str) else json.dumps(value) for key, value in extra.items()}
    return {"connectionOptions": {**texts, **fields, **given(password=source.password)}}


ML_MODEL = register_kind(
    ServiceKind(
        collection="mlmodelServices",
        label="ML model service",
        list_page="settings/services/mlmodels",
        request_model=CreateMlModelServiceRequest,
        mappings=(
            ConnectionMapping(
                "SageMaker",
                ("aws",),
                _sage_maker,
                needed=("awsConfig", "awsRegion"),
                advice="awsRegion is missing: give region_name in the connection's extra, or awsRegion beside conn_id",
                beside=AWS_BESIDE,
            ),
            ConnectionMapping(
                "VertexAI",
                GCP_CONN_TYPES,
                _vertex_ai,
                needed=("location",),
                advice="location is missing: give it in the connection's extra, or beside conn_id",
                beside={**GCP_BESIDE, "region": ("location",)},
            ),
            *MLFLOW_MAPPINGS,
            ConnectionMapping("CustomMlModel", ("generic",), _custom_ml_model),
        ),
    )
)
