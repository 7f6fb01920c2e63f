"""Show the provider at work: the example DAGs on a real Airflow, against the sandbox.

Run by `make demo`. Everything it starts ends with it, and everything it writes is below AIRFLOW_HOME.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HOME = Path(os.environ.setdefault("AIRFLOW_HOME", str(ROOT / ".airflow" / "demo")))
GOOD = ("register_mlflow_service", "upsert_team_services", "upsert_in_chunks", "sync_team_services", "retire_service")
BAD = "fails_on_purpose"
SETTINGS = {
    "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "example_dags"),
    "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
    "AIRFLOW__LOGGING__LOGGING_LEVEL": "WARNING",
    "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{HOME}/airflow.db",
    "PYTHONWARNINGS": "ignore",
}


def main() -> int:
    """Start the sandbox, run the DAGs, print the catalog."""
    HOME.mkdir(parents=True, exist_ok=True)
    os.environ.update(SETTINGS)
    with sandbox() as url:
        os.environ.update(connections(url))
        migrate()
        print(f"The sandbox serves an empty catalog at {url}\n", flush=True)
        states = {dag_id: run(dag_id)[0] for dag_id in GOOD}
        for dag_id, state in states.items():
            print(f"  DAG {dag_id:<26}{state}")
        print("\nWhat is now in the catalog:\n")
        print_catalog()
        state, message = run(BAD)
        print(f"\nDAG {BAD} is wrong on purpose. It ends as {state}, nothing was sent, and its task says:\n")
        print("\n".join(f"    {line}" for line in message.splitlines()))
    as_expected = all(state == "success" for state in states.values()) and state == "failed"
    return 0 if as_expected else 1


@contextmanager
def sandbox() -> Iterator[str]:
    """Serve the sandbox in a process of its own; yield its address."""
    command = [sys.executable, "-m", "airflow_provider_collate.sandbox", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            line = process.stdout.readline() if process.stdout else ""
            yield line.split()[-1].rstrip("/")
        finally:
            process.terminate()


def connections(url: str) -> dict[str, str]:
    """The connections that the DAGs use, as a person would enter them in Airflow's form."""
    from airflow_provider_collate.sandbox import DEFAULT_BOT_TOKEN

    given = {
        "COLLATE_DEFAULT": {"conn_type": "collate", "host": url, "password": DEFAULT_BOT_TOKEN},
        "MLFLOW_TRACKING": {"conn_type": "http", "host": "mlflow.acme.example", "schema": "https"},
        "MLFLOW_REGISTRY": {
            "conn_type": "postgres",
            "host": "db.acme.example",
            "schema": "mlflow",
            "login": "mlflow",
            "password": "s3cret/of the demo",
        },
        "AWS_PROD": {
            "conn_type": "aws",
            "login": "AKIADEMO",
            "password": "another-secret-of-the-demo",
            "extra": {"region_name": "eu-central-1"},
        },
    }
    return {f"AIRFLOW_CONN_{name}": json.dumps(connection) for name, connection in given.items()}


def migrate() -> None:
    """Make Airflow's database, unless an earlier run did."""
    if not (HOME / "airflow.db").exists():
        command = [sys.executable, "-m", "airflow", "db", "migrate"]
        subprocess.run(command, check=True, capture_output=True)


def run(dag_id: str) -> tuple[str, str]:
    """Run a DAG as `dag.test()` does; return its state, and what its failed task said."""
    from airflow.dag_processing.dagbag import DagBag

    dag = DagBag(f"{SETTINGS['AIRFLOW__CORE__DAGS_FOLDER']}/{dag_id}.py").dags[dag_id]
    said: list[str] = []
    for task in dag.tasks:
        task.on_failure_callback = [lambda context: said.append(str(context["exception"]))]
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        dag_run = dag.test()
    return str(dag_run.state), "\n".join(said)


def print_catalog() -> None:
    """Print every service as the catalog shows it."""
    from airflow_provider_collate.hooks.collate import CollateHook

    with CollateHook() as hook:
        services = list(hook.list_services())
    rows = [("name", "type", "version", "tags", "description")]
    rows += [
        (
            str(service["name"]),
            str(service["serviceType"]),
            str(service["version"]),
            ", ".join(map(str, service["tags"])) if isinstance(service["tags"], list) else "",
            str(service["description"] or ""),
        )
        for service in services
    ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        print("  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


if __name__ == "__main__":
    try:
        sys.exit(main())
    except subprocess.CalledProcessError as error:
        traceback.print_exc()
        print(error.stderr, file=sys.stderr)
        sys.exit(1)
