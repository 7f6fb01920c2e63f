"""Look up names in the catalog, each once a run and a bounded number of them at once."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from airflow_provider_collate.client.directory import Collection, Directory, Entry
from airflow_provider_collate.exceptions import (
    BadRequestError,
    MissingEndpointError,
    PermissionDeniedError,
    RequestError,
)
from airflow_provider_collate.models.problems import counted, did_you_mean, quoted
from airflow_provider_collate.reconcile.progress import Progress
from airflow_provider_collate.reconcile.workers import Workers

# A suggestion may cost a list of names, and compares with all of them.
_MOST_SUGGESTIONS = 20


class Ask(NamedTuple):
    """What is asked for."""

    collection: Collection
    name: str
    is_id: bool = False


class Unreadable(str):
    """Why something could not be looked up, in the words of a message."""

    __slots__ = ()


class LookUps:
    """What names stand for in the catalog."""

    def __init__(self, directory: Directory, workers: Workers, progress: Progress | None = None) -> None:
        self._directory = directory
        self._workers = workers
        self._progress = progress or Progress()
        self._found: dict[Ask, Entry | Unreadable | None] = {}
        self._by_email: dict[str, list[Entry]] = {}
        self._emails: list[str] = []
        self._users_unread: Unreadable | None = None
        self._listed: dict[tuple[Collection, str], list[str]] = {}
        self._suggestions = 0
        self.exclusive: dict[str, bool] = {}
        """Whether a service carries only one tag of a classification."""

    def read(self, asks: Iterable[Ask], emails: Iterable[str] = (), classifications: Iterable[str] = ()) -> None:
        """Look up all names of a run.

        :param emails: e-mails of users: asked for by the part before the `@`, and all others by one list of users.
        :param classifications: classifications of which it matters whether a service carries one tag only.
        :raises RequestError: for transient errors, and when the token is refused.
        """
        began_at = self._progress.clock()
        wanted = {email.lower() for email in emails}
        todo = sorted({*asks, *map(_by_local_part, wanted)})
        for ask, answer in self._workers.results(todo, self._look_up):
            self._found[ask] = answer
            self._progress.tell("{:,} of {:,} names looked up", len(self._found), len(todo))
        unclear = {email for email in wanted if not self._has_email(email)}
        if unclear:
            self._read_users(unclear)
        self.exclusive.update(self._workers.results(classifications, self._directory.is_exclusive))
        if self._found:
            self._progress.end(f"Looked up {counted(len(self._found), 'name')}", began_at)

    def found(self, ask: Ask) -> Entry | Unreadable | None:
        """Return what was found; None when it does not exist."""
        return self._found[ask]

    def of_email(self, email: str) -> list[Entry] | Unreadable:
        """Return the users of an e-mail."""
        key = email.lower()
        user = self._has_email(key)
        return [user] if user else self._by_email.get(key) or self._users_unread or []

    def suggestion(self, name: str, collections: Iterable[Collection], *, prefix: str = "") -> str:
        """Return `, did you mean "X"?` for the nearest name that exists, or nothing.

        :param prefix: what the name is declared with, such as `glossary:`.
        """
        self._suggestions += 1
        if self._suggestions > _MOST_SUGGESTIONS:
            return ""
        names = [known for collection in collections for known in self._names(collection, name)]
        return did_you_mean(quoted(prefix + name), [quoted(prefix + known) for known in names])

    def email_suggestion(self, email: str) -> str:
        """Return `, did you mean "X"?` for the nearest e-mail of a user, or nothing."""
        self._suggestions += 1
        if self._suggestions > _MOST_SUGGESTIONS:
            return ""
        # Of an e-mail the part before the @ is compared: colleagues share the rest.
        local, _, domain = email.lower().partition("@")
        near = [known for known in self._emails if did_you_mean(local, [known.partition("@")[0]])]
        return did_you_mean(quoted(f"{local}@{domain}"), map(quoted, near))

    def _look_up(self, ask: Ask) -> Entry | Unreadable | None:
        if not _may_exist(ask.name):
            return None
        find = self._directory.by_id if ask.is_id else self._directory.by_name
        try:
            return find(ask.collection, ask.name)
        except (BadRequestError, PermissionDeniedError, MissingEndpointError) as error:
            return _unreadable(error)

    def _has_email(self, email: str) -> Entry | None:
        user = self._found[_by_local_part(email)]
        return user if isinstance(user, Entry) and user.email.lower() == email else None

    def _read_users(self, wanted: set[str]) -> None:
        try:
            for user in self._directory.users():
                self._workers.raise_if_stopped()
                key = user.email.lower()
                self._emails.append(key)
                self._progress.tell("{:,} users read, to find their e-mails", len(self._emails))
                if key in wanted:
                    self._by_email.setdefault(key, []).append(user)
        except (BadRequestError, PermissionDeniedError) as error:
            self._users_unread = _unreadable(error)

    def _names(self, collection: Collection, name: str) -> list[str]:
        """Return names that the catalog has: of tags those of the same classification, if it has any."""
        if collection != "tags":
            return self._list(collection)
        return self._list("tags", name.partition(".")[0]) or self._list("tags")

    def _list(self, collection: Collection, parent: str = "") -> list[str]:
        if (collection, parent) not in self._listed:
            try:
                entries = self._directory.some(collection, parent=parent)
            except RequestError:
                entries = []  # a suggestion is not worth an error of its own
            is_plain = collection in ("users", "teams")
            self._listed[collection, parent] = [entry.name if is_plain else entry.fqn for entry in entries]
        return self._listed[collection, parent]


def _by_local_part(email: str) -> Ask:
    """Return how a user is asked for: a new user's name is what stands before the `@` of the e-mail (recorded)."""
    return Ask("users", email.partition("@")[0])


def _may_exist(name: str) -> bool:
    """Return whether a name can be part of a path: not blank, no step up, and no quotation mark without its partner."""
    return bool(name.strip(" .")) and name.count('"') % 2 == 0


def _unreadable(error: BadRequestError | PermissionDeniedError | MissingEndpointError) -> Unreadable:
    if isinstance(error, BadRequestError) and error.status == 404:
        raise error  # another API than Collate's answers
    return Unreadable(f"cannot be looked up: {error.message}")
