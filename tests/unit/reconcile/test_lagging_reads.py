"""Reads that lag behind writes: they are waited for, for a while."""

from __future__ import annotations

from typing import Any

import httpx

from airflow_provider_collate.client.client import CollateClient
from airflow_provider_collate.client.config import ClientConfig
from airflow_provider_collate.kinds.mlmodel import ML_MODEL
from airflow_provider_collate.reconcile.engine import Reconciler
from airflow_provider_collate.reconcile.options import RunOptions
from airflow_provider_collate.reconcile.report import Outcome, RowResult
from airflow_provider_collate.reconcile.scope import PruneScope
from airflow_provider_collate.sandbox import InProcessTransport
from tests.unit.reconcile.workbench import Row, Workbench, declared_services, error_of, sklearn


class Lagging(httpx.BaseTransport):
    """Answers reads as before the latest write, until some seconds after it; time passes only by sleeping."""

    def __init__(self, bench: Workbench, lag: float) -> None:
        self.inner, self.lag = InProcessTransport(bench.catalog), lag
        self.now = self.wrote_at = 0.0
        self.seen: dict[str, tuple[int, bytes]] = {}

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if request.method != "GET":
            self.wrote_at = self.now
            return self.inner.handle_request(request)
        at = str(request.url)
        if at not in self.seen or self.now - self.wrote_at >= self.lag:
            answer = self.inner.handle_request(request)
            self.seen[at] = (answer.status_code, answer.read())
        status, body = self.seen[at]
        return httpx.Response(status, stream=httpx.ByteStream(body))


def run(bench: Workbench, row: Row, lag: float, **options: Any) -> RowResult:
    network = Lagging(bench, lag)
    config = ClientConfig("http://catalog.example/api")
    client = CollateClient(config, lambda: bench.catalog.bot_token, http=network, sleep=network.sleep)
    return Reconciler(client, ML_MODEL, RunOptions(**options)).run(declared_services([row])).rows[-1]


def test_a_creation_is_waited_for(bot: Workbench) -> None:
    assert run(bot, sklearn(), lag=5).outcome is Outcome.CREATED
    assert len(bot.writes()) == 1


def test_a_catalog_that_shows_what_was_written_is_not_waited_for(bot: Workbench) -> None:
    bot.run([sklearn("a"), sklearn("b", description="Old")])
    report = bot.run([sklearn("a"), sklearn("b", description="New"), sklearn("c")])
    assert report.counts == {"unchanged": 1, "updated": 1, "created": 1}
    assert bot.waits == []


def test_an_update_is_waited_for_and_not_taken_for_somebody_else_s(bot: Workbench) -> None:
    bot.run([sklearn(description="Old")])
    assert run(bot, sklearn(description="New", tags=["PII.None"]), lag=5).outcome is Outcome.UPDATED
    assert len(bot.sent("PATCH")) == 1


def test_a_deletion_is_waited_for(bot: Workbench) -> None:
    bot.run([sklearn("s1"), sklearn("s2")])
    pruning: Any = {"prune": "soft", "prune_scope": PruneScope(name_prefix="s"), "max_prune": 1}
    assert run(bot, sklearn("s1"), lag=5, **pruning).outcome is Outcome.DELETED


def test_not_for_ever(bot: Workbench) -> None:
    bot.run([sklearn()])
    assert run(bot, sklearn(displayName="New"), lag=1_000).outcome is Outcome.UNAPPLIED


def test_a_creation_that_is_never_shown_is_left_to_airflows_retries(bot: Workbench) -> None:
    row = run(bot, sklearn(), lag=1_000)
    error = error_of(row)
    assert row.outcome is Outcome.FAILED
    assert error.message.startswith("created, but what is read does not show it: ")
    assert (error.retryable, "the next attempt tries again" in error.advice) == (True, True)
