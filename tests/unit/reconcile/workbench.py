"""A catalog in process, a client of it, and runs of the reconciler: what the tests of this room have in common."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx

from airflow_provider_collate.client.client import CollateClient
from airflow_provider_collate.client.config import ClientConfig
from airflow_provider_collate.client.services import Services
from airflow_provider_collate.exceptions import CollateError
from airflow_provider_collate.kinds.mlmodel import ML_MODEL, CreateMlModelServiceRequest
from airflow_provider_collate.models import DeclaredService, validate_services
from airflow_provider_collate.models.service import Service
from airflow_provider_collate.reconcile.engine import Reconciler
from airflow_provider_collate.reconcile.options import RunOptions
from airflow_provider_collate.reconcile.plan import Plan
from airflow_provider_collate.reconcile.report import Report, RowResult
from airflow_provider_collate.sandbox import ADMIN, INGESTION_BOT, Catalog, InProcessTransport, RecordedRequest, User

Row = Mapping[str, object]
COLLECTION = "/api/v1/services/mlmodelServices"


class InterruptedTransport(httpx.BaseTransport):
    """Lets something happen right before a request arrives, such as a person's edit, or a crash."""

    def __init__(self, bench: Workbench) -> None:
        self._bench = bench
        self._inner = InProcessTransport(bench.catalog, sleep=lambda seconds: None)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Answer one request."""
        self._bench.before(request)
        return self._inner.handle_request(request)


def no_interruption(request: httpx.Request) -> None:
    """Let nothing happen."""


@dataclass
class Task:
    """What a task knows of its end."""

    stopped: bool = False


@dataclass
class Workbench:
    """A catalog and one user of it.

    :param catalog: the catalog.
    :param is_bot: whether the token is the bot's; else it is a person's.
    :param before: called with each request before it arrives.
    """

    catalog: Catalog
    is_bot: bool = True
    before: Callable[[httpx.Request], None] = no_interruption
    waits: list[float] = field(default_factory=list)

    @property
    def user(self) -> User:
        """Whose token it is."""
        return INGESTION_BOT if self.is_bot else ADMIN

    def client(self, **config: Any) -> CollateClient:
        """A new client, as each attempt of a task has one; waits cost no time and are noted."""
        token = self.catalog.bot_token if self.is_bot else self.catalog.admin_token
        return CollateClient(
            ClientConfig("http://catalog.example/api", **config),
            lambda: token,
            http=InterruptedTransport(self),
            sleep=self.waits.append,
        )

    def reconciler(self, **options: Any) -> Reconciler:
        """A reconciler with a client of its own."""
        return Reconciler(self.client(), ML_MODEL, RunOptions(**options))

    def plan(self, rows: Sequence[Row], **options: Any) -> Plan:
        """Plan these rows."""
        return self.reconciler(**options).plan(declared_services(rows))

    def run(self, rows: Sequence[Row], **options: Any) -> Report:
        """Make the catalog as these rows declare."""
        return self.reconciler(**options).run(declared_services(rows))

    def run_one(self, row: Row, **options: Any) -> RowResult:
        """Make the catalog as one row declares."""
        (result,) = self.run([row], **options).rows
        return result

    @property
    def services(self) -> Services:
        """The endpoints, by a client of their own."""
        return self.client().services(ML_MODEL)

    def sent(self, *methods: str) -> list[RecordedRequest]:
        """The requests of these methods that the catalog saw; all if none is named."""
        return [seen for seen in self.catalog.requests if not methods or seen.method in methods]

    def writes(self) -> list[RecordedRequest]:
        """The requests that may have changed something."""
        return self.sent("POST", "PUT", "PATCH", "DELETE")


def error_of(ended: Report | RowResult) -> CollateError:
    """Why a run, or one row of it, failed."""
    error = ended.error() if isinstance(ended, Report) else ended.error
    assert error is not None
    return error


def once(bench: Workbench, method: str, act: Callable[[], object], path: str = "") -> None:
    """Let something happen right before the first such request arrives."""

    def before(seen: httpx.Request) -> None:
        if seen.method == method and seen.url.path.endswith(path):
            bench.before = no_interruption
            act()

    bench.before = before


def declared_services(rows: Sequence[Row]) -> list[DeclaredService]:
    """Rows that are valid as services."""
    return list(validate_services(rows, model=CreateMlModelServiceRequest).services)


def declared_service(**fields: Any) -> DeclaredService:
    """One valid Sklearn service, or whatever the fields say."""
    return declared_services([sklearn(**fields)])[0]


def sklearn(name: str = "team.sklearn", **fields: object) -> dict[str, object]:
    """A row without anything secret in it."""
    row = {"name": name, "serviceType": "Sklearn", "connection": {"config": {"type": "Sklearn"}}}
    return {**row, **fields}


def mlflow(name: str = "fraud_mlflow", tracking: str = "http://mlflow:5000", **fields: object) -> dict[str, object]:
    """A row with a URI in it that has a password."""
    config = {"type": "Mlflow", "trackingUri": tracking, "registryUri": "mysql://ml:hunter2hunter2@db/ml"}
    return {"name": name, "serviceType": "Mlflow", "connection": {"config": config}, **fields}


def sagemaker(name: str = "sage", secret: str = "first-secret-key", **fields: object) -> dict[str, object]:
    """A row with a secret that the server masks for people."""
    aws = {"awsRegion": "eu-west-1", "awsAccessKeyId": "AKIAEXAMPLE", "awsSecretAccessKey": secret}
    config = {"type": "SageMaker", "awsConfig": aws}
    return {"name": name, "serviceType": "SageMaker", "connection": {"config": config}, **fields}


def shown(**fields: object) -> Service:
    """A service as the catalog shows it."""
    document = {
        "id": "0d3f5c1e-9a1b-4c7d-8e2f-6a5b4c3d2e1f",
        "name": "team.sklearn",
        "fullyQualifiedName": '"team.sklearn"',
        "serviceType": "Sklearn",
        "version": 0.3,
        "updatedAt": 1_700_000_000_000,
        "connection": {"config": {"type": "Sklearn", "supportsMetadataExtraction": True}},
        "deleted": False,
    }
    return Service.model_validate({**document, **fields})
