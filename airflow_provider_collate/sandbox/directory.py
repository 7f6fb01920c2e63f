"""What services refer to: users, teams, domains, data products and tags."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field

from airflow_provider_collate.sandbox.exchange import JsonObject, bad_request, not_found

_NAMESPACE = uuid.UUID("6b1c9a52-6f0e-4f6a-9b57-0d6f3c7d5e21")

# Where the API keeps each kind.
COLLECTIONS = {
    "users": "user",
    "teams": "team",
    "domains": "domain",
    "dataProducts": "dataProduct",
    "tags": "tag",
    "glossaryTerms": "glossaryTerm",
}


@dataclass(frozen=True)
class User:
    """Someone who calls the API.

    :param is_bot: bots read secrets in clear, and their PUTs keep what people wrote.
    """

    name: str
    email: str = ""
    display_name: str = ""
    is_bot: bool = False
    is_admin: bool = False


ADMIN = User("admin", "admin@acme.example", is_admin=True)
INGESTION_BOT = User("ingestion-bot", "ingestion-bot@acme.example", is_bot=True)
ANA = User("ana", "ana@acme.example", "Ana")


@dataclass(frozen=True)
class Entry:
    """Something that can be referred to.

    :param kind: as in references, e.g. `user`.
    :param more: further fields of its document.
    """

    kind: str
    name: str
    fqn: str
    display_name: str = ""
    more: JsonObject = field(default_factory=dict)

    @property
    def id(self) -> str:
        """Its id, the same in each sandbox."""
        return str(uuid.uuid5(_NAMESPACE, f"{self.kind}:{self.fqn}"))

    def reference(self) -> JsonObject:
        """How a service's document refers to it."""
        shown = {"displayName": self.display_name} if self.display_name else {}
        return {
            "id": self.id,
            "type": self.kind,
            "name": self.name,
            "fullyQualifiedName": self.fqn,
            **shown,
            "deleted": False,
        }

    def document(self) -> JsonObject:
        """What the API answers when asked for it."""
        reference = self.reference()
        del reference["type"]
        return {**reference, **self.more, "version": 0.1}


class Directory:
    """All entries, found by kind and by name or id."""

    def __init__(self) -> None:
        self._by_name: dict[tuple[str, str], Entry] = {}
        self._by_id: dict[tuple[str, str], Entry] = {}
        self._exclusive: set[str] = set()

    def add(self, entry: Entry) -> Entry:
        """Add an entry, or replace the one of the same name."""
        self._by_name[entry.kind, entry.fqn] = entry
        self._by_id[entry.kind, entry.id] = entry
        return entry

    def make_exclusive(self, classification: str) -> None:
        """Let a service carry only one tag of a classification."""
        self._exclusive.add(classification)

    def of_kind(self, kind: str) -> Iterator[Entry]:
        """All entries of a kind, by name."""
        return iter(sorted((e for (k, _), e in self._by_name.items() if k == kind), key=lambda e: e.fqn))

    def by_name(self, kind: str, fqn: str) -> Entry:
        """The entry of a name.

        :raises ApiError: 404 when there is none.
        """
        entry = self._by_name.get((kind, fqn))
        if entry is None:
            raise not_found(kind, fqn)
        return entry

    def by_id(self, kind: str, entry_id: str) -> Entry:
        """The entry of an id.

        :raises ApiError: 404 when there is none.
        """
        entry = self._by_id.get((kind, entry_id))
        if entry is None:
            raise not_found(kind, entry_id)
        return entry

    def resolve(self, reference: object, field_name: str, kinds: tuple[str, ...]) -> JsonObject:
        """The full form of a reference that a request gave by `id` and `type`.

        :raises ApiError: 400 when it is none, 404 when it points nowhere.
        """
        if not isinstance(reference, dict):
            raise bad_request(f"[{field_name} must be an entity reference]")
        for part in ("id", "type"):
            if not isinstance(reference.get(part), str):
                raise bad_request(f"[{field_name}.{part} must not be null]")
        if reference["type"] not in kinds:
            raise bad_request(f"{field_name} of type {reference['type']} is not supported")
        return self.by_id(reference["type"], reference["id"]).reference()

    def label(self, tag: object, position: int) -> JsonObject:
        """The full form of a tag label.

        :raises ApiError: 400 when a part is missing, 404 for an unknown tag.
        """
        if not isinstance(tag, dict):
            raise bad_request(f"[tags[{position}] must be a tag label]")
        for part in ("tagFQN", "source", "labelType", "state"):
            if not isinstance(tag.get(part), str):
                raise bad_request(f"[tags[{position}].{part} must not be null]")
        kind = "glossaryTerm" if tag["source"] == "Glossary" else "tag"
        entry = self.by_name(kind, tag["tagFQN"])
        return {
            "tagFQN": entry.fqn,
            "name": entry.name,
            "source": tag["source"],
            "labelType": tag["labelType"],
            "state": tag["state"],
        }

    def check_exclusive(self, labels: list[JsonObject]) -> None:
        """Refuse two tags of a classification that allows one (server source).

        :raises ApiError: 400.
        """
        seen: dict[str, object] = {}
        for label in labels:
            classification = str(label["tagFQN"]).partition(".")[0]
            if classification not in self._exclusive:
                continue
            other = seen.setdefault(classification, label["tagFQN"])
            if other != label["tagFQN"]:
                raise bad_request(
                    f"Tag labels {other} and {label['tagFQN']} are mutually exclusive and can't be assigned together"
                )


def user_entry(user: User) -> Entry:
    """A user's entry in the directory."""
    more: JsonObject = {"email": user.email, "isBot": user.is_bot, "isAdmin": user.is_admin}
    return Entry("user", user.name, user.name, user.display_name, more)


def seeded_directory() -> Directory:
    """The few entries that each sandbox starts with."""
    directory = Directory()
    for user in (ADMIN, INGESTION_BOT, ANA):
        directory.add(user_entry(user))
    directory.add(Entry("team", "ml-platform", "ml-platform", "ML platform"))
    directory.add(Entry("domain", "Fraud", "Fraud"))
    directory.make_exclusive("Tier")
    for tag in (
        "Tier.Tier1",
        "Tier.Tier2",
        "Tier.Tier3",
        "Tier.Tier4",
        "Tier.Tier5",
        "PII.Sensitive",
        "PII.None",
    ):
        directory.add(Entry("tag", tag.partition(".")[2], tag))
    return directory
