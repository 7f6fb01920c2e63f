"""A service as the catalog shows it, without any value of its connection."""

from __future__ import annotations

from typing import Annotated

from pydantic import AliasChoices, BaseModel, BeforeValidator, ConfigDict, Field, JsonValue, PlainValidator

from airflow_provider_collate.models.digests import Digests, digests
from airflow_provider_collate.models.problems import documented_name

_NOT_OURS = frozenset({"Derived", "Propagated"})


def _as_list(value: object) -> object:
    """Old servers show one owner and one domain, not in a list (recorded)."""
    return [value] if isinstance(value, dict) else value


class CatalogAnswer(BaseModel):
    """Something that the catalog answers; what is added to it later is ignored."""

    model_config = ConfigDict(alias_generator=documented_name, extra="ignore", frozen=True, hide_input_in_errors=True)


class ShownTag(CatalogAnswer):
    """A tag on a service."""

    tag_fqn: str
    source: str = "Classification"
    label_type: str = "Manual"
    state: str = "Confirmed"
    applied_by: str | None = None

    @property
    def is_ours(self) -> bool:
        """Return whether a declaration speaks of it.

        Derived and propagated tags come and go by themselves, and a suggested one waits for a person's decision.
        """
        return self.label_type not in _NOT_OURS and self.state == "Confirmed"


class ShownReference(CatalogAnswer):
    """An owner, domain, data product or runner of a service."""

    id: str
    type: str = ""
    name: str | None = None
    fully_qualified_name: str | None = None
    inherited: bool | None = None

    @property
    def label(self) -> str:
        """Return the name that a person knows it by."""
        return self.fully_qualified_name or self.name or self.id


ShownReferences = Annotated[tuple[ShownReference, ...] | None, BeforeValidator(_as_list)]


class Service(CatalogAnswer):
    """A service as the catalog shows it; a field that was not asked for is None.

    :param version: raised by most edits; not by a person's further ones within ten minutes (server source).
    :param updated_at: milliseconds since the epoch, changed by every edit.
    :param updated_by: name of the user whose edit was the last.
    :param connection: digests of the connection's fields; empty where the service has none.
    """

    id: str
    name: str
    fully_qualified_name: str = ""
    service_type: str
    display_name: str | None = None
    description: str | None = None
    version: float | None = None
    updated_at: int | None = None
    updated_by: str | None = None
    deleted: bool = False
    connection: Annotated[Digests, PlainValidator(digests)] = Field(default_factory=dict, repr=False)
    tags: tuple[ShownTag, ...] | None = None
    owners: ShownReferences = Field(default=None, validation_alias=AliasChoices("owners", "owner"))
    domains: ShownReferences = Field(default=None, validation_alias=AliasChoices("domains", "domain"))
    data_products: ShownReferences = None
    ingestion_runner: ShownReference | None = None
    style: dict[str, JsonValue] | None = None
