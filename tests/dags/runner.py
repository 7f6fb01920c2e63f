"""Run DAGs by `dag.test()` in a process of their own: `python -m tests.dags.runner RESULT DAG_ID… [--then COMMAND…]`.

The folder of DAG files, the database and the connections come from the environment, as for any Airflow. All
that is found goes to the file RESULT as JSON: import errors, warnings, and the state of every task instance. A
command of Airflow's comes last, in the same process, because loading Airflow takes longer than most DAGs.
"""

from __future__ import annotations

import json
import logging
import sys
import traceback
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

THEN = "--then"
EVERYTHING = ("airflow", "airflow.task", "airflow_provider_collate", "httpx", "httpcore", "tenacity", "h11", "urllib3")


def main(arguments: Sequence[str]) -> int:
    last = arguments.index(THEN) if THEN in arguments else len(arguments)
    (result, *dag_ids), command = arguments[:last], arguments[last + 1 :]
    # A warning that one of our modules raises, or is blamed for, fails the task or the import.
    warnings.filterwarnings("error", module=r"airflow_provider_collate")
    bag = _dag_bag()
    for name in EVERYTHING if logging.getLogger().level <= logging.DEBUG else ():
        logging.getLogger(name).setLevel(logging.DEBUG)
    found: dict[str, Any] = {
        "dag_ids": sorted(bag.dag_ids),
        "import_errors": {Path(path).name: text for path, text in bag.import_errors.items()},
        "warnings": [str(text) for lines in getattr(bag, "captured_warnings", {}).values() for text in lines],
        "runs": {},
    }
    for dag_id in dag_ids or found["dag_ids"]:
        found["runs"][dag_id] = _run(bag.dags[dag_id])
    Path(result).write_text(json.dumps(found))
    if command:
        _airflow(command)
    return 0


def _dag_bag() -> Any:
    try:
        from airflow.dag_processing.dagbag import DagBag
    except ImportError:  # Airflow 2.11
        from airflow.models import DagBag
    return DagBag()


def _airflow(command: Sequence[str]) -> None:
    from airflow.cli.cli_parser import get_parser

    parsed = get_parser().parse_args(command)
    parsed.func(parsed)


def _run(dag: Any) -> dict[str, Any]:
    try:
        run = dag.test()
    except Exception:  # noqa: BLE001 - whatever it is, the test wants to see it
        return {"state": "crashed", "error": traceback.format_exc(), "tasks": {}}
    tasks = {
        f"{instance.task_id}[{instance.map_index}]" if instance.map_index >= 0 else instance.task_id: str(
            instance.state
        )
        for instance in run.get_task_instances()
    }
    return {"state": str(getattr(run.state, "value", run.state)), "tasks": tasks}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
