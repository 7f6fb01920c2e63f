"""What services refer to: users with their tokens, teams, domains, data products, tags, glossary terms."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from pathlib import Path

import jwt
import yaml
from pydantic import TypeAdapter

from airflow_provider_collate.sandbox.exchange import ApiError, JsonObject, bad_request, not_found, quoted

_NAMESPACE = uuid.UUID("6b1c9a52-6f0e-4f6a-9b57-0d6f3c7d5e21")
_TOKENS_ISSUED = datetime(2026, 1, 1, tzinfo=timezone.utc)


@dataclass(frozen=True)
class Kind:
    """What the API does with a kind of entries.

    :param collection: where it keeps them.
    :param needed: what a create request must have.
    :param parents: fields of a create request that name what the new entry belongs to → kind of that.
    :param defaults: fields of a document that a create request may leave out.
    :param is_quoted: whether a name with a dot is in quotes where no other name is before it.
    """

    collection: str
    needed: tuple[str, ...] = ("name", "description")
    parents: Mapping[str, str] = field(default_factory=dict)
    defaults: JsonObject = field(default_factory=dict)
    is_quoted: bool = False
    soft_deletes: bool = True


_FACTS = yaml.safe_load(Path(__file__).with_name("directory.yaml").read_text(encoding="utf-8"))
KINDS = TypeAdapter(dict[str, Kind]).validate_python(_FACTS["kinds"])
COLLECTIONS = {kind.collection: name for name, kind in KINDS.items()}


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


def make_token(user: User, *, expires_at: datetime | None = None, serial: int = 1) -> str:
    """Return a token in the form of a JWT with the real server's claims; its signature means nothing.

    :param expires_at: when it expires; never if None.
    :param serial: makes two tokens of the same user differ, as after a rotation.
    """
    claims = {
        "iss": "sandbox.example",
        "sub": user.name,
        "email": user.email,
        "isBot": user.is_bot,
        "tokenType": "BOT" if user.is_bot else "PERSONAL_ACCESS",
        "iat": int(_TOKENS_ISSUED.timestamp()) + serial,
        "exp": int(expires_at.timestamp()) if expires_at else None,
    }
    return jwt.encode(claims, "nobody checks what this key has signed", headers={"kid": "sandbox"})


@dataclass(frozen=True)
class Entry:
    """Something that can be referred to.

    :param kind: as in references, e.g. `user`.
    :param more: further fields of its document.
    :param is_example: whether each sandbox has it at first; creating it counts as new.
    :param life: how many of its name were there before and were removed for good.
    """

    kind: str
    name: str
    fqn: str
    display_name: str = ""
    more: JsonObject = field(default_factory=dict)
    description: str = ""
    deleted: bool = False
    is_example: bool = False
    life: int = 0

    @property
    def id(self) -> str:
        """Its id, the same in each sandbox."""
        return str(uuid.uuid5(_NAMESPACE, f"{self.kind}:{self.fqn}" + (f":{self.life}" if self.life else "")))

    def reference(self, root: str = "") -> JsonObject:
        """Return how a service's document refers to it; without the API's address there is no `href`."""
        shown: JsonObject = {"id": self.id, "type": self.kind, "name": self.name, "fullyQualifiedName": self.fqn}
        shown.update(self.about)
        shown.update({"deleted": self.deleted} if KINDS[self.kind].soft_deletes else {})
        return {**shown, "href": f"{root}/v1/{KINDS[self.kind].collection}/{self.id}"} if root else shown

    def document(self, root: str = "") -> JsonObject:
        """Return what the API answers when asked for it."""
        reference = self.reference(root)
        del reference["type"]
        return {**reference, **self.more, "version": 0.1}

    @property
    def about(self) -> JsonObject:
        """Its description and display name, as far as it has them."""
        texts = {"description": self.description, "displayName": self.display_name}
        return {name: text for name, text in texts.items() if text}


class UnknownTagError(ApiError):
    """A tag that does not exist; by then the tags of a patched service are gone (recorded)."""


class Directory:
    """All entries, found by kind and by name or id."""

    def __init__(self) -> None:
        self._by_name: dict[tuple[str, str], Entry] = {}
        self._by_id: dict[tuple[str, str], Entry] = {}
        self._lives: Counter[tuple[str, str]] = Counter()

    def add(self, entry: Entry) -> Entry:
        """Add an entry, or replace the one of the same name."""
        key = _key(entry.kind, entry.fqn)
        entry = replace(entry, life=self._lives[key])
        self._by_name[key] = self._by_id[entry.kind, entry.id] = entry
        return entry

    def remove(self, entry: Entry) -> None:
        """Forget an entry."""
        key = _key(entry.kind, entry.fqn)
        del self._by_name[key], self._by_id[entry.kind, entry.id]
        self._lives[key] += 1

    def of_kind(self, kind: str) -> Iterator[Entry]:
        """Return all entries of a kind, by name."""
        return iter(sorted((e for (k, _), e in self._by_name.items() if k == kind), key=lambda e: e.fqn))

    def find(self, kind: str, fqn: str) -> Entry | None:
        """Return the entry of a name, deleted or not."""
        return self._by_name.get(_key(kind, fqn))

    def find_id(self, kind: str, entry_id: object) -> Entry | None:
        """Return the entry of an id, deleted or not."""
        return self._by_id.get((kind, str(entry_id)))

    def by_name(self, kind: str, fqn: str, *, deleted: bool = False) -> Entry:
        """Return the entry of a name, a deleted one only if that is wanted; a 404 when there is none."""
        return _present(self.find(kind, fqn), kind, quoted(fqn) if KINDS[kind].is_quoted else fqn, deleted)

    def by_id(self, kind: str, entry_id: str, *, deleted: bool = False) -> Entry:
        """Return the entry of an id, as `by_name`."""
        return _present(self.find_id(kind, entry_id), kind, entry_id, deleted)

    def references(self, kind: str, fqns: Iterable[object]) -> tuple[JsonObject, ...]:
        """Return the references to entries of a kind that a request named; a 404 when there is none of a name."""
        return tuple(self.by_name(kind, str(fqn)).reference() for fqn in fqns)

    def check_tags(self, labels: Iterable[Mapping[str, object]]) -> None:
        """Refuse by a 400 disabled tags, and two of a classification that allows one (recorded)."""
        seen: dict[str, object] = {}
        for label in labels:
            fqn = str(label["tagFQN"])
            parent, _, _ = fqn.rpartition(".")
            entry, group = self._of_label(label), self.find("classification", parent) or self.find("tag", parent)
            if entry is not None and entry.more.get("disabled") is True:
                raise bad_request(f"Tag label {fqn} is disabled and can't be assigned to a data asset.")
            if group is None or group.more.get("mutuallyExclusive") is not True or label["source"] == "Glossary":
                continue
            other = seen.setdefault(parent, fqn)
            if other != fqn:
                raise bad_request(f"Tag labels {fqn} and {other} are mutually exclusive and can't be assigned together")

    def check_exists(self, label: Mapping[str, object]) -> None:
        """Refuse a tag that does not exist by a 404 of its own class."""
        entry = self._of_label(label)
        if entry is None or entry.deleted:
            error = not_found(_label_kind(label), str(label["tagFQN"]))
            raise UnknownTagError(error.status, error.message)

    def shown_label(self, label: JsonObject) -> JsonObject:
        """Return a tag label as it is read: with the tag's name and description."""
        entry = self._of_label(label)
        about = {"name": entry.name, **dict(reversed(entry.about.items()))} if entry else {}
        rest = {name: value for name, value in label.items() if name not in ("name", "displayName", "description")}
        return {"tagFQN": rest.pop("tagFQN"), **about, **rest}

    def _of_label(self, label: Mapping[str, object]) -> Entry | None:
        return self.find(_label_kind(label), str(label["tagFQN"]))


def _present(entry: Entry | None, kind: str, key: str, deleted: bool) -> Entry:
    if entry is None or (entry.deleted and not deleted):
        raise not_found(kind, key)
    return entry


def _label_kind(label: Mapping[str, object]) -> str:
    return "glossaryTerm" if label["source"] == "Glossary" else "tag"


def _key(kind: str, fqn: str) -> tuple[str, str]:
    """Return what a name is found by: users in any case (recorded)."""
    bare = fqn.strip('"') if KINDS[kind].is_quoted else fqn
    return kind, bare.lower() if kind == "user" else bare


def user_entry(user: User) -> Entry:
    """Return a user's entry in the directory."""
    more: JsonObject = {"email": user.email, "isBot": user.is_bot, "isAdmin": user.is_admin}
    return Entry("user", user.name, user.name, user.display_name, more)


def seeded_directory() -> Directory:
    """Return the few entries that each sandbox starts with."""
    directory = Directory()
    for entry in (user_entry(ADMIN), user_entry(INGESTION_BOT), replace(user_entry(ANA), is_example=True)):
        directory.add(entry)
    for fields in _FACTS["entries"]:
        directory.add(Entry(**fields))
    return directory
