"""What is wrong with a row is told by the field's path, and never with a value."""

from __future__ import annotations

import pytest

from airflow_provider_collate.kinds.mlmodel import MlflowConnection
from tests.unit.models.declaring import custom, mlflow, problems, service, validate, vertex

NEEDS_CONFIG = "must hold a config, because serviceType"
UNRENDERED = "holds a template {{ … }} that was not rendered"
OWNER = "ca22d46e-81b9-4e48-85b5-0adc44980da9"


def without(row: dict[str, object], name: str) -> dict[str, object]:
    return {key: value for key, value in row.items() if key != name}


@pytest.mark.parametrize(
    "row, expected",
    [
        (without(service(), "name"), "name: must be given"),
        (service(name=None), "name: must be a string, not None"),
        (service(name=""), "name: must not be empty"),
        (service(name="  "), "name: must not be blank"),
        (service(name="\t\u3000"), "name: must not be blank"),
        (service(name="{{ team }}_mlflow"), f"name: {UNRENDERED}"),
        (service(name=5), "name: must be a string, not a number"),
        (service(name="n" * 300), "name: must have at most 256 characters, has 300"),
        (service(name="a::b"), 'name: must not contain "::"'),
        (service(name=":::"), 'name: must not contain "::"'),
        (service(name='say "a"'), 'name: must not contain a quotation mark (")'),
        (service(serviceType="MLFLOW"), 'serviceType: "MLFLOW" is not known to this version, did you mean Mlflow?'),
        (service(name="a\n"), "name: must not contain a line break"),
        (service(name="a\u2028b"), "name: must not contain a line break"),
        (service(name="\ud800"), "name: is not valid Unicode"),
        (service(description="\ud800"), "description: is not valid Unicode"),
        (service(description=float("nan")), "description: must not be NaN"),
        (service(display_name=float("inf")), "display_name: must not be infinity"),
        (without(service(), "serviceType"), "serviceType: must be given"),
        (service(serviceType=""), "serviceType: must not be empty"),
        (service(serviceType="{{ kind }}"), f"serviceType: {UNRENDERED}"),
        (without(service(), "connection"), "connection: must be given; None sends none"),
        (service(descriptoin="x"), "descriptoin: unknown field, did you mean description?"),
        (service(display_nam="x"), "display_nam: unknown field, did you mean display_name?"),
        (service(zzz="x"), "zzz: unknown field"),
        ({**service(), "a:b\nc": 1}, "(a key that is no plain word): unknown field"),
        (dict([*service().items(), (5, 1)]), "the service: its keys must be strings, one is a number"),
    ],
)
def test_a_faulty_service_is_refused_by_path(row: dict[object, object], expected: str) -> None:
    assert problems(row, single=True) == [expected]


