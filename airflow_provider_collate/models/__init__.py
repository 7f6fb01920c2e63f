"""What may be declared, and what the catalog answers; no I/O."""

from __future__ import annotations

from airflow_provider_collate.models.bulk_result import BulkOperationResult, BulkRow
from airflow_provider_collate.models.credentials import (
    AwsCredentials,
    GcpApplicationDefault,
    GcpCredentials,
    GcpCredentialsPath,
    GcpCredentialsValues,
    GcpExternalAccount,
    GcpImpersonation,
)
from airflow_provider_collate.models.metadata import EntityReference, FilterPattern, TagLabel
from airflow_provider_collate.models.mlmodel_connections import (
    CustomMlModelConnection,
    MlflowConnection,
    MlModelServiceType,
    SageMakerConnection,
    ServiceConnection,
    SklearnConnection,
    UndocumentedConnection,
    VertexAIConnection,
)
from airflow_provider_collate.models.request import CreateMlModelServiceRequest, CreateServiceRequest
from airflow_provider_collate.models.secret_values import secret_values
from airflow_provider_collate.models.validation import ValidatedServices, validate_services

__all__ = [
    "AwsCredentials",
    "BulkOperationResult",
    "BulkRow",
    "CreateMlModelServiceRequest",
    "CreateServiceRequest",
    "CustomMlModelConnection",
    "EntityReference",
    "FilterPattern",
    "GcpApplicationDefault",
    "GcpCredentials",
    "GcpCredentialsPath",
    "GcpCredentialsValues",
    "GcpExternalAccount",
    "GcpImpersonation",
    "MlModelServiceType",
    "MlflowConnection",
    "SageMakerConnection",
    "ServiceConnection",
    "SklearnConnection",
    "TagLabel",
    "UndocumentedConnection",
    "ValidatedServices",
    "VertexAIConnection",
    "secret_values",
    "validate_services",
]
