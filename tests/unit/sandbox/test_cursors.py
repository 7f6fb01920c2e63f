"""Cursors of lists: what each release puts into them, and where a list goes on from one that a client has made."""

from __future__ import annotations

import base64
import json
from typing import Any

import httpx
import pytest

from airflow_provider_collate.sandbox import Catalog, InProcessTransport

NAMES = ["a", "b", "c", "d"]


def page(release: str, **params: object) -> Any:
    catalog = Catalog(release)
    for name in NAMES:
        catalog.add_service(name)
    headers = {"Authorization": f"Bearer {catalog.bot_token}"}
    with httpx.Client(transport=InProcessTransport(catalog), headers=headers) as http:
        url = "http://catalog.example/api/v1/services/mlmodelServices"
        return http.get(url, params={"limit": 2, **params}).json()  # type: ignore[dict-item]


def made(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def names_of(document: Any) -> list[str]:
    return [row["name"] for row in document["data"]]


def test_a_cursor_is_the_last_name_on_1_2() -> None:
    assert base64.b64decode(page("1.2")["paging"]["after"]) == b"b"


@pytest.mark.parametrize("release", ["1.12", "2.x"])
def test_a_cursor_is_the_last_name_and_its_id_today(release: str) -> None:
    document = page(release)
    last = document["data"][-1]
    assert json.loads(base64.b64decode(document["paging"]["after"])) == {"name": "b", "id": last["id"]}


def test_a_list_goes_on_behind_any_name() -> None:
    assert names_of(page("1.2", after=made("b"))) == ["c", "d"]
    assert names_of(page("1.2", after=made("aa"))) == ["b", "c"]


@pytest.mark.parametrize("key_id, behind", [("0", ["b", "c"]), ("~", ["c", "d"])])
def test_the_id_tells_whether_the_name_itself_is_passed(key_id: str, behind: list[str]) -> None:
    assert names_of(page("2.x", after=made(json.dumps({"name": "b", "id": key_id})))) == behind


@pytest.mark.parametrize("text", ["b", "[]", '{"name": "b"}'])
def test_a_cursor_of_another_form_is_refused(text: str) -> None:
    assert page("2.x", after=made(text))["code"] == 400
