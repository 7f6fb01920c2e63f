"""No secret that was declared is ever in a message or in a printed model."""

from __future__ import annotations

import traceback
from collections.abc import Iterator

import pytest
from pydantic import BaseModel, JsonValue, ValidationError

from airflow_provider_collate.exceptions import InvalidDeclarationError
from airflow_provider_collate.models import CreateMlModelServiceRequest, secret_values, validate_services

CANARY = "canary-7f3a"

Json = dict[str, JsonValue]

CONFIGS: dict[str, Json] = {
    "Mlflow": {
        "trackingUri": f"http://u:{CANARY}@t",
        "registry_uri": f"mysql+pymysql://u:{CANARY}@db/ml",
        "mlModelFilterPattern": {"includes": [CANARY]},
    },
    "SageMaker": {
        "awsConfig": {
            "awsRegion": "eu",
            "awsAccessKeyId": CANARY,
            "aws_secret_access_key": CANARY,
            "awsSessionToken": CANARY,
        }
    },
    "VertexAI": {
        "location": "eu",
        "credentials": {"gcpConfig": {"privateKey": CANARY, "privateKeyId": CANARY, "projectId": [CANARY]}},
    },
    "CustomMlModel": {
        "connectionOptions": {"password": CANARY, "other": CANARY},
        "own": {"deep": [CANARY]},
        "sourcePythonClass": CANARY,
    },
    "Foo": {"secret": CANARY, "list": [{"a": CANARY}]},
}
EXTERNAL: Json = {
    "location": "eu",
    "credentials": {"gcpConfig": {"audience": CANARY, "credentialSource": {"file": CANARY}}},
}


def service(service_type: str, config: JsonValue) -> Json:
    return {"name": "a", "serviceType": service_type, "connection": {"config": config}}


def spoilt(node: JsonValue) -> Iterator[JsonValue]:
    """Give the config again and again, each time with another of its values spoilt."""
    if isinstance(node, str):
        yield {"a": node}
        yield [node]
        yield [{"a": [node]}]
        yield f"{{{{ {node} }}}}"
        yield f"{node}\ud800"
    items = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, item in items:
        for bad in spoilt(item):
            copied = dict(node) if isinstance(node, dict) else list(node) if isinstance(node, list) else node
            copied[key] = bad  # type: ignore[index]  # the key is the copy's own
            yield copied
    if isinstance(node, dict):
        yield {**node, "zzz": CANARY, "zzy": float("nan"), "trackingUri": [CANARY]}
        yield f"{node}"
        yield [node]


SPOILT = [
    (service_type, config)
    for service_type, good in [*CONFIGS.items(), ("VertexAI", EXTERNAL)]
    for config in spoilt(good)
]


def printed(error: BaseException | None) -> str:
    if error is None:
        return ""
    shown = f"{error} {error!r} {''.join(traceback.format_exception(error))}"
    return shown + printed(error.__cause__) + printed(error.__context__)


def refusal(rows: list[JsonValue]) -> InvalidDeclarationError | None:
    try:
        validate_services(rows)
    except InvalidDeclarationError as error:
        return error
    return None


def test_most_spoilt_configs_are_refused() -> None:
    refused = [refusal([service(service_type, config)]) for service_type, config in SPOILT]
    assert len([error for error in refused if error]) > len(SPOILT) / 2 > 50


@pytest.mark.parametrize("service_type, config", SPOILT)
def test_no_message_shows_a_secret(service_type: str, config: JsonValue) -> None:
    row = service(service_type, config)
    unwrapped: Json = {**row, "connection": config}
    for error in (
        refusal([row]),
        refusal([row, row]),
        refusal([unwrapped]),
        refusal([{"connection": config}, f"{row}"]),
    ):
        assert CANARY not in printed(error)
        assert error is None or CANARY not in repr(error.problems)


@pytest.mark.parametrize("service_type, config", [*CONFIGS.items(), ("VertexAI", EXTERNAL)])
def test_no_warning_shows_a_secret(service_type: str, config: Json) -> None:
    assert CANARY not in repr(validate_services([service(service_type, config)]).warnings)


@pytest.mark.parametrize("service_type, config", SPOILT)
def test_pydantics_own_error_shows_no_secret(service_type: str, config: JsonValue) -> None:
    try:
        CreateMlModelServiceRequest.model_validate(service(service_type, config))
    except ValidationError as error:
        shown = f"{error} {error!r}"
    else:
        shown = ""
    assert CANARY not in shown


@pytest.mark.parametrize("service_type, config", [*CONFIGS.items(), ("VertexAI", EXTERNAL)])
def test_no_printed_model_shows_a_secret(service_type: str, config: Json) -> None:
    (validated,) = validate_services([service(service_type, config)]).services
    for part in models_in(validated):
        assert CANARY not in f"{part} {part!r} {list(part.__repr_args__())}"
        assert CANARY not in f"{[part]} {(part,)!r}"


def models_in(model: BaseModel) -> Iterator[BaseModel]:
    yield model
    for value in model.__dict__.values():
        if isinstance(value, BaseModel):
            yield from models_in(value)


def test_a_printed_connection_shows_its_type_and_which_fields_were_given() -> None:
    (validated,) = validate_services([service("Mlflow", {"trackingUri": CANARY})]).services
    assert repr(validated.connection) == ("ServiceConnection(config=MlflowConnection(tracking_uri=***, type='Mlflow'))")
    assert str(validated.connection) == "config=MlflowConnection(tracking_uri=***, type='Mlflow')"


def test_an_own_field_is_shown_by_its_name_only() -> None:
    (validated,) = validate_services([service("Foo", {"own": CANARY})]).services
    assert repr(validated.connection) == "ServiceConnection(config=UndocumentedConnection(own=***))"


@pytest.mark.parametrize(
    "config, secrets",
    [
        ({"type": "Mlflow", "trackingUri": "http://mlflow:5000"}, []),
        ({"trackingUri": "http://u:pw@t", "registry_uri": "mysql+pymysql://u:p%40w@db/ml"}, ["pw", "p%40w", "p@w"]),
        ({"trackingUri": "http://u@t/x:y@z"}, []),
        ({"trackingUri": "redis://:pw@host"}, ["pw"]),
        ({"trackingUri": "mysql://u:p/w@host/db"}, ["p/w"]),
        ({"trackingUri": "mysql://u:p@w@host/db"}, ["p@w"]),
        ({"trackingUri": "http://t/?user=ana&access_token=a%20b#frag"}, ["a b"]),
        (
            {
                "awsConfig": {
                    "awsRegion": "eu",
                    "awsAccessKeyId": "AKIA",
                    "awsSecretAccessKey": "s1",
                    "aws_session_token": "s2",
                }
            },
            ["s1", "s2"],
        ),
        (
            {"location": "eu", "credentials": {"gcpConfig": {"privateKey": "k", "tokenUri": "https://g/token"}}},
            ["k"],
        ),
        ({"credentials": {"gcpConfig": {"credentialSource": {"file": "f"}}}}, ["f"]),
        ({"credentials": {"gcpConfig": {"type": "gcp_adc", "own": "o"}}}, ["o"]),
        ({"connectionOptions": {"host": "h", "type": "t"}}, ["h", "t"]),
        ({"type": "CustomMlModel", "own": {"type": "x", "n": 5}, "sourcePythonClass": "a.B"}, ["x"]),
        ({"type": "Foo", "secret": ["a", "", None, 1, {"b": "c"}]}, ["a", "c"]),
    ],
)
def test_secret_values(config: Json, secrets: list[str]) -> None:
    assert list(secret_values(config)) == secrets
