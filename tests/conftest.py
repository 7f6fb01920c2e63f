"""What every test needs: an Airflow of its own, and the material beside the project."""

from __future__ import annotations

import gc
import os
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from tests.installed import build_wheel, make_environment

if TYPE_CHECKING:
    from tests.dags.airflow_home import AirflowHome

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared"
# Folders whose tests take minutes and run only when they are named → how.
ONLY_WHEN_NAMED = {"e2e": "make e2e", "fleet": "make test-fleet"}

# Airflow reads these when it is first imported; its configuration and database stay in the checkout.
os.environ.setdefault("AIRFLOW_HOME", str(ROOT / ".airflow" / version("apache-airflow")))
os.environ.setdefault("AIRFLOW__CORE__DAGS_FOLDER", str(ROOT / "example_dags"))
os.environ.setdefault("AIRFLOW__CORE__LOAD_EXAMPLES", "False")

# How long an example takes says more of the machine than of the code.
settings.register_profile("project", deadline=None)
settings.load_profile("project")


@pytest.fixture(scope="session")
def root() -> Path:
    """The checkout."""
    return ROOT


@pytest.fixture(scope="session")
def migrated_home(tmp_path_factory: pytest.TempPathFactory) -> AirflowHome:
    """An Airflow with a new database; to be copied, not used."""
    from tests.dags.airflow_home import migrated

    return migrated(tmp_path_factory.mktemp("airflow") / "migrated")


@pytest.fixture(scope="session")
def users_python(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of an environment in which the built wheel is installed."""
    pytest.importorskip("hatchling", reason="hatchling, which builds the wheel, is not installed")
    wheel = build_wheel(root, tmp_path_factory.mktemp("wheel"))
    return make_environment(wheel, tmp_path_factory.mktemp("environment"))


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder beside the checkout with recordings and schemas."""
    if not SHARED.is_dir():
        pytest.skip("the recordings and schemas are not beside this checkout (../shared)")
    return SHARED


def pytest_configure() -> None:
    """Refuse a run of CI that would skip all that is checked against recordings and schemas."""
    if os.environ.get("CI") and not SHARED.is_dir():
        raise pytest.UsageError("CI needs the recordings and schemas beside the checkout (../shared)")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Skip what runs only when it is named."""
    named = [Path(argument.partition("::")[0]).resolve() for argument in config.args]
    for folder, command in ONLY_WHEN_NAMED.items():
        here = ROOT / "tests" / folder
        if not any(here in (path, *path.parents) for path in named):
            for item in items:
                if here in item.path.parents:
                    item.add_marker(pytest.mark.skip(reason=f"these tests run when they are named: {command}"))


@pytest.hookimpl(trylast=True)
def pytest_collection_finish() -> None:
    """Let no garbage collection go through Airflow's modules and all tests again: a sixth of the time went there."""
    gc.collect()
    gc.freeze()
