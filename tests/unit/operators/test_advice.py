"""Advice that names an option works: who follows it is done, or fails otherwise, never with the same advice."""

from __future__ import annotations

import ast
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import httpx
import pytest
from airflow.providers.common.compat.sdk import AirflowFailException

import airflow_provider_collate
from airflow_provider_collate.exceptions import CollateError
from airflow_provider_collate.operators.mlmodel_service import (
    BulkUpsertMlModelServicesOperator,
    CreateMlModelServiceOperator,
    DeleteMlModelServiceOperator,
    SyncMlModelServicesOperator,
)
from airflow_provider_collate.reconcile.options import DeleteOptions, RunOptions
from airflow_provider_collate.sandbox import ANA, INGESTION_BOT, Catalog, InProcessTransport
from tests.unit.conftest import Network
from tests.unit.reconcile.workbench import sklearn

PLAIN = {"config": {"type": "Sklearn"}}
AWS = {"awsAccessKeyId": "AKIA", "awsSecretAccessKey": "hunter2-hunter2", "awsRegion": "eu-central-1"}
SECRET = {"config": {"type": "SageMaker", "awsConfig": AWS}}
SCOPE = {"name_prefix": "s"}
OPTIONS = {option.name for options in (RunOptions, DeleteOptions) for option in fields(options)}
ADVISED = re.compile(r"\b([a-z_]+)=(\"\w+\"|\w+)")
# Not the beginning of a problem, which is the name of the option that has it.
NAMED = re.compile(rf"\b({'|'.join(OPTIONS)})=|(?<=[ (])({'|'.join(name for name in OPTIONS if '_' in name)})\b")
PACKAGE = Path(airflow_provider_collate.__file__).parent
NO_ADVICE = {
    "because of rewrite_secrets=False": "says what an option does that is set",
    "and let it be approved": "needs a person; reconcile/test_approval.py and tests/dags follow it",
}


def create(**given: Any) -> Any:
    given = {"name": "s0", "service_type": "Sklearn", "connection": PLAIN, **given}
    return CreateMlModelServiceOperator(task_id="t", **given)


def bulk(**given: Any) -> Any:
    return BulkUpsertMlModelServicesOperator(task_id="t", **{"services": [sklearn("s0", description="Ours")], **given})


def sync(**given: Any) -> Any:
    given = {"services": [sklearn("s0")], "prune": "soft", "prune_scope": SCOPE, **given}
    return SyncMlModelServicesOperator(task_id="t", **given)


def delete(**given: Any) -> Any:
    return DeleteMlModelServiceOperator(task_id="t", **{"name": "s1", **given})


def theirs(catalog: Catalog, network: Network) -> None:
    catalog.add_service("s0", "Sklearn", user=ANA, connection=PLAIN, description="By hand")


def deleted(catalog: Catalog, network: Network) -> None:
    theirs(catalog, network)
    catalog.remove_service("s0", user=ANA)


def five_of_ours(catalog: Catalog, network: Network) -> None:
    for number in range(5):
        catalog.add_service(f"s{number}", "Sklearn", user=INGESTION_BOT, connection=PLAIN)


def one_of_ours_deleted(catalog: Catalog, network: Network) -> None:
    five_of_ours(catalog, network)
    catalog.remove_service("s1", user=INGESTION_BOT)


def bounded_bulk(catalog: Catalog, network: Network) -> None:
    catalog.state.has_bulk, catalog.state.bulk_limit = True, 2


def behind_a_secrets_manager(catalog: Catalog, network: Network) -> None:
    catalog.state.secrets_manager = True
    catalog.add_service("s0", "SageMaker", user=INGESTION_BOT, connection=SECRET)


def made_meanwhile(catalog: Catalog, network: Network) -> None:
    network.hosts["acme.getcollate.io"] = FirstComer(catalog)


class FirstComer(InProcessTransport):
    """Somebody makes the service just before a create of it arrives."""

    def __init__(self, catalog: Catalog) -> None:
        super().__init__(catalog)
        self._catalog = catalog

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if request.method == "POST" and "s0" not in self._catalog.services:
            self._catalog.add_service("s0", "Sklearn", user=ANA, connection=PLAIN)
        return super().handle_request(request)


class OneAtATime(httpx.BaseTransport):
    """A server that takes no more of a client that has sent two writes at once, until it says hello again."""

    def __init__(self, inner: httpx.BaseTransport) -> None:
        self._inner = inner
        self._busy = threading.Lock()
        self._barred = threading.Event()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/system/version"):
            self._barred.clear()
        if request.method != "POST":
            return self._inner.handle_request(request)
        if self._barred.is_set() or not self._busy.acquire(blocking=False):
            self._barred.set()
            return httpx.Response(429, stream=httpx.ByteStream(b'{"code": 429, "message": "Too many requests"}'))
        try:
            self._barred.wait(0.2)  # long enough for whoever else is on the way
            return self._inner.handle_request(request)
        finally:
            self._busy.release()


def one_at_a_time(catalog: Catalog, network: Network) -> None:
    network.hosts["acme.getcollate.io"] = OneAtATime(network.hosts["acme.getcollate.io"])


@dataclass
class Case:
    """A task that is told what to do.

    :param make: makes its operator.
    :param advised: the options that it is told to set; with the value to try where the advice names none.
    :param given: its parameters.
    :param prepare: makes the server as it must be.
    :param elsewhere: the operator that has the option, where it is another one.
    """

    make: Callable[..., Any]
    advised: Mapping[str, Any]
    given: dict[str, Any] = field(default_factory=dict)
    prepare: Callable[[Catalog, Network], None] = lambda catalog, network: None
    elsewhere: Callable[..., Any] | None = None


