"""What is said about a service beside its connection: tags, references, filters."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from pydantic import BeforeValidator, Field, StringConstraints, model_validator

from airflow_provider_collate.models.declared import (
    UUID_PATTERN,
    ConnectionPart,
    ConnectionText,
    DeclaredModel,
    Text,
)


def _uuid_text(value: object) -> object:
    return str(value) if isinstance(value, UUID) else value


UuidText = Annotated[str, StringConstraints(pattern=UUID_PATTERN), BeforeValidator(_uuid_text)]
Share = Annotated[float, Field(ge=0, le=1)]


class EntityReference(DeclaredModel):
    """Points to another entity, such as an owner, by its id: `{"id": uuid, "type": "user" | "team"}`."""

    id: UuidText
    type: Text
    name: Text | None = None
    fully_qualified_name: Text | None = None
    description: Text | None = None
    display_name: Text | None = None
    deleted: bool | None = None
    inherited: bool | None = None
    href: Text | None = None


class FilterPattern(ConnectionPart):
    """Regular expressions of the names that the ingestion includes and excludes."""

    includes: list[ConnectionText] | None = None
    excludes: list[ConnectionText] | None = None


class CoverImage(DeclaredModel):
    """A picture above a tag's page."""

    url: Text | None = None
    position: Text | None = None


class Style(DeclaredModel):
    """How a tag is shown."""

    color: Text | None = None
    icon_url: Text | None = None
    cover_image: CoverImage | None = None


class PatternMatch(DeclaredModel):
    """A pattern by which a recognizer found a tag."""

    name: Text
    regex: Text | None = None
    score: Share


class TagRecognizer(DeclaredModel):
    """The recognizer that applied a tag."""

    recognizer_id: UuidText
    recognizer_name: Text
    score: Share
    target: Literal["content", "column_name"] | None = None
    patterns: list[PatternMatch] | None = None


class TagMetadata(DeclaredModel):
    """How a tag was applied."""

    recognizer: TagRecognizer | None = None
    expiry_date: int | None = None


class TagLabel(DeclaredModel):
    """A tag or glossary term on a service; a bare string is the fully qualified name of a tag.

    The server wants all of `tagFQN`, `source`, `labelType` and `state`, so they are always sent
    (recorded on OpenMetadata 1.2).
    """

    tag_fqn: Text
    source: Literal["Classification", "Glossary"] = "Classification"
    label_type: Literal["Manual", "Propagated", "Automated", "Derived", "Generated"] = "Manual"
    state: Literal["Suggested", "Confirmed"] = "Confirmed"
    name: Text | None = None
    display_name: Text | None = None
    description: Text | None = None
    style: Style | None = None
    href: Text | None = None
    reason: Text | None = None
    applied_at: Text | None = None
    applied_by: Text | None = None
    metadata: TagMetadata | None = None

    @model_validator(mode="before")
    @classmethod
    def _from_name(cls, value: object) -> object:
        return {"tagFQN": value} if isinstance(value, str) else value

    def model_post_init(self, context: object, /) -> None:
        """Count the defaults as given, because the server wants them."""
        self.model_fields_set.update(("source", "label_type", "state"))
