"""Read services of given names, or of a scope, in the cheapest of three ways."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import closing

from airflow_provider_collate.client.name_ranges import ROWS_A_READ_COSTS, NameRanges
from airflow_provider_collate.client.services import PAGE_SIZE, ServicePage, Services
from airflow_provider_collate.exceptions import BrokenReferenceError, NotFoundError
from airflow_provider_collate.models.problems import counted
from airflow_provider_collate.models.service import Service
from airflow_provider_collate.reconcile.progress import Progress
from airflow_provider_collate.reconcile.workers import Workers

log = logging.getLogger(__name__)

# So few names are not worth a page whose rows nobody has counted yet.
_FEW = 10
# What is read at once, however few names are wanted.
_SMALL_CATALOG = 25
# Of a list that is not twice as long as what is asked for, all of it is read.
_SHARE_FOR_RANGES = 0.5


class ServiceReader:
    """Read services of one kind: by the list, by ranges of names where it is much longer, or a few by their names."""

    def __init__(self, services: Services, workers: Workers, progress: Progress) -> None:
        self._services = services
        self._progress = progress
        self._workers = workers
        self._ranges = NameRanges(services, self._note)
        self._total: int | None = None
        self.broken: dict[str, str] = {}
        """Services that refer to something that does not exist, and what the server said: read without relations."""

    def read(
        self, names: Collection[str], fields: Collection[str], *, in_scope: Callable[[Service], bool] | None = None
    ) -> Iterator[Service]:
        """Yield the services of these names, soft-deleted ones too, and all in scope, as they are read.

        :param fields: fields to ask for beyond the plain ones.
        :param in_scope: which other services are wanted; None for no others.
        :raises RequestError: as `Transport.send`.
        """
        self._rows, began_at = 0, self._progress.clock()
        read: set[str] = set()
        try:
            for service in self._in_bulk(frozenset(names), fields, in_scope):
                read.add(service.name)
                yield service
        except NotFoundError as error:
            # One service that refers to a domain that does not exist makes the whole list a 404 (recorded).
            log.warning("The list cannot be read, so services are read one by one: %s", error.message)
            wanted = set(names)
            if in_scope is not None:
                wanted |= {service.name for page in self._services.pages(include="all") for service in page.services}
            by_name = self._by_name(wanted - read, fields)
            yield from (s for s in by_name if s.name in names or (in_scope is not None and in_scope(s)))
        self._progress.end(f"Read {counted(self._rows, 'service')}", began_at)

    def _note(self, page: ServicePage) -> None:
        """Count what a page shows, and how many services there are."""
        self._total = self._total if page.total is None else page.total
        self._count(len(page.services))

    def _count(self, rows: int) -> None:
        self._rows += rows
        self._progress.tell("{:,} services read, of {:,} in the catalog", self._rows, max(self._total or 0, self._rows))

    def _in_bulk(
        self, names: Collection[str], fields: Collection[str], in_scope: Callable[[Service], bool] | None
    ) -> Iterator[Service]:
        if in_scope is not None:
            for page in self._services.pages(fields, include="all"):
                self._note(page)
                yield from (s for s in page.services if s.name in names or in_scope(s))
        elif self._is_better_by_name(len(names)):
            yield from self._by_name(names, fields)
        elif self._ranges.can_be_read and len(names) < _SHARE_FOR_RANGES * (self._total or 0):
            yield from self._by_ranges(names, fields)
        else:
            yield from self._listed(names, fields)

    def _listed(self, names: Collection[str], fields: Collection[str], *, by_ranges: bool = True) -> Iterator[Service]:
        """Yield from the list, or from another way as soon as that is cheaper than the rest of the list."""
        missing = set(names)
        listed = 0
        # A little more than the names, so that one page shows all of a catalog that holds little else.
        first = min(PAGE_SIZE, max(len(missing) * 5 // 4, _SMALL_CATALOG)) if by_ranges else PAGE_SIZE
        for page in self._services.pages(fields, include="all", first=first):
            listed += len(page.services)
            self._note(page)
            self._ranges.learn(page)
            yield from (service for service in page.services if service.name in missing)
            missing -= {service.name for service in page.services}
            left = (page.total or 0) - listed
            if not page.after:
                return
            if by_ranges and self._ranges.can_be_read and len(missing) < _SHARE_FOR_RANGES * left:
                yield from self._by_ranges(missing, fields)
                return
            if _is_cheaper_by_name(len(missing), left):
                yield from self._by_name(missing, fields)
                return

    def _by_ranges(self, names: Collection[str], fields: Collection[str]) -> Iterator[Service]:
        if self._is_better_by_name(len(names)):
            unsettled = set(names)
        else:
            unsettled = yield from self._ranges.read(names, fields)
        if _is_cheaper_by_name(len(unsettled), self._total or 0):
            yield from self._by_name(unsettled, fields)
        else:
            yield from self._listed(unsettled, fields, by_ranges=False)

    def _is_better_by_name(self, names: int) -> bool:
        return names <= _FEW and (self._total is None or _is_cheaper_by_name(names, self._total))

    def _by_name(self, names: Collection[str], fields: Iterable[str]) -> Iterator[Service]:
        wanted = tuple(fields)

        def read(name: str) -> Service | None:
            try:
                return self._services.by_name(name, wanted, include="all")
            except BrokenReferenceError as error:
                self.broken[name] = error.message
            return self._services.by_name(name, include="all")

        with closing(self._workers.results(sorted(names), read)) as results:
            for _, service in results:
                self._count(service is not None)
                if service is not None:
                    yield service


def _is_cheaper_by_name(names: int, rows: int) -> bool:
    return ROWS_A_READ_COSTS * names < rows or names == 0
