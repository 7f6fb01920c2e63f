"""Show the provider at work: the example DAGs on a real Airflow, against an in-memory catalog.

Run by `make demo`. It leaves nothing running, and everything it writes is below AIRFLOW_HOME.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
import sys
import textwrap
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from airflow_provider_collate.sandbox import ANA, DEFAULT_BOT_TOKEN, Catalog
from airflow_provider_collate.sandbox.server import serve_in_thread

ROOT = Path(__file__).resolve().parent.parent
HOME = Path(os.environ.setdefault("AIRFLOW_HOME", str(ROOT / ".airflow" / "demo")))
EXAMPLES = (
    "register_mlflow_service",
    "upsert_team_services",
    "upsert_in_chunks",
    "sync_team_services",
    "retire_service",
)
SETTINGS = {
    "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "example_dags"),
    "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
    "AIRFLOW__LOGGING__LOGGING_LEVEL": "WARNING",
    "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{HOME}/airflow.db",
    "PYTHONWARNINGS": "ignore",
}
SKLEARN: dict[str, Any] = {"serviceType": "Sklearn", "connection": {"config": {"type": "Sklearn"}}}
RESEARCH: dict[str, Any] = {"prune": "soft", "prune_scope": {"name_prefix": "research_"}, "max_prune": 1}


def main() -> int:
    """Show each scene; return 0 if every DAG run ended as it should."""
    HOME.mkdir(parents=True, exist_ok=True)
    os.environ.update(SETTINGS)
    catalog = Catalog()
    with serve_in_thread(catalog) as url:
        os.environ.update(connections(url))
        migrate()
        print(f"An in-memory Collate, at {url}. Its catalog has no services yet.")
        scenes = (show_examples, show_refused_prune, show_conflict, show_misspelt_tag, show_invalid_rows)
        as_expected = [scene(catalog) for scene in scenes]
    return 0 if all(as_expected) else 1


def show_examples(catalog: Catalog) -> bool:
    """Run the example DAGs and print what is in the catalog afterwards."""
    title("The example DAGs", "Owners and tags are declared by name; connections come from Airflow connections.")
    states = {name: run(example(name))[0] for name in EXAMPLES}
    for name, state in states.items():
        print(f"    {name:<26}{state}")
    print("\nWhat is in the catalog now:\n")
    print_catalog()
    return set(states.values()) == {"success"}


def show_refused_prune(catalog: Catalog) -> bool:
    """Sync half of a list: first the plan, then the run, which is refused."""
    title(
        "A plan, and a sync that is refused",
        "By mistake, a list has only half of the research team's services. The plan of a sync with max_prune=1:",
    )
    from airflow_provider_collate.hooks.collate import CollateHook

    half = [
        {"name": "research_0", "description": "Notebooks on **churn**", **SKLEARN},
        {"name": "research_1", "tags": ["Tier.Tier3"], **SKLEARN},
        {"name": "research_2", "description": "Notebooks of the research team", **SKLEARN},
        {"name": "research_new", "owners": ["team:ml-platform"], **SKLEARN},
    ]
    before = catalog.writes
    with CollateHook() as hook:
        print_indented(hook.plan(half, **RESEARCH).text())
        message = failure_of(lambda: hook.sync_services(half, **RESEARCH))
    print("\nThe sync itself fails, and nothing is written:\n")
    print_indented(message)
    return "max_prune" in message and catalog.writes == before


def show_conflict(catalog: Catalog) -> bool:
    """Let a person edit a description, and run the DAG that declares another one again."""
    title(
        "What a person wrote is kept",
        "Ana edits the description of prod_mlflow in Collate. Then the DAG that declares another one runs again.",
    )
    catalog.edit_service("prod_mlflow", user=ANA, description="Ask Ana before you retrain")
    state, message = run(example("register_mlflow_service"))
    print(f"The task ends as {state}, and says:\n")
    print_indented(message)
    description = catalog.services["prod_mlflow"]["description"]
    print(f"\nThe catalog still has: {description}")
    return state == "failed" and description == "Ask Ana before you retrain"


def show_misspelt_tag(catalog: Catalog) -> bool:
    """Declare a tag that does not exist, beside a service that is right."""
    title(
        "A misspelt tag costs nothing",
        "A server refuses a tag that it does not know, and OpenMetadata 1.2 then drops the tags that were there.",
    )
    from airflow_provider_collate.hooks.collate import CollateHook

    rows = [
        {"name": "prod_mlflow", "serviceType": "Mlflow", "connection": None, "tags": ["Tier.Teir1"]},
        {"name": "research_1", "tags": ["Tier.Tier2"], **SKLEARN},
    ]
    with CollateHook() as hook:
        print_indented(failure_of(lambda: hook.bulk_upsert_services(rows)))
    print("\nThe other service has its tag, and prod_mlflow has lost none:\n")
    print_catalog("prod_mlflow", "research_1")
    return bool(catalog.services["prod_mlflow"]["tags"] and catalog.services["research_1"]["tags"])


def show_invalid_rows(catalog: Catalog) -> bool:
    """Run the example DAG whose rows are invalid."""
    title("Mistakes are found before anything is sent", "DAG fails_on_purpose has several of them.")
    state, message = run(example("fails_on_purpose"))
    print_indented(message)
    return state == "failed"


def connections(url: str) -> dict[str, str]:
    """Return the connections that the DAGs use, as a person would enter them in Airflow's form."""
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


