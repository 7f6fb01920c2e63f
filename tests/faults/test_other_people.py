"""People who edit the catalog while runs go on: nothing of theirs is lost, and no run is green that should not be."""

from __future__ import annotations

import random
from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from itertools import cycle
from typing import Any

import httpx
import pytest

from airflow_provider_collate.exceptions import CollateError
from airflow_provider_collate.reconcile.report import Outcome, Report
from airflow_provider_collate.reconcile.scope import PruneScope
from airflow_provider_collate.sandbox import ANA, Catalog
from tests.property.declarations import contents
from tests.unit.reconcile.workbench import Workbench, mlflow

NAMES = [f"team_{number:02}" for number in range(12)]
OPTIONS: dict[str, Any] = {
    "prune": "soft",
    "prune_scope": PruneScope(name_prefix="team_"),
    "max_prune": "100%",
    "max_workers": 1,
}
FIELDS = ("displayName", "owners", "tags", "description")
"""What a person may set on a declared service, and no run may take away."""
BY_THE_BOT = ("Declared 0", "admin", "Tier.Tier1")
SOAK = [pytest.param(200, seed, marks=pytest.mark.soak) for seed in (1, 2)]

Row = dict[str, Any]


def row(name: str, version: int = 0) -> Row:
    """What is declared; the other version differs in all that a patch replaces as a whole, such as the list of tags."""
    owner, tag = (("admin", "Tier.Tier1"), ("ml-platform", "Tier.Tier2"))[version]
    words: Row = {"description": f"Declared {version}", "owners": [owner], "tags": [tag]}
    return mlflow(name, f"http://{name}.acme.example", **words)


class Person:
    """Somebody who edits services at random, and knows what of it has to be there ever after.

    :param chance: chooses what is done.
    """

    def __init__(self, catalog: Catalog, chance: random.Random) -> None:
        self.catalog = catalog
        self.chance = chance
        self.wrote: dict[tuple[str, str], str] = {}
        self.made: set[str] = set()
        self.edits = 0

    def interrupt(self, request: httpx.Request, often: float) -> None:
        """Edit something before some requests, and before half of the patches the very service that they change."""
        if request.method == "PATCH" and self.chance.random() < 0.5:
            self.edit(self.chance.choice(FIELDS), name_of(request, self.catalog))
        elif self.chance.random() < often:
            names = [*sorted(self.catalog.services), "team_other", "other"]
            self.edit(self.chance.choice([*FIELDS, "trackingUri"]), self.chance.choice(names))

    def edit(self, field: str, name: str) -> None:
        """Edit a service that is there, or create one that no declaration speaks for."""
        self.edits += 1
        if name not in self.catalog.services:
            name = f"{name}_{self.edits}"
            self.catalog.add_service(name, user=ANA)
            self.made.add(name)
        value = {"owners": "ana", "tags": "PII.Sensitive", "trackingUri": f"http://{self.edits}.acme.example"}
        text = value.get(field, f"By hand {self.edits}")
        write(self.catalog, name, field, text)
        self.wrote[name, field] = text

    def lost(self) -> list[tuple[str, str]]:
        """What the catalog does not show any more, though it should: of a declared connection the declaration wins."""
        gone = [(name, "the service") for name in self.made if name not in self.catalog.services]
        theirs = {key: value for key, value in self.wrote.items() if key[0] not in NAMES or key[1] != "trackingUri"}
        return gone + [key for key, value in theirs.items() if value not in shown(self.catalog, *key)]

    def conflicts(self, names: Sequence[str]) -> set[str]:
        """Which of the services have another text or owner than is declared."""
        return {name for name, field in self.wrote if field in ("description", "owners") and name in names}


def name_of(request: httpx.Request, catalog: Catalog) -> str:
    """The name of the service that a patch is for."""
    service_id = request.url.path.rpartition("/")[2]
    return next(name for name, service in catalog.services.items() if service["id"] == service_id)


def write(catalog: Catalog, name: str, field: str, value: str) -> None:
    service: dict[str, Any] = {**catalog.services[name]}
    if field == "owners":
        catalog.edit_service(name, user=ANA, owners=[catalog.state.directory.by_name("user", value)])
    elif field == "tags":
        others = [tag for tag in service["tags"] if tag["tagFQN"] != value]
        catalog.edit_service(name, user=ANA, tags=[*others, value])
    elif field == "trackingUri":
        config = {**service.get("connection", {}).get("config", {"type": "Mlflow"}), "trackingUri": value}
        catalog.edit_service(name, user=ANA, connection={"config": config})
    else:
        catalog.edit_service(name, user=ANA, **{field: value})


