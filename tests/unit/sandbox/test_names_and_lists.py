"""Names, and pages of a list."""

from __future__ import annotations

import httpx
import pytest

from airflow_provider_collate.sandbox import Catalog
from tests.unit.sandbox.declared import mlflow


class TestNames:
    def test_a_dot_puts_the_name_in_quotes(self, bot: httpx.Client) -> None:
        answer = bot.post("", json=mlflow("team.prod"))

        assert answer.json()["fullyQualifiedName"] == '"team.prod"'
        assert bot.get("/name/%22team.prod%22").json()["name"] == "team.prod"
        assert bot.get("/name/team.prod").json()["name"] == "team.prod"
        assert bot.get("/name/team.test").json()["message"] == 'mlmodelService instance for "team.test" not found'

    @pytest.mark.parametrize("name", ["a/b", "ü ñ", " spaces ", "100%", "a+b", "?x=#y"])
    def test_any_name_is_found_percent_encoded(self, bot: httpx.Client, name: str) -> None:
        bot.post("", json=mlflow(name))

        encoded = "".join(f"%{byte:02X}" for byte in name.encode())
        assert bot.get(f"/name/{encoded}").json()["name"] == name

    @pytest.mark.parametrize(
        "release, name, status",
        [
            ("2.x", "x" * 256, 201),
            ("2.x", "x" * 257, 400),
            ("2.x", "a::b", 400),
            ("2.x", "a/b", 201),
            ("1.2", "x" * 128, 201),
            ("1.2", "x" * 129, 400),
            ("1.2", "a/b", 400),
            ("1.2", "Größe (1) & 100%", 201),
            ("1.2", "", 400),
        ],
    )
    def test_rule_of_the_release(self, bot: httpx.Client, name: str, status: int) -> None:

        assert bot.post("", json=mlflow(name)).status_code == status


class TestList:
    @pytest.mark.parametrize("limit", [1, 2, 3, 7, 100])
    def test_pages_hold_each_service_once_both_ways(self, bot: httpx.Client, catalog: Catalog, limit: int) -> None:
        names = ["b", "a", "Z", "é", "a.b", "c 1", "c"]
        for name in names:
            catalog.add_service(name)
        seen, params, last = [], {"limit": str(limit)}, {}
        while True:
            last = bot.get("", params=params).json()
            seen += [row["name"] for row in last["data"]]
            if "after" not in last["paging"]:
                break
            params = {"limit": str(limit), "after": last["paging"]["after"]}

        assert seen == sorted(names)
        back = [row["name"] for row in last["data"]]
        while "before" in last["paging"]:
            last = bot.get("", params={"limit": limit, "before": last["paging"]["before"]}).json()
            back = [row["name"] for row in last["data"]] + back
        assert back == sorted(names)

    def test_ten_without_a_limit(self, bot: httpx.Client, catalog: Catalog) -> None:
        for number in range(12):
            catalog.add_service(f"s{number}")

        page = bot.get("").json()

        assert (len(page["data"]), page["paging"]["total"]) == (10, 12)

    @pytest.mark.parametrize("release", ["1.2", "2.x"])
    def test_those_of_a_domain(self, bot: httpx.Client, catalog: Catalog, release: str) -> None:
        domain = catalog.add_domain("Risk")
        for name in ("b", "d", "e"):
            catalog.add_service(name, **({"domain": domain} if release == "1.2" else {"domains": [domain]}))
        for name in ("a", "c"):
            catalog.add_service(name)

        page = bot.get("", params={"domain": "Risk", "limit": 2}).json()
        rest = bot.get("", params={"domain": "Risk", "after": page["paging"]["after"]}).json()
        unknown = bot.get("", params={"domain": "Nope"})

        assert ([row["name"] for row in page["data"]], page["paging"]["total"]) == (["b", "d"], 3)
        assert [row["name"] for row in rest["data"]] == ["e"]
        assert (unknown.status_code, unknown.json()["message"]) == (404, "domain instance for Nope not found")
        assert bot.get("", params={"domain": "Fraud"}).json() == {"data": [], "paging": {"total": 0}}

    @pytest.mark.parametrize("limit", ["x", "", "1_0", " 5", "1.0", "99999999999", "-99999999999"])
    def test_a_limit_that_cannot_be_read(self, bot: httpx.Client, limit: str) -> None:
        assert bot.get("", params={"limit": limit}).status_code == 404

    @pytest.mark.parametrize("params", [{"limit": -1}, {"limit": 1_000_001}, {"after": "%"}, {"include": "some"}])
    def test_bad_parameters(self, bot: httpx.Client, params: dict[str, str]) -> None:
        assert bot.get("", params=params).status_code == 400
