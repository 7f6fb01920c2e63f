"""What people get wrong in their first hour, each with the sentence that they need."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import DAG, AirflowFailException

from airflow_provider_collate.hooks.masking import shortest_masked
from airflow_provider_collate.operators.mlmodel_service import (
    BulkUpsertMlModelServicesOperator,
    CreateMlModelServiceOperator,
    SyncMlModelServicesOperator,
)
from airflow_provider_collate.sandbox import ANA, INGESTION_BOT, Catalog, InProcessTransport
from tests.unit.conftest import Network, TaskInstance

PLAIN = {"config": {"type": "Sklearn"}}
MLFLOW = {"trackingUri": "https://mlflow.acme.example", "registryUri": "https://mlflow.acme.example"}
VERTEX = {"config": {"location": "europe-west3", "credentials": {"gcpConfig": {"path": "/etc/keys/collate.json"}}}}
TRACKING = {"conn_type": "https", "host": "mlflow.acme.example"}
GENERIC = {"conn_type": "generic", "host": "db.acme.example", "login": "mlflow", "password": "change-me"}
SHORT = "mysql://mlflow:ab@db.acme.example/mlflow"
TOO_SHORT = (
    f"connection.config.registryUri: the secret in it has fewer than {shortest_masked()} characters, "
    "so Airflow does not mask it where other code prints it"
)

Task = Callable[[], Any]


def row(name: str = "notebooks", **fields: object) -> dict[str, object]:
    return {"name": name, "serviceType": "Sklearn", "connection": PLAIN, **fields}


def create(**given: object) -> Task:
    fields: dict[str, Any] = {"name": "prod", "service_type": "Sklearn", "connection": PLAIN, **given}
    return lambda: CreateMlModelServiceOperator(task_id="register", **fields)


def bulk(*rows: object) -> Task:
    return lambda: BulkUpsertMlModelServicesOperator(task_id="upsert", services=list(rows))


def sync(**given: Any) -> Task:
    return lambda: SyncMlModelServicesOperator(task_id="sync", services=[row("s0")], **given)


class Upstream(TaskInstance):
    """A task instance whose upstream task returned an address with a password in it."""

    def xcom_pull(self, *_: object, **__: object) -> str:
        return "mysql://mlflow:hunter2hunter2@db.acme.example/mlflow"


def nothing(catalog: Catalog) -> None:
    """Leave the catalog empty."""


def anas_text(catalog: Catalog) -> None:
    catalog.add_service("prod", "Sklearn", user=ANA, connection=PLAIN, description="By hand")


def four_of_ours(catalog: Catalog) -> None:
    for number in range(4):
        catalog.add_service(f"s{number}", "Sklearn", user=INGESTION_BOT, connection=PLAIN)


@dataclass(frozen=True)
class Mistake:
    """What somebody did.

    :param make: makes the task.
    :param sentence: what its error or its log must say.
    :param connections: Airflow connections beside `collate_default`, or in its place, by their ids.
    :param release: the release of the server.
    :param prepare: puts into the catalog what is there already.
    """

    make: Task
    sentence: str
    connections: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    release: str = "2.x"
    prepare: Callable[[Catalog], None] = nothing


COLLATE = {"conn_type": "collate", "host": "https://acme.getcollate.io", "password": "a-token"}
MISTAKES = {
    "a type in lower case": Mistake(
        create(service_type="mlflow", connection={"config": MLFLOW}),
        'service_type: "mlflow" is not known to this version, did you mean Mlflow?',
    ),
    "the same, by an Airflow connection": Mistake(
        create(service_type="mlflow", connection={"conn_id": "tracking"}),
        'connection.conn_id: serviceType "mlflow" is not known to this version, did you mean Mlflow?',
        {"tracking": TRACKING},
    ),
    "the same, without a connection": Mistake(
        create(service_type="mlflow", connection=None),
        'service_type: "mlflow" is not known to this version, did you mean Mlflow?',
    ),
    "a type that the release does not have": Mistake(
        create(service_type="VertexAI", connection=VERTEX),
        "'prod' is of type VertexAI, which came with release 1.5, but this is Collate 1.2.0\nChange the "
        "declaration, or upgrade the server.",
        release="1.2",
    ),
    "no registry": Mistake(
        create(service_type="Mlflow", connection={"config": {"trackingUri": MLFLOW["trackingUri"]}}),
        "connection.config.registryUri: not given; the server takes the service without it, but the "
        "documented schema requires it: expect its ingestion and its connection test to fail",
    ),
    "a long description": Mistake(
        create(description="x" * 100_001),
        "description: is longer than 100 kB; each version in its history keeps a copy of it",
    ),
    "a secret in the DAG file": Mistake(
        create(service_type="Mlflow", connection={"config": {**MLFLOW, "registryUri": Upstream().xcom_pull()}}),
        "A secret in `connection` is written in the DAG file, which Airflow stores and shows in clear; "
        'use connection={"conn_id": …} instead',
    ),
    "a secret by XCom": Mistake(
        create(
            service_type="Mlflow", connection={"config": {**MLFLOW, "registryUri": "{{ ti.xcom_pull('look_up') }}"}}
        ),
        "A secret in `connection` came by XCom, which Airflow stores and shows in clear; use "
        'connection={"conn_id": …} instead',
    ),
    "a secret that is too short": Mistake(
        create(service_type="Mlflow", connection={"config": {**MLFLOW, "registryUri": SHORT}}), TOO_SHORT
    ),
    "a registry stored as generic": Mistake(
        create(service_type="Mlflow", connection={"conn_id": "tracking", "registry_conn_id": "registry"}),
        '"registry" is of type "generic", which Airflow stores when --conn-type names a type whose '
        "provider is not installed: add it by --conn-uri or --conn-json, with one of http, https, "
        "mlflow, postgres,",
        {"tracking": TRACKING, "registry": GENERIC},
    ),
    "a connection that does not exist": Mistake(
        create(service_type="Mlflow", connection={"conn_id": "mlflow_trakcing"}),
        'connection.conn_id: there is no Airflow connection "mlflow_trakcing"; add it under Admin > '
        "Connections, or name another",
    ),
    "a misspelt field": Mistake(
        create(service_type="Mlflow", connection={"config": {"trackingURI": "https://mlflow.acme.example"}}),
        "connection.config.trackingURI: unknown field, did you mean trackingUri?",
    ),
    "a misspelt tag": Mistake(
        create(tags=["Tier.Teir1"]), 'tags: "Tier.Teir1" is not in the catalog, did you mean "Tier.Tier1"?'
    ),
    "an owner that does not exist": Mistake(
        create(owners=["anna@acme.example"]),
        'owners: "anna@acme.example" is not in the catalog, did you mean "ana@acme.example"?',
    ),
    "a name given twice": Mistake(
        bulk(row("a"), row("b"), row("a")), 'services[2].name: "a" was given already by services[0]'
    ),
    "a list that was rendered to a text": Mistake(
        lambda: BulkUpsertMlModelServicesOperator(task_id="upsert", services="[{'name': 'a'}]"),
        "Pass the upstream task's output itself, set render_template_as_native_obj=True on the DAG,",
    ),
    "a service that exists": Mistake(
        create(),
        '\'prod\' exists already\nUse if_exists="update" to make it as declared, if_exists="ignore" to '
        "leave it, or another name.",
        prepare=anas_text,
    ),
    "a text that somebody wrote": Mistake(
        create(description="New", if_exists="update"),
        'Take it out of the declaration, leave it to others with on_conflict="keep", or replace what '
        'they did with on_conflict="overwrite".',
        prepare=anas_text,
    ),
    "half of the list": Mistake(
        sync(prune="soft", prune_scope={"name_prefix": "s"}, max_prune=1),
        "nothing was written\nLook at the plan with plan_only=True; if it is right, run with max_prune=3.",
        prepare=four_of_ours,
    ),
    "prune without a scope": Mistake(
        sync(prune="soft"), "prune_scope: must be given to prune, or services of other teams would be deleted too"
    ),
    "the address of a page": Mistake(
        create(),
        "host: has a path other than /api; give the address alone, such as https://acme.getcollate.io",
        {"collate_default": {**COLLATE, "host": "https://acme.getcollate.io/my-data"}},
    ),
    "a token with its word": Mistake(
        create(),
        'password: begins with "Bearer"; give the token alone',
        {"collate_default": {**COLLATE, "password": "Bearer a-token"}},
    ),
    "a connection of another type": Mistake(
        create(),
        "type: the connection \"collate_default\" is of type 'postgres'; give one of type collate",
        {"collate_default": {**COLLATE, "conn_type": "postgres"}},
    ),
    "a misspelt option of the connection": Mistake(
        create(),
        "extra.timeuot: unknown field, did you mean timeout?",
        {"collate_default": {**COLLATE, "extra": {"timeuot": 60}}},
    ),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_answered_with_what_to_do(
    name: str, network: Network, connect: Callable[..., None], context: Any, logged: Callable[[], str]
) -> None:
    mistake, catalog = MISTAKES[name], Catalog(MISTAKES[name].release)
    mistake.prepare(catalog)
    network.hosts["acme.getcollate.io"] = InProcessTransport(catalog)
    connect()
    for conn_id, fields in mistake.connections.items():
        connect(conn_id, **{"host": "", "password": "", "extra": {}, **fields})
    said = ""
    try:
        with DAG("first_hour", schedule=None):
            task = mistake.make()
        task.render_template_fields({**context, "ti": Upstream()})
        task.execute(context)
    except AirflowFailException as error:
        said = str(error)

    assert mistake.sentence in said + logged()
