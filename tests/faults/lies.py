"""Faults of what the server shows and of what happens meanwhile: answers that are not true, and other people."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from airflow_provider_collate.sandbox import INGESTION_BOT, Catalog
from tests.faults.behaviours import long_body
from tests.faults.fault import Fault, Prepare, first_write, truth, writes
from tests.faults.rig import Surroundings, connection
from tests.faults.server import Behaviour, Exchange, Received

_LIST = re.compile(r"/api/v1/services/mlmodelServices(\?|$)")
_NAME = re.compile(r"(?<=/services/mlmodelServices/name/)[^?]+")


def _reads(place: re.Pattern[str], behaviour: Behaviour) -> Prepare:
    """Each reading of a list, or by a name, meets it."""

    def prepare(around: Surroundings) -> None:
        around.behave = lambda received: behaviour if _is_read(received, place) else None

    return prepare


def _is_read(received: Received, place: re.Pattern[str]) -> bool:
    return received.method == "GET" and place.search(received.target) is not None


def _edited(change: Callable[[dict[str, Any]], None]) -> Behaviour:
    """Answer what is true, edited."""

    def behaviour(exchange: Exchange) -> None:
        answer = exchange.truth()
        document = json.loads(answer.body)
        change(document)
        exchange.answer(replace(answer, body=json.dumps(document).encode()))

    return behaviour


def _another(exchange: Exchange) -> None:
    request = exchange.received.request
    exchange.answer(exchange.handle(replace(request, target=_NAME.sub("somebody", request.target))))


def _shows_another(around: Surroundings) -> None:
    around.catalog.add_service("somebody")
    _reads(_NAME, _another)(around)


def _without_tags(around: Surroundings) -> None:
    def strip(document: dict[str, Any]) -> None:
        for service in document.get("data", [document]):
            service.pop("tags", None)

    around.declares["tags"] = ["Tier.Tier1"]
    place = re.compile("/services/mlmodelServices.*fields=[^&]*tags")
    _reads(place, _edited(strip))(around)


def _shorter(*, times: int) -> Prepare:
    """The list lacks its last service, though its total counts it."""

    def prepare(around: Surroundings) -> None:
        left = [_edited(lambda document: document["data"].pop())] * times
        around.behave = lambda received: left.pop() if left and _is_read(received, _LIST) else None

    return prepare


def _endless(exchange: Exchange) -> None:
    """Answer the first page again and again, each time with another cursor."""
    received = exchange.received
    request = replace(received.request, target=re.sub("&after=[^&]*", "", received.request.target))
    answer = exchange.handle(request)
    document = json.loads(answer.body)
    document["paging"]["after"] = f"cursor{received.number}"
    exchange.answer(replace(answer, body=json.dumps(document).encode()))


def _too_large(around: Surroundings) -> None:
    """Pages of 200 rows and more are larger than is read."""

    def behave(received: Received) -> Behaviour | None:
        asked = int(received.request.params.get("limit", "0"))
        return long_body(65 * 2**20) if _is_read(received, _LIST) and asked >= 200 else None

    around.behave = behave


def _lags(*, readings: int) -> Prepare:
    """So many readings of services after a write show them as they were before it."""

    def prepare(around: Surroundings) -> None:
        before = Catalog()
        before.state = copy.deepcopy(around.catalog.state)
        left: list[int] = []

        def stale(exchange: Exchange) -> None:
            exchange.answer(before.handle(exchange.received.request))

        def behave(received: Received) -> Behaviour | None:
            if writes(received, around) and not left:
                left.append(readings)
            if not left or not left[0] or not (_is_read(received, _LIST) or _is_read(received, _NAME)):
                return None
            left[0] -= 1
            return stale

        around.behave = behave

    return prepare


def _somebody_made_an_empty_one(around: Surroundings) -> None:
    def race(exchange: Exchange) -> None:
        around.catalog.add_service("fraud_a")
        around.edits += 1
        truth(exchange)

    first_write(race)(around)


def _edits(*, always: bool) -> Prepare:
    """Somebody edits a service after it was read and before it is written."""

    def prepare(around: Surroundings) -> None:
        if "fraud_b" not in around.catalog.services:
            around.catalog.add_service("fraud_b", user=INGESTION_BOT, connection=connection(), description="old")

        def edit(exchange: Exchange) -> None:
            around.edits += 1
            around.catalog.edit_service("fraud_b", displayName=f"By hand {around.edits}")
            truth(exchange)

        def behave(received: Received) -> Behaviour | None:
            return edit if received.method == "PATCH" and (always or not around.edits) else None

        around.behave = behave

    return prepare


LIES: dict[str, tuple[Fault, ...]] = {
    "Answers that are not true": (
        Fault(
            "Readings by name show another service",
            _shows_another,
            "retry 1 | retry 1 | retry 1 | – | –",
            "Collate was asked for the ML model service 'fraud_a' and answered 'somebody'",
        ),
        Fault(
            "Services are shown without the tags that were asked for",
            _without_tags,
            "retry 2 | retry 4 | retry 4 | retry 1 | –",
            "Collate was asked for the tags of the ML model service 'fraud_",
        ),
        Fault("The list is shorter than it says, once", _shorter(times=1), "– | – | – | ok 1 | –"),
        Fault(
            "The list is shorter than it says, always",
            _shorter(times=99),
            "– | – | – | retry 2 | –",
            "The list ended after 1 services, though its pages told of 2",
        ),
        Fault(
            "The list does not end",
            _reads(_LIST, _endless),
            "– | – | – | retry 2 | –",
            "The list does not end: 4 services came, and it told of 2",
        ),
        Fault("A page of the list is larger than 64 MiB: half of it is asked for", _too_large, "– | – | – | ok 1 | –"),
        Fault(
            "Two readings after a write show the catalog before it", _lags(readings=2), "ok 2 | ok 2 | ok 2 | ok 2 | –"
        ),
        Fault(
            "No reading after a write shows it",
            _lags(readings=999),
            "retry 7 | retry 30 | retry 21 | retry 7 | –",
            "created, but what is read does not show it: Collate answered 409: Entity already exists",
            of_rows="fraud_a: failed: ",
        ),
    ),
    "Other people at the same time": (
        Fault(
            "Somebody creates the same service, without anything in it",
            _somebody_made_an_empty_one,
            "fail 1 | ok 1 | ok 1 | ok 1 | –",
            "'fraud_a' exists already",
        ),
        Fault(
            "Somebody edits a service between plan and write, once", _edits(always=False), "– | ok 1 | ok 1 | ok 1 | –"
        ),
        Fault(
            "Somebody edits a service between plan and write, always",
            _edits(always=True),
            "– | retry 2 | retry 2 | retry 2 | –",
            "fraud_b: failed: The service was changed by someone else meanwhile, so the patch was not applied",
        ),
    ),
}