def shown(catalog: Catalog, name: str, field: str) -> list[str]:
    """The values of a field, of a deleted service too."""
    service: dict[str, Any] = {**(catalog.services.get(name) or catalog.deleted[name])}
    if field == "owners":
        return [owner["name"] for owner in service["owners"]]
    if field == "tags":
        return [tag["tagFQN"] for tag in service["tags"]]
    if field == "trackingUri":
        return [service["connection"]["config"]["trackingUri"]]
    return [str(service.get(field))]


def is_green(report: Report) -> bool:
    return report.error() is None


def assert_no_false_green(
    report: Report, rows: Sequence[Row], person: Person, edited_before: set[str], kept: Collection[str] = ()
) -> None:
    """A success shows what is declared, or what somebody wrote; what was a conflict before the run is reported.

    :param kept: what somebody else has set, and a row may keep.
    """
    ends = {result.name: result.outcome for result in report.rows}
    for declared in rows:
        name = declared["name"]
        if ends[name] in (Outcome.FAILED, Outcome.UNAPPLIED, Outcome.NOT_SENT):
            continue
        assert name in person.catalog.services
        wanted = {
            "description": declared["description"],
            "trackingUri": declared["connection"]["config"]["trackingUri"],
            "tags": declared["tags"][0],
            "owners": declared["owners"][0],
        }
        for field, value in wanted.items():
            values = shown(person.catalog, name, field)
            theirs = {person.wrote.get((name, field)), *(kept if ends[name] is Outcome.KEPT else ())}
            assert value in values or theirs.intersection(values), (name, field, values, ends[name])
        assert name not in edited_before or ends[name] in (Outcome.CONFLICT, Outcome.KEPT), (name, ends[name])


@pytest.mark.parametrize("choice", ["fail", "keep"])
def test_a_person_is_quicker_at_every_service(choice: str) -> None:
    """Each first patch of a service arrives right after the person's edit of it, so that only its guard holds it."""
    person = Person(Catalog(), random.Random(0))  # noqa: S311 - nothing is left to chance here
    bench = Workbench(person.catalog)
    bench.run([row(name) for name in NAMES], **OPTIONS)
    fields: Iterator[str] = cycle(FIELDS)

    def interrupt(request: httpx.Request) -> None:
        if request.method != "PATCH":
            return
        name = name_of(request, person.catalog)
        if name not in (edited for edited, _ in person.wrote):
            person.edit(next(fields), name)

    bench.before = interrupt
    rows = [row(name, version=1) for name in NAMES]
    report = bench.run(rows, on_conflict=choice, **OPTIONS)
    assert person.edits == len(NAMES)
    assert person.lost() == []
    assert_no_false_green(report, rows, person, person.conflicts(NAMES))
    kept = {"fail": "conflict", "keep": "kept"}[choice]
    assert report.counts == {"updated": len(NAMES) // 2, kept: len(NAMES) // 2}


@pytest.mark.parametrize("choice", ["fail", "keep"])
@pytest.mark.parametrize("runs, seed", [(10, 0), *SOAK])
def test_a_person_edits_while_a_sync_runs_again_and_again(runs: int, seed: int, choice: str) -> None:
    chance = random.Random(seed)  # noqa: S311 - must repeat, not surprise
    catalog = Catalog()
    person = Person(catalog, chance)
    bench = Workbench(catalog)

    def interrupt(request: httpx.Request) -> None:
        person.interrupt(request, 0.05)

    for number in range(runs):
        rows = [row(name, number % 2) for name in chance.sample(NAMES, chance.randrange(6, len(NAMES) + 1))]
        edited_before = person.conflicts([declared["name"] for declared in rows])
        bench.before = interrupt
        catalog.stop_failing()
        catalog.fail_randomly(chance.choice([0.0, 0.05]), seed=number, kinds=("503", "lost_answer", "reset"))
        try:
            report = bench.run(rows, on_conflict=choice, **OPTIONS)
        except CollateError:
            pass  # the catalog could not be read; the next run goes on
        else:
            assert_no_false_green(report, rows, person, edited_before)
            assert not is_green(report) or choice == "keep" or not edited_before
        assert person.lost() == []

    catalog.stop_failing()
    bench.before = lambda request: None
    every = [row(name) for name in NAMES]
    bench.run(every, on_conflict=choice, **OPTIONS)
    written = catalog.writes
    last = bench.run(every, on_conflict=choice, **OPTIONS)
    assert catalog.writes == written
    assert_no_false_green(last, every, person, person.conflicts(NAMES))
    assert contents(catalog) == undisturbed(every, person, choice)
    assert person.edits > runs / 2


def undisturbed(rows: Sequence[Row], person: Person, choice: str) -> dict[str, Any]:
    """What a catalog holds where one run came first, then the person, and then another run."""
    catalog = Catalog()
    bench = Workbench(catalog)
    bench.run(rows, on_conflict=choice, **OPTIONS)
    for name, field in person.wrote:
        if name not in catalog.services:
            catalog.add_service(name, user=ANA)
        write(catalog, name, field, person.wrote[name, field])
    bench.run(rows, on_conflict=choice, **OPTIONS)
    return contents(catalog)


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.soak) for seed in range(1, 50))])
def test_two_runs_at_once_and_a_person(seed: int) -> None:
    """The second run comes as a whole between two requests of the first, which is what a guard has to hold against."""
    chance = random.Random(seed)  # noqa: S311 - must repeat, not surprise
    catalog = Catalog()
    person = Person(catalog, chance)
    one, other = Workbench(catalog), Workbench(catalog, is_bot=chance.random() < 0.5)
    old = [row(name) for name in NAMES[:8]]
    one.run(old, on_conflict="keep", **OPTIONS)
    rows = [row(name, version=1) for name in NAMES[2:]]
    meets = chance.randrange(40)
    seen: list[httpx.Request] = []
    reports: list[Report] = []

    def interrupt(request: httpx.Request) -> None:
        seen.append(request)
        if len(seen) == meets:
            reports.append(other.run(rows, on_conflict="keep", **OPTIONS))
        else:
            person.interrupt(request, 0.1)

    one.before = interrupt
    reports.append(one.run(rows, on_conflict="keep", **OPTIONS))
    one.before = lambda request: None
    assert person.lost() == []
    assert_no_false_green(reports[-1], rows, person, set())
    for report in reports[:-1]:
        # To a person's token what the bot set is somebody else's; the bot's own run may have failed there.
        assert_no_false_green(report, rows, person, set(), kept=() if other.is_bot else BY_THE_BOT)

    one.run(rows, on_conflict="keep", **OPTIONS)
    last = one.run(rows, on_conflict="keep", **OPTIONS)
    assert is_green(last)
    assert {result.outcome for result in last.rows} <= {Outcome.UNCHANGED, Outcome.KEPT}
    assert person.lost() == []
    assert not set(NAMES[:2]) & set(catalog.services) or person.conflicts(NAMES[:2])


