from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import cast

import pytest

from airflow_provider_collate.exceptions import MOST_PROBLEMS_SHOWN, InvalidDeclarationError
from airflow_provider_collate.files import json_lines
from airflow_provider_collate.files.conn_ids import Resolution
from airflow_provider_collate.files.path import ServicesPath
from airflow_provider_collate.files.services import FileServices, read_files
from airflow_provider_collate.kinds import find_kind
from airflow_provider_collate.kinds.airflow_connection import names_connections
from tests.unit.files.reading import JSON_ROW, ROW, Write, names, problems, read

TWO_OF_EACH = {
    "a.yaml": "services:\n- {name: a1, serviceType: Sklearn, connection: null}\n---\n"
    "- {name: a2, service_type: Sklearn, connection: null}\n",
    "b.json": json.dumps([{"name": name, "serviceType": "Sklearn", "connection": None} for name in ("b1", "b2")]),
    "c.jsonl": "".join(
        json.dumps({"name": name, "serviceType": "Sklearn", "connection": None}) + "\n" for name in ("c1", "c2")
    ),
}


def test_the_suffix_says_how_a_file_is_read(write: Write) -> None:
    for name, text in TWO_OF_EACH.items():
        write(name, text)

    services = read("*")

    assert not services.problems
    assert names(services) == ["a1", "a2", "b1", "b2", "c1", "c2"]
    assert services.file_count == 3
    assert [service.name for service in services[1:4]] == ["a2", "b1", "b2"]
    with pytest.raises(IndexError):
        services[6]


@pytest.mark.parametrize(
    "name, text, line",
    [
        ("services.yaml", "# ours\nservices:\n- name: one\n\n  serviceType: mlflow\n  connection: null\n", 5),
        ("services.yml", "- name: one\n  connection: null\n  service_type: mlflow\n", 3),
        ("services.json", '{"services": [\n {"name": "one",\n "connection": null, "serviceType":\n "mlflow"}]}', 4),
        ("services.jsonl", '\n{"name": "one", "serviceType": "mlflow", "connection": null}\n', 2),
    ],
)
def test_a_fault_is_told_with_file_line_and_path(write: Write, name: str, text: str, line: int) -> None:
    write(name, text)

    [problem] = problems(name)
    place, _, said = problem.partition(": ")
    assert place in (f"{name}:{line} services[0].serviceType", f"{name}:{line} services[0].service_type")
    assert said == '"mlflow" is not known to this version, did you mean Mlflow?'


def test_what_is_missing_is_told_at_its_service(write: Write) -> None:
    write("services.yaml", f"- {ROW}\n- name: two\n  serviceType: Sklearn\n")

    [problem] = problems("services.yaml")
    assert problem == "services.yaml:2 services[1].connection: must be given; None sends none"


def test_all_faults_of_all_files_are_told(write: Write) -> None:
    write("a.yaml", "- {name: a, serviceType: Sklearn, connection: null, owner: ana}\n")
    write("b.jsonl", '{"name": "b"}\n{\n{"name": "c", "serviceType": "Sklearn", "connection": null, "tag": 1}\n')

    places = [problem.partition(": ")[0] for problem in problems("a.yaml", "b.jsonl")]
    assert places == [
        "a.yaml:1 services[0].owner",
        "b.jsonl:1 services[0].serviceType",
        "b.jsonl:1 services[0].connection",
        "b.jsonl:2 services[1]",
        "b.jsonl:3 services[2].tag",
    ]


def test_a_name_that_is_given_twice_is_told_with_both_places(write: Write) -> None:
    write("a.yaml", f"- {ROW}\n")
    write("b.jsonl", f"\n{JSON_ROW}\n")

    assert problems("a.yaml", "b.jsonl") == [
        'b.jsonl:2 services[0].name: "one" was given already by a.yaml:1 services[0].name'
    ]


def test_the_same_file_by_two_globs_is_read_once(write: Write) -> None:
    write("a.yaml", f"- {ROW}\n")

    assert names(read("*.yaml", "a.*")) == ["one"]


def test_braces_in_a_file_are_no_template(write: Write) -> None:
    text = "- {name: one, serviceType: Sklearn, connection: {config: {}}, description: '{{ conn.x.password }}'}"
    write("a.yaml", text)

    assert read("a.yaml")[0].fields["description"] == "{{ conn.x.password }}"


def test_a_conn_id_is_not_looked_up(write: Write) -> None:
    write("a.yaml", "- {name: one, serviceType: Mlflow, connection: {conn_id: nobody_has_it}}\n")

    services = read("a.yaml")
    assert not services.problems
    assert not services.warnings
    assert services[0].fields["connection"] is None


@pytest.mark.parametrize(
    "connection, said",
    [
        ("{conn_id: ''}", "conn_id: must be the id of an Airflow connection"),
        ("{conn_id: 7}", "conn_id: must be the id of an Airflow connection"),
        (
            "{conn_id: 'https://u:pw@h'}",
            "conn_id: must be the id of an Airflow connection, and not what the connection holds",
        ),
        ("{conn_id: a, trackingUrl: b}", "config.trackingUrl: unknown field, did you mean trackingUri?"),
        ("{other_conn_id: a}", "other_conn_id: a service of type Mlflow has no other_conn_id"),
    ],
)
def test_what_is_declared_beside_a_conn_id_is_checked(write: Write, connection: str, said: str) -> None:
    write("a.yaml", f"- name: one\n  serviceType: Mlflow\n  connection: {connection}\n")

    assert problems("a.yaml") == [f"a.yaml:3 services[0].connection.{said}"]


