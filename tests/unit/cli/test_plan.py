from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_collate.cli.main import main
from airflow_provider_collate.cli.progress import ProgressBar
from airflow_provider_collate.reconcile.changes import Action, Change
from airflow_provider_collate.reconcile.plan import Plan
from airflow_provider_collate.sandbox import ANA, DEFAULT_BOT_TOKEN, INGESTION_BOT, Catalog
from airflow_provider_collate.sandbox.server import serve_in_thread
from tests.unit.conftest import service_in

ONE = "- {name: one, serviceType: Sklearn, connection: {config: {}}, displayName: One}\n"
TWO = "- {name: two, serviceType: Mlflow, connection: {conn_id: mlflow_prod}}\n"
TO_DO = "- {name: three, serviceType: Mlflow, connection: {conn_id: TODO}}\n"


@pytest.fixture
def served() -> Catalog:
    return Catalog()


@pytest.fixture
def host(served: Catalog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv("COLLATE_TOKEN", DEFAULT_BOT_TOKEN)
    monkeypatch.setenv("AIRFLOW_CONN_MLFLOW_PROD", '{"conn_type": "https", "host": "mlflow.acme.example"}')
    monkeypatch.chdir(tmp_path)
    with serve_in_thread(served) as url:
        yield url


def write(text: str) -> None:
    Path("services.yaml").write_text(text)


def test_what_would_change_is_2_and_what_is_as_declared_0(
    host: str, served: Catalog, capsys: pytest.CaptureFixture[str]
) -> None:
    write(ONE + TWO)

    assert main(["plan", "services.yaml", "--host", host]) == 2
    planned = capsys.readouterr().out
    assert planned.startswith("+ one                 create   Sklearn\n+ two                 create   Mlflow\n")
    fingerprint = planned.strip().rpartition("fingerprint: ")[2]
    assert main(["apply", "services.yaml", "--host", host, "--approved", fingerprint]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "2 created"
    assert main(["plan", "services.yaml", "--host", host]) == 0
    assert service_in(served, "two")["connection"]["config"]["trackingUri"] == "https://mlflow.acme.example"


def test_an_airflow_connection_names_the_server(host: str, connect: Any, capsys: pytest.CaptureFixture[str]) -> None:
    connect(host=host)
    write(ONE)

    assert main(["apply", "services.yaml", "--conn", "collate_default", "--yes"]) == 0
    assert capsys.readouterr().out == "one: created\n"


def test_the_plan_for_a_program_and_for_a_page(host: str, capsys: pytest.CaptureFixture[str]) -> None:
    write(ONE)

    assert main(["plan", "services.yaml", "--host", host, "--format", "json"]) == 2
    plan = json.loads(capsys.readouterr().out)
    assert (plan["has_changes"], plan["counts"]) == (True, {"create": 1})
    assert main(["plan", "services.yaml", "--host", host, "--format", "markdown"]) == 2
    assert capsys.readouterr().out == f"{plan['markdown']}\n\nFingerprint: `{plan['fingerprint']}`\n"


def test_secrets_still_to_be_named_fail_their_row_alone(
    host: str, served: Catalog, capsys: pytest.CaptureFixture[str]
) -> None:
    write(ONE + TO_DO)

    assert main(["plan", "services.yaml", "--host", host]) == 1
    planned = capsys.readouterr().out
    assert "+ one                 create     Sklearn\n" in planned
    assert 'x three               conflict   services.yaml:2 services[1].connection.conn_id: "TODO" stands' in planned
    assert main(["apply", "services.yaml", "--host", host, "--yes"]) == 1
    assert list(served.services) == ["one"]


def test_services_with_secrets_still_to_be_named_are_not_pruned(host: str, served: Catalog) -> None:
    write(TO_DO)
    served.add_service("three", "Mlflow", connection={"config": {"type": "Mlflow"}})

    main(["apply", "services.yaml", "--host", host, "--yes", "--on-conflict", "overwrite", "--prune", "soft",
          "--prune-scope", "name_prefix=t", "--max-prune", "100%"])  # fmt: skip
    assert list(served.services) == ["three"]


def test_a_scope_is_pruned(host: str, served: Catalog) -> None:
    write(ONE)
    served.add_service("old_one", "Sklearn")
    scope = ["--prune", "soft", "--prune-scope", "name_prefix=old", "--max-prune", "1", "--on-conflict", "overwrite"]

    assert main(["apply", "services.yaml", "--host", host, "--yes", *scope]) == 0
    assert list(served.services) == ["one"]


def test_a_conflict_is_an_error(host: str, served: Catalog, capsys: pytest.CaptureFixture[str]) -> None:
    write(ONE)
    served.add_service("one", "Sklearn", user=ANA, connection={"config": {"type": "Sklearn"}}, displayName="Theirs")

    assert main(["plan", "services.yaml", "--host", host]) == 1
    assert "is kept" in capsys.readouterr().out
    assert main(["apply", "services.yaml", "--host", host, "--yes"]) == 1
    assert "one: conflict: displayName" in capsys.readouterr().err
    assert main(["plan", "services.yaml", "--host", host, "--on-conflict", "keep"]) == 0
    assert main(["plan", "services.yaml", "--host", host, "--on-conflict", "overwrite"]) == 2


@pytest.mark.parametrize(
    "arguments, said",
    [
        (["apply"], "Give either --approved or --yes."),
        (["apply", "--yes", "--approved", "plan1:"], "Give either --approved or --yes."),
        (["apply", "--approved", ""], "--approved: is empty"),
        (["apply", "--approved", "abc"], "--approved: is not the fingerprint of a plan"),
        (["plan", "--prune", "soft"], "--prune-scope: must be given to prune"),
        (["plan", "--prune", "soft", "--prune-scope", "tags=a"], "--prune-scope.tags: unknown"),
        (["plan", "--max-prune", "many", "--prune", "soft", "--prune-scope", "tag=a"], "--max-prune: is 'many'"),
        (["plan", "nothing.yaml"], "nothing.yaml: cannot be read: No such file or directory"),
    ],
)
def test_what_cannot_be_done_is_an_error_before_anything_is_sent(
    arguments: list[str], said: str, host: str, served: Catalog, capsys: pytest.CaptureFixture[str]
) -> None:
    write(ONE)
    command, *more = arguments

    assert main([command, "services.yaml", "--host", host, *more]) == 1
    assert said in capsys.readouterr().err
    assert not served.requests


def test_a_connection_that_does_not_exist_is_told(
    host: str, served: Catalog, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    write(ONE + TWO)
    monkeypatch.delenv("AIRFLOW_CONN_MLFLOW_PROD")

    assert main(["plan", "services.yaml", "--host", host]) == 1
    [told] = [line for line in capsys.readouterr().err.splitlines() if "services.yaml" in line]
    assert told.startswith(
        '  services.yaml:2 services[1].connection.conn_id: there is no Airflow connection "mlflow_prod"'
    )
    assert not served.requests


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("stream, shown", [(Terminal(), True), (io.StringIO(), False)])
def test_a_bar_is_shown_on_a_terminal_only(stream: io.StringIO, shown: bool) -> None:
    change = Change("one", Action.CREATE, "Sklearn")
    with ProgressBar(stream) as progress:
        progress.planned(Plan((change, Change("two", Action.NONE, "Sklearn"))))
        progress.answered(change)

    assert ("1/1" in stream.getvalue()) is shown
    assert bool(stream.getvalue()) is shown


def test_advice_names_the_options_of_the_command_line(
    host: str, served: Catalog, capsys: pytest.CaptureFixture[str]
) -> None:
    write(ONE)
    served.add_service("one", "Sklearn", user=ANA, connection={"config": {"type": "Sklearn"}}, displayName="Theirs")
    served.add_service("old_one", "Sklearn", user=INGESTION_BOT)
    scope = ["--prune", "soft", "--prune-scope", "name_prefix=old", "--max-prune", "0"]

    assert main(["apply", "services.yaml", "--host", host, "--yes"]) == 1
    assert "leave it to others with --on-conflict keep, or replace" in capsys.readouterr().err
    assert main(["apply", "services.yaml", "--host", host, "--yes", "--on-conflict", "keep", *scope]) == 1
    assert "the plan with airflow-collate plan; if it is right, run with --max-prune 1" in capsys.readouterr().err
    write("[]\n")
    assert main(["plan", "services.yaml", "--host", host, *scope]) == 0
    assert "with --allow-empty they would be" in capsys.readouterr().out


@pytest.mark.parametrize("option, sends", [([], 1), (["--no-rewrite-secrets"], 0), (["--rewrite-secrets"], 1)])
def test_secrets_that_the_token_does_not_see(
    option: list[str], sends: int, host: str, served: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLLATE_TOKEN", served.admin_token)
    aws = "{awsRegion: eu-west-1, awsAccessKeyId: AKIAEXAMPLE, awsSecretAccessKey: a-secret-key}"
    write(f"- {{name: sage, serviceType: SageMaker, connection: {{config: {{awsConfig: {aws}}}}}}}\n")

    assert main(["apply", "services.yaml", "--host", host, "--yes"]) == 0
    assert main(["apply", "services.yaml", "--host", host, "--yes", *option]) == 0
    assert len([seen for seen in served.requests if seen.method == "PATCH"]) == sends
