"""No secret that was declared is ever in a message or in a printed model."""

from __future__ import annotations

import traceback
from collections.abc import Iterator

import pytest
from pydantic import BaseModel, JsonValue, ValidationError

from airflow_provider_collate.exceptions import InvalidDeclarationError
from airflow_provider_collate.kinds.aws import AwsCredentials
from airflow_provider_collate.kinds.mlmodel import ML_MODEL, CreateMlModelServiceRequest, MlflowConnection
from airflow_provider_collate.models import ServiceConnection
from tests.unit.models.declaring import validate

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
        validate(rows)
    except InvalidDeclarationError as error:
        return error
    return None


def test_no_message_shows_a_secret() -> None:
    refused = 0
    for service_type, config in SPOILT:
        row = service(service_type, config)
        errors = [
            refusal([row]),
            refusal([row, row]),
            refusal([{**row, "connection": config}]),
            refusal([{"connection": config}, f"{row}"]),
        ]
        refused += errors[0] is not None
        for error in errors:
            assert CANARY not in printed(error)
            assert error is None or CANARY not in repr(error.problems)
    assert refused > len(SPOILT) / 2 > 50


def test_pydantics_own_error_shows_no_secret() -> None:
    for service_type, config in SPOILT:
        error = pydantics_error(service(service_type, config))
        assert error is None or CANARY not in f"{error} {error!r} {error.__cause__!r} {error.__context__!r}"


def pydantics_error(row: JsonValue) -> ValidationError | None:
    try:
        CreateMlModelServiceRequest.model_validate(row)
    except ValidationError as error:
        return error
    return None


def test_no_warning_and_no_printed_model_shows_a_secret() -> None:
    for service_type, config in [*CONFIGS.items(), ("VertexAI", EXTERNAL)]:
        validated = validate([service(service_type, config)])
        assert CANARY not in repr(validated.warnings)
        assert repr(validated.services) == f"[DeclaredService(name='a', service_type={service_type!r})]"
        for part in models_in(model_of(service_type, config)):
            assert CANARY not in f"{part} {part!r} {[part]} {list(part.__repr_args__())}"


def model_of(service_type: str, config: JsonValue) -> CreateMlModelServiceRequest:
    return CreateMlModelServiceRequest.model_validate(service(service_type, config))


def models_in(model: BaseModel) -> Iterator[BaseModel]:
    yield model
    for value in model.__dict__.values():
        if isinstance(value, BaseModel):
            yield from models_in(value)


def test_a_printed_connection_shows_its_type_and_which_fields_were_given() -> None:
    connection = model_of("Mlflow", {"trackingUri": CANARY}).connection
    assert repr(connection) == ("ServiceConnection(config=MlflowConnection(tracking_uri=***, type='Mlflow'))")
    assert str(connection) == "config=MlflowConnection(tracking_uri=***, type='Mlflow')"


def test_an_own_field_is_shown_by_its_name_only() -> None:
    assert (
        repr(model_of("Foo", {"own": CANARY}).connection) == "ServiceConnection(config=UndocumentedConnection(own=***))"
    )


@pytest.mark.parametrize(
    "service_type, config, secrets",
    [
        ("Mlflow", {"type": "Mlflow", "trackingUri": "http://mlflow:5000"}, []),
        (
            "Mlflow",
            {"trackingUri": "http://u:pw@t", "registry_uri": "mysql+pymysql://u:p%40w@db/ml"},
            ["pw", "p%40w", "p@w"],
        ),
        ("Mlflow", {"trackingUri": "http://u@t/x:y@z"}, []),
        ("Mlflow", {"trackingUri": "redis://:pw@host"}, ["pw"]),
        ("Mlflow", {"trackingUri": "mysql://u:p/w@host/db"}, ["p/w"]),
        ("Mlflow", {"trackingUri": "mysql://u:p@w@host/db"}, ["p@w"]),
        ("Mlflow", {"trackingUri": "http://t/?user=ana&access_token=a%20b#frag"}, ["a b"]),
        (
            "Mlflow",
            {"trackinguri": "misspelt", "awsConfig": {"awsRegion": "another type's"}},
            ["misspelt", "another type's"],
        ),
        (
            "SageMaker",
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
        ("SageMaker", {"aws_config": AwsCredentials(aws_region="eu", aws_secret_access_key="s")}, ["s"]),
        ("SageMaker", {"awsConfig": "no object", "mlModelFilterPattern": {"includes": ["a"]}}, ["no object"]),
        (
            "VertexAI",
            {"location": "eu", "credentials": {"gcpConfig": {"privateKey": "k", "tokenUri": "https://g/token"}}},
            ["k"],
        ),
        ("VertexAI", {"credentials": {"gcpConfig": {"audience": "a", "credentialSource": {"file": "f"}}}}, ["f"]),
        # What another of Google's types shows openly is the user's own field in an open one.
        ("VertexAI", {"credentials": {"gcpConfig": {"type": "gcp_adc", "own": "o", "clientEmail": "c"}}}, ["o", "c"]),
        ("CustomMlModel", {"connectionOptions": {"host": "h", "type": "t"}, "trackingUri": "u"}, ["h", "t", "u"]),
        ("CustomMlModel", {"own": {"type": "x", "n": 5}, "sourcePythonClass": "a.B"}, ["x"]),
        ("Foo", {"type": "Foo", "secret": ["a", "", None, 1, {"b": "c"}], "trackingUri": "u"}, ["a", "c", "u"]),
    ],
)
def test_a_value_is_secret_unless_the_model_of_its_type_marks_it(
    service_type: str, config: dict[str, object], secrets: list[str]
) -> None:
    assert list(ML_MODEL.secret_values(service_type, {"config": config})) == secrets


@pytest.mark.parametrize(
    "service_type, connection, secrets",
    [
        ("SageMaker", {"conn_id": "aws", "region": "eu", "role_arn": "r", "endpoint_url": "e"}, []),
        (
            "SageMaker",
            {"conn_id": "aws", "aws_secret_access_key": "s", "awsSessionToken": "t", "own": "o"},
            ["s", "t", "o"],
        ),
        ("VertexAI", {"conn_id": "gcp", "project": "p", "region": "eu", "gcpConfig": {"privateKey": "k"}}, ["k"]),
        ("Mlflow", {"registry_conn_id": "db", "tracking_uri": "http://u:pw@t"}, ["pw"]),
        ("Mlflow", MlflowConnection(tracking_uri="http://u:pw@t"), ["pw"]),
        ("Mlflow", ServiceConnection(config=MlflowConnection(tracking_uri="http://u:pw@t")), ["pw"]),
        ("{{ params.type }}", {"conn_id": "aws", "region": "eu"}, ["eu"]),
        (None, "no object", []),
    ],
)
def test_secrets_beside_a_conn_id_are_found_before_validation(
    service_type: object, connection: object, secrets: list[str]
) -> None:
    assert list(ML_MODEL.secret_values(service_type, connection)) == secrets


def test_a_validated_service_knows_its_secrets() -> None:
    for service_type, config in [*CONFIGS.items(), ("VertexAI", EXTERNAL)]:
        (validated,) = validate([service(service_type, config)]).services
        assert CANARY in validated.secrets()
    without: list[object] = [None, {}, {"config": {}}]
    for connection in without:
        row = {"name": "a", "serviceType": "Mlflow", "connection": connection}
        (validated,) = validate([row]).services
        assert validated.secrets() == ()
