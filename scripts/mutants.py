"""Test the tests: change the code in one small place at a time, and list the changes that no test notices.

`make mutants` runs every part, `make mutants PART=reconcile` the parts of one directory, `PART=reconcile-1` one of
them. A part runs only the tests of what it mutates; of those, mutmut picks the ones that call the changed function.
Left out are string literals and whatever stands inside a message (a literal with a space in it), because tests do not
repeat the wording. mutmut leaves out module and class bodies, and decorated functions (properties, validators).

The result is a table, then each survivor with its file, line and diff. Work is done in `.make/mutants/<part>`.
"""

from __future__ import annotations

import argparse
import ast
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from unittest.mock import patch

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = "airflow_provider_collate"
WORK = ROOT / ".make" / "mutants"
# Collecting garbage for the sake of warnings takes longer than most tests here.
SLOW_PLUGINS = ["unraisableexception", "threadexception", "cacheprovider", "xdist", "cov"]

NOTICED = ("killed", "timeout", "segfault")
COUNTED = ("killed", "timeout", "survived", "no tests", "not run")
# mutmut takes it for a timeout, but no test has run: pytest did not find one again by its name.
PYTEST_REFUSED = 255


@dataclass(frozen=True)
class Part:
    """What is mutated, as globs below the package, and the tests that must notice."""

    mutated: Sequence[str]
    tests: Sequence[str]


CLIENT = ("failures", "redaction", "services")  # what judges answers
OF_CLIENT = [f"tests/unit/client/test_{name}.py" for name in (*CLIENT, "service_list")]
CREDENTIALS = sorted(str(path.relative_to(ROOT)) for path in (ROOT / "tests/unit/hooks").glob("test_credential*.py"))
# Each ends within ten minutes on two cores, so the largest directory is in several.
RECONCILE = sorted(path.name for path in (ROOT / PACKAGE / "reconcile").glob("*.py"))
SHARES = 3
PARTS = {
    **{
        f"reconcile-{share + 1}": Part(
            [f"reconcile/{name}" for name in RECONCILE[share::SHARES]], ["tests/unit/reconcile"]
        )
        for share in range(SHARES)
    },
    "kinds": Part(["kinds/*.py"], ["tests/unit/kinds", "tests/unit/models", *CREDENTIALS]),
    "models": Part(["models/*.py"], ["tests/unit/models", "tests/unit/kinds", "tests/unit/reconcile"]),
    "client": Part([f"client/{name}.py" for name in CLIENT], OF_CLIENT),
}


@dataclass
class Result:
    """The counts of one part by mutmut's words (killed, survived, timeout, no tests), and what nobody noticed."""

    seconds: float
    cpu_seconds: float
    counts: Counter[str] = field(default_factory=Counter)
    unnoticed: list[str] = field(default_factory=list)

    def cells(self) -> list[str]:
        """Return the cells of the part's row; the share is of those that a test notices, timeouts included."""
        counted = [self.counts[status] for status in COUNTED]
        total, noticed = self.counts.total(), sum(self.counts[status] for status in NOTICED)
        share = f"{noticed / total:.1%}" if total else "-"
        return [f"{total:,}", *map(str, counted), share, f"{self.seconds:.0f}", f"{self.cpu_seconds:.0f}"]


def prepare(name: str) -> Path:
    """Copy the package and the tests to the part's directory, with the part's settings for mutmut."""
    part, work = PARTS[name], WORK / name
    for directory in (PACKAGE, "tests"):
        shutil.rmtree(work / directory, ignore_errors=True)
        shutil.copytree(ROOT / directory, work / directory, ignore=shutil.ignore_patterns("__pycache__"))
    shared = work / "shared"  # the tests look for the recordings beside their checkout, which is `mutants` here
    if not shared.is_symlink() and (ROOT.parent / "shared").is_dir():
        shared.symlink_to(ROOT.parent / "shared")
    settings = {
        "source_paths": [PACKAGE],
        "only_mutate": [f"{PACKAGE}/{glob}" for glob in part.mutated],
        "pytest_add_cli_args_test_selection": list(part.tests),
        "process_isolation": "forkserver",
        # Times what the tests take; a mutant that never ends costs minutes by the default of 15.
        "timeout_multiplier": 3.0,
        "use_git_change_detection": False,
        "pytest_add_cli_args": [*(f"-pno:{plugin}" for plugin in SLOW_PLUGINS)],
    }
    lines = [f"{key} = {json.dumps(value)}" for key, value in settings.items()]
    (work / "pyproject.toml").write_text(
        "\n".join([(ROOT / "pyproject.toml").read_text(), "[tool.mutmut]", *lines, ""])
    )
    return work


