"""All faulty rows are refused together; looser input is accepted with a warning."""

from __future__ import annotations

from collections.abc import Iterator
from types import MappingProxyType

import pytest

from airflow_provider_collate.exceptions import InvalidDeclarationError
from airflow_provider_collate.kinds.mlmodel import CreateMlModelServiceRequest
from airflow_provider_collate.models import CreateServiceRequest, validate_services
from tests.unit.models.declaring import LOOSER, mlflow, problems, service, validate


def test_all_faulty_rows_are_named_together() -> None:
    rows = [
        service(),
        None,
        "x",
        service(name="b", connection={"config": {"trackingURI": "x"}}),
        service(),
        CreateServiceRequest.model_validate({"name": "z", "serviceType": "Foo", "connection": None}),
        {},
    ]
    assert problems(*rows) == [
        "services[1]: must be an object, not None",
        "services[2]: must be an object, not a string",
        "services[3].connection.config.trackingURI: unknown field, did you mean trackingUri?",
        'services[4].name: "a" was given already by services[0]',
        "services[5]: must be an object, not a CreateServiceRequest",
        "services[6].name: must be given",
        "services[6].serviceType: must be given",
        "services[6].connection: must be given; None sends none",
    ]


def test_the_error_counts_and_lists_its_problems() -> None:
    with pytest.raises(InvalidDeclarationError) as refused:
        validate([service(name="a::b"), None])
    assert str(refused.value) == (
        "The declaration has 2 problems; nothing was sent:\n"
        '  services[0].name: must not contain "::"\n'
        "  services[1]: must be an object, not None"
    )


def test_names_given_twice_are_refused_and_case_matters() -> None:
    rows = [service(), service(name="A"), service(name="b"), service(), service()]
    assert problems(*rows) == [
        'services[3].name: "a" was given already by services[0]',
        'services[4].name: "a" was given already by services[0]',
    ]


@pytest.mark.parametrize(
    "rows, kind",
    [
        (service(), "an object"),
        ("[]", "a string"),
        (b"[]", "a bytes"),
        (None, "None"),
        (5, "a number"),
        (MappingProxyType(service()), "a mappingproxy"),
        (CreateMlModelServiceRequest.model_validate(service()), "a CreateMlModelServiceRequest"),
    ],
)
def test_what_is_no_list_is_refused(rows: object, kind: str) -> None:
    with pytest.raises(InvalidDeclarationError) as refused:
        validate(rows)  # type: ignore[arg-type]  # that is the test
    assert refused.value.problems == (f"services: must be a list, not {kind}",)
    is_rendered = isinstance(rows, str)
    native = "Set render_template_as_native_obj=True on the DAG, or pass the upstream task's output itself."
    assert refused.value.advice == (native if is_rendered else "")


def test_rows_may_be_models_mappings_and_come_from_an_iterator() -> None:
    def rows() -> Iterator[object]:
        yield service()
        yield MappingProxyType(service(name="b"))
        yield CreateMlModelServiceRequest.model_validate(service(name="c"))

    assert [row.name for row in validate(rows()).services] == ["a", "b", "c"]


def test_no_rows_are_no_fault() -> None:
    assert validate([]).services == []


def test_looser_connections_are_accepted_with_one_warning_for_each_kind() -> None:
    rows = [
        service(),
        mlflow(trackingUri="x"),
        {**mlflow(tracking_uri="x", registry_uri=None), "name": "c"},
        {**mlflow(trackingUri="x"), "name": "d"},
        service(name="e", serviceType="SageMaker", connection={"config": {}}),
        service(name="f", serviceType="VertexAI", connection={"config": {"location": "eu"}}),
        service(name="g", connection=None),
        service(name="h", connection={}),
    ]
    rows[1]["name"] = "b"
    assert validate(rows).warnings == [
        f"services[1].connection.config.registryUri: {LOOSER} (and 2 more rows)",
        f"services[4].connection.config.awsConfig: {LOOSER}",
        f"services[5].connection.config.credentials: {LOOSER}",
    ]


def test_many_rows_have_one_warning() -> None:
    rows = [{**mlflow(trackingUri="x"), "name": str(number)} for number in range(1999)]
    assert validate(rows).warnings == [f"services[0].connection.config.registryUri: {LOOSER} (and 1,998 more rows)"]


@pytest.mark.parametrize("text, is_long", [("x" * 100_000, False), ("x" * 100_001, True), ("€" * 33_334, True)])
def test_a_long_description_is_accepted_with_a_warning(text: str, is_long: bool) -> None:
    rows = [service(name="short"), service(description=text), service(name="b", description=text)]
    warnings = validate(rows).warnings
    assert [warning.startswith("services[1].description: is longer than 100 kB") for warning in warnings] == (
        [True] if is_long else []
    )


@pytest.mark.parametrize(
    "config, at",
    [
        ({"trackingUri": "x", "registryUri": "mysql://ml:abc@db/ml"}, "registryUri"),
        ({"trackingUri": "http://a?token=abc", "registryUri": "y"}, "trackingUri"),
        ({"trackingUri": "abc", "registryUri": "mysql://ml:abcd@db/ml"}, None),
    ],
)
def test_a_secret_too_short_to_be_masked_is_named_once(config: dict[str, str], at: str | None) -> None:
    rows = [{**mlflow(**config), "name": name} for name in "ab"]
    warnings = validate(rows, shortest_secret=4).warnings
    text = "the secret in it has fewer than 4 characters, so Airflow does not mask it where other code prints it"
    assert warnings == ([f"services[0].connection.config.{at}: {text} (and 1 more row)"] if at else [])


def test_of_a_users_own_fields_only_those_that_sound_secret_are_named_as_too_short() -> None:
    config = {"mode": "all", "apiKey": "abc"}
    row = service(serviceType="Foo", connection={"config": config})
    warnings = validate([row], shortest_secret=4).warnings
    assert [warning.partition(":")[0] for warning in warnings] == [
        "services[0].serviceType",
        "services[0].connection.config.apiKey",
    ]


def test_an_unknown_service_type_is_sent_as_it_is_with_a_warning() -> None:
    config = {"host_name": "x", "deepURL": {"a_b": [1, None]}, "none": None}
    rows = [
        service(serviceType="Foo", connection={"config": config}),
        service(name="b", serviceType="Foo", connection={"config": {"type": "Foo"}}),
        service(name="c", serviceType="Mlfloww", connection={"config": {}}),
    ]
    validated = validate(rows)
    assert [row.payload()["connection"] for row in validated.services] == [row["connection"] for row in rows]
    assert validated.warnings == [
        'services[0].serviceType: "Foo" is not known to this version; sent as it is (and 1 more row)',
        'services[2].serviceType: "Mlfloww" is not known to this version; sent as it is, did you mean Mlflow?',
    ]


def test_a_single_service_is_warned_about_without_a_row_number() -> None:
    warnings = validate([mlflow(trackingUri="x")], single=True).warnings
    assert warnings == [f"connection.config.registryUri: {LOOSER}"]


def test_a_service_of_any_kind_takes_a_connection_as_it_is() -> None:
    row = {"name": "t", "serviceType": "Tableau", "connection": {"config": {"hostPort": "x"}}}
    validated = validate_services([row], model=CreateServiceRequest)
    assert validated.services[0].payload() == row
    assert validated.warnings == []
