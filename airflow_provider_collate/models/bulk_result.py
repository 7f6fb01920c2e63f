"""What the bulk endpoint answers (documented, not recorded)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import AliasChoices, BeforeValidator, Field

from airflow_provider_collate.models.service import CatalogAnswer


def _name_of(request: object) -> str:
    """Reduce an echoed request to its name: the whole of it may hold secrets."""
    if isinstance(request, Mapping):
        request = request.get("name") or request.get("fullyQualifiedName")
    return request if isinstance(request, str) else ""


class BulkRow(CatalogAnswer):
    """One row of a bulk answer: `name` is the FQN, or the name in the request that was echoed."""

    name: Annotated[str, BeforeValidator(_name_of)] = Field(
        default="", validation_alias=AliasChoices("request", "name")
    )
    message: str | None = Field(default=None, repr=False)
    status: int | None = None


class BulkOperationResult(CatalogAnswer):
    """The outcome of a bulk request, as far as it matters: which rows it refused; HTTP 200 says nothing of them."""

    abort_reason: str | None = Field(default=None, repr=False)
    failed_request: Annotated[tuple[BulkRow, ...], BeforeValidator(lambda rows: () if rows is None else rows)] = ()
