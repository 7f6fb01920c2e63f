"""What it costs to check a file, measured in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

_PROGRAM = """
import sys
from pathlib import Path
from airflow_provider_collate.cli.main import main

main(["check", sys.argv[1]])
status, io = Path("/proc/self/status").read_text(), Path("/proc/self/io").read_text()
print(status.partition("VmHWM:")[2].split()[0], io.partition("rchar:")[2].split()[0], file=sys.stderr)
"""


@dataclass(frozen=True)
class Cost:
    """What a check said and took.

    :param said: the lines that it printed.
    :param peak: the peak of its memory in bytes.
    :param read: how many bytes it read, those of its own modules included.
    """

    said: list[str]
    peak: int
    read: int


def check(path: Path) -> Cost:
    """Check a file as `airflow-collate check` does, from its folder.

    :param path: the file.
    """
    command = [sys.executable, "-c", _PROGRAM, path.name]
    run = subprocess.run(command, cwd=path.parent, capture_output=True, text=True, check=True)
    peak, read = map(int, run.stderr.split()[-2:])
    return Cost(run.stdout.splitlines(), peak * 1024, read)


def cost_beyond(path: Path, nothing: Path) -> Cost:
    """Check a file, and return what that took beyond checking another one.

    :param path: the file.
    :param nothing: one that costs nearly nothing, of the same format.
    """
    all_of_it, start = check(path), check(nothing)
    return Cost(all_of_it.said, all_of_it.peak - start.peak, all_of_it.read - start.read)
