from __future__ import annotations

import pytest

from airflow_provider_collate.sandbox import Catalog
from tests.unit.reconcile.workbench import Workbench


@pytest.fixture
def bot() -> Workbench:
    """Today's server with a bulk endpoint, by a bot's token."""
    return Workbench(Catalog(has_bulk=True))


@pytest.fixture
def person() -> Workbench:
    """Today's server, by a person's token."""
    return Workbench(Catalog(), is_bot=False)


@pytest.fixture
def old_bot() -> Workbench:
    """A 1.2 server, by a bot's token."""
    return Workbench(Catalog("1.2"))


@pytest.fixture
def old_person() -> Workbench:
    """A 1.2 server, by a person's token."""
    return Workbench(Catalog("1.2"), is_bot=False)


@pytest.fixture(params=["2.x, bot", "2.x, person", "1.2, bot", "1.2, person"])
def anyone(request: pytest.FixtureRequest) -> Workbench:
    """Each server by each kind of token."""
    release, _, who = request.param.partition(", ")
    return Workbench(Catalog(release), is_bot=who == "bot")