def example(dag_id: str) -> Any:
    """Return a DAG of the folder `example_dags`."""
    from airflow.dag_processing.dagbag import DagBag

    return DagBag(f"{SETTINGS['AIRFLOW__CORE__DAGS_FOLDER']}/{dag_id}.py").dags[dag_id]


def failure_of(call: Callable[[], object]) -> str:
    """Return what a call of the hook fails with; in a task, Airflow logs it and fails the task."""
    from airflow.sdk.exceptions import AirflowFailException

    try:
        call()
    except AirflowFailException as failure:
        return str(failure)
    return ""


def run(dag: Any) -> tuple[str, str]:
    """Run a DAG as `dag.test()` does; return its state, and what its failed task said."""
    said: list[str] = []
    for task in dag.tasks:
        task.on_failure_callback = [lambda context: said.append(str(context["exception"]))]
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        dag_run = dag.test()
    return str(dag_run.state), "\n".join(said)


def title(text: str, about: str) -> None:
    """Print the heading of a scene."""
    print(f"\n\n{text}\n{'-' * len(text)}\n{about}\n")


def print_indented(text: str) -> None:
    """Print what a task said."""
    for line in text.splitlines():
        indent = " " * (len(line) - len(line.lstrip()) + 6)
        print(textwrap.fill(line, 116, initial_indent="    ", subsequent_indent=indent, break_on_hyphens=False))


def print_catalog(*names: str) -> None:
    """Print services as the catalog shows them, all if none is named."""
    from airflow_provider_collate.hooks.collate import CollateHook

    with CollateHook() as hook:
        services = [service for service in hook.list_services() if not names or service["name"] in names]
    rows = [("name", "type", "owners", "tags", "description")]
    rows += [
        (
            str(service["name"]),
            str(service["serviceType"]),
            listed(service["owners"]),
            listed(service["tags"]),
            str(service["description"] or ""),
        )
        for service in services
    ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        print_indented("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def listed(items: object) -> str:
    """Return tags or owners by their names."""
    return (
        ", ".join(str(item["name"] if isinstance(item, dict) else item) for item in items)
        if isinstance(items, list)
        else ""
    )


if __name__ == "__main__":
    try:
        sys.exit(main())
    except subprocess.CalledProcessError as error:
        traceback.print_exc()
        print(error.stderr, file=sys.stderr)
        sys.exit(1)
