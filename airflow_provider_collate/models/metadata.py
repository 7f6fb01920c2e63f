"""What is said about a service beside its connection: tags, owners, and how it is shown."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from pydantic import BeforeValidator, Field, PlainValidator, StringConstraints, field_validator, model_validator

from airflow_provider_collate.models.declared import DeclaredModel, Text, validate_part
from airflow_provider_collate.models.problems import UUID_PATTERN, declaration_error, quoted, scalar_problem

_CERTIFICATIONS = "Certification."
_GLOSSARY = "glossary:"


def _uuid_text(value: object) -> object:
    return str(value) if isinstance(value, UUID) else value


UuidText = Annotated[str, StringConstraints(pattern=UUID_PATTERN), BeforeValidator(_uuid_text)]
Share = Annotated[float, Field(ge=0, le=1)]


class EntityReference(DeclaredModel):
    """A reference to another entity, such as an owner, by its id: `{"id": uuid, "type": "user" | "team"}`."""

    id: UuidText
    type: Text
    name: Text | None = None
    fully_qualified_name: Text | None = None
    description: Text | None = None
    display_name: Text | None = None
    deleted: bool | None = None
    inherited: bool | None = None
    href: Text | None = None


class OwnerName(str):
    """An owner that is declared by name: `ana@acme.example`, `ml-platform`, `user:ana` or `team:ml-platform`.

    It is declared, compared and sent as the text that it is, until its id was looked up.
    """

    __slots__ = ()

    @property
    def kind(self) -> Literal["user", "team"] | None:
        """Return what it was said to be, or None where the name alone was given."""
        kind, mark, _ = self.partition(":")
        return kind if mark and kind in ("user", "team") else None  # type: ignore[return-value]  # checked beside

    @property
    def name(self) -> str:
        """Return the name or e-mail to look up."""
        return self.partition(":")[2] if self.kind else str(self)

    @property
    def is_email(self) -> bool:
        """Return whether it is the e-mail of a user."""
        return "@" in self.name and self.kind != "team"


def _owner(value: object) -> EntityReference | OwnerName:
    if not isinstance(value, str):
        return validate_part(EntityReference, value)
    name = OwnerName(value)
    if problem := scalar_problem(value) or ("" if name.name.strip() else "must not be blank"):
        raise declaration_error([((), problem)])
    return name


Owner = Annotated[EntityReference | OwnerName, PlainValidator(_owner)]


class CoverImage(DeclaredModel):
    """A picture above the page of a tag or service."""

    url: Text | None = None
    position: Text | None = None


class Style(DeclaredModel):
    """How a tag or service is shown."""

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
    """A tag or glossary term on a service; a bare string is its fully qualified name.

    `Tier.Tier1` names a tag, `glossary:Business.Churn` a glossary term.
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
        if not isinstance(value, str):
            return value
        term = value.removeprefix(_GLOSSARY)
        return {"tagFQN": term} if term == value else {"tagFQN": term, "source": "Glossary"}

    @field_validator("tag_fqn")
    @classmethod
    def _is_no_certification(cls, name: str) -> str:
        if name.startswith(_CERTIFICATIONS):
            raise declaration_error([((), f"{quoted(name)} is a certification, which the catalog drops from tags")])
        return name

    def model_post_init(self, context: object, /) -> None:
        """Count the defaults as given, because the server wants them."""
        self.model_fields_set.update(("source", "label_type", "state"))