SIX = [sklearn(f"s{number}") for number in range(6)]
CASES = {
    "exists": Case(create, {"if_exists": None}, prepare=theirs),
    "exists, and declares another text": Case(create, {"if_exists": None}, {"description": "Ours"}, theirs),
    "exists, soft-deleted": Case(create, {"if_exists": None}, prepare=deleted),
    "ignored, but soft-deleted": Case(create, {"if_exists": None}, {"if_exists": "ignore"}, deleted),
    "made meanwhile": Case(create, {"if_exists": None}, prepare=made_meanwhile),
    "a text of somebody else": Case(bulk, {"on_conflict": None}, prepare=theirs),
    "deleted by somebody else": Case(bulk, {"on_conflict": None}, prepare=deleted),
    "prunes too much": Case(sync, {"plan_only": None, "max_prune": None}, prepare=five_of_ours),
    "prunes by an empty list": Case(sync, {"allow_empty": None}, {"services": [], "max_prune": 9}, five_of_ours),
    "soft-deleted before": Case(sync, {"hard_delete": None}, {"prune": "hard", "max_prune": 9}, one_of_ours_deleted,
                                delete),
    "a scope without prune": Case(sync, {"prune": None}, {"prune": None}),
    "a limit without prune": Case(sync, {"prune": None}, {"prune": None, "prune_scope": None, "max_prune": 9}),
    "too many rows in a request": Case(bulk, {"chunk_size": 1}, {"services": SIX}, bounded_bulk),
    "too many requests at once": Case(bulk, {"max_workers": 1}, {"services": SIX}, one_at_a_time),
    "an alarm without a plan": Case(bulk, {"plan_only": None}, {"fail_on_changes": True, "plan_only": False}),
    "an approval of a plan": Case(bulk, {"plan_only": False}, {"approved_plan": "plan1:AAAAAAAA:", "plan_only": True}),
    "an alarm": Case(bulk, {"plan_only": False}, {"fail_on_changes": True, "plan_only": True}, elsewhere=bulk),
    "a secret in a secrets manager": Case(create, {"rewrite_secrets": None}, {
        "service_type": "SageMaker", "connection": SECRET, "if_exists": "update"}, behind_a_secrets_manager),
}  # fmt: skip


@dataclass
class Told:
    """What a task said: the advice in it, and all of it."""

    advice: str = ""
    text: str = ""


def told(make: Callable[..., Any], given: Mapping[str, Any], context: Any) -> Told:
    """Run a task as far as its plan, and if that notes nothing, to its end."""
    try:
        plan = make(**{"plan_only": True, **given}).execute(context)
        if not plan["refused"] and NAMED.search(plan["text"]):
            return Told(plan["text"], plan["text"])
        make(**given).execute(context)
    except AirflowFailException as failure:
        return Told(getattr(failure.__cause__, "advice", "") or str(failure), str(failure))
    except CollateError as error:
        return Told(error.advice, str(error))
    return Told()


def options_in(advice: str) -> list[tuple[str, Any]]:
    return [(name, ast.literal_eval(value)) for name, value in ADVISED.findall(advice)]


@pytest.mark.parametrize("name", CASES)
def test_each_advice_that_names_an_option_works(name: str, context: Any, catalog: Catalog, network: Network) -> None:
    case = CASES[name]
    case.prepare(catalog, network)
    advice = told(case.make, case.given, context).advice
    options = options_in(advice) or [(option, value) for option, value in case.advised.items() if option in advice]
    assert {option for option, _ in options} == set(case.advised), advice
    for option, value in options:
        if case.elsewhere:
            case.elsewhere(**{option: value}).execute(context)
            assert told(case.make, case.given, context).advice == ""
            continue
        assert case.given.get(option) != value, "it is set already"
        given = {**case.given, option: value}
        followed = told(case.make, given, context).advice
        assert followed != advice
        for further, choice in options_in(followed):
            assert told(case.make, {**given, further: choice}, context).advice == ""


# --- no advice is without a case


def texts() -> Iterator[str]:
    """Every text of the package that names an option, as a pattern of what a user sees of it."""
    for path in sorted(PACKAGE.rglob("*.py")):
        if "sandbox" in path.parts:
            continue
        tree = ast.parse(path.read_text())
        alone = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}  # docstrings
        parts = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
        for node in ast.walk(tree):
            if id(node) not in alone | parts and (pattern := pattern_of(node)):
                yield pattern


def pattern_of(node: ast.AST) -> str:
    literals = node.values if isinstance(node, ast.JoinedStr) else [node]
    written = [literal.value if isinstance(literal, ast.Constant) else None for literal in literals]
    text = "".join(part for part in written if isinstance(part, str))
    if " " not in text or not NAMED.search(text) or any(known in text for known in NO_ADVICE):
        return ""
    return "".join(re.escape(part) if isinstance(part, str) else ".*" for part in written)


def test_each_text_that_names_an_option_is_met_in_a_case(
    context: Any, connect: Callable[..., None], network: Network
) -> None:
    connect()
    met = []
    for case in CASES.values():
        catalog = Catalog()
        network.hosts["acme.getcollate.io"] = InProcessTransport(catalog)
        case.prepare(catalog, network)
        met.append(told(case.make, case.given, context).text)
    found = list(texts())
    assert len(found) > 10
    missed = [pattern for pattern in found if not any(re.search(pattern, text, re.DOTALL) for text in met)]
    assert not missed
