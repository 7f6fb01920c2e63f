"""The servers that leak what they were sent, and the Airflow connections that lead to them and to the secrets."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from itertools import cycle
from typing import Any
from urllib.parse import quote

from airflow_provider_collate.sandbox import Answer, Catalog, Request
from airflow_provider_collate.sandbox.server import serve_in_thread
from tests.secrets import canaries

SERVERS = (
    "good", "echo_400", "echo_cut", "dump_500", "html_502", "failed_rows", "refused_401", "redirect", "lost", "proxy",
)  # fmt: skip
NAMES = ("mlflow", "sagemaker", "vertexai", "custom")


def services(values: dict[str, Any] | None = None) -> list[dict[str, Any]]:
    """One service of each type with all the secrets in it; by reference, or the values themselves.

    :param values: connections by name, instead of references to Airflow's.
    """
    connections = values or REFERENCES
    types = dict(zip(NAMES, ("Mlflow", "SageMaker", "VertexAI", "CustomMlModel"), strict=True))
    return [{"name": name, "service_type": types[name], "connection": connections[name]} for name in NAMES]


REFERENCES: dict[str, Any] = {
    "mlflow": {"conn_id": "mlflow_tracking", "registry_conn_id": "mlflow_registry"},
    "sagemaker": {"conn_id": "aws_prod"},
    "vertexai": {"conn_id": "gcp_prod", "location": "europe-west1"},
    "custom": {
        "config": {
            "sourcePythonClass": "acme.Source",
            "connectionOptions": {"anything": "{{ conn.custom_source.password }}"},
            "own": "{{ var.value.own_option }}",
        }
    },
}

_KEYFILE = {
    "type": "service_account",
    "project_id": "acme",
    "private_key_id": "k1",
    "private_key": canaries.PRIVATE_KEY,
    "client_email": "ml@acme.example",
    "client_id": "1",
}
VALUES: dict[str, Any] = {
    "mlflow": {
        "config": {
            "trackingUri": f"https://ml:{quote(canaries.TRACKING_PASSWORD, safe='')}@mlflow.acme.example",
            "registryUri": f"mysql://ml:{quote(canaries.REGISTRY_PASSWORD, safe='')}@db/mlflow",
        }
    },
    "sagemaker": {
        "config": {
            "awsConfig": {
                "awsAccessKeyId": "AKIAACME",
                "awsSecretAccessKey": canaries.AWS_SECRET,
                "awsSessionToken": canaries.AWS_SESSION,
                "awsRegion": "eu-central-1",
            }
        }
    },
    "vertexai": {
        "config": {
            "location": "europe-west1",
            "credentials": {
                "gcpConfig": {
                    "type": "service_account",
                    "projectId": "acme",
                    "privateKeyId": "k1",
                    "privateKey": canaries.PRIVATE_KEY,
                    "clientEmail": "ml@acme.example",
                    "clientId": "1",
                }
            },
        }
    },
    "custom": {
        "config": {
            "sourcePythonClass": "acme.Source",
            "connectionOptions": {"anything": canaries.OPTION},
            "own": canaries.OWN_FIELD,
        }
    },
}


def settings(urls: dict[str, str]) -> dict[str, str]:
    """The environment of Airflow: connections, one variable, and everything logged.

    :param urls: address of each server.
    """
    connections: dict[str, Any] = {
        "mlflow_tracking": {
            "conn_type": "http",
            "host": "https://mlflow.acme.example",
            "login": "ml",
            "password": canaries.TRACKING_PASSWORD,
        },
        "mlflow_registry": {
            "conn_type": "mysql",
            "host": "db",
            "schema": "mlflow",
            "login": "ml",
            "password": canaries.REGISTRY_PASSWORD,
        },
        "aws_prod": {
            "conn_type": "aws",
            "login": "AKIAACME",
            "password": canaries.AWS_SECRET,
            "extra": {"aws_session_token": canaries.AWS_SESSION, "region_name": "eu-central-1"},
        },
        "gcp_prod": {"conn_type": "google_cloud_platform", "extra": {"keyfile_dict": _KEYFILE, "project": "acme"}},
        "custom_source": {"conn_type": "generic", "password": canaries.OPTION},
    }
    for name, url in urls.items():
        extra: dict[str, Any] = {"max_retries": 0, "timeout": 10}
        if name == "proxy":
            extra["proxy"] = f"http://acme:{canaries.PROXY_PASSWORD}@127.0.0.1:9"  # the port where nobody listens
        connections[f"collate_{name}"] = {"conn_type": "collate", "host": url, "password": canaries.JWT, "extra": extra}
    return {
        **{f"AIRFLOW_CONN_{name.upper()}": json.dumps(fields) for name, fields in connections.items()},
        "AIRFLOW_VAR_OWN_OPTION": canaries.OWN_FIELD,
        "AIRFLOW_VAR_PROBE": canaries.PROBE,
        "AIRFLOW__LOGGING__LOGGING_LEVEL": "DEBUG",
        "AIRFLOW__LOGGING__CELERY_LOGGING_LEVEL": "DEBUG",
        "AIRFLOW__LOGGING__FAB_LOGGING_LEVEL": "DEBUG",
        "AIRFLOW__LOGGING__NAMESPACE_LEVELS": "httpx=DEBUG httpcore=DEBUG tenacity=DEBUG airflow=DEBUG",
    }


@contextmanager
def servers(names: tuple[str, ...] = SERVERS) -> Iterator[dict[str, str]]:
    """Serve a catalog for each way in which a server can leak; each has the four services stored already."""
    with ExitStack() as stack:
        yield {name: stack.enter_context(serve_in_thread(catalog(name))) for name in names}


def catalog(name: str) -> Catalog:
    """A catalog that answers in one of the ways in `SERVERS`."""
    catalog = EchoingCatalog(_ECHOES[name]) if name in _ECHOES else Catalog(bot_token=canaries.JWT)
    if name != "good":
        for service in services(VALUES):
            stored = {**service["connection"]["config"], "type": service["service_type"]}
            catalog.add_service(service["name"], service["service_type"], connection={"config": stored})
    faults: dict[str, dict[str, Any]] = {
        "refused_401": {"status": 401, "body": {"code": 401, "message": f"Invalid token {canaries.JWT}"}},
        "redirect": {
            "status": 302,
            "headers": {"Location": f"https://sso.acme.example/login?token={canaries.JWT}&jwt={canaries.JWT}"},
        },
        "lost": {"lose_answer": True},
    }
    if name in ("refused_401", "redirect"):
        catalog.fail(times=None, **faults[name])
    elif name in faults:
        for method in ("POST", "PUT", "PATCH", "DELETE"):
            catalog.fail(times=None, method=method, **faults[name])
    return catalog


Echo = Callable[[Request], Answer]


class EchoingCatalog(Catalog):
    """A catalog that answers every write by printing what it was sent.

    :param echo: makes the answer.
    """

    def __init__(self, echo: Echo) -> None:
        super().__init__(bot_token=canaries.JWT)
        self._echo = echo

    def handle(self, request: Request) -> Answer:
        return self._echo(request) if request.is_write else super().handle(request)


def _echo_400(request: Request) -> Answer:
    return _json(400, {"code": 400, "message": _printed(request)})


def _echo_cut(request: Request) -> Answer:
    """Every text of the request, each cut off in the middle, as a server does with long ones."""
    cut = "; ".join(f"Invalid value '{text[: max(30, len(text) // 3)]}…" for text in _texts(_body(request)))
    return _json(400, {"code": 400, "message": cut})


def _dump_500(request: Request) -> Answer:
    """The recorded 500 that prints the stored service, its connection in clear."""
    stored = json.dumps(
        {"id": "1", "name": "mlflow", "connection": VALUES["mlflow"], "tags": []}, separators=(",", ":")
    )
    text = f"'{stored}' contains no value for name 'description'"
    return _json(500, {"responseMessage": f"An exception with message [{text}] was thrown while processing request."})


def _html_502(request: Request) -> Answer:
    return Answer(502, f"<html><body>Bad gateway: {_printed(request)}</body></html>".encode(), _HTML)


def _failed_rows(request: Request) -> Answer:
    """A bulk result whose rows carry the whole create request, and print it in their messages too (documented)."""
    rows = [row if isinstance(row, dict) else {} for row in _listed(_body(request))]
    failed = [
        {"request": row, "message": f"Invalid row {row} {_printed_json(row)}", "status": status}
        for row, status in zip(rows, cycle([400, 403, 500]), strict=False)
    ]
    counts = {"numberOfRowsProcessed": len(rows), "numberOfRowsPassed": 0, "numberOfRowsFailed": len(rows)}
    return _json(200, {"status": "failure", **counts, "successRequest": [], "failedRequest": failed})


_HTML = {"Content-Type": "text/html"}
_ECHOES: dict[str, Echo] = {
    "echo_400": _echo_400,
    "echo_cut": _echo_cut,
    "dump_500": _dump_500,
    "html_502": _html_502,
    "failed_rows": _failed_rows,
}


def _json(status: int, body: object) -> Answer:
    return Answer(status, json.dumps(body).encode(), {"Content-Type": "application/json"})


def _body(request: Request) -> object:
    return json.loads(request.content) if request.content else None


def _listed(body: object) -> list[object]:
    return body if isinstance(body, list) else [body]


def _texts(value: object) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        value = list(value.values())
    return [text for item in value for text in _texts(item)] if isinstance(value, list) else []


def _printed(request: Request) -> str:
    """A request in many ways: each text alone, encoded, in Java's notation, and as it was sent."""
    texts = _texts(_body(request))
    return " ".join(
        [
            *(f"Invalid value {text} for field" for text in texts),
            *(quote(text, safe="") for text in texts),
            *(base64.b64encode(text.encode()).decode() for text in texts),
            *(f"CreateMlModelService [connection=class Config {{ secret: {text} }}]" for text in texts),
            request.content.decode(),
            f"Authorization: {request.headers.get('authorization', '')}",
        ]
    )


def _printed_json(value: object) -> str:
    return json.dumps(value, indent=2)
