from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from airflow_provider_collate.cli.main import main

GOOD = "- {name: one, serviceType: Sklearn, connection: null}\n"
BAD = "- name: one\n  serviceType: mlflow\n  connection: null\n"
SAID = 'services[0].serviceType: "mlflow" is not known to this version, did you mean Mlflow?'
# 4 on a quiet machine, which `python -m benchmarks files` asks for; where others work too it is up to 6.
MOST_IMPORTS = 8


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "good.yaml").write_text(GOOD)
    (tmp_path / "bad.yaml").write_text(BAD)
    return tmp_path


def test_files_that_are_good_are_counted(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "good.yaml"]) == 0
    assert capsys.readouterr() == ("", "1 service in 1 file: no problem\n")


def test_what_is_wrong_is_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "*.yaml"]) == 1
    said = capsys.readouterr()
    already = 'good.yaml:1 services[0].name: "one" was given already by bad.yaml:1 services[0].name'
    assert said.out.splitlines() == [f"bad.yaml:2 {SAID}", already]
    assert said.err == "2 services in 2 files: 2 problems\n"


def test_github_shows_it_at_its_line(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    (folder / "a,b:c.yaml").write_text(BAD)

    assert main(["check", "--format", "github", "a,b:c.yaml"]) == 1
    assert capsys.readouterr().out == f"::error file=a%2Cb%3Ac.yaml,line=2::{SAID}\n"


def test_a_secret_still_to_be_named_is_an_error(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    (folder / "good.yaml").write_text("- {name: one, serviceType: Mlflow, connection: {conn_id: TODO}}")

    assert main(["check", "good.yaml"]) == 1
    assert capsys.readouterr().out.startswith('good.yaml:1 services[0].connection.conn_id: "TODO" stands for secrets')


@pytest.mark.parametrize("arguments", [["check"], ["check", "--unknown", "good.yaml"], ["chek"], ["sandbox", "--huh"]])
def test_what_is_no_command_is_an_error_and_not_a_change(arguments: list[str]) -> None:
    assert main(arguments) == 1


def test_the_schema_is_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schema"]) == 0
    assert json.loads(capsys.readouterr().out)["$defs"]["Service"]


@pytest.mark.parametrize("arguments", [["--help"], ["check", "--help"], ["schema", "--help"], ["--version"]])
def test_help_is_no_error(arguments: list[str]) -> None:
    assert main(arguments) == 0


def test_airflow_is_not_imported() -> None:
    program = (
        "import sys\nfrom airflow_provider_collate.cli.main import main\n"
        "assert main(['check', 'good.yaml']) == 0\nassert main(['schema']) == 0\nprint(*sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    loaded = set(run.stdout.splitlines()[-1].split())
    assert "airflow_provider_collate.files.services" in loaded
    assert not {name for name in loaded if name.split(".")[0] in ("airflow", "httpx", "jwt", "tenacity")}


def test_it_starts_within_a_few_imports_of_pydantic() -> None:
    check = ["-m", "airflow_provider_collate", "check", "good.yaml"]
    ratios = (_seconds(check) / _seconds(["-c", "import pydantic"]) for _ in range(3))

    assert any(ratio <= MOST_IMPORTS for ratio in ratios)


def _seconds(arguments: list[str]) -> float:
    """The least processor time of a few runs, with the bytecode compiled."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    times = []
    for _ in range(5):
        before = os.times()
        subprocess.run([sys.executable, *arguments], env=environment, capture_output=True, check=True)
        after = os.times()
        spent = (after.children_user - before.children_user) + (after.children_system - before.children_system)
        times.append(spent)
    return min(times)