def run_here() -> None:
    """Run mutmut in the current directory, with messages left out."""
    import libcst
    from mutmut.__main__ import cli
    from mutmut.mutation import file_mutation, mutators

    def is_message(node: libcst.CSTNode) -> bool:
        return isinstance(node, libcst.BaseString) and " " in libcst.Module([]).code_for_node(node)

    def messages(node: libcst.CSTNode) -> set[int]:
        below = set[int]().union(*map(messages, node.children))
        return below | {id(node)} if is_message(node) else below

    def keeping_messages(operator: Callable[..., Iterable[libcst.CSTNode]]) -> Callable[..., Iterator[libcst.CSTNode]]:
        def operate(node: libcst.CSTNode) -> Iterator[libcst.CSTNode]:
            before = messages(node)
            yield from (mutant for mutant in operator(node) if messages(mutant) == before)

        return operate

    visit = file_mutation.MutationVisitor.on_visit
    operators = [
        (kind, keeping_messages(operator))
        for kind, operator in mutators.mutation_operators
        if operator is not mutators.operator_string
    ]
    with (
        patch.object(file_mutation, "mutation_operators", operators),
        patch.object(
            file_mutation.MutationVisitor, "on_visit", lambda self, node: not is_message(node) and visit(self, node)
        ),
    ):
        cli(["run", "--max-children", "2"], standalone_mode=False)


def function_lines(path: Path) -> dict[str, int]:
    """Return the first line of each function and method, by its name with its class."""
    lines = {}
    for node in ast.parse(path.read_text()).body:
        inner = node.body if isinstance(node, ast.ClassDef) else [node]
        prefix = f"{node.name}." if isinstance(node, ast.ClassDef) else ""
        for function in inner:
            if isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef)):
                first = min([function.lineno, *(decorator.lineno for decorator in function.decorator_list)])
                lines[prefix + function.name] = first
    return lines


def describe(path: str, mutant: str, status: str) -> str:
    """Return a mutant's file, line and changed lines."""
    from mutmut.mutation.diff_apply import get_diff_for_mutant

    match = re.search(r"\.x(?:ǁ(\w+)ǁ|_)(\w+?)__mutmut_\d+$", mutant)
    function = ".".join(filter(None, match.groups())) if match else mutant
    line, changed = function_lines(Path(path)).get(function, 1), []
    for text in get_diff_for_mutant(mutant, path=path).splitlines()[2:]:
        if hunk := re.match(r"@@ -(\d+)", text):
            line += int(hunk[1]) - 1
        elif text.startswith(("-", "+")):
            changed.append(f"    {text}")
        elif not changed:
            line += 1
    return "\n".join([f"{path}:{line} ({status}) {function}", *changed])


def collect(seconds: float, cpu_seconds: float) -> Result:
    """Read what mutmut has written below the current directory."""
    from mutmut.stats import status_by_exit_code

    result = Result(seconds, cpu_seconds)
    for meta in sorted(Path("mutants").rglob("*.py.meta")):
        path = str(meta.relative_to("mutants")).removesuffix(".meta")
        for mutant, code in json.loads(meta.read_text())["exit_code_by_key"].items():
            status = "not run" if code == PYTEST_REFUSED else status_by_exit_code[code]
            result.counts[status] += 1
            if status not in NOTICED:
                result.unnoticed.append(describe(path, mutant, status))
    return result


def measure(name: str) -> Result:
    """Run one part in a process of its own, since mutmut keeps its state in modules."""
    work = prepare(name)
    os.environ.setdefault("AIRFLOW_HOME", str(ROOT / ".airflow" / version("apache-airflow")))
    begin, begin_cpu = time.monotonic(), os.times()
    subprocess.run([sys.executable, __file__, "--here"], cwd=work, check=True)
    seconds, cpu = time.monotonic() - begin, os.times()
    os.chdir(work)
    cpu_seconds = cpu.children_user + cpu.children_system - begin_cpu.children_user - begin_cpu.children_system
    return collect(seconds, cpu_seconds)


def main() -> None:
    """Run the parts that the command line names, or all, and print the table and what no test noticed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", help=f"of {', '.join(PARTS)}; default: all")
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.here:
        run_here()
        return
    chosen = [part for part in PARTS if not arguments.parts or {part, part.partition("-")[0]} & set(arguments.parts)]
    if not chosen:
        parser.error(f"no such part; there are {', '.join(PARTS)}")
    results = {name: measure(name) for name in chosen}
    for name, result in results.items():
        print(f"\n{name}: what no test noticed\n")
        print("\n".join(result.unnoticed) or "nothing")
    heads = ("mutants", *COUNTED, "share", "seconds", "CPU seconds")
    print("\n" + "part".ljust(12) + "".join(head.rjust(13) for head in heads))
    for name, result in results.items():
        print(name.ljust(12) + "".join(cell.rjust(13) for cell in result.cells()))


if __name__ == "__main__":
    main()
