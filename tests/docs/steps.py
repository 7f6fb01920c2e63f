"""What somebody does who reads a page from its beginning: commands, files, and what to see."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from tests.docs.pages import Block, blocks_of

AIRFLOW = "airflow "
ADD_CONNECTION = "airflow connections add "
RUN_DAG = "airflow dags test "


@dataclass(frozen=True)
class Step:
    """One step.

    :param kind: `command` for Airflow's command line, `file` for a DAG that a later command runs, `dag` for one that is
        run at once, `script` for tasks without a DAG, `shown` for what the last command printed.
    :param text: the command, the file or what is to be seen.
    :param at: where it stands.
    """

    kind: str
    text: str
    at: str


def steps_of(page: Path) -> list[Step]:
    """Return what a page lets its reader do."""
    blocks = blocks_of(page)
    run_later = {command.removeprefix(RUN_DAG) for block in blocks for command in _commands(block, RUN_DAG)}
    steps: list[Step] = []
    for block in blocks:
        if block.language in ("console", "sh"):
            steps += [Step("command", command, str(block)) for command in _commands(block, AIRFLOW)]
        elif block.language == "python" and not block.why_not_run:
            steps.append(Step(_kind(block, run_later), block.text_for_here, str(block)))
        elif block.language == "text" and steps and steps[-1].text.startswith(RUN_DAG):
            steps.append(Step("shown", block.text, str(block)))
    return steps


def brings_its_connections(steps: list[Step]) -> bool:
    """Return whether a page says how to make the connections that it needs."""
    return any(step.text.startswith(f"{ADD_CONNECTION}collate_default") for step in steps)


def _kind(block: Block, run_later: set[str]) -> str:
    if not block.has_dag:
        return "script"
    return "file" if set(re.findall(r"\w+", block.text)) & run_later else "dag"


def _commands(block: Block, start: str) -> list[str]:
    if block.language not in ("console", "sh"):
        return []
    return [command for command in block.commands if command.startswith(start)]
