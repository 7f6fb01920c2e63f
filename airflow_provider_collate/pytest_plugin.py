"""A pytest plugin for tests of DAGs: the fixture `collate` is an in-memory Collate.

A project that sets `collate_dags`, its folder of DAGs, in pytest's configuration has an Airflow of its own for the
tests, in a temporary folder, with the connections in `collate_connections`.

pytest loads this module in every run, so it imports next to nothing; the sandbox is loaded by the first test that
uses the fixture.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from airflow_provider_collate.sandbox import Catalog, RecordedRequest
    from airflow_provider_collate.sandbox.faults import Fault

__all__ = ["InMemoryCollate", "collate"]

DEFAULT_CONN_ID = "collate_default"


class InMemoryCollate:
    """What the fixture `collate` gives: a catalog that behaves as recorded and documented, empty for each test.

    :param catalog: the catalog itself, for what is not offered here: data products, models in services, forbidden
        operations, rotated tokens, a narrow role.
    :param url: its address, without `/api`; other processes reach it, too.
    :param monkeypatch: sets environment variables for the length of the test.
    """

    def __init__(self, catalog: Catalog, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
        self.catalog = catalog
        self.url = url
        self._monkeypatch = monkeypatch

    @property
    def services(self) -> Mapping[str, dict[str, object]]:
        """The services that are there, by name: documents as the API shows them, with secrets in clear."""
        return self.catalog.services

    @property
    def deleted(self) -> Mapping[str, dict[str, object]]:
        """The soft-deleted services, by name."""
        return self.catalog.deleted

    @property
    def requests(self) -> list[RecordedRequest]:
        """All requests to the API so far: `method`, `path`, `params`, `status`, `user`, `body`, …"""
        return self.catalog.requests

    @property
    def writes(self) -> int:
        """How many of the requests were writes, whatever came of them."""
        return self.catalog.writes

    @property
    def release(self) -> str:
        """Whose behaviour it has: `2.x`, `1.13`, `1.12` or `1.2`; may be set at any time."""
        return self.catalog.release

    @release.setter
    def release(self, name: str) -> None:
        self.catalog.release = name

    @property
    def token(self) -> str:
        """The bot's token, which the connection carries."""
        return self.catalog.bot_token

    @property
    def connection(self) -> str:
        """The Airflow connection as JSON, as an environment variable `AIRFLOW_CONN_…` takes it."""
        return self._connection(self.token)

    def use_as(self, conn_id: str, *, token: str | None = None) -> None:
        """Make another connection id point here, too, until the test is over.

        :param conn_id: id of an Airflow connection.
        :param token: whose token the connection carries, such as `catalog.admin_token`; the bot's if None.
        """
        self._monkeypatch.setenv(f"AIRFLOW_CONN_{conn_id.upper()}", self._connection(token or self.token))

    def add(self, name: str, service_type: str = "Mlflow", **fields: object) -> dict[str, object]:
        """Add a service, as if a person had made it in the UI.

        :param name: its name.
        :param service_type: its type.
        :param fields: further fields, in snake_case or camelCase: `description`, `connection={"config": {…}}`,
            `tags=["Tier.Tier1"]`; a tag that does not exist is added, too.
        :return: the service.
        :raises ValueError: when there is a service of that name.
        """
        self.catalog.add_service(name, service_type, **self._documented(fields))
        return self.services[name]

    def edit(self, name: str, **fields: object) -> dict[str, object]:
        """Change a service, as if a person had done it in the UI.

        :param name: its name.
        :param fields: what changes, as for `add`; None removes a field.
        :return: the service.
        :raises KeyError: when there is no such service.
        """
        self.catalog.edit_service(name, **self._documented(fields))
        return self.services[name]

    def add_user(self, name: str, email: str = "", display_name: str = "") -> dict[str, object]:
        """Add a user.

        :param name: its name; a real server takes it from the e-mail.
        :param email: its e-mail; the name at `acme.example` if empty.
        :param display_name: how people see it.
        :return: a reference to it, as `owners` takes it.
        """
        from airflow_provider_collate.sandbox import User

        return self.catalog.add_user(User(name, email or f"{name}@acme.example", display_name)).reference()

    def add_team(self, name: str, display_name: str = "") -> dict[str, object]:
        """Add a team.

        :param name: its name.
        :param display_name: how people see it.
        :return: a reference to it, as `owners` takes it.
        """
        return self.catalog.add_team(name, display_name).reference()

    def add_domain(self, name: str) -> dict[str, object]:
        """Add a domain.

        :param name: its fully qualified name; `Parent.Child` is a subdomain.
        :return: a reference to it, as `domains` of `add` and `edit` takes it.
        """
        return self.catalog.add_domain(name).reference()

    def add_tag(self, name: str, *, disabled: bool = False) -> None:
        """Add a tag and its classification.

        :param name: its fully qualified name, such as `Team.ml`.
        :param disabled: whether no service may carry it any more.
        """
        self.catalog.add_tag(name, disabled=disabled)

    def add_glossary_term(self, name: str) -> None:
        """Add a glossary term and its glossary.

        :param name: its fully qualified name, such as `Business.Churn`.
        """
        self.catalog.add_tag(name, glossary=True)

    def fail(
        self,
        times: int | None = 1,
        *,
        status: int | None = None,
        method: str | None = None,
        path: str | None = None,
        latency: float = 0.0,
        lose_answer: bool = False,
        bulk_rows: Mapping[str, tuple[int, str]] | None = None,
    ) -> Fault:
        """Make the next requests fail; `catalog.fail` knows more faults.

        :param times: how many requests it happens to; all from now on if None.
        :param status: answer with this HTTP status instead of doing anything.
        :param method: only requests of this method, such as `PATCH`.
        :param path: only requests whose path holds a match of this regular expression.
        :param latency: seconds until the answer.
        :param lose_answer: the request takes effect, and the connection closes without an answer.
        :param bulk_rows: rows of bulk requests that are refused: name → status and message.
        :return: the fault, whose `hits` counts the requests it happened to.
        """
        return self.catalog.fail(
            times,
            status=status,
            method=method,
            path=path,
            latency=latency,
            lose_answer=lose_answer,
            bulk_rows=bulk_rows,
        )

    def _connection(self, token: str) -> str:
        return json.dumps({"conn_type": "collate", "host": self.url, "password": token})

    def _documented(self, fields: Mapping[str, object]) -> dict[str, Any]:
        """The fields under the API's names, with the tags they name put in the catalog."""
        tags = fields.get("tags")
        for tag in tags if isinstance(tags, list | tuple) else ():
            if isinstance(tag, str) and self.catalog.state.directory.find("tag", tag) is None:
                self.catalog.add_tag(tag)
        from airflow_provider_collate.models.problems import documented_name

        return {documented_name(name): value for name, value in fields.items()}


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add what a project sets to test its DAGs by `dag.test()`."""
    parser.addini("collate_dags", "folder of DAGs; the tests then have an Airflow of their own", type="paths")
    parser.addini("collate_connections", "Airflow's connections for these tests: `id = URI or JSON`", type="linelist")


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """Set up an Airflow for a project that asks for one, before anything can import Airflow, which reads it then."""
    folders = early_config.getini("collate_dags")
    if not folders:
        return
    if "airflow" in sys.modules:
        raise pytest.UsageError("collate_dags: Airflow is imported already, with its other settings")
    home = tempfile.TemporaryDirectory(prefix="airflow-", ignore_cleanup_errors=True)
    patch = pytest.MonkeyPatch()
    early_config.add_cleanup(home.cleanup)
    early_config.add_cleanup(patch.undo)
    patch.setenv("AIRFLOW_HOME", home.name)
    patch.setenv("AIRFLOW__CORE__DAGS_FOLDER", str(folders[0]))
    patch.setenv("AIRFLOW__CORE__LOAD_EXAMPLES", "False")
    for line in early_config.getini("collate_connections"):
        conn_id, _, connection = line.partition("=")
        patch.setenv(f"AIRFLOW_CONN_{conn_id.strip().upper()}", connection.strip())


@pytest.fixture(scope="session")
def collate_airflow(pytestconfig: pytest.Config) -> None:
    """Make the database of the Airflow that `collate_dags` asks for; a few seconds, once."""
    if pytestconfig.getini("collate_dags"):
        command = [sys.executable, "-m", "airflow", "db", "migrate"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - Airflow's own
        if done.returncode:
            pytest.fail(f"Airflow could not make its database:\n{done.stdout}{done.stderr}", pytrace=False)


@pytest.fixture
def collate(monkeypatch: pytest.MonkeyPatch, collate_airflow: None) -> Iterator[InMemoryCollate]:
    """An in-memory Collate for one test; the Airflow connection `collate_default` points to it."""
    try:
        from airflow_provider_collate.sandbox import Catalog
        from airflow_provider_collate.sandbox.server import serve_in_thread
    except ImportError as error:
        needed = "pip install 'airflow-provider-collate[testing]'"
        pytest.fail(f"The fixture `collate` needs {error.name}: {needed}", pytrace=False)
    catalog = Catalog()
    with serve_in_thread(catalog) as url:
        _bypass_proxies(monkeypatch)
        served = InMemoryCollate(catalog, url, monkeypatch)
        served.use_as(DEFAULT_CONN_ID)
        yield served


def _bypass_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the environment's proxies out of the way."""
    others = os.environ.get("no_proxy") or os.environ.get("NO_PROXY")
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.setenv(name, ",".join(filter(None, ("127.0.0.1", others))))
