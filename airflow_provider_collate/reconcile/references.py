"""Turn the names in declarations into references, before anything is sent; what does not exist is a problem."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from pydantic import JsonValue

from airflow_provider_collate.client.directory import Collection, Entry
from airflow_provider_collate.client.release import Release
from airflow_provider_collate.exceptions import InvalidDeclarationError
from airflow_provider_collate.models import DeclaredService
from airflow_provider_collate.models.declared_service import Fields
from airflow_provider_collate.models.metadata import EntityReference, Owner, OwnerName
from airflow_provider_collate.models.problems import UUID_PATTERN, quoted
from airflow_provider_collate.reconcile.changes import Desired
from airflow_provider_collate.reconcile.comparison import Key, classification_of, tag_keys, texts
from airflow_provider_collate.reconcile.field_change import ABSENT
from airflow_provider_collate.reconcile.lookups import Ask, LookUps, Unreadable
from airflow_provider_collate.reconcile.scope import GLOSSARY, PruneScope

# Fields that a list or a get shows only when asked.
_ON_REQUEST = frozenset({"tags", "owners", "domains", "dataProducts"})
_FIELDS = (*sorted(_ON_REQUEST), "ingestionRunner")
_COLLECTIONS: Mapping[str, Collection] = {
    "user": "users",
    "team": "teams",
    "domain": "domains",
    "dataProduct": "dataProducts",
}
_OWNER_TYPES = ("user", "team")
_DELETED = "is deleted in the catalog"
_RULE = "the catalog's rules allow several users or one team"

Reference = dict[str, JsonValue]


@dataclass(frozen=True, slots=True)
class References:
    """What all names of a run stand for.

    :param rows: the declarations with what their names stand for.
    :param on_request: fields that are declared and that a list or a get shows only when asked for them.
    :param scope: the prune scope, with its owner looked up.
    :param warnings: names in the prune scope that do not exist.
    :param exclusive: classifications that were asked for, with whether a service carries only one tag of each.
    """

    rows: list[Desired]
    on_request: frozenset[str]
    scope: PruneScope | None
    warnings: tuple[str, ...]
    exclusive: Mapping[str, bool]


@dataclass(frozen=True, slots=True)
class _Problem:
    text: str
    is_ambiguous: bool = False


@dataclass(frozen=True, slots=True)
class _Named:
    """What a declaration names.

    :param tags: the fully qualified name and the source of each.
    """

    owners: list[Owner]
    domains: list[str]
    data_products: list[str]
    tags: list[Key]
    runner: EntityReference | None


def resolve_references(
    declared: Sequence[DeclaredService],
    names: LookUps,
    release: Release,
    scope: PruneScope | None = None,
    unfinished: Mapping[int, str] = MappingProxyType({}),
) -> References:
    """Look up each distinct name once, and return what the declarations mean.

    :param unfinished: numbers of declarations that cannot be applied as they are, with why.
    :raises RequestError: for transient errors, and when the token is refused.
    :raises InvalidDeclarationError: when the owner of the scope may be one of several.
    """
    rows: list[Desired] = []
    keys = dict.fromkeys(unfinished, "")
    given: set[str] = set()
    distinct: dict[str, _Named] = {}
    for number, service in enumerate(declared):
        rows.append(Desired(number, declared, service.name))
        given |= service.fields.keys()
        if key := _key(service.fields):
            keys[number] = key
            if key not in distinct:
                distinct[key] = _named(service.fields)
    if distinct or scope is not None:
        owners = {owner for named in distinct.values() for owner in named.owners} | {*_scope_owners(scope)}
        asks = {ask for named in distinct.values() for ask in _asks(named)}
        names.read(
            asks.union(_scope_asks(scope), *map(_owner_asks, owners)),
            {owner.name for owner in owners if isinstance(owner, OwnerName) and owner.is_email},
            {name for named in distinct.values() for name in _shared_classifications(named.tags)},
        )
    resolver = _Resolver(names, release)
    resolved = {key: resolver.row(named) for key, named in distinct.items()}
    for number, key in keys.items():
        fields, found = resolved.get(key, (None, ()))
        place = f"services[{number}]." if len(rows) > 1 else ""
        problems = [unfinished[number]] if number in unfinished else []
        problems += [f"{place}{problem}" for problem in found]
        rows[number] = replace(rows[number], resolved=fields, problems=tuple(problems))
    return References(rows, _ON_REQUEST & given, *resolver.scope(scope), names.exclusive)


@dataclass(frozen=True, slots=True)
class _Resolver:
    """Decide what each name stands for, each once."""

    names: LookUps
    release: Release
    decided: dict[object, Reference | _Problem] = field(default_factory=dict)

    def row(self, named: _Named) -> tuple[Mapping[str, JsonValue] | None, list[str]]:
        """Return what the names in a declaration stand for, and a line for each that cannot be sent.

        :return: the fields that named something as lists of `{"id", "type", "name"}`, the runner alone as one.
        """
        found: dict[str, dict[str, Reference]] = {}
        problems: list[str] = []
        for name, path, reference in self._references(named):
            if isinstance(reference, _Problem):
                problems.append(f"{path}: {reference.text}")
            else:
                found.setdefault(name, {})[str(reference["id"]).lower()] = reference
        problems += self._broken_rules(named, tuple(found.get("owners", {}).values()))
        fields: dict[str, JsonValue] = {name: [*references.values()] for name, references in found.items()}
        if "ingestionRunner" in found:
            (fields["ingestionRunner"],) = found["ingestionRunner"].values()
        # Tags are sent by their names, as they were declared.
        fields.pop("tags", None)
        return fields or None, problems

    def scope(self, scope: PruneScope | None) -> tuple[PruneScope | None, tuple[str, ...]]:
        """Return a prune scope with its owner looked up, and a line for each name in it that does not exist."""
        if scope is None:
            return None, ()
        found: dict[str, Reference | _Problem] = {}
        if scope.tag:
            found["tag"] = self._tag(*scope.tag_key, may_be_disabled=True)
        if scope.domain:
            found["domain"] = self._qualified("domain", scope.domain)
        for owner in _scope_owners(scope):
            if not isinstance(found.get("owner"), dict):
                found["owner"] = self._owner(owner)
        problems = {key: value for key, value in found.items() if isinstance(value, _Problem)}
        if ambiguous := [f"prune_scope.{key}: {value.text}" for key, value in problems.items() if value.is_ambiguous]:
            raise InvalidDeclarationError(ambiguous)
        owner_found = found.get("owner")
        owner_id = str(owner_found["id"]) if isinstance(owner_found, dict) else ""
        warnings = tuple(f"prune_scope.{key}: {value.text}" for key, value in problems.items())
        return replace(scope, owner_id=owner_id), warnings

    def _references(self, named: _Named) -> Iterator[tuple[str, str, Reference | _Problem]]:
        """Yield each reference with its field and the path that a message shows."""
        for number, owner in enumerate(named.owners):
            yield "owners", "owners" if isinstance(owner, OwnerName) else f"owners[{number}]", self._owner(owner)
        for fqn in named.domains:
            yield "domains", "domains", self._qualified("domain", fqn)
        for fqn in named.data_products:
            yield "dataProducts", "dataProducts", self._qualified("dataProduct", fqn)
        for fqn, source in named.tags:
            yield "tags", "tags", self._tag(fqn, source)
        if named.runner is not None:
            yield "ingestionRunner", "ingestionRunner", self._runner(named.runner)

    def _broken_rules(self, named: _Named, owners: Sequence[Reference]) -> Iterator[str]:
        """Yield what the catalog would refuse though each name exists."""
        if self.release.limits_owners and len(owners) > 1 and any(owner["type"] == "team" for owner in owners):
            yield f"owners: {_names(str(owner['name']) for owner in owners)} own it together, but {_RULE}"
        for parent, names in _shared_classifications(named.tags).items():
            if self.names.exclusive[parent]:
                yield f"tags: {_names(sorted(names))} exclude each other: {parent} allows one tag"

    def _once(self, key: object, decide: Callable[[], Reference | _Problem]) -> Reference | _Problem:
        if key not in self.decided:
            self.decided[key] = decide()
        return self.decided[key]

    def _owner(self, owner: Owner) -> Reference | _Problem:
        if isinstance(owner, EntityReference):
            return self._of_id(owner)
        return self._once(owner, lambda: self._of_email(owner) if owner.is_email else self._of_name(owner))

    def _of_id(self, given: EntityReference) -> Reference | _Problem:
        if given.type not in _OWNER_TYPES:
            return _Problem("its type must be user or team")
        entry = self.names.found(_id_ask(given))
        if isinstance(entry, Unreadable):
            return _Problem(f"the {given.type} with this id {entry}")
        if entry is None:
            return _Problem(f"the {given.type} with this id {ABSENT}")
        if entry.is_deleted:
            return _Problem(f"{quoted(entry.name)} {_DELETED}")
        return _reference(entry, given.type, entry.name)

    def _runner(self, given: EntityReference) -> Reference | _Problem:
        """Return the ingestion runner; a server that has none to show takes it as it was declared."""
        entry = self.names.found(_id_ask(given))
        if entry is None:
            return _Problem(f"the runner with this id {ABSENT}")
        name = given.name or given.display_name or "" if isinstance(entry, Unreadable) else entry.name
        return {"id": given.id, "type": given.type, "name": name}

    def _of_name(self, owner: OwnerName) -> Reference | _Problem:
        asked = {ask.collection: self.names.found(ask) for ask in _owner_asks(owner)}
        for entry in asked.values():
            if isinstance(entry, Unreadable):
                return _Problem(f"{quoted(owner)} {entry}")
        entries = {
            kind: entry
            for kind in _OWNER_TYPES
            if isinstance(entry := asked.get(_COLLECTIONS[kind]), Entry) and entry.name.lower() == owner.name.lower()
        }
        alive = {kind: entry for kind, entry in entries.items() if not entry.is_deleted}
        if len(alive) > 1:
            choice = " or ".join(quoted(f"{kind}:{owner}") for kind in alive)
            return _Problem(f"{quoted(owner)} is a user and a team; write {choice}", is_ambiguous=True)
        for kind, entry in alive.items():
            return _reference(entry, kind, entry.name)
        if entries:
            return _Problem(f"{quoted(owner)} {_DELETED}")
        prefix = f"{owner.kind}:" if owner.kind else ""
        return _Problem(f"{quoted(owner)} {ABSENT}{self.names.suggestion(owner.name, asked, prefix=prefix)}")

    def _of_email(self, owner: OwnerName) -> Reference | _Problem:
        users = self.names.of_email(owner.name)
        if isinstance(users, Unreadable):
            return _Problem(f"{quoted(owner)} {users}")
        if not users:
            return _Problem(f"{quoted(owner)} {ABSENT}{self.names.email_suggestion(owner.name)}")
        if len(users) > 1:
            named = " or ".join(quoted(f"user:{user.name}") for user in users)
            return _Problem(f"{quoted(owner)} is the e-mail of {len(users)} users; write {named}", is_ambiguous=True)
        if users[0].is_deleted:
            return _Problem(f"{quoted(owner)} {_DELETED}")
        return _reference(users[0], "user", users[0].name)

    def _qualified(self, kind: str, fqn: str) -> Reference | _Problem:
        return self._once((kind, fqn), lambda: self._exact(kind, Ask(_COLLECTIONS[kind], fqn)))

    def _tag(self, fqn: str, source: str, *, may_be_disabled: bool = False) -> Reference | _Problem:
        def decide() -> Reference | _Problem:
            ask = _tag_ask(fqn, source)
            found = self._exact("tag", ask, prefix=GLOSSARY if source == "Glossary" else "")
            entry = self.names.found(ask)
            if isinstance(found, dict) and isinstance(entry, Entry) and entry.is_disabled and not may_be_disabled:
                return _Problem(f"{quoted(fqn)} is disabled in the catalog")
            return found

        return self._once((fqn, source, may_be_disabled), decide)

    def _exact(self, kind: str, ask: Ask, prefix: str = "") -> Reference | _Problem:
        """Return the entry of a fully qualified name, which must be spelled as the catalog has it."""
        entry = self.names.found(ask)
        shown = quoted(prefix + ask.name)
        if isinstance(entry, Unreadable):
            return _Problem(f"{shown} {entry}")
        if entry is None:
            return _Problem(f"{shown} {ABSENT}{self.names.suggestion(ask.name, [ask.collection], prefix=prefix)}")
        if entry.fqn != ask.name:
            return _Problem(f"{shown} {ABSENT}, did you mean {quoted(prefix + entry.fqn)}?")
        if entry.is_deleted:
            return _Problem(f"{shown} {_DELETED}")
        return _reference(entry, kind, entry.fqn)


def _key(fields: Fields) -> str:
    """Return what two declarations that name the same have in common; empty where nothing is named."""
    return "" if fields.keys().isdisjoint(_FIELDS) else json.dumps([fields.get(name) for name in _FIELDS])


def _named(fields: Fields) -> _Named:
    owners, runner = fields.get("owners"), fields.get("ingestionRunner")
    return _Named(
        [_owner(owner) for owner in owners] if isinstance(owners, list) else [],
        texts(fields.get("domains")),
        texts(fields.get("dataProducts")),
        tag_keys(fields),
        EntityReference.model_validate(runner) if runner else None,
    )


def _owner(declared: JsonValue) -> Owner:
    return OwnerName(declared) if isinstance(declared, str) else EntityReference.model_validate(declared)


def _asks(named: _Named) -> Iterator[Ask]:
    """Yield what must be looked up for a declaration, but for its owners."""
    yield from (Ask("domains", fqn) for fqn in named.domains)
    yield from (Ask("dataProducts", fqn) for fqn in named.data_products)
    yield from (_tag_ask(*key) for key in named.tags)
    if named.runner is not None:
        yield _id_ask(named.runner)


def _owner_asks(owner: Owner) -> Iterator[Ask]:
    """Yield what must be looked up for an owner; an e-mail is looked up in a way of its own."""
    if isinstance(owner, EntityReference):
        if owner.type in _OWNER_TYPES:
            yield _id_ask(owner)
    elif not owner.is_email:
        kinds = (owner.kind,) if owner.kind else _OWNER_TYPES
        yield from (Ask(_COLLECTIONS[kind], owner.name) for kind in kinds)


def _id_ask(given: EntityReference) -> Ask:
    """Return how an owner, or an ingestion runner, is asked for by its id."""
    return Ask(_COLLECTIONS[given.type] if given.type in _OWNER_TYPES else "ingestionRunners", given.id, is_id=True)


def _tag_ask(fqn: str, source: str) -> Ask:
    return Ask("glossaryTerms" if source == "Glossary" else "tags", fqn)


def _scope_asks(scope: PruneScope | None) -> Iterator[Ask]:
    if scope is not None and scope.tag:
        yield _tag_ask(*scope.tag_key)
    if scope is not None and scope.domain:
        yield Ask("domains", scope.domain)


def _scope_owners(scope: PruneScope | None) -> list[Owner]:
    """Return what the owner of a scope may be: an id does not tell whether it is a user's or a team's."""
    if scope is None or not scope.owner:
        return []
    if re.fullmatch(UUID_PATTERN, scope.owner):
        return [EntityReference(id=scope.owner, type=kind) for kind in _OWNER_TYPES]
    return [OwnerName(scope.owner)]


def _shared_classifications(tags: Sequence[Key]) -> dict[str, set[str]]:
    """Return the classifications of which a declaration has several tags, with those."""
    found: dict[str, set[str]] = {}
    for fqn, source in tags:
        found.setdefault(classification_of(fqn, source), set()).add(fqn)
    return {name: fqns for name, fqns in found.items() if name and len(fqns) > 1}


def _reference(entry: Entry, kind: str, name: str) -> Reference:
    return {"id": entry.id, "type": kind, "name": name}


def _names(names: Iterable[str]) -> str:
    return ", ".join(map(quoted, names))
