from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from airflow_provider_collate.cli.main import main
from airflow_provider_collate.files.path import ServicesPath
from airflow_provider_collate.files.schema import services_schema
from airflow_provider_collate.hooks.collate import CollateHook
from airflow_provider_collate.kinds import find_kind
from airflow_provider_collate.sandbox import DEFAULT_BOT_TOKEN, Catalog
from airflow_provider_collate.sandbox.server import serve_in_thread
from tests.unit.cli.filled import PLAIN, SECRET, WITH_SECRETS, fill

EVERYTHING = """\
  - name: everything
    displayName: 'Yes'
    serviceType: Sklearn
    connection:
      config:
        type: Sklearn
    description: |
      Bob's models & <b>more</b>:

      * a = b
      * `c` @ 5 + 1
    owners:
      - team:fraud
    domains:
      - Finance
    dataProducts:
      - Scores
    tags:
      - Tier.Tier1
      - glossary:Business.Churn
"""


@pytest.fixture(params=["1.2", "2.x"])
def host(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    catalog = Catalog(request.param)
    fill(catalog)
    monkeypatch.setenv("COLLATE_TOKEN", DEFAULT_BOT_TOKEN)
    with serve_in_thread(catalog) as url:
        yield url


def export(host: str, capsys: pytest.CaptureFixture[str], *more: str) -> str:
    capsys.readouterr()
    assert main(["export", "--host", host, *more]) == 0
    return capsys.readouterr().out


def test_no_line_of_a_log_stands_between(
    host: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging.getLogger(), "handlers", [logging.StreamHandler(sys.stdout)])  # as Airflow 2.11 and 3.0
    logging.getLogger("airflow_provider_collate").setLevel(logging.INFO)
    assert yaml.safe_load(export(host, capsys, "--scope", "owner=team:fraud"))["services"]


def test_it_is_written_as_a_person_would(host: str, capsys: pytest.CaptureFixture[str]) -> None:
    text = export(host, capsys)

    assert EVERYTHING in text.replace("    style:\n      color: '#aabbcc'\n", "")
    assert export(host, capsys) == text
    rows = yaml.safe_load(text)["services"]
    assert [row["name"] for row in rows] == sorted([*PLAIN, *WITH_SECRETS])
    Draft202012Validator(services_schema(find_kind("mlmodelServices"))).validate({"services": rows})


def test_secrets_are_left_to_be_named(host: str, capsys: pytest.CaptureFixture[str]) -> None:
    text = export(host, capsys)

    assert SECRET not in text
    assert "conn_id: TODO  # for what is secret: registryUri\n      trackingUri: https://mlflow.acme.example\n" in text
    assert "conn_id: TODO  # for what is secret: awsConfig.awsSecretAccessKey\n" in text
    assert "conn_id: TODO  # for what is secret: connectionOptions\n" in text


def test_all_but_what_has_secrets_is_unchanged(
    host: str, capsys: pytest.CaptureFixture[str], tmp_path: Path, connect: Any
) -> None:
    rows = yaml.safe_load(export(host, capsys))["services"]
    file = tmp_path / "services.yaml"
    file.write_text(yaml.safe_dump([row for row in rows if row["name"] in PLAIN]))
    connect(host=host)

    plan = CollateHook().plan(ServicesPath(str(file)))
    assert {change.name: str(change.fields) for change in plan.changes if change.action.value != "unchanged"} == {}


@pytest.mark.parametrize(
    "scope, found",
    [
        (["tag=Tier.Tier1"], ["everything"]),
        (["owner=team:fraud", "name_prefix=ev"], ["everything"]),
        (["domain=Finance", "name_prefix=k"], []),
    ],
)
def test_a_scope_says_which(host: str, capsys: pytest.CaptureFixture[str], scope: list[str], found: list[str]) -> None:
    text = export(host, capsys, *(word for one in scope for word in ("--scope", one)))

    assert [row["name"] for row in yaml.safe_load(text)["services"]] == found


@pytest.mark.parametrize(
    "arguments, said",
    [
        ([], "Give either --conn or --host."),
        (["--conn", "a", "--host", "b"], "Give either --conn or --host."),
        (["--host", "https://acme.example", "--scope", "Tier"], "A scope is KEY=VALUE"),
        (["--host", "https://acme.example", "--scope", "tags=a"], "--scope.tags: unknown"),
        (["--host", "https://acme.example", "--token-env", "NO_SUCH"], "NO_SUCH: is missing"),
        (["--host", "a b"], "--host: is not an address"),
        (["--conn", "nobody_has_it"], 'there is no Airflow connection "nobody_has_it"'),
    ],
)
def test_what_cannot_be_asked_is_an_error(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLLATE_TOKEN", "a-token-that-is-no-jwt")

    assert main(["export", *arguments]) == 1
    assert said in capsys.readouterr().err
