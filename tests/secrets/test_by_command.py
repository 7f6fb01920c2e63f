"""What `airflow tasks render` prints of a task: 0 found, and a task that leaks is found."""

from __future__ import annotations

import re
import sys

import pytest

from tests.dags.airflow_home import AirflowHome
from tests.secrets import scenario
from tests.secrets.canaries import findings
from tests.secrets.conftest import DAGS
from tests.secrets.places import assert_none, in_output

PLAIN = "by_reference create_custom 2026-01-01"
MAPPED = "by_reference good_create_mapped 2026-01-01 --map-index 3"
LEAKING = "probes rendered 2026-01-01"
# One process for all: loading Airflow takes longest.
RENDER = """
import sys
from airflow.cli.cli_parser import get_parser

for task in sys.argv[1:]:
    arguments = get_parser().parse_args(["tasks", "render", *task.split()])
    for stream in (sys.stdout, sys.stderr):
        print(f"\\n[{task}]", file=stream, flush=True)
    arguments.func(arguments)
"""


@pytest.fixture(scope="module")
def printed(migrated_home: AirflowHome, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What the command printed of each task."""
    nowhere = dict.fromkeys(scenario.SERVERS, "http://127.0.0.1:9")
    home = migrated_home.copy(tmp_path_factory.mktemp("by_command") / "home", DAGS, scenario.settings(nowhere))
    tasks = (PLAIN, MAPPED, LEAKING)
    done = home.command([sys.executable, "-c", RENDER, *tasks])
    assert done.returncode == 0, done.stderr
    parts = [re.split(r"^\[.* 2026-01-01.*\]$", text, flags=re.MULTILINE) for text in (done.stdout, done.stderr)]
    return {task: "".join(texts) for task, *texts in zip(("", *tasks), *parts, strict=True)}


@pytest.mark.parametrize("task", [PLAIN, MAPPED], ids=["plain", "mapped"])
def test_none_in_a_rendered_task(printed: dict[str, str], task: str) -> None:
    assert "'connectionOptions': {'anything': '***'}" in printed[task]
    assert_none(in_output(printed[""] + printed[task]))


def test_a_task_that_leaks_is_found(printed: dict[str, str]) -> None:
    assert list(findings(printed[LEAKING]))
