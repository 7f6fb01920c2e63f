"""The suite finds what leaks on purpose, in each of the places that it searches."""

from __future__ import annotations

import pytest
from airflow import __version__ as airflow_version

from airflow_provider_collate.cli.main import main
from tests.secrets.canaries import PROBE, findings
from tests.secrets.conftest import Run, RunDags
from tests.secrets.places import in_database_file, in_output, in_tables, in_tracebacks

IS_AIRFLOW_3 = int(airflow_version.split(".", maxsplit=1)[0]) >= 3


@pytest.fixture(scope="module")
def run(run_dags: RunDags) -> Run:
    return run_dags("probes", "probes")


@pytest.mark.parametrize("probe", ["log-probe", "stdout-probe", "stderr-probe"])
def test_the_output(probe: str, run: Run) -> None:
    assert any(probe in finding.excerpt for _, finding in in_output(run.finished.output))


@pytest.mark.parametrize("task", ["exception_text", "local_variable", "cause"])
def test_tracebacks(task: str, run: Run) -> None:
    assert any(task in place for place, _ in in_tracebacks(run.tracebacks))


@pytest.mark.parametrize(
    "place, count",
    [
        ("XCom", 1),
        ("rendered fields", 2),
        pytest.param(
            "asset events", 1, marks=pytest.mark.skipif(not IS_AIRFLOW_3, reason="asset aliases are not served on 2.11")
        ),
    ],
)
def test_the_database_by_its_tables(place: str, count: int, run: Run) -> None:
    rows = {finding.excerpt for found_in, finding in in_tables(run.home) if found_in.startswith(place)}
    assert len(rows) >= count


def test_the_database_as_a_file(run: Run) -> None:
    assert list(in_database_file(run.home))


def test_the_sandboxs_output(capsys: pytest.CaptureFixture[str]) -> None:
    """It prints a wrong choice of an argument back."""
    assert main(["sandbox", "--release", PROBE]) != 0
    assert list(findings("".join(capsys.readouterr())))
