"""What comparing needs to know beside declaration and service, read before anything is compared."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from airflow_provider_collate.client.release import Release
from airflow_provider_collate.models.history import Edit, History
from airflow_provider_collate.reconcile.options import OnConflict

# How far the clocks of scheduler and worker, and two readings of the server's, may be apart.
_TOLERANCE = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class ServerFacts:
    """Who asks, and whom.

    :param is_bot: whether the server treats that user as a bot.
    :param on_conflict: what to do about a field that somebody else set.
    :param clock_ahead: how far the server's clock is ahead of this machine's.
    """

    release: Release
    user: str
    is_bot: bool
    on_conflict: OnConflict = "fail"
    clock_ahead: timedelta = timedelta(0)


@dataclass(frozen=True, slots=True)
class Overwritten:
    """A service of somebody else in whose place a new one was written.

    :param created: by whom and when it was created, in words.
    :param fields: names of the fields that were replaced; empty where all were as declared already.
    """

    created: str
    fields: tuple[str, ...]

    def __str__(self) -> str:
        return f"had been created {self.created} since the plan; replaced: {', '.join(self.fields) or 'nothing'}"


@dataclass(frozen=True, slots=True)
class Authors:
    """Who set which field of one service, and which tags exclude each other.

    What the history does not show counts as set by somebody else.

    :param history: the service's history; an empty one where it could not be read.
    :param unread: why it could not be read.
    :param exclusive: classifications of which a service carries one tag only.
    """

    history: History
    unread: str = ""
    exclusive: frozenset[str] = frozenset()

    def by(self, edit: Edit | None) -> str:
        """Return an author and the time after the word `created`."""
        return f"by {self.name(edit)}" if edit else self.name(edit)

    def name(self, edit: Edit | None) -> str:
        """Return an author and the time as a message says it."""
        if edit is not None:
            return f"{edit.user}, {edit.at:%Y-%m-%d %H:%M} UTC"
        return f"by somebody else; {self.unread or self.history.gap}"

    def replaced_by(self, user: str) -> Overwritten:
        """Return who had created the service, and what a user has replaced in it."""
        fields = sorted(self.history.fields_edited_by(user)) if not self.unread else ("what is not known",)
        return Overwritten(self.by(self.history.created), tuple(fields))

    def was_created_for(self, facts: ServerFacts, since: datetime) -> bool:
        """Return whether the token's user created the service since a time.

        :param facts: whose token it is, and how to convert the time to the server's clock.
        """
        created = self.history.created
        earliest = since + facts.clock_ahead - _TOLERANCE
        return created is not None and created.user == facts.user and created.at >= earliest
