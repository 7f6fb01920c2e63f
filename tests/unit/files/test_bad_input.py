"""What files should not be: each is told by file, and by line where there is one."""

from __future__ import annotations

import pytest

from tests.unit.files.reading import JSON_ROW, ROW, Write, names, problems, read

SECRET = "hunter2-hunter2"
OBJECT = "has a tag that makes an object, which is refused; put a text that begins with ! in quotes"
EMPTY = "is empty; a file that declares no service says so: services: []"
SUFFIX = "has none of the suffixes .yaml, .yml, .json, .jsonl, .ndjson, which say what a file holds"
TAB = (
    "is not YAML: while scanning for the next token, found character that cannot start any token; "
    "YAML is indented by blanks, and here is a tab"
)
FORM = "must be a list of services, or a mapping with services"


@pytest.mark.parametrize(
    "name, content, said",
    [
        ("a.yaml", "", f"a.yaml: {EMPTY}"),
        ("a.yaml", "# nothing\n---\n", f"a.yaml: {EMPTY}"),
        ("a.json", " \n", f"a.json: {EMPTY}"),
        ("a.jsonl", "\n\n", "a.jsonl: is empty; declare no service by a file of YAML or JSON: services: []"),
        ("a.toml", "a", f"a.toml: {SUFFIX}"),
        ("a.yaml", "name: one\nserviceType: Sklearn\n", f"a.yaml:1: {FORM}; a service alone is a list of one"),
        ("a.json", '\n"one"', f"a.json:2: {FORM}, not a string"),
        ("a.yaml", "services: {}", "a.yaml:1: services must be a list, not an object"),
        ("a.yaml", "services: []\nservice: []", "a.yaml:2: unknown key beside services, did you mean services?"),
        ("a.yaml", "- a: 1\n  b:\n  a: 2\n", "a.yaml:3: the key a is given twice"),
        ("a.json", '[{"a": 1,\n"b": {"c": 1, "c": 2}}]', "a.json:2: the key c is given twice"),
        ("a.jsonl", '{}\n{"a": 1, "a": 2}', "a.jsonl:2 services[1]: the key a is given twice"),
        ("a.yaml", "- a:\n\t- b\n", f"a.yaml:2: {TAB}"),
        ("a.yaml", "- b: 1\n- a: caf\xe9\n".encode("latin-1"), "a.yaml:2: is not UTF-8; save the file as UTF-8"),
        ("a.json", '["\xe9"]'.encode("latin-1"), "a.json:1: is not UTF-8; save the file as UTF-8"),
        ("a.jsonl", '{}\n"\xe9"'.encode("latin-1"), "a.jsonl:2 services[1]: is not UTF-8; save the file as UTF-8"),
        ("a.yaml", "- !!python/object/apply:os.system [ls]", f"a.yaml:1: {OBJECT}"),
        ("a.yaml", "- a: 1\n  b: !ours {c: 1}", f"a.yaml:2: {OBJECT}"),
        ("a.yaml", "- a: 2026-13-45", "a.yaml:1: looks like a YAML timestamp but is not one; put it in quotes"),
        ("a.yaml", "- &a [*a]", "a.yaml:1: an alias stands for something that it is in"),
        ("a.yaml", "- ? [a, b]\n  : c", "a.yaml:1: a key must be a text"),
        ("a.yaml", "- <<: 3", "a.yaml:1: << takes in a mapping, or a list of them"),
        ("a.yaml", "[" * 100 + "]" * 100, "a.yaml:1: is nested more than 64 deep"),
        ("a.yaml", "a: \x00", "a.yaml: has a character that YAML does not allow"),
        ("a.json", "[" * 100_000, "a.json: is nested too deep"),
        ("a.json", "[1,\n", "a.json:2: is not JSON: Expecting value"),
        ("a.json", f"[{'1' * 5000}]", "a.json: is not JSON: it has a number with too many digits"),
    ],
)  # fmt: skip
def test_it_is_told_where_it_is(write: Write, name: str, content: str | bytes, said: str) -> None:
    write(name, content)

    assert [problem for problem in problems(name) if "must be given" not in problem] == [said]


@pytest.mark.parametrize(
    "name, content",
    [
        ("a.yaml", f"- a: *{SECRET}"),
        ("a.yaml", f"- a: !{SECRET} b"),
        ("a.yaml", f"- a: %{SECRET}"),
        ("a.yaml", f"- {SECRET}: 1\n  {SECRET}: 2\n\tc"),
        ("a.json", f'[{SECRET}]'),
        ("a.jsonl", f'{{"a": {SECRET}}}'),
        ("a.json", f'["{SECRET}'),
    ],
)  # fmt: skip
def test_nothing_of_the_content_is_told(write: Write, name: str, content: str) -> None:
    write(name, content)

    assert problems(name)
    assert SECRET not in str(problems(name))


def test_aliases_and_merges_within_the_bound_are_good(write: Write) -> None:
    write(
        "a.yaml",
        "services:\n- &base {name: one, serviceType: Sklearn, connection: &c {config: {}}, description: A}\n"
        "- {<<: *base, name: two}\n- {<<: [{description: B}, *base], name: three, connection: *c}\n",
    )

    services = read("a.yaml")
    described = [(service.name, service.fields["description"]) for service in services]
    assert described == [("one", "A"), ("two", "A"), ("three", "B")]


def test_a_byte_order_mark_is_no_part_of_the_content(write: Write) -> None:
    for name, text in (("a.yaml", f"- {ROW}"), ("b.json", f"[{JSON_ROW}]"), ("c.jsonl", JSON_ROW)):
        write(name, b"\xef\xbb\xbf" + text.replace("one", name).encode())

    assert names(read("*")) == ["a.yaml", "b.json", "c.jsonl"]


def test_windows_line_ends_and_tabs_in_json_are_good(write: Write) -> None:
    write("a.json", f"[\r\n\t{JSON_ROW}\r\n]")
    write("b.jsonl", JSON_ROW.replace("one", "two") + "\r\n")
    write("c.yaml", f"- {ROW}\r\n".replace("one", "three"))

    assert names(read("*")) == ["one", "two", "three"]