@pytest.mark.parametrize(
    "row, expected",
    [
        (service(connection="mlflow"), "connection: must be an object, not a string"),
        (
            service(connection='{"config": {}}'),
            "connection: must be an object, not a string; JSON text has to be loaded first",
        ),
        (service(connection=[]), "connection: must be an object, not a list"),
        (service(connection={"config": None}), "connection.config: must be an object, not None"),
        (
            service(connection={"config": "{}"}),
            "connection.config: must be an object, not a string; JSON text has to be loaded first",
        ),
        (
            service(connection={"trackingUri": "http://mlflow"}),
            "connection.trackingUri: unknown field; the fields of a connection go under connection.config",
        ),
        (mlflow(trackingURI="x"), "connection.config.trackingURI: unknown field, did you mean trackingUri?"),
        (mlflow(trackinguri="x"), "connection.config.trackinguri: unknown field, did you mean trackingUri?"),
        (mlflow(trackin_uri="x"), "connection.config.trackin_uri: unknown field, did you mean tracking_uri?"),
        (mlflow(trackingUri=5), "connection.config.trackingUri: must be a string, not a number"),
        (mlflow(trackingUri=float("nan")), "connection.config.trackingUri: must not be NaN"),
        (mlflow(tracking_uri=True), "connection.config.tracking_uri: must be a string, not a boolean"),
        (mlflow(trackingUri={"a": 1}), "connection.config.trackingUri: must be a string, not an object"),
        (mlflow(trackingUri=b"x"), "connection.config.trackingUri: must be a string, not a bytes"),
        (
            mlflow(supportsMetadataExtraction="yes"),
            "connection.config.supportsMetadataExtraction: must be true or false, not a string",
        ),
        (
            mlflow(supportsMetadataExtraction=1),
            "connection.config.supportsMetadataExtraction: must be true or false, not a number",
        ),
        (mlflow(registryUri="mysql://u:{{\nconn.db.password }}@db/ml"), f"connection.config.registryUri: {UNRENDERED}"),
        (
            mlflow(mlModelFilterPattern={"includes": ["{{ x }}"]}),
            f"connection.config.mlModelFilterPattern.includes[0]: {UNRENDERED}",
        ),
        (
            mlflow(trackingUri="a", tracking_uri="b"),
            "connection.config.tracking_uri: given twice, as trackingUri and tracking_uri",
        ),
        (mlflow(type="Sklearn"), 'connection.config.type: is "Sklearn" but serviceType is "Mlflow"'),
        (mlflow(type="Foo"), 'connection.config.type: is "Foo" but serviceType is "Mlflow"'),
        (mlflow(type="\ud800"), r'connection.config.type: is "\ud800" but serviceType is "Mlflow"'),
        (mlflow(type=5), "connection.config.type: must be a string, not a number"),
        (
            service(serviceType="Foo", connection={"config": {"type": "Mlflow"}}),
            'connection.config.type: is "Mlflow" but serviceType is "Foo"',
        ),
        (
            service(serviceType="Sklearn", connection=MlflowConnection(tracking_uri="x")),
            'connection.config.type: is "Mlflow" but serviceType is "Sklearn"',
        ),
        (
            service(serviceType="Foo", connection=None),
            'connection: must hold a config, because serviceType "Foo" is not known to this version',
        ),
        (
            service(serviceType="Mlfow", connection={}),
            f'connection: {NEEDS_CONFIG} "Mlfow" is not known to this version, did you mean Mlflow?',
        ),
        (
            service(serviceType="SageMaker", connection={"config": {"awsConfig": {}}}),
            "connection.config.awsConfig.awsRegion: must be given",
        ),
        (
            service(serviceType="SageMaker", connection={"config": {"awsConfig": {"aws_regoin": "eu"}}}),
            "connection.config.awsConfig.awsRegion: must be given",
        ),
    ],
)
def test_a_faulty_connection_is_refused_by_path(row: dict[str, object], expected: str) -> None:
    assert problems(row, single=True)[0] == expected


@pytest.mark.parametrize(
    "row, expected",
    [
        (vertex(private_key="k", key=1), "gcpConfig.key: unknown field"),
        (vertex(type="service_account", path="x"), "gcpConfig.path: unknown field"),
        (vertex(type="adc"), "gcpConfig.type: must be one of 'service_account', 'gcp_credential_path', "),
        (vertex(projectId=[1]), "gcpConfig.projectId: must be a list of strings, one is a number"),
        (vertex(projectId=5), "gcpConfig.projectId: must be a string or a list of strings, not a number"),
        (vertex(project_id=["{{ x }}"]), "gcpConfig.project_id[0]: holds a template {{ … }} that"),
        (vertex(path="x", project_id="a", projectId="b"), "gcpConfig.project_id: given twice, as projectId"),
        (vertex(audience="x", tokenUrl="x"), "gcpConfig.tokenUrl: unknown field, did you mean tokenURL?"),
        (vertex(audience="x", credentialSource={"a": 1}), "gcpConfig.credentialSource.a: must be a string"),
    ],
)
def test_faulty_google_credentials_are_refused_by_path(row: dict[str, object], expected: str) -> None:
    (problem,) = problems(row, single=True)
    assert problem.startswith(f"connection.config.credentials.{expected}")


@pytest.mark.parametrize(
    "row, expected",
    [
        (custom(connectionOptions={"n": 5}), ["connection.config.connectionOptions.n: must be a string, not a number"]),
        (
            custom(connectionOptions={5: "x"}),
            ["connection.config.connectionOptions: its keys must be strings, one is a number"],
        ),
        (custom(connectionOptions={"n": "{{ x }}"}), [f"connection.config.connectionOptions.n: {UNRENDERED}"]),
        (
            custom(sourcePythonClass="a", source_python_class="b"),
            ["connection.config.source_python_class: given twice, as sourcePythonClass and source_python_class"],
        ),
        (
            custom(own=[{"a": float("nan"), "b": {1}, "c": "{{ x }}", "d": "\ud800"}, {None: 1}]),
            [
                "connection.config.own[0].a: must not be NaN",
                "connection.config.own[0].b: must be what JSON can carry, not a set",
                f"connection.config.own[0].c: {UNRENDERED}",
                "connection.config.own[0].d: is not valid Unicode",
                "connection.config.own[1]: its keys must be strings, one is None",
            ],
        ),
        (service(serviceType="Foo", connection={"config": {"a": "{{ x }}"}}), [f"connection.config.a: {UNRENDERED}"]),
    ],
)
def test_what_cannot_be_sent_is_refused_where_fields_are_free(row: object, expected: list[str]) -> None:
    assert problems(row, single=True) == expected


