from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pydantic
import pytest

from airflow_provider_collate.cli.main import main
from benchmarks.files import MOST_IMPORTS, times_to_start

GOOD = "- {name: one, serviceType: Sklearn, connection: null}\n"
BAD = "- name: one\n  serviceType: mlflow\n  connection: null\n"
SAID = 'services[0].serviceType: "mlflow" is not known to this version, did you mean Mlflow?'


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


@pytest.mark.skipif(
    pydantic.VERSION.startswith("2.11."), reason="pydantic 2.11 builds models slower: 3.8 to 4.2 of its imports"
)
def test_it_starts_within_four_imports_of_pydantic(folder: Path) -> None:
    # Three times at most: what else runs beside it makes the longer of the two longer still.
    measured = (times_to_start(folder / "good.yaml") for _ in range(3))

    assert any(check <= MOST_IMPORTS * importing for importing, check in measured)
