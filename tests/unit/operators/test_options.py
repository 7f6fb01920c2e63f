"""Options of the operators: checked when the DAG is parsed, or when their templates are rendered."""

from __future__ import annotations

import dataclasses
import inspect
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import DAG, AirflowFailException

from airflow_provider_collate.exceptions import InvalidDeclarationError
from airflow_provider_collate.operators._service_operators import _NOT_GIVEN
from airflow_provider_collate.operators.mlmodel_service import (
    BulkUpsertMlModelServicesOperator,
    CreateMlModelServiceOperator,
    DeleteMlModelServiceOperator,
    SyncMlModelServicesOperator,
)
from airflow_provider_collate.reconcile.options import DeleteOptions, RunOptions, option_texts
from airflow_provider_collate.sandbox import Catalog

CLASSES: dict[str, tuple[type[Any], dict[str, Any]]] = {
    "create": (CreateMlModelServiceOperator, {"name": "s0", "service_type": "Sklearn", "connection": None}),
    "bulk": (BulkUpsertMlModelServicesOperator, {"services": []}),
    "sync": (SyncMlModelServicesOperator, {"services": []}),
    "delete": (DeleteMlModelServiceOperator, {"name": "s0"}),
}
each_operator = pytest.mark.parametrize("operator", CLASSES)
SCOPE = {"name_prefix": "s"}
PLAN = "plan1:00000000"

WRONG = [
    ("create", {"if_exists": "updat"}, "if_exists: is 'updat', but must be one of 'fail', 'ignore', 'update'"),
    ("create", {"on_conflict": "warn"}, "on_conflict: is 'warn', but must be one of 'fail', 'keep', 'overwrite'"),
    ("create", {"plan_only": 0}, "plan_only: must be True or False, not int"),
    ("bulk", {"plan_only": "yes"}, "plan_only: must be True or False"),
    ("bulk", {"rewrite_secrets": 1}, "rewrite_secrets: must be True or False"),
    ("bulk", {"chunk_size": 0}, "chunk_size: must be a whole number of at least 1"),
    ("sync", {"max_workers": "many"}, "max_workers: must be a whole number of at least 1"),
    ("sync", {"max_prune": "ten"}, "max_prune: is 'ten'"),
    ("sync", {"prune": "soft"}, "prune_scope: must be given to prune"),
    ("sync", {"prune": "all", "prune_scope": SCOPE}, "prune: is 'all'"),
    ("sync", {"prune": "soft", "prune_scope": {}}, "prune_scope: is empty"),
    ("sync", {"prune": "soft", "prune_scope": {"team": "x"}}, "prune_scope.team: unknown"),
    ("sync", {"prune": "soft", "prune_scope": "tag"}, "prune_scope: must be a mapping"),
    ("sync", {"allow_empty": None}, "allow_empty: must be True or False"),
    ("bulk", {"plan_only": True, "approved_plan": PLAN}, "approved_plan: is for a run that writes"),
    ("delete", {"hard_delete": None}, "hard_delete: must be True or False, not NoneType"),
    ("delete", {"hard_delete": "yes"}, "hard_delete: must be True or False"),
    ("delete", {"if_missing": "skip"}, "if_missing: is 'skip', but must be one of 'ignore', 'fail'"),
]


def make(operator: str, **given: Any) -> Any:
    cls, required = CLASSES[operator]
    return cls(**{"task_id": operator, **required, **given})


@pytest.mark.parametrize("operator, given, problem", WRONG)
def test_what_can_never_be_right_fails_when_the_dag_is_parsed(
    operator: str, given: dict[str, Any], problem: str
) -> None:
    with pytest.raises(AirflowFailException) as caught:
        make(operator, **given)
    assert isinstance(caught.value.__cause__, InvalidDeclarationError)
    assert problem in str(caught.value)


@pytest.mark.parametrize("operator, given, problem", [wrong for wrong in WRONG if wrong[1] != {"prune": "soft"}])
def test_so_does_a_mapped_task(operator: str, given: dict[str, Any], problem: str) -> None:
    with pytest.raises(AirflowFailException) as caught:
        CLASSES[operator][0].partial(task_id=operator, **given)
    assert problem in str(caught.value)


def test_what_a_mapped_task_gets_when_it_runs_is_checked_then() -> None:
    with DAG("d", schedule=None):
        partial = SyncMlModelServicesOperator.partial(task_id="t", prune="soft", on_conflict="{{ params.on_conflict }}")
        mapped = partial.expand(services=[[]], prune_scope=[SCOPE, {"team": "x"}])
    task: Any = mapped.unmap({"services": [], "prune_scope": SCOPE})
    assert task.prune_scope == SCOPE
    with pytest.raises(AirflowFailException, match=r"prune_scope\.team: unknown"):
        mapped.unmap({"services": [], "prune_scope": {"team": "x"}})


