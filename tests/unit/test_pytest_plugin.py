from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from textwrap import dedent

import pytest

from airflow_provider_collate.exceptions import PermissionDeniedError
from airflow_provider_collate.hooks.collate import CollateHook
from airflow_provider_collate.pytest_plugin import InMemoryCollate

HEAVY = ("airflow", "httpx", "jwt", "pydantic", "starlette", "tenacity", "uvicorn")
OURS_LOADED = {"airflow_provider_collate", "airflow_provider_collate.pytest_plugin"}
SERVICE = {"name": "a", "serviceType": "Sklearn", "connection": {"config": {"type": "Sklearn"}}}


def run_pytest(folder: Path, tests: str, conftest: str = "", settings: str = "", options: Sequence[str] = ()) -> str:
    """Run tests in a process of their own, as a user does, and return what pytest says."""
    (folder / "test_of_a_user.py").write_text(dedent(tests))
    (folder / "conftest.py").write_text(dedent(conftest))
    (folder / "pytest.ini").write_text(f"[pytest]\n{settings}")
    command = [sys.executable, "-m", "pytest", "-q", "-s", "-p", "no:cacheprovider", *options, str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder)
    return done.stdout + done.stderr


def test_loading_it_loads_next_to_nothing() -> None:
    code = (
        "import json, pytest, sys\n"
        "before = set(sys.modules)\n"
        "import airflow_provider_collate.pytest_plugin\n"
        "print(json.dumps(sorted(set(sys.modules) - before)))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = json.loads(run.stdout)

    assert {name for name in loaded if name.startswith("airflow_provider_collate")} == OURS_LOADED
    assert [name for name in loaded if name.split(".")[0] in HEAVY] == []


def test_pytest_loads_it_by_itself_and_nothing_more_without_the_fixture(tmp_path: Path) -> None:
    said = run_pytest(
        tmp_path,
        """
        import sys

        def test_without_the_fixture(request):
            assert request.config.pluginmanager.hasplugin("collate")
            assert not [name for name in sys.modules if name.startswith("airflow_provider_collate.sandbox")]
            assert "airflow" not in sys.modules
        """,
    )

    assert "1 passed" in said, said


def test_the_environment_is_as_before_when_a_test_is_over(tmp_path: Path) -> None:
    said = run_pytest(
        tmp_path,
        """
        import os

        def environment():
            names = ("AIRFLOW_CONN_COLLATE_DEFAULT", "AIRFLOW_CONN_COLLATE_PROD", "NO_PROXY", "no_proxy")
            return {name: os.environ.get(name) for name in names}

        before = environment()

        def test_with_it(collate):
            collate.use_as("collate_prod")
            assert None not in environment().values()

        def test_without_it():
            assert environment() == before
        """,
    )

    assert "2 passed" in said, said


def test_without_the_server_it_says_what_to_install(tmp_path: Path) -> None:
    said = run_pytest(
        tmp_path, "def test_with_it(collate):\n    pass\n", conftest="import sys\nsys.modules['uvicorn'] = None\n"
    )

    assert "The fixture `collate` needs uvicorn: pip install 'airflow-provider-collate[testing]'" in said
    assert "Traceback" not in said


def test_a_setting_gives_the_tests_an_airflow_of_their_own(tmp_path: Path) -> None:
    said = run_pytest(
        tmp_path,
        """
        import os
        from pathlib import Path

        def test_the_settings(pytestconfig):
            home = Path(os.environ["AIRFLOW_HOME"])
            assert home.is_dir() and not home.is_relative_to(pytestconfig.rootpath)
            assert os.environ["AIRFLOW__CORE__DAGS_FOLDER"] == str(pytestconfig.rootpath / "dags")
            assert os.environ["AIRFLOW_CONN_DB"] == "postgres://u:p@db/x?a=b"
            print("home:", home)
        """,
        settings="collate_dags = dags\ncollate_connections =\n    db = postgres://u:p@db/x?a=b\n",
    )

    assert "1 passed" in said, said
    assert not Path(said.partition("home: ")[2].partition("\n")[0]).exists()


def test_an_airflow_that_was_imported_before_is_refused(tmp_path: Path) -> None:
    (tmp_path / "early.py").write_text("import sys\nsys.modules['airflow'] = sys\n")

    said = run_pytest(tmp_path, "", settings="collate_dags = dags\n", options=["-p", "early"])

    assert "collate_dags: Airflow is imported already" in said


def test_collate_default_points_to_it(collate: InMemoryCollate) -> None:
    assert CollateHook().test_connection() == (
        True,
        "Connected to Collate 2.0.6 as ingestion-bot (bot, token never expires)",
    )


def test_it_is_empty_for_each_test(collate: InMemoryCollate) -> None:
    assert dict(collate.services) == {}
    assert dict(collate.deleted) == {}
    assert collate.requests == []
    assert collate.writes == 0


def test_it_shows_what_was_written(collate: InMemoryCollate) -> None:
    with CollateHook() as hook:
        hook.create_service(SERVICE)
        before = collate.writes
        hook.upsert_service(SERVICE)

    assert collate.services["a"]["serviceType"] == "Sklearn"
    assert collate.writes == before == 1
    [write] = [request for request in collate.requests if request.is_write]
    assert (write.method, write.user, write.status) == ("POST", "ingestion-bot", 201)
    assert write.body == SERVICE


def test_added_services_are_as_a_person_made_them(collate: InMemoryCollate) -> None:
    added = collate.add("b", service_type="Sklearn", display_name="B", description="By hand", tags=["Team.ml"])

    assert added == collate.services["b"]
    assert (added["displayName"], added["description"], added["updatedBy"]) == ("B", "By hand", "admin")
    with CollateHook() as hook:
        shown = hook.get_service("b")
    assert shown is not None
    assert shown["tags"] == ["Team.ml"]
    assert collate.writes == 0


def test_a_service_is_added_once(collate: InMemoryCollate) -> None:
    collate.add("b")

    with pytest.raises(ValueError, match="there is a service b already"):
        collate.add("b")


def test_what_services_refer_to(collate: InMemoryCollate) -> None:
    owner, domain = collate.add_user("maya"), collate.add_domain("Risk")
    collate.add_tag("Team.ml")
    collate.add_glossary_term("Business.Churn")

    added = collate.add("b", owners=[owner], domains=[domain], tags=["Team.ml"])

    assert added["owners"] == [owner]
    assert added["domains"] == [domain]
    assert collate.edit("b", owners=[collate.add_team("risk")])["owners"] != [owner]
    assert collate.catalog.state.directory.find("glossaryTerm", "Business.Churn") is not None


def test_a_person_edits_a_service(collate: InMemoryCollate) -> None:
    collate.add("b", description="Old")

    assert collate.edit("b", description="By hand")["description"] == "By hand"
    assert collate.edit("b", description=None).get("description") is None
    assert collate.services["b"]["version"] == 0.3


def test_deleted_services_are_to_be_seen(collate: InMemoryCollate) -> None:
    collate.add("b")
    with CollateHook() as hook:
        hook.delete_service("b")

    assert "b" not in collate.services
    assert collate.deleted["b"]["deleted"] is True


def test_ordered_faults_happen(collate: InMemoryCollate) -> None:
    fault = collate.fail(status=403, method="POST")

    with CollateHook() as hook, pytest.raises(Exception, match="Ordered fault 403") as raised:
        hook.create_service(SERVICE)
    assert isinstance(raised.value.__cause__, PermissionDeniedError)
    assert fault.hits == 1


def test_a_lost_answer_took_effect(collate: InMemoryCollate) -> None:
    collate.fail(lose_answer=True, method="POST")

    with CollateHook() as hook:
        assert hook.create_service(SERVICE)["outcome"] == "created"
    assert collate.services["a"]["version"] == 0.1


def test_the_release_can_be_chosen(collate: InMemoryCollate) -> None:
    collate.release = "1.2"

    assert collate.release == "1.2"
    assert CollateHook().test_connection()[1].startswith("Connected to Collate 1.2.0 ")
    with pytest.raises(ValueError, match="release must be one of"):
        collate.release = "0.9"


def test_other_connection_ids_and_people(collate: InMemoryCollate) -> None:
    collate.use_as("collate_prod", token=collate.catalog.admin_token)

    assert " as admin (person, " in CollateHook("collate_prod").test_connection()[1]
    assert json.loads(collate.connection) == {"conn_type": "collate", "host": collate.url, "password": collate.token}


def test_other_processes_reach_it(collate: InMemoryCollate) -> None:
    code = "import sys, urllib.request as u; print(u.urlopen(sys.argv[1] + '/api/v1/system/version').read().decode())"
    run = subprocess.run([sys.executable, "-c", code, collate.url], capture_output=True, text=True, check=True)

    assert json.loads(run.stdout)["version"] == "2.0.6"


@pytest.fixture
def proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://proxy.invalid:3128")
    monkeypatch.setenv("NO_PROXY", "intranet.acme.example")
    monkeypatch.delenv("no_proxy", raising=False)


def test_no_proxy_comes_between(proxy: None, collate: InMemoryCollate) -> None:
    assert CollateHook(request_retries=0).test_connection()[0]
    assert os.environ["no_proxy"] == os.environ["NO_PROXY"] == "127.0.0.1,intranet.acme.example"
