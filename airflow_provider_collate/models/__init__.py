"""What may be declared of a service of any kind, and what the catalog answers; no I/O."""

from __future__ import annotations

from airflow_provider_collate.models.connection import (
    ConnectionConfig,
    FilterPattern,
    LiteralConfig,
    ServiceConnection,
    UndocumentedConnection,
    secret_values,
)
from airflow_provider_collate.models.declared import PLAIN, ConnectionPart, OneOf, OpenConnectionPart, ServerDefault
from airflow_provider_collate.models.declared_service import DeclaredService
from airflow_provider_collate.models.metadata import EntityReference, OwnerName, Style, TagLabel
from airflow_provider_collate.models.request import CreateServiceRequest
from airflow_provider_collate.models.validation import ValidatedServices, validate_services

__all__ = [
    "PLAIN",
    "ConnectionConfig",
    "ConnectionPart",
    "CreateServiceRequest",
    "DeclaredService",
    "EntityReference",
    "FilterPattern",
    "LiteralConfig",
    "OneOf",
    "OpenConnectionPart",
    "OwnerName",
    "ServerDefault",
    "ServiceConnection",
    "Style",
    "TagLabel",
    "UndocumentedConnection",
    "ValidatedServices",
    "secret_values",
    "validate_services",
]
