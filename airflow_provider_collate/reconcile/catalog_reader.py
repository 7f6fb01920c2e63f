"""Read from the catalog what a run needs, in the cheaper of two ways."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import closing

from airflow_provider_collate.client.services import Services
from airflow_provider_collate.exceptions import BrokenReferenceError, NotFoundError
from airflow_provider_collate.models.service import Service
from airflow_provider_collate.reconcile.workers import each_result

log = logging.getLogger(__name__)

# Measured on the real 1.2 server: a listed row takes 0.7 ms. A read by name takes about a dozen of them, 8 in flight.
_ROWS_A_READ_COSTS = 12
# So few names are not worth a page whose rows nobody has counted yet.
_FEW = 10


class CatalogReader:
    """Read services of one kind: one list shows thousands, a few names in a large catalog are cheaper one by one.

    :param services: the endpoints.
    :param max_workers: reads in flight at once.
    :param stopped: tells that the task is to stop.
    """

    def __init__(self, services: Services, *, max_workers: int, stopped: Callable[[], bool]) -> None:
        self._services = services
        self._max_workers = max_workers
        self._stopped = stopped
        self._total: int | None = None
        self.broken: dict[str, str] = {}
        """Services that refer to something that does not exist, and what the server said: read without relations."""

    def read(
        self, names: Collection[str], fields: Collection[str], *, in_scope: Callable[[Service], bool] | None = None
    ) -> Iterator[Service]:
        """Yield the services of these names, soft-deleted ones too, and all in scope, as they are read.

        :param names: names to look for.
        :param fields: fields to ask for beyond the plain ones.
        :param in_scope: which other services are wanted; None for no others.
        :raises RequestError: as `Transport.send`.
        """
        missing = set(names)
        if in_scope is None and self._is_better_by_name(len(missing)):
            yield from self._by_name(missing, fields)
            return
        try:
            for service in self._listed(missing, fields, in_scope):
                missing.discard(service.name)
                yield service
        except NotFoundError as error:
            # One service that refers to a domain that does not exist makes the whole list a 404 (recorded).
            log.warning("The list cannot be read, so services are read one by one: %s", error.message)
            if in_scope is not None:
                missing |= {service.name for page in self._services.pages(include="all") for service in page.services}
            by_name = self._by_name(missing, fields)
            yield from (s for s in by_name if s.name in names or (in_scope is not None and in_scope(s)))

    def _listed(
        self, names: Collection[str], fields: Collection[str], in_scope: Callable[[Service], bool] | None
    ) -> Iterator[Service]:
        missing = set(names)
        listed = 0
        for page in self._services.pages(fields, include="all"):
            listed += len(page.services)
            self._total = page.total
            yield from (s for s in page.services if s.name in missing or (in_scope is not None and in_scope(s)))
            missing -= {service.name for service in page.services}
            if in_scope is None and page.after and _is_cheaper_by_name(len(missing), (page.total or 0) - listed):
                yield from self._by_name(missing, fields)
                return

    def _is_better_by_name(self, names: int) -> bool:
        return names <= _FEW if self._total is None else _is_cheaper_by_name(names, self._total)

    def _by_name(self, names: Collection[str], fields: Iterable[str]) -> Iterator[Service]:
        wanted = tuple(fields)

        def read(name: str) -> Service | None:
            try:
                return self._services.by_name(name, wanted, include="all")
            except BrokenReferenceError as error:
                self.broken[name] = error.message
            return self._services.by_name(name, include="all")

        results = each_result(sorted(names), read, max_workers=self._max_workers, stopped=self._stopped)
        with closing(results):
            yield from (service for _, service in results if service is not None)


def _is_cheaper_by_name(names: int, rows: int) -> bool:
    return _ROWS_A_READ_COSTS * names < rows or names == 0