class Rival:
    """Somebody who makes services under the names that are declared, and deletes those of others."""

    def __init__(self, catalog: Catalog, chance: random.Random) -> None:
        self.catalog = catalog
        self.chance = chance
        self.made: dict[str, str] = {}
        self.deleted: set[str] = set()

    def act(self) -> None:
        """Make a service, also in place of another that is deleted for good, or delete one so that it can come back."""
        name = self.chance.choice([*NAMES, "team_other", "other"])
        if name in self.made or name in self.catalog.deleted:
            return
        there = name in self.catalog.services
        if there and self.chance.random() < 0.5:
            self.catalog.remove_service(name, user=ANA)
            self.deleted.add(name)
            return
        if there:
            self.catalog.remove_service(name, hard=True, user=ANA)
        self.made[name] = f"Made by hand {len(self.made)}"
        self.catalog.add_service(name, user=ANA, description=self.made[name])

    def undone(self) -> list[str]:
        """The services that are not as she left them."""
        present = self.catalog.services
        lost = [name for name, text in self.made.items() if name not in present or present[name]["description"] != text]
        return lost + [name for name in self.deleted if name in present]


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.soak) for seed in range(1, 50))])
def test_somebody_makes_and_deletes_services_while_syncs_run(seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - must repeat, not surprise
    catalog = Catalog(chance.choice(["1.2", "1.12", "1.13", "2.x"]), has_bulk=chance.random() < 0.5)
    rival = Rival(catalog, chance)
    bench = Workbench(catalog, is_bot=chance.random() < 0.7)
    options = {**OPTIONS, "prune": chance.choice(["soft", "hard"])}

    def interrupt(request: httpx.Request) -> None:
        if chance.random() < 0.05:
            rival.act()

    bench.before = interrupt
    for number in range(25):
        rows = [row(name, number % 2) for name in chance.sample(NAMES, chance.randrange(4, len(NAMES) + 1))]
        catalog.fail_randomly(chance.choice([0.0, 0.08]), seed=number, kinds=("503", "lost_answer", "reset"))
        with suppress(CollateError):  # the catalog could not be read; the next run goes on
            bench.run(rows, on_conflict=chance.choice(["fail", "keep"]), **options)
        assert rival.undone() == []
        rival.deleted &= set(catalog.deleted)  # a run may have deleted for good what was going anyway
    assert len(rival.made) > 3