def test_fields_that_an_airflow_connection_may_give_need_not_be_declared(write: Write) -> None:
    beside = "{conn_id: aws, awsConfig: {endPointURL: 'https://aws.acme.example'}}"
    write("a.yaml", f"- {{name: one, serviceType: SageMaker, connection: {beside}}}\n")

    assert not read("a.yaml").problems


@pytest.mark.parametrize(
    "connection, line, key",
    [("conn_id: TODO", 3, "conn_id"), ("conn_id: a,\n registry_conn_id: TODO", 4, "registry_conn_id")],
)
def test_a_service_whose_secrets_are_still_to_be_named_is_unfinished(
    write: Write, connection: str, line: int, key: str
) -> None:
    write("a.yaml", f"- {ROW}\n- {{name: two, serviceType: Mlflow,\n   connection: {{{connection}}}}}\n")

    services = read("a.yaml")
    assert not services.problems
    assert list(services.unfinished) == [1]
    told = str(services.unfinished[1])
    assert told.startswith(f'a.yaml:{line} services[1].connection.{key}: "TODO" stands for secrets')


def test_a_type_that_does_not_exist_is_told_and_not_that_its_connection_cannot_be_read(write: Write) -> None:
    write("a.yaml", "- {name: one, serviceType: mlflow, connection: {conn_id: models}}\n")

    [told] = problems("a.yaml")
    assert told.startswith('a.yaml:1 services[0].serviceType: "mlflow" is not known')


def test_no_more_than_a_thousand_problems_are_told(write: Write) -> None:
    for name in "abc":
        write(f"{name}.jsonl", "{}\n" * 201)

    told = problems("*.jsonl")
    assert len(told) == MOST_PROBLEMS_SHOWN + 1
    assert told[-2].startswith("b.jsonl:")
    assert told[-1] == f"c.jsonl: is not checked further; there are {MOST_PROBLEMS_SHOWN:,} problems already"


def test_what_is_odd_in_a_later_file_is_told_there(write: Write) -> None:
    write("a.jsonl", JSON_ROW)
    write("b.jsonl", f"{JSON_ROW.replace('one', 'two')}\n{JSON_ROW.replace('one', 'three').replace('Sklearn', 'Zoo')}")

    [warning] = read("*.jsonl").warnings
    assert str(warning).startswith('b.jsonl:2 services[1].serviceType: "Zoo" is not known to this version; ')


def test_what_is_odd_is_told_once_with_its_first_place(write: Write) -> None:
    rows = "".join(f"- {{name: n{n}, serviceType: Mlflow, connection: {{config: {{}}}}}}\n" for n in range(3))
    write("a.yaml", rows)

    warning, _ = read("a.yaml").warnings
    assert str(warning).startswith("a.yaml:1 services[0].connection.config.trackingUri: not given; ")
    assert str(warning).endswith("(and 2 more rows)")


class Forgetful:
    """Resolves a connection as often as it is told to, and then no more."""

    def __init__(self, times: int) -> None:
        self._left = times

    def resolve(self, rows: Sequence[object]) -> Resolution:
        self._left -= 1
        if self._left < 0:
            return Resolution(list(rows), [(0, ("connection", "conn_id"), "is gone")])
        return Resolution([{**cast("dict[str, object]", row), "connection": {"config": {}}} for row in rows])


@pytest.mark.parametrize("use", [list, lambda services: services[0]])
def test_a_connection_that_goes_away_after_the_check_is_told(
    write: Write, use: Callable[[FileServices], object]
) -> None:
    write("a.jsonl", '{"name": "one", "serviceType": "Sklearn", "connection": {"conn_id": "models"}}')
    services = read_files([ServicesPath("a.jsonl")], find_kind("mlmodelServices"), Forgetful(times=1))
    services.raise_if_faulty()

    with pytest.raises(InvalidDeclarationError, match=r"a\.jsonl:1 services\[0\]\.connection\.conn_id: is gone"):
        use(services)


class Moved:
    """Resolves a connection to another tracking server each time."""

    def __init__(self) -> None:
        self._times = 0

    def resolve(self, rows: Sequence[object]) -> Resolution:
        self._times += 1
        connection = {"config": {"trackingUri": f"http://{self._times}"}}
        return Resolution(
            [
                {**cast("dict[str, object]", row), "connection": connection} if names_connections(row) else row
                for row in rows
            ]
        )


def test_what_an_airflow_connection_holds_is_asked_for_again_and_not_kept_with_the_line(write: Write) -> None:
    write("a.jsonl", '{"name": "one", "serviceType": "Mlflow", "connection": {"conn_id": "models"}}')
    services = read_files([ServicesPath("a.jsonl")], find_kind("mlmodelServices"), Moved())
    services.raise_if_faulty()

    found = [*services, *services]
    assert [service.config for service in found] == [{"type": "Mlflow", "trackingUri": f"http://{n}"} for n in (2, 3)]


