"""Cursors of lists: what each release puts into them, and where a list goes on from one that a client has made."""

from __future__ import annotations

import base64
import json
from typing import Any

import httpx
import pytest

from airflow_provider_collate.sandbox import Catalog

on_1_2 = pytest.mark.parametrize("release", ["1.2"])


@pytest.fixture(autouse=True)
def _services(catalog: Catalog) -> None:
    for name in ("a", "b", "c", "d"):
        catalog.add_service(name)


def page(client: httpx.Client, after: str = "") -> Any:
    return client.get("", params={"limit": 2, "after": base64.b64encode(after.encode()).decode()}).json()


def names_of(document: Any) -> list[str]:
    return [row["name"] for row in document["data"]]


@on_1_2
def test_a_cursor_is_the_last_name_on_1_2(bot: httpx.Client) -> None:
    assert base64.b64decode(page(bot)["paging"]["after"]) == b"b"


@pytest.mark.parametrize("release", ["1.12", "2.x"])
def test_a_cursor_is_the_last_name_and_its_id_today(bot: httpx.Client) -> None:
    document = page(bot)
    last = document["data"][-1]
    assert json.loads(base64.b64decode(document["paging"]["after"])) == {"name": "b", "id": last["id"]}


@on_1_2
def test_a_list_goes_on_behind_any_name(bot: httpx.Client) -> None:
    assert names_of(page(bot, after="b")) == ["c", "d"]
    assert names_of(page(bot, after="aa")) == ["b", "c"]


@pytest.mark.parametrize("key_id, behind", [("0", ["b", "c"]), ("~", ["c", "d"])])
def test_the_id_tells_whether_the_name_itself_is_passed(bot: httpx.Client, key_id: str, behind: list[str]) -> None:
    assert names_of(page(bot, after=json.dumps({"name": "b", "id": key_id}))) == behind


@pytest.mark.parametrize("text", ["b", "[]", '{"name": "b"}'])
def test_a_cursor_of_another_form_is_refused(bot: httpx.Client, text: str) -> None:
    assert page(bot, after=text)["code"] == 400
