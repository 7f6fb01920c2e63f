"""Connections to the ML platforms that the catalog knows, and to those it will know."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Discriminator, Tag

from airflow_provider_collate.models.credentials import AwsCredentials, GcpCredentials
from airflow_provider_collate.models.declared import ConnectionPart, ConnectionText, OpenConnectionPart
from airflow_provider_collate.models.metadata import FilterPattern

MlModelServiceType = Literal["Mlflow", "Sklearn", "CustomMlModel", "SageMaker", "VertexAI"]


class ConnectionConfig(ConnectionPart):
    """The config of a connection whose fields are documented."""

    documented_as_required: ClassVar[tuple[str, ...]] = ()

    type: str
    supports_metadata_extraction: bool | None = None
    ml_model_filter_pattern: FilterPattern | None = None

    def model_post_init(self, context: object, /) -> None:
        """Count the type as given, because it is always sent."""
        self.model_fields_set.add("type")


class MlflowConnection(ConnectionConfig):
    """Connection to an MLflow server; `registry_uri` may hold `user:password@`."""

    documented_as_required = ("tracking_uri", "registry_uri")

    type: Literal["Mlflow"] = "Mlflow"
    tracking_uri: ConnectionText | None = None
    registry_uri: ConnectionText | None = None


class SklearnConnection(ConnectionConfig):
    """A catalog entry for scikit-learn models; there is nothing to connect to."""

    type: Literal["Sklearn"] = "Sklearn"


class SageMakerConnection(ConnectionConfig):
    """Connection to Amazon SageMaker."""

    documented_as_required = ("aws_config",)

    type: Literal["SageMaker"] = "SageMaker"
    aws_config: AwsCredentials | None = None


class VertexAIConnection(ConnectionConfig):
    """Connection to Google Vertex AI; `location` is the region."""

    documented_as_required = ("credentials", "location")

    type: Literal["VertexAI"] = "VertexAI"
    credentials: GcpCredentials | None = None
    location: ConnectionText | None = None


class CustomMlModelConnection(ConnectionConfig, OpenConnectionPart):
    """A source of the user's own: options and further fields are sent under the names they are given."""

    type: Literal["CustomMlModel"] = "CustomMlModel"
    source_python_class: ConnectionText | None = None
    connection_options: dict[str, ConnectionText] | None = None


class UndocumentedConnection(OpenConnectionPart):
    """The config of a service type that this version does not know, sent as it is."""

    type: ConnectionText | None = None


ML_MODEL_CONNECTIONS: dict[str, type[ConnectionConfig]] = {
    "Mlflow": MlflowConnection,
    "Sklearn": SklearnConnection,
    "CustomMlModel": CustomMlModelConnection,
    "SageMaker": SageMakerConnection,
    "VertexAI": VertexAIConnection,
}
_CLASS_NAMES = {kind: config.__name__ for kind, config in ML_MODEL_CONNECTIONS.items()}


def _connection_config(value: object) -> str | None:
    """Tell configs apart by their type; one of an unknown type, or of none, is taken as it is."""
    if isinstance(value, dict):
        given = value.get("type")
        known = _CLASS_NAMES.get(given) if isinstance(given, str) else None
        return known or "UndocumentedConnection"
    return type(value).__name__ if isinstance(value, ConnectionPart) else None


AnyConnectionConfig = Annotated[
    Annotated[MlflowConnection, Tag("MlflowConnection")]
    | Annotated[SklearnConnection, Tag("SklearnConnection")]
    | Annotated[CustomMlModelConnection, Tag("CustomMlModelConnection")]
    | Annotated[SageMakerConnection, Tag("SageMakerConnection")]
    | Annotated[VertexAIConnection, Tag("VertexAIConnection")]
    | Annotated[UndocumentedConnection, Tag("UndocumentedConnection")],
    Discriminator(_connection_config),
]


class ServiceConnection(ConnectionPart):
    """How the catalog reaches a service: the documented wrapper around its config."""

    config: AnyConnectionConfig | None = None