def test_a_line_is_the_same_service_as_a_row_of_json(write: Write) -> None:
    rows = [
        {"name": "ä", "service_type": "Sklearn", "connection": None, "tags": ["Tier.Tier1"], "domain": "Sales"},
        {"name": "two", "serviceType": "Zoo", "connection": {"config": {"own": {"x": None, "n": 1.5}, "none": None}}},
        {
            "name": "three",
            "serviceType": "Mlflow",
            "connection": {"config": {"tracking_uri": "http://t"}},
            "owners": ["ana"],
        },
    ]
    write("a.json", json.dumps(rows))
    write("a.jsonl", "\n".join(map(json.dumps, rows)))

    assert [*read("a.jsonl")] == [*read("a.json")]
    assert [read("a.jsonl")[n].config_model for n in (0, 1, 2)] == [one.config_model for one in read("a.json")]


LINE = '{{"name": "{}", "serviceType": "Mlflow", "connection": {{"conn_id": "{}"}}}}\n'


def test_all_lines_are_read_back_in_their_order_by_any_thread(write: Write) -> None:
    write("a.jsonl", "".join(JSON_ROW.replace("one", f"a{n}") + "\n" for n in range(1_203)))
    write("b.jsonl", "".join(JSON_ROW.replace("one", f"b{n}") + "\n" for n in range(7)))
    expected = [*(f"a{n}" for n in range(1_203)), *(f"b{n}" for n in range(7))]

    services = read("*.jsonl")
    assert names(services) == expected
    with ThreadPoolExecutor(8) as pool:
        assert [*pool.map(lambda number: services[number].name, range(len(services)))] == expected


def test_a_line_whose_secrets_are_still_to_be_named_has_no_connection(write: Write) -> None:
    write("a.jsonl", LINE.format("one", "models"))
    write("b.jsonl", LINE.format("two", "models") + LINE.format("three", "TODO"))

    services = read_files([ServicesPath("*.jsonl")], find_kind("mlmodelServices"), Moved())
    assert [*services.unfinished] == [2]
    assert [service.config is None for service in services] == [False, False, True]


class Spoiled(Moved):
    """Resolves connections as it did at first, and later to what is no config."""

    def resolve(self, rows: Sequence[object]) -> Resolution:
        resolution = super().resolve(rows)
        if self._times > 2:
            resolution.rows = [{**cast("dict[str, object]", row), "connection": 1} for row in rows]
        return resolution


def test_a_connection_that_is_spoiled_after_the_check_is_told_where_it_is(write: Write) -> None:
    write("a.jsonl", LINE.format("one", "models"))
    write("b.jsonl", LINE.format("two", "models") + LINE.format("three", "models"))
    services = read_files([ServicesPath("*.jsonl")], find_kind("mlmodelServices"), Spoiled())
    services.raise_if_faulty()

    with pytest.raises(InvalidDeclarationError, match=r"b\.jsonl:2 services\[1\]\.connection: must be an object"):
        services[2]


@pytest.mark.parametrize(
    "row, said",
    [
        ('{"name": "a\\ud800", "serviceType": "Mlflow", "connection": {"conn_id": "m"}}', "name: is not valid Unicode"),
        (f'{{"name": "a", "x": {"[" * 300}{"]" * 300}, "connection": {{"conn_id": "m"}}}}', "x: unknown field"),
        (
            '{"name": "a", "serviceType": "Zoo", "connection": {"config": {"own": {"k\\ud800": 1}}}}',
            "connection.config.own: one of its keys is not valid Unicode",
        ),
    ],
)
def test_a_faulty_line_that_could_not_be_stored_is_told_all_the_same(write: Write, row: str, said: str) -> None:
    write("a.jsonl", row)
    assert f"a.jsonl:1 services[0].{said}" in problems("a.jsonl")


def test_a_disk_that_is_full_is_told(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    write("a.jsonl", f"{JSON_ROW}\n" * 2)
    monkeypatch.setattr(tempfile, "TemporaryFile", partial(Path("/dev/full").open, "w+b"))

    said = "a.jsonl: cannot be checked, because a temporary file cannot be written: No space left on device"
    assert said in problems("a.jsonl")


def test_what_stands_before_a_line_that_is_too_long_is_told_too(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_lines, "LONGEST", 100)
    write("a.jsonl", "{}\n" * 3 + " " * 200 + "\n{}")

    told = problems("a.jsonl")
    assert [line.split()[0] for line in told if "name" in line] == ["a.jsonl:1", "a.jsonl:2", "a.jsonl:3"]
    assert told[-1].startswith("a.jsonl:4: the line is longer than")


def test_what_becomes_of_the_file_after_the_check_does_not_matter(write: Write) -> None:
    file = write("a.jsonl", JSON_ROW)
    services = read("a.jsonl")
    file.write_text(JSON_ROW.replace("one", "two"))

    assert names(services) == ["one"]
    assert services[0].name == "one"
