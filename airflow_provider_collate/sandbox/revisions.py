"""Versions of a service: what a change makes of it, how it is described, and when two become one."""

from __future__ import annotations

from dataclasses import dataclass, replace

from airflow_provider_collate.sandbox.directory import Directory
from airflow_provider_collate.sandbox.exchange import JsonObject, compact, same_json
from airflow_provider_collate.sandbox.releases import Release
from airflow_provider_collate.sandbox.services import StoredService

_SESSION_MILLISECONDS = 10 * 60 * 1000
# Dropped when it is stored, though it counts as a change (server source).
CERTIFICATION = "Certification"


@dataclass(frozen=True)
class Reviser:
    """Makes the next version of a service.

    :param user: name of who changes it.
    :param now: milliseconds since the epoch.
    :param folds: whether changes of one user within ten minutes are one version (server source, 1.12).
    """

    release: Release
    directory: Directory
    user: str
    now: int
    folds: bool = False

    def revise(self, stored: StoredService, wanted: StoredService, history: list[StoredService]) -> StoredService:
        """Return the next version, or the stored one itself if nothing differs.

        :param history: earlier versions, the oldest first; the stored one is put there unless both are one version.
        """
        if not any(self._change(stored, wanted).values()):
            return stored
        if not (self.folds and history and self._is_of_the_session(stored)):
            history.append(stored)
        base = history[-1]
        change = self._change(base, wanted)
        is_back = not any(change.values())
        if is_back:
            history.pop()
        return replace(
            wanted,
            id=stored.id,
            name=stored.name,
            service_type=stored.service_type,
            rewritten=False,
            tags=tuple(tag for tag in wanted.tags if not self._is_dropped(tag)),
            version=base.version if is_back else round(base.version + 0.1, 1),
            updated_at=self.now,
            updated_by=self.user,
            change=base.change if is_back else {**change, "previousVersion": base.version},
        )

    def _is_of_the_session(self, stored: StoredService) -> bool:
        is_recent = self.now - stored.updated_at <= _SESSION_MILLISECONDS
        return is_recent and stored.updated_by == self.user and not stored.deleted

    def _is_dropped(self, tag: JsonObject) -> bool:
        return not self.release.is_old and str(tag["tagFQN"]).startswith(f"{CERTIFICATION}.")

    def _change(self, stored: StoredService, wanted: StoredService) -> dict[str, list[JsonObject]]:
        """Return what differs, in the form of a document's `changeDescription`."""
        change: dict[str, list[JsonObject]] = {"fieldsAdded": [], "fieldsUpdated": [], "fieldsDeleted": []}

        def note(name: str, old: object, new: object) -> None:
            if not same_json(old, new):
                kind = "fieldsAdded" if old is None else "fieldsDeleted" if new is None else "fieldsUpdated"
                values = {"oldValue": old, "newValue": new}
                change[kind].append({"name": name, **{k: v for k, v in values.items() if v is not None}})

        note("deleted", stored.deleted, wanted.deleted)
        note("description", stored.description, wanted.description)
        note("displayName", stored.display_name, wanted.display_name)
        note("style", _text(stored.style), _text(wanted.style))
        note("ingestionRunner", _text(stored.ingestion_runner), _text(wanted.ingestion_runner))
        if wanted.rewritten or not same_json(stored.connection, wanted.connection):
            note("connection", '"old-encrypted-value"', '"new-encrypted-value"')
        for name, olds, news in (
            (self.release.owner_field, stored.owners, wanted.owners),
            (self.release.domain_field, stored.domains, wanted.domains),
            ("dataProducts", stored.data_products, wanted.data_products),
            ("tags", tuple(map(self.directory.shown_label, stored.tags)), wanted.tags),
        ):
            before, after = {key_of(item) for item in olds}, {key_of(item) for item in news}
            added = [item for item in news if key_of(item) not in before]
            removed = [item for item in olds if key_of(item) not in after]
            if name in ("owner", "domain"):
                note(name, _text(*removed), _text(*added))
                continue
            if added:
                note(name, None, compact(added))
            if removed:
                note(name, compact(removed), None)
        return change


def key_of(item: JsonObject) -> object:
    """Return what makes two references or tag labels the same; a tag's `labelType` and `state` do not count."""
    return item["id"] if "id" in item else (item["tagFQN"], item["source"])


def _text(value: JsonObject | None = None) -> str | None:
    return None if value is None else compact(value)
