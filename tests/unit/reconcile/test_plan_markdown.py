"""The plan as Markdown: a table that nothing from the catalog can break out of."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from airflow_provider_collate.reconcile.changes import Action, Change
from airflow_provider_collate.reconcile.field_change import FieldChange, Status, one_line
from airflow_provider_collate.reconcile.plan import Plan
from tests.unit.reconcile.workbench import Workbench, mlflow, sagemaker, sklearn

READER = MarkdownIt("commonmark").enable("table")
ATTACKS = [
    "a|b",
    "`a` | ``b``",
    "<img src=x onerror=alert(1)>",
    "[click](https://evil.example)",
    "https://evil.example www.evil.example",
    "@ana @acme/everyone #1",
    "a\n\n# heading\n| x | y |",
    "\\| \\\\| \\",
    "**bold** _a_ ~b~ ![x](y) &lt; &#124;",
    "```",
    "\u202egnp.exe",
]


def update(name: str, detail: str) -> Change:
    return Change(name, Action.UPDATE, "Sklearn", fields=(FieldChange("description", detail),))


def inlines(markdown: str) -> list[list[Token]]:
    """Return what stands in each cell, or paragraph, as a reader of GitHub's Markdown sees it."""
    return [token.children or [] for token in READER.parse(markdown) if token.type == "inline"]


def check(name: str, detail: str) -> None:
    cells = inlines(Plan((update(name, detail),)).markdown())[1:]  # the counts come first
    assert len(cells) == 8
    (shown_name,), _, (shown_detail,) = cells[5:]
    assert (shown_name.type, shown_detail.type) == ("code_inline", "code_inline")
    assert shown_name.content.replace("\u200b", "") == one_line(name)
    assert shown_detail.content.replace("\u200b", "") == one_line(f"description: {detail}", 300)


@pytest.mark.parametrize("text", ATTACKS)
def test_what_comes_from_the_catalog_is_code_and_nothing_else(text: str) -> None:
    check(text, text)


@settings(max_examples=300, deadline=None, database=None)
@given(st.text("|`\\<>@[]()*_~!&#:/. a\n", min_size=1).filter(str.strip), st.text("|`\\<>a \n", max_size=400))
def test_whatever_it_is(name: str, detail: str) -> None:
    check(name, detail)


def test_notes_cannot_break_out_either() -> None:
    for text in ATTACKS:
        kinds = {token.type for cell in inlines(Plan((), notes=(text,), warnings=(text,)).markdown()) for token in cell}
        assert kinds <= {"strong_open", "strong_close", "text", "code_inline"}


def test_it_has_the_signs_the_reasons_and_the_counts() -> None:
    kept = FieldChange("description", '"By hand" (ana) is kept', status=Status.CONFLICT)
    plan = Plan(
        (
            Change("new", Action.CREATE, "Mlflow"),
            Change("old", Action.DELETE, "Mlflow", reason="soft delete, it is not declared"),
            Change("mine", Action.UPDATE, "Mlflow", fields=(FieldChange("tags", "[] → [Tier.Tier1]"), kept)),
            Change("same", Action.NONE, "Mlflow"),
        ),
        notes=("A note.",),
    )
    assert plan.markdown().splitlines() == [
        "**Plan:** 1 create, 1 delete, 1 update, 1 unchanged",
        "",
        "| | Service | Action | Details |",
        "| --- | --- | --- | --- |",
        "| + | `new` | create | `Mlflow` |",
        "| - | `old` | delete | `soft delete, it is not declared` |",
        "| ~ | `mine` | update | `tags: [] → [Tier.Tier1]` |",
        '| | | | `description: "By hand" (ana) is kept` |',
        "",
        "- `A note.`",
    ]


@pytest.mark.parametrize("detail", ["x", "y" * 10_000])
def test_it_is_bounded(detail: str) -> None:
    fields = tuple(FieldChange(f"f{number}", detail) for number in range(30))
    changes = tuple(Change(f"s{n:05}" * 20, Action.UPDATE, "Sklearn", fields=fields) for n in range(2_000))
    markdown = Plan(changes, notes=("n" * 5_000,) * 50).markdown()
    assert len(markdown) < 65_536
    assert "more services that are not unchanged" in markdown


@pytest.mark.parametrize("count", [100, 101])
def test_it_shows_a_hundred_services(count: int) -> None:
    lines = Plan(tuple(Change(f"s{n}", Action.RESTORE, "Mlflow") for n in range(count))).markdown().splitlines()
    assert lines[2:5] == ["| | Service | Action | Details |", "| --- | --- | --- | --- |", "| + | `s0` | restore |  |"]
    more = ["", "… and 1 more services that are not unchanged"] if count > 100 else []
    assert lines[4 + 100 :] == more


def test_long_details_are_cut_later_than_names() -> None:
    check("n", "y" * 250)


def test_an_empty_plan() -> None:
    assert Plan(()).markdown() == "**Plan:** no services declared\n"


def test_no_secret_is_in_it(anyone: Workbench) -> None:
    hidden = ["canary-one", "canary-two", "canary-three", "hunter2hunter2"]
    anyone.run([sagemaker("a", secret=hidden[0]), mlflow("b", tracking=f"http://u:{hidden[1]}@mlflow")])
    rows = [sagemaker("a", secret=hidden[2]), mlflow("b", tracking=f"http://u:{hidden[2]}@mlflow"), sklearn("c")]
    markdown = anyone.plan(rows).markdown()
    assert "| + | `c` | create | `Sklearn` |" in markdown
    assert not any(secret in markdown for secret in hidden)
