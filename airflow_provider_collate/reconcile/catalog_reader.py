"""Read from the catalog what a run needs beside the services: whose token it is, what names stand for, histories."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from functools import cached_property

from airflow_provider_collate.client.client import CollateClient
from airflow_provider_collate.client.services import Services
from airflow_provider_collate.exceptions import (
    AnswerError,
    AuthenticationError,
    CollateError,
    RedirectError,
    StatusError,
    StoppedError,
)
from airflow_provider_collate.models import DeclaredService
from airflow_provider_collate.models.history import History, parse_history
from airflow_provider_collate.models.problems import counted
from airflow_provider_collate.models.service import Service
from airflow_provider_collate.reconcile.changes import Desired
from airflow_provider_collate.reconcile.comparison import classification_of, tag_keys
from airflow_provider_collate.reconcile.facts import Authors, ServerFacts
from airflow_provider_collate.reconcile.lookups import LookUps
from airflow_provider_collate.reconcile.options import RunOptions
from airflow_provider_collate.reconcile.progress import Progress
from airflow_provider_collate.reconcile.references import References, resolve_references
from airflow_provider_collate.reconcile.workers import Workers

_UNREAD = "its history cannot be read"

Pair = tuple[Desired | None, Service]
"""A declaration, or None for a service that may be deleted, and the service that the catalog shows."""


@dataclass
class CatalogReader:
    """Read what one run needs from one server, beside the services themselves."""

    client: CollateClient
    services: Services
    options: RunOptions
    workers: Workers
    progress: Progress
    _exclusive: dict[str, bool] = field(default_factory=dict)

    @cached_property
    def facts(self) -> ServerFacts:
        """Return the server's release and whose token it is, each asked once by the client."""
        identity, release = self.client.identity(), self.client.release()
        ahead = self.client.clock_ahead
        return ServerFacts(release, identity.name, identity.is_bot, self.options.on_conflict, ahead)

    def resolve(self, declared: Sequence[DeclaredService], unfinished: Mapping[int, str]) -> References:
        """Look up the names in the declarations and in the prune scope, each name once; as `resolve_references`."""
        names = LookUps(self.client.directory, self.workers, self.progress)
        found = resolve_references(declared, names, self.facts.release, self.options.prune_scope, unfinished)
        self._exclusive.update(found.exclusive)
        return found

    def authors(self, pairs: Sequence[Pair]) -> Iterator[tuple[Pair, Authors]]:
        """Yield each service with who set what in it, a bounded number of histories read at once.

        :param pairs: declarations whose services show something that somebody else may have set, one at least.
        :raises RequestError: when a history cannot be read for a reason that is not the history's own.
        """
        began_at = self.progress.clock()
        exclusive = self._exclusive_classifications(pairs)
        by_id = {service.id: (desired, service) for desired, service in pairs}
        with closing(self.workers.results(by_id, self._history)) as results:
            for number, (service_id, authors) in enumerate(results, start=1):
                self.progress.tell("{:,} of {:,} histories read", number, len(by_id))
                yield by_id[service_id], replace(authors, exclusive=exclusive)
        self.progress.end(f"Read the history of {counted(len(by_id), 'service')}", began_at)

    def authors_of(self, ids: Collection[str]) -> Iterator[tuple[str, Authors]]:
        """Yield the ids of services with who set what in each, also where the history cannot be read now."""
        with closing(self.workers.each(ids, self._history)) as results:
            for service_id, authors in results:
                if isinstance(authors, StoppedError):
                    raise authors
                yield service_id, Authors(History(), _UNREAD) if isinstance(authors, CollateError) else authors

    def _history(self, service_id: str) -> Authors:
        try:
            return Authors(parse_history(self.services.versions(service_id)))
        except (AnswerError, StatusError) as error:
            if error.retryable or isinstance(error, AuthenticationError | RedirectError):
                raise
            status = f" ({error.status})" if isinstance(error, StatusError) else ""
            return Authors(History(), f"{_UNREAD}{status}")

    def _exclusive_classifications(self, pairs: Sequence[Pair]) -> frozenset[str]:
        """Return the classifications of which a service carries one tag only, among those that matter here."""
        names = {name for desired, service in pairs if desired is not None for name in _contested(desired, service)}
        for name in names - self._exclusive.keys():
            self._exclusive[name] = self.client.directory.is_exclusive(name)
        return frozenset(name for name, exclusive in self._exclusive.items() if exclusive)


def _contested(desired: Desired, service: Service) -> set[str]:
    """Return the classifications of which a service has a tag and its declaration another one."""
    declared = {classification_of(*key) for key in tag_keys(desired.declared.fields)}
    return declared & {classification_of(tag.tag_fqn, tag.source) for tag in service.tags or ()} - {""}