@pytest.mark.parametrize(
    "row, path",
    [
        (service(name="a\0"), "name"),
        (service(serviceType="F\0"), "serviceType"),
        (service(displayName="\0"), "displayName"),
        (service(description="a\0b"), "description"),
        (service(domains=["a\0"]), "domains[0]"),
        (service(dataProducts=["a\0"]), "dataProducts[0]"),
        (service(owners=["a\0"]), "owners[0]"),
        (service(tags=["a\0"]), "tags[0].tagFQN"),
        (service(style={"color": "\0"}), "style.color"),
        (mlflow(trackingUri="a\0"), "connection.config.trackingUri"),
        (mlflow(mlModelFilterPattern={"includes": ["\0"]}), "connection.config.mlModelFilterPattern.includes[0]"),
        (custom(connectionOptions={"a": "\0"}), "connection.config.connectionOptions.a"),
        (custom(connectionOptions={"\0": "a"}), "connection.config.connectionOptions"),
        (custom(own=["\0"]), "connection.config.own[0]"),
        (custom(own={"\0": 1}), "connection.config.own"),
        (vertex(projectId=["\0"]), "connection.config.credentials.gcpConfig.projectId[0]"),
        (
            vertex(audience="a", credentialSource={"\0": "a"}),
            "connection.config.credentials.gcpConfig.credentialSource",
        ),
    ],
)
def test_the_character_nul_is_refused_wherever_it_is(row: object, path: str) -> None:
    (problem,) = problems(row, single=True)
    assert problem.startswith(path)
    assert "U+0000" in problem


def test_what_is_nested_without_end_is_refused() -> None:
    endless: dict[str, object] = {}
    endless["again"] = endless
    assert problems(custom(own=endless), single=True) == [
        "connection.config.own.again.again: is nested more than 64 deep"
    ]


def test_braces_that_are_no_template_are_accepted() -> None:
    rows = [
        service(name=f"{number} {text}", connection={"config": {"trackingUri": text, "registryUri": text}})
        for number, text in enumerate(["{{", "}}{{", "{a}", "x{{{", "}}", "a{b}}c", "{{}"])
    ]
    assert len(validate(rows).services) == 7


@pytest.mark.parametrize(
    "row, expected",
    [
        (service(domain="Sales", domains=[]), ["domain: give domain or domains, not both"]),
        (service(domain=5), ["domain: must be a string, not a number"]),
        (service(domains="Sales"), ["domains: must be a list, not a string"]),
        (service(domains=[None]), ["domains[0]: must be a string, not None"]),
        (service(dataProducts=[""]), ["dataProducts[0]: must not be empty"]),
        (service(owners=[{"id": OWNER}]), ["owners[0].type: must be given"]),
        (service(owners=[{"id": "ana", "type": "user"}]), ["owners[0].id: must be a UUID"]),
        (service(owners=[5]), ["owners[0]: must be an object, not a number"]),
        (service(owners=["team: ", "user:"]), ["owners[0]: must not be blank", "owners[1]: must not be blank"]),
        (service(owners=["{{ owner }}"]), [f"owners[0]: {UNRENDERED}"]),
        (
            service(tags=["Certification.Gold"]),
            ['tags[0].tagFQN: "Certification.Gold" is a certification, which the catalog drops from tags'],
        ),
        (service(owners={"id": OWNER, "type": "user"}), ["owners: must be a list, not an object"]),
        (service(tags=[5]), ["tags[0]: must be an object, not a number"]),
        (
            service(tags=["Tier.Tier1", {"tagFqn": "x"}]),
            ["tags[1].tagFQN: must be given", "tags[1].tagFqn: unknown field, did you mean tagFQN?"],
        ),
        (service(tags=[{"tagFQN": "x", "state": "Done"}]), ["tags[0].state: must be 'Suggested' or 'Confirmed'"]),
        (
            service(tags=[{"tagFQN": "x", "metadata": {"expiryDate": 1.5}}]),
            ["tags[0].metadata.expiryDate: must be a whole number, not a number"],
        ),
        (
            service(
                tags=[
                    {
                        "tagFQN": "x",
                        "metadata": {"recognizer": {"recognizerId": OWNER, "recognizerName": "r", "score": 2}},
                    }
                ]
            ),
            ["tags[0].metadata.recognizer.score: must be at most 1"],
        ),
    ],
)
def test_faulty_metadata_is_refused_by_path(row: object, expected: list[str]) -> None:
    assert problems(row, single=True) == expected
