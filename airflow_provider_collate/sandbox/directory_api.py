"""The endpoints of users, teams, domains, data products, tags and glossary terms."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from airflow_provider_collate.sandbox.declarations import read_json
from airflow_provider_collate.sandbox.directory import COLLECTIONS, NEVER_SOFT_DELETED, Entry
from airflow_provider_collate.sandbox.exchange import Answer, ApiError, bad_request, json_answer, quoted, read_page
from airflow_provider_collate.sandbox.state import Call, State

# What a create request must have, and which of its fields name what the new entry belongs to.
_NEEDED = {
    "user": ("name", "email"),
    "team": ("name", "teamType"),
    "domain": ("name", "domainType", "description"),
    "glossaryTerm": ("name", "description", "glossary"),
}
_PARENTS = {
    "domain": {"parent": "domain"},
    "tag": {"classification": "classification", "parent": "tag"},
    "glossaryTerm": {"glossary": "glossary", "parent": "glossaryTerm"},
}
_DEFAULTS = {kind: {"mutuallyExclusive": False} for kind in ("tag", "classification", "glossary", "glossaryTerm")}
_DEFAULTS["user"] = {"isBot": False, "isAdmin": False}
_OWN_FIELDS = ("name", "displayName", "description", "parent", "classification", "glossary")


class DirectoryApi:
    """The endpoints of what services refer to."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._directory = state.directory

    def list_page(self, call: Call) -> Answer:
        """Answer `GET` of a collection."""
        include = call.request.params.get("include", "non-deleted")
        kept = {"all": (False, True), "deleted": (True,)}.get(include, (False,))
        entries = {entry.fqn: entry for entry in self._directory.of_kind(_kind(call)) if entry.deleted in kept}
        names, paging = read_page(list(entries), call.request.params)
        return json_answer(200, {"data": [entries[n].document(call.request.root) for n in names], "paging": paging})

    def own(self, call: Call) -> Answer:
        """Answer `GET` of `users/loggedInUser`."""
        return json_answer(200, self._directory.by_name("user", call.user.name).document(call.request.root))

    def get(self, call: Call) -> Answer:
        """Answer `GET` of an entry by its name or id."""
        return json_answer(200, self._find(call).document(call.request.root))

    def create(self, call: Call) -> Answer:
        """Answer `POST` of a new entry, by an admin."""
        entry = self._read(call)
        if self._stored(entry):
            raise ApiError(409, "Entity already exists")
        return json_answer(201, self._directory.add(entry).document(call.request.root))

    def put(self, call: Call) -> Answer:
        """Answer `PUT` of an entry, by an admin."""
        entry = self._read(call)
        stored = self._stored(entry)
        kept = self._directory.add(entry)
        change = "entityNoChange" if kept == stored else "entityUpdated" if stored else "entityCreated"
        return json_answer(200 if stored else 201, kept.document(call.request.root), change=change)

    def delete(self, call: Call) -> Answer:
        """Answer `DELETE` of an entry, by an admin: soft unless `hardDelete`."""
        self._check_admin(call, "Delete")
        entry = self._find(call, deleted=True)
        if call.flag("hardDelete") or entry.kind in NEVER_SOFT_DELETED:
            self._state.forget_entry(entry)
            return json_answer(200, entry.document(), change="entityDeleted")
        gone = self._directory.add(replace(entry, deleted=True))
        return json_answer(200, gone.document(), change="entitySoftDeleted")

    def _stored(self, entry: Entry) -> Entry | None:
        stored = self._directory.find(entry.kind, entry.fqn)
        return None if stored is None or stored.is_example else stored

    def _find(self, call: Call, *, deleted: bool = False) -> Entry:
        deleted = deleted or call.request.params.get("include") in ("all", "deleted")
        find = self._directory.by_name if "fqn" in call.params else self._directory.by_id
        return find(_kind(call), call.params.get("fqn") or call.params["id"], deleted=deleted)

    def _read(self, call: Call) -> Entry:
        kind, body = _kind(call), read_json(call.request.body)
        self._check_admin(call, "Create")
        given = {name: value for name, value in body.items() if value is not None} if isinstance(body, dict) else {}
        if missing := [name for name in _NEEDED.get(kind, ("name", "description")) if not given.get(name)]:
            raise bad_request(f"[{', '.join(f'{name} must not be null' for name in missing)}]")
        name = str(given["email"]).partition("@")[0].lower() if kind == "user" else str(given["name"])
        more = {field: value for field, value in given.items() if field not in _OWN_FIELDS}
        texts = {field: str(given.get(field, "")) for field in ("displayName", "description")}
        fqn = self._fqn(kind, name, given)
        return Entry(kind, name, fqn, texts["displayName"], {**_DEFAULTS.get(kind, {}), **more}, texts["description"])

    def _fqn(self, kind: str, name: str, given: Mapping[str, object]) -> str:
        """Return the fully qualified name: that of the nearest parent, and the name."""
        above = ""
        for field, parent_kind in _PARENTS.get(kind, {}).items():
            if field in given:
                above = self._directory.by_name(parent_kind, str(given[field])).fqn
        if kind == "tag" and not above:
            raise bad_request("[classification must not be null]")
        return f"{above}.{quoted(name)}" if above else quoted(name)

    def _check_admin(self, call: Call, operation: str) -> None:
        if not call.user.is_admin:
            raise self._state.forbidden(call.user, operation)


def _kind(call: Call) -> str:
    return COLLECTIONS[call.params["collection"]]