@pytest.mark.parametrize("operator, given, problem", WRONG)
def test_what_a_template_renders_to_is_checked_when_the_task_runs(
    operator: str, given: dict[str, Any], problem: str, catalog: Catalog, context: Any
) -> None:
    task = make(operator, **{name: f"{{{{ params.{name} }}}}" for name in given})
    for name, value in given.items():
        setattr(task, name, value)
    with pytest.raises(AirflowFailException) as caught:
        task.execute(context)
    assert problem in str(caught.value)
    assert catalog.requests == []


@pytest.mark.parametrize("rendered", [None, "", "None"], ids=repr)
def test_a_template_may_switch_pruning_off(rendered: object, catalog: Catalog, context: Any) -> None:
    catalog.add_service("s0", "Sklearn")
    task = make("sync", prune="{{ params.prune }}", prune_scope=SCOPE, max_prune=1, allow_empty=True)
    task.prune = rendered
    assert task.execute(context)["counts"] == {}
    assert list(catalog.services) == ["s0"]


def test_rendered_options_count_like_others(catalog: Catalog, context: Any) -> None:
    services = [{"name": name, "serviceType": "Sklearn", "connection": None} for name in ("s0", "s1")]
    make("bulk", services=services).execute(context)
    scope: Any = {"name_prefix": "{{ team }}"}
    given = {"plan_only": "{{ dry }}", "prune": "{{ 'soft' }}", "allow_empty": "{{ true }}", "max_prune": "{{ 2 }}"}
    more = {"chunk_size": "{{ 5 }}", "on_conflict": "{{ 'keep' }}", "rewrite_secrets": "{{ none }}"}
    task = make("sync", prune_scope=scope, **given, **more)
    task.render_template_fields({"team": "s", "dry": False}, task.get_template_env())
    assert task.execute(context)["counts"] == {"deleted": 2}
    assert catalog.services == {}


@each_operator
def test_every_option_stands_in_the_signature_the_templates_and_the_docstring(operator: str) -> None:
    cls, required = CLASSES[operator]
    doc = str(cls.__doc__)
    options = DeleteOptions if operator == "delete" else RunOptions
    inits = [vars(base)["__init__"] for base in cls.__mro__ if "__init__" in vars(base)]
    parameters = {name: parameter for init in inits for name, parameter in inspect.signature(init).parameters.items()}
    defaults = {field.name: field.default for field in dataclasses.fields(options)} | {
        "if_exists": "fail",
        "approved_plan": _NOT_GIVEN,
    }
    for name in cls.option_names:
        assert parameters[name].default == defaults[name]
        assert name in cls.template_fields
        assert f":param {name}: {option_texts(options)[name]}" in doc
    for name in ("collate_conn_id", "request_timeout", "request_retries", *required):
        assert name in cls.template_fields
        assert doc.count(f":param {name}: ") == 1


def test_each_option_of_a_run_is_an_operators() -> None:
    names = {name for cls, _ in CLASSES.values() for name in cls.option_names}
    fields = {field.name for options in (RunOptions, DeleteOptions) for field in dataclasses.fields(options)}
    assert fields - names == {"created_since"}


def test_default_args_and_partial_reach_the_operator() -> None:
    defaults = {"if_exists": "ignore", "tags": ["Tier.Tier1"], "request_retries": 2, "timeout": 5, "chunk_size": 7}
    with DAG("d", schedule=None, default_args=defaults):
        create, sync = make("create"), make("sync", prune="soft", prune_scope=SCOPE)
        partial = CreateMlModelServiceOperator.partial(task_id="p", service_type="Sklearn", connection=None)
        partial.expand(name=["a", "b"], if_exists=["fail", "update"])
    assert (create.if_exists, create.request_retries, create.tags) == ("ignore", 2, ["Tier.Tier1"])
    assert (sync.chunk_size, sync.request_retries, sync.prune_scope) == (7, 2, SCOPE)


@each_operator
def test_dry_run_stays_airflows_own_method(operator: str) -> None:
    made = make(operator)  # Airflow 3.0's operators have none
    ours = [cls for cls in type(made).__mro__ if cls.__module__.startswith("airflow_provider_collate")]
    assert not any("dry_run" in vars(one) for one in (made, *ours))
