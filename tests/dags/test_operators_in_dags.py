"""The operators and sensors as Airflow runs them: templates, mapping, XComs, links, events, waiting."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from airflow import __version__ as airflow_version

from airflow_provider_collate.sandbox import DEFAULT_BOT_TOKEN, Catalog
from tests.dags.airflow_home import AirflowHome, Finished
from tests.unit.conftest import service_in

IS_AIRFLOW_3 = int(airflow_version.split(".", maxsplit=1)[0]) >= 3
EXAMPLE = "wait_for_service"
WAITED_FOR = ("prod_mlflow", "for_worker", "for_reschedule", "for_mapped_0", "for_mapped_1")
NO_SUCH_SERVICE = {"code": 404, "message": "mlmodelService instance not found"}


@pytest.fixture(scope="module")
def home(
    migrated_home: AirflowHome, connections: dict[str, str], root: Path, tmp_path_factory: pytest.TempPathFactory
) -> AirflowHome:
    settings = {**connections, "AIRFLOW_VAR_TRACKING_URI": "http://mlflow:5000"}
    folder = tmp_path_factory.mktemp("operators")
    shutil.copytree(Path(__file__).parent / "dags", folder / "dags", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(root / "example_dags" / f"{EXAMPLE}.py", folder / "dags")
    return migrated_home.copy(folder / "home", folder / "dags", settings)


@pytest.fixture(scope="module")
def finished(home: AirflowHome, catalog: Catalog) -> Finished:
    """All of them once; what waits has to wait for its second look."""
    for name in WAITED_FOR:
        catalog.add_service(name, tags=["Tier.Tier1"])
        catalog.fail(1, status=404, body=NO_SUCH_SERVICE, path=f"/name/{name}$")
    catalog.fail(None, skip=1, status=401, body={"code": 401, "message": "Expired token!"}, path="/name/refused$")
    catalog.state.has_bulk = True
    catalog.add_service("taken", "Sklearn")
    catalog.fail(
        times=None, path="/bulk", bulk_rows=dict.fromkeys(("refused_1", "refused_2"), (400, "name is reserved"))
    )
    return home.run(then=("tasks", "test", "models", "create", "2026-01-02"))


def xcom(home: AirflowHome, dag_id: str, task_id: str, key: str = "return_value", map_index: int = -1) -> Any:
    [row] = home.rows(
        "SELECT value FROM xcom WHERE dag_id = ? AND task_id = ? AND key = ? AND map_index = ?",
        dag_id, task_id, key, map_index,
    )  # fmt: skip
    value = json.loads(row["value"])
    return json.loads(value) if isinstance(value, str) and value.startswith(("{", "[")) else value


def test_the_dags_import_without_a_warning(finished: Finished) -> None:
    assert finished.found["import_errors"] == {}
    assert finished.found["warnings"] == []


def test_no_run_crashed(finished: Finished) -> None:
    assert [run for run in finished.found["runs"].values() if run["state"] == "crashed"] == []


def test_templates_and_default_args(finished: Finished, catalog: Catalog) -> None:
    assert finished.found["runs"]["templates"]["state"] == "success"
    stored = service_in(catalog, "templates_mlflow")
    assert stored["description"].startswith("Run manual__")
    assert stored["connection"]["config"]["trackingUri"] == "http://mlflow:5000"
    assert stored["connection"]["config"]["registryUri"] == "mysql://ml:m4ster-1@db"


def test_rendered_fields_are_stored_without_secrets(finished: Finished, home: AirflowHome) -> None:
    [row] = home.rows("SELECT rendered_fields FROM rendered_task_instance_fields WHERE dag_id = 'templates'")
    assert "templates_mlflow" in row["rendered_fields"]
    assert "m4ster-1" not in row["rendered_fields"]
    assert "***" in row["rendered_fields"]


def test_models_as_arguments(finished: Finished, catalog: Catalog) -> None:
    assert service_in(catalog, "from_a_model")["connection"]["config"]["trackingUri"] == "http://mlflow:5000"


def test_mapped_tasks(finished: Finished, catalog: Catalog, home: AirflowHome) -> None:
    assert set(finished.found["runs"]["mapped"]["tasks"].values()) == {"success"}, finished.output
    assert {"mapped_b", "kwargs_a", "kwargs_b", "lazy_3", "chunk_a", "chunk_b"} <= catalog.services.keys()
    assert "mapped_a" in catalog.deleted
    assert [xcom(home, "mapped", "delete", map_index=n)["outcome"] for n in (0, 1)] == ["deleted", "ignored"]


def test_what_upstream_returned_is_no_template(finished: Finished, catalog: Catalog) -> None:
    assert set(finished.found["runs"]["upstream_texts"]["tasks"].values()) == {"success"}, finished.output
    texts = {name: row["description"] for name, row in catalog.services.items() if name.startswith("text_")}
    assert texts.pop("text_own") == DEFAULT_BOT_TOKEN  # what the author wrote is rendered
    assert set(texts) == {f"text_{way}" for way in ("plain", "rows", "expanded", "expanded_rows", "kwargs", "listed")}
    # As this release of the server stores it: with a comment between the braces.
    assert set(texts.values()) == {"{<!-- -->{ conn.collate_default.password }}"}
    for way in ("plain", "expanded", "kwargs", "listed"):
        assert service_in(catalog, f"text_{way}")["displayName"] == "upstream_texts"


def test_the_hook_in_a_task(finished: Finished, home: AirflowHome) -> None:
    assert finished.found["runs"]["hook_in_task"]["tasks"] == {"register": "success", "refused": "failed"}
    assert xcom(home, "hook_in_task", "register") == ["by_hook"]
    assert 'name: must not contain "::"' in finished.output


def test_a_failed_task_has_its_report(finished: Finished, home: AirflowHome) -> None:
    assert finished.found["runs"]["failing"]["tasks"] == {"refused_rows": "failed", "taken": "failed"}
    report = xcom(home, "failing", "refused_rows", "report")
    assert report["counts"] == {"created": 1, "failed": 2}
    assert xcom(home, "failing", "taken", "report")["counts"] == {"failed": 1}
    assert "'taken' exists already" in finished.output


def test_the_link_leads_to_the_service(finished: Finished, home: AirflowHome, url: str) -> None:
    page = f"{url}/service/mlmodelServices/templates_mlflow"
    assert xcom(home, "templates", "create")["url"] == page
    if IS_AIRFLOW_3:  # which stores links when the task ends
        keys = home.rows("SELECT key, value FROM xcom WHERE dag_id = 'templates' AND task_id = 'create'")
        links = [row["value"] for row in keys if "link" in row["key"].lower()]
        assert links == [json.dumps(page)]


@pytest.mark.skipif(not IS_AIRFLOW_3, reason="asset aliases are not served on Airflow 2.11")
def test_changed_services_are_asset_events_once(finished: Finished, home: AirflowHome, url: str) -> None:
    host = url.removeprefix("http://")
    events = home.rows("SELECT e.source_task_id, e.extra, a.uri FROM asset_event e JOIN asset a ON a.id = e.asset_id")
    assert sorted(event["uri"] for event in events) == [
        f"collate://{host}/mlmodelServices/event_{letter}" for letter in "ab"
    ]
    # Neither task waits for the other: whichever came first made both.
    assert {event["source_task_id"] for event in events} in ({"changed_0"}, {"changed_1"})
    assert json.loads(events[0]["extra"])["outcome"] == "created"


def test_airflow_tasks_test_runs_one_task(finished: Finished) -> None:
    assert "from_a_model: unchanged" in finished.output


def looks(catalog: Catalog, name: str) -> list[int]:
    """Return the status of each answer to a request for a service."""
    return [request.status for request in catalog.requests if request.path.endswith(f"/name/{name}")]


def test_the_example_waits_in_the_triggerer_and_goes_on(
    finished: Finished, catalog: Catalog, home: AirflowHome, url: str
) -> None:
    assert finished.found["runs"][EXAMPLE]["tasks"] == {"wait": "success", "announce": "success"}
    page = f"{url}/service/mlmodelServices/prod_mlflow"
    assert xcom(home, EXAMPLE, "wait")["url"] == page
    assert xcom(home, EXAMPLE, "announce") == f"prod_mlflow is a tier 1 service now: {page}"
    assert "Waiting: prod_mlflow is not there" in finished.output
    assert looks(catalog, "prod_mlflow") == [404, 200]


@pytest.mark.parametrize("task", ["worker", "reschedule"])
def test_it_waits_in_a_worker_too(finished: Finished, catalog: Catalog, home: AirflowHome, task: str) -> None:
    assert finished.found["runs"]["waits"]["tasks"][task] == "success"
    assert xcom(home, "waits", task)["name"] == f"for_{task}"
    assert looks(catalog, f"for_{task}") == [404, 200]


@pytest.mark.parametrize("index", [0, 1])
def test_mapped_tasks_wait_each_for_its_own(finished: Finished, catalog: Catalog, index: int) -> None:
    assert finished.found["runs"]["waits"]["tasks"][f"mapped[{index}]"] == "success"
    assert looks(catalog, f"for_mapped_{index}") == [404, 200]


def test_a_timeout_in_the_triggerer_fails_the_task_or_skips_it(finished: Finished, catalog: Catalog) -> None:
    tasks = finished.found["runs"]["waits"]["tasks"]
    assert (tasks["late"], tasks["skipped"]) == ("failed", "skipped")
    assert "AirflowSensorTimeout" in finished.output
    assert ": late is not there" in finished.output
    assert looks(catalog, "late")[:2] == [404, 404]


def test_a_token_that_is_refused_in_the_triggerer_fails_the_task_at_once(finished: Finished, catalog: Catalog) -> None:
    assert finished.found["runs"]["waits"]["tasks"]["refused"] == "failed"
    assert "Collate answered 401: Expired token!" in finished.output
    assert looks(catalog, "refused") == [404, 401]


def test_no_token_is_in_the_log_or_the_database(finished: Finished, home: AirflowHome) -> None:
    output = finished.output
    if airflow_version.startswith("3.0."):  # dag.test() prints what a task sends to its supervisor as it is
        output = "".join(line for line in output.splitlines(keepends=True) if "msg=" not in line)
    assert DEFAULT_BOT_TOKEN not in output
    for file in home.path.rglob("*"):
        assert not file.is_file() or DEFAULT_BOT_TOKEN.encode() not in file.read_bytes(), file
